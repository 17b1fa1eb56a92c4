"""What the runs of one set say: fronts, queries a second at a recall, medians of rounds, ratios within rounds."""

import math
import statistics

RECALLS = (0.90, 0.95, 0.99)
#: How queries are given: the name of the times in a point, and what it is called in the report.
MODES = {"single": "single query", "batch64": "batches of 64", "batch_all": "all at once"}


def recall_of(point, mode):
    return point["recall"] if mode == "single" else point.get("batch_recall", 0.0)


def seconds_of(point, mode, empty_us):
    """Seconds a query, the cost of a call that has nothing to do taken off; at least a tenth of what was measured."""
    mean = point[mode]["mean_us"]
    return max(mean - empty_us, 0.1 * mean) * 1e-6


def front(points, mode, empty_us=0.0):
    """The points that no other beats in recall and speed, as (recall, queries a second, point), recall ascending."""
    measured = [point for point in points if mode in point]
    return undominated((recall_of(p, mode), 1 / seconds_of(p, mode, empty_us), p) for p in measured)


def logit(recall):
    clipped = min(max(recall, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))


def rate_at(points_on_front, recall):
    """Queries a second at a recall: log rate is linear in logit recall between points. None where it is not reached.

    A front that begins above the recall has the rate of its first point: nobody is held to answer worse.
    """
    if not points_on_front or points_on_front[-1][0] < recall:
        return None
    if points_on_front[0][0] >= recall:
        return points_on_front[0][1]
    for (low, low_rate, _), (high, high_rate, _) in zip(points_on_front, points_on_front[1:]):
        if high >= recall:
            share = (logit(recall) - logit(low)) / max(logit(high) - logit(low), 1e-12)
            return math.exp(math.log(low_rate) + share * (math.log(high_rate) - math.log(low_rate)))
    return None


def point_at(points_on_front, recall):
    """The quickest measured point of a front that reaches a recall, or None."""
    for reached, _, point in points_on_front:
        if reached >= recall:
            return point
    return None


def empty_us(run):
    """Microseconds an empty call takes, which only single queries are relieved of."""
    return run.get("empty_call", {}).get("mean_us", 0.0)


def undominated(entries):
    """Those of (recall, rate, ...) that no other beats in both, recall ascending."""
    best, kept = 0.0, []
    for entry in sorted(entries, key=lambda item: (-item[0], -item[1])):
        if entry[1] > best:
            kept.append(entry)
            best = entry[1]
    return kept[::-1]


def library_front(runs, mode, less_empty):
    """The front of all builds of one library in one round: (recall, rate, knob with the name of its build)."""
    entries = []
    for run in runs:
        relief = empty_us(run) if less_empty and mode == "single" else 0.0
        for recall, rate, point in front(run["points"], mode, relief):
            entries.append((recall, rate, dict(point["knob"], build=run["build"])))
    return undominated(entries)


def library_rates(runs, mode, less_empty):
    """{recall: queries a second or None} of one library in one round, the best of its builds."""
    joined = library_front(runs, mode, less_empty)
    return {recall: rate_at(joined, recall) for recall in RECALLS}


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and 2 * len(known) >= len(values) else None


class SetSummary:
    """Everything the report says of one set. runs: [round][library] -> list of runs of its builds."""

    def __init__(self, name, facts, rounds):
        self.name = name
        self.facts = facts
        self.rounds = rounds
        self.libraries = sorted({library for one in rounds for library in one})

    def rates(self, library, mode, less_empty=True):
        """{recall: median over rounds}."""
        found = [library_rates(one[library], mode, less_empty) for one in self.rounds if library in one]
        return {recall: median([rates[recall] for rates in found]) for recall in RECALLS}

    def best_peer(self, mode, recall, less_empty=True):
        """(name, queries a second) of the quickest library that is not Segue, or (None, None)."""
        rates = [
            (self.rates(library, mode, less_empty)[recall], library)
            for library in self.libraries
            if library != "segue"
        ]
        known = [entry for entry in rates if entry[0] is not None]
        return max(known)[::-1] if known else (None, None)

    def ratio(self, mode, recall, less_empty=True):
        """Median, least and greatest over rounds of Segue's rate over the best peer's of the same round, or None."""
        found = []
        for one in self.rounds:
            rates = {library: library_rates(runs, mode, less_empty)[recall] for library, runs in one.items()}
            ours = rates.pop("segue", None)
            known = [rate for rate in rates.values() if rate is not None]
            if ours is not None and known:
                found.append(ours / max(known))
        return (statistics.median(found), min(found), max(found)) if found else None

    def runs_of(self, library):
        return [run for one in self.rounds for run in one.get(library, [])]

    def latency(self, library, recall):
        """(p50, p99) in microseconds at the quickest measured point that reaches a recall, medians over rounds."""
        found = []
        for one in self.rounds:
            for run in one.get(library, []):
                point = point_at(front(run["points"], "single"), recall)
                if point is not None:
                    found.append((point["single"]["mean_us"], point["single"]["p50_us"], point["single"]["p99_us"]))
        if not found:
            return None
        quickest = sorted(found)[: max(1, len(self.rounds))]
        return statistics.median(entry[1] for entry in quickest), statistics.median(entry[2] for entry in quickest)

    def fronts(self, library, mode, less_empty=True):
        """(recall, rate) of the last round, for plots and the JSON."""
        runs = next((one[library] for one in reversed(self.rounds) if library in one), [])
        return library_front(runs, mode, less_empty)
