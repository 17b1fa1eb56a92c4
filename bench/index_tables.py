"""The tables of docs/benchmarks/index.md. Losses are printed as wins are."""

import statistics

from index_sets import SETS
from index_summary import MODES, RECALLS

#: set: {mode: ratio to the best library that is asked for}
RATIO_TARGETS = {
    "glove": {"single": 2.0, "batch_all": 2.0},
    "mf-1m": {"single": 1.5, "batch_all": 1.5},
    "tfrs": {"single": 1.5},
}
P99_OVER_P50 = 2.5
SECONDS_PER_MILLION_64 = 10.0
BYTES_PER_ITEM_OVER_DIM = 1.7


def thousands(rate):
    return "-" if rate is None else f"{rate / 1000:.1f}k" if rate >= 1000 else f"{rate:.0f}"


def table(header, rows):
    """Markdown, the first column left, the others right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def verdict(ratio, target):
    return "-" if ratio is None else "yes" if ratio >= target else "**no**"


def ratio_rows(summaries):
    """Speed against the best library at the same recall."""
    rows = []
    for summary in summaries:
        for mode, target in RATIO_TARGETS.get(summary.name, {}).items():
            for recall in RECALLS:
                ours = summary.rates("segue", mode)[recall]
                peer, best = summary.best_peer(mode, recall)
                ratio = summary.ratio(mode, recall)
                shown = "-" if ratio is None else f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})"
                beside = "-" if peer is None else f"{thousands(best)} {peer}"
                met = verdict(ratio and ratio[0], target)
                name = f"{summary.name}, {MODES[mode]}, recall {recall:.2f}"
                rows.append((name, f"{target:g} x", thousands(ours), beside, shown, met))
    return rows


def segue_build(summary):
    """The run of Segue's default build in the last round, or None."""
    runs = summary.runs_of("segue")
    return next((run for run in reversed(runs) if run["build"] == "default"), runs[-1] if runs else None)


def size_rows(summaries):
    """Build time, memory and tail latency of Segue against their targets."""
    rows = []
    for summary in summaries:
        run = segue_build(summary)
        if run is None:
            continue
        facts = summary.facts
        if summary.name == "mf-1m":
            runs = [other for other in summary.runs_of("segue") if other["build"] == run["build"]]
            built = statistics.median(other["build_wall_s"] for other in runs)
            cpu = statistics.median(other["build_cpu_s"] for other in runs)
            per_item = (run["code_bytes"] + run["leaf_bytes"] + run["int8_row_bytes"]) / facts["num_items"]
            most = BYTES_PER_ITEM_OVER_DIM * facts["dim"]
            rows.append(
                ("mf-1m, build on 2 cores", f"{SECONDS_PER_MILLION_64:g} s", f"{built:.1f} s ({cpu:.1f} CPU s)", "", "",
                 verdict(SECONDS_PER_MILLION_64 / built, 1))
            )
            rows.append(
                ("mf-1m, bytes an item (codes, leaves, int8 rows)", f"{most:.0f}", f"{per_item:.0f}", "", "",
                 verdict(most / per_item, 1))
            )
        latency = summary.latency("segue", 0.95)
        if latency and summary.name in RATIO_TARGETS:
            ratio = latency[1] / latency[0]
            shown = f"{latency[1]:.0f} / {latency[0]:.0f} us"
            rows.append(
                (f"{summary.name}, p99 over p50 at recall .95", f"{P99_OVER_P50:g} x", shown, "", f"{ratio:.2f}",
                 verdict(P99_OVER_P50 / ratio, 1))
            )
    return rows


def limit_rows(limits):
    """Kernels against the peak of the instructions they are made of."""
    if not limits:
        return []
    return [
        (row["name"], f"{100 * row['target']:.0f} %", f"{row['rate'] * 1e-9:.0f} G/s",
         f"peak {row['peak'] * 1e-9:.0f} G/s", f"{100 * row['rate'] / row['peak']:.0f} %",
         verdict(row["rate"] / row["peak"] / row["target"], 1))
        for row in limits["rows"]
    ]


def seed_rows(seeds):
    """Beside the figures of the tutorial the third set comes from."""
    if not seeds:
        return []
    return [
        (row["name"], row["target_text"], row["ours_text"], row["theirs_text"], "", "yes" if row["met"] else "**no**")
        for row in seeds["rows"]
    ]


def set_tables(summary):
    """Speed, building and memory of every library on one set."""
    parts = []
    for mode, title in MODES.items():
        rows = []
        for library in summary.libraries:
            rates = summary.rates(library, mode, less_empty=mode == "single")
            cells = [thousands(rates[recall]) for recall in RECALLS]
            if mode == "single":
                raw = summary.rates(library, mode, less_empty=False)
                cells = [f"{cell} ({thousands(raw[recall])})" for cell, recall in zip(cells, RECALLS)]
                latency = summary.latency(library, 0.95)
                cells += [f"{latency[0]:.0f} / {latency[1]:.0f}"] if latency else ["-"]
            rows.append((library, *cells))
        rows.sort(key=lambda row: row[0] != "segue")
        header = [title, *(f"{recall:.2f}" for recall in RECALLS)]
        parts.append(table(header + (["p50 / p99 us at .95"] if mode == "single" else []), rows))
    rows = []
    for library in summary.libraries:
        seen = {}
        for run in summary.runs_of(library):
            seen.setdefault(run["build"], run)
        for build, run in sorted(seen.items()):
            if library == "segue":
                size = run["file_bytes"] + run["f32_bytes"]
            else:
                size = run["file_bytes"]
            empty = run.get("empty_call", {}).get("mean_us")
            rows.append(
                (f"{library} {build}", f"{run['build_wall_s']:.1f}", f"{run['build_cpu_s']:.1f}",
                 f"{run['resident_bytes'] / 1e6:.0f}", f"{size / 1e6:.0f}", "-" if empty is None else f"{empty:.1f}")
            )
    header = ["build", "wall s", "CPU s", "MB grown by loading", "MB of files", "us of an empty call"]
    parts.append(table(header, rows))
    return "\n".join(parts)


def filter_table(found):
    rows = [
        (f"{100 * row['selectivity']:g} %, {row['kind']}", row["path"], f"{row['recall']:.3f}", f"{row['p50_us']:.0f}",
         f"{row['p99_us']:.0f}", f"{row['scored']:.0f}")
        for row in found["rows"]
    ]
    return table(["items that may be offered", "path", "recall@10", "p50 us", "p99 us", "items scored"], rows)


INTRODUCTION = """# The index beside other libraries

Written by `./dev bench index`; `bench/index_bench.py --help` has its flags. {machine}; {system}; {date}; commit
{commit}; kernels {kernels}. {seconds:g} CPU seconds a setting; before a search the machine was busy {busy:.0%} in the
median, {worst:.0%} at worst. Rounds of searching are said with each set.

Every library has a process of its own, held to one core while it searches (two while it builds), and huge pages for
what it allocates; the order turns from round to round. Times are CPU time of the process, so that other work on the
machine counts only through the caches and memory it takes. k = 10. An answer counts when its exact score reaches that
of the tenth within a thousandth. Each library has at most three builds, its own grid of settings and its own Pareto
front; rates at a recall are interpolated (log rate over logit recall), "-" where it is not reached, the rate of the
quickest setting where all of them are above. Single queries of libraries called from Python are given less the time of
a call that has nothing to search (the figures in brackets have it in); Segue is called from C++, less the clock.
Figures are medians of rounds; ratios are taken within a round, against the best library of that round.

"""


def document(summaries, facts, extras, note):
    """The whole report."""
    kernels = next((run["kernels"] for summary in summaries for run in summary.runs_of("segue")), "-")
    text = INTRODUCTION.format(
        kernels=kernels, busy=facts["busy_median"], worst=facts["busy_worst"],
        **{key: facts[key] for key in ("machine", "system", "date", "commit", "seconds")},
    )
    versions = {
        f"{library} {run['version']}"
        for summary in summaries
        for library in summary.libraries
        for run in summary.runs_of(library)
        if "version" in run
    }
    text += f"Measured beside Segue in this run: {', '.join(sorted(versions)) or 'nothing'}.\n\n"
    text += f"**{note}**\n\n" if note else ""
    rows = ratio_rows(summaries) + size_rows(summaries) + limit_rows(extras["limits"]) + seed_rows(extras["seeds"])
    if rows:
        text += "## Targets\n\n"
        text += table(["what", "target", "ours", "beside", "ratio", "met"], rows) + "\n"
    for summary in summaries:
        facts_of_set = summary.facts
        text += f"## {summary.name}\n\n{SETS[summary.name][0]}: {facts_of_set['num_items']:,} items of "
        text += f"{facts_of_set['dim']} dimensions, {facts_of_set['num_queries']:,} queries"
        if facts_of_set["lid"] > 0:
            low, high = facts_of_set["lid_p10"], facts_of_set["lid_p90"]
            text += f"; local intrinsic dimension {facts_of_set['lid']:.1f} (p10 {low:.1f}, p90 {high:.1f})"
        rounds = len(summary.rounds)
        text += f". Seed {facts_of_set['seed']}; {rounds} round{'s' if rounds > 1 else ''}. Queries a second at recall@10:\n\n"
        text += f"![recall against speed](index-{summary.name}.svg)\n\n"
        text += set_tables(summary) + "\n"
        if summary.name in extras["filters"]:
            text += "Segue with filters, random and correlated with the query:\n\n"
            text += filter_table(extras["filters"][summary.name]) + "\n"
    if facts["failures"]:
        text += "## What did not run\n\n"
        text += "".join(f"- {what}: {reason}\n" for what, reason in sorted(facts["failures"].items()))
    return text.rstrip("\n") + "\n"
