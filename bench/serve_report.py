"""Writes what the service benchmark found: docs/benchmarks/serve.md for people, serve.json for programs.

    python3 bench/serve_report.py FOLDER        # serve.md anew from serve.json
"""

import glob
import json
import os
import statistics
import sys
import time

from machine_facts import commit, processor

SEGUE_KINDS = ("null", "table", "table-post", "index", "items", "filter", "vector", "vector-binary")
SEARCH_OF = {kind: kind for kind in ("table", "index", "items", "filter", "vector")}
SEARCH_OF.update({"table-post": "table", "vector-binary": "vector"})


def machine_facts():
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": processor(),
        "commit": commit(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }


def versions(folder, peers):
    """Of what is measured beside Segue, from the metadata of the wheels."""
    found = {}
    wanted = {"flask", "gunicorn", "scann", "chromadb"}
    for peer in peers:
        for path in glob.glob(os.path.join(folder, f"serve-{peer}", "*.dist-info")):
            name, version = os.path.basename(path).removesuffix(".dist-info").rsplit("-", 1)
            if name.lower() in wanted:
                found[name.lower()] = version
    return found


def median(runs, *keys):
    values = []
    for run in runs:
        for key in keys:
            run = run[key]
        values.append(run)
    return statistics.median(values)


class Summary:
    """Medians over rounds; shares of the null request are of the same round."""

    def __init__(self, result):
        self.result = result
        self.runs = result["measured"]

    def rate(self, kind):
        return median(self.runs[kind], "full", "rate")

    def cpu(self, kind):
        return median(self.runs[kind], "full", "cpu_us")

    def generator_cpu(self, kind):
        return statistics.median(
            1e6 * run["full"]["generator_cpu_seconds"] / run["full"]["answers"] for run in self.runs[kind]
        )

    def possible_rate(self, kind):
        """What the cores could do if nothing else ran on them: both sides' CPU time is all that counts then."""
        return self.result["facts"]["cores"] * 1e6 / (self.cpu(kind) + self.generator_cpu(kind))

    def share_of_null(self, kind):
        return self.possible_rate(kind) / self.possible_rate("null")

    def above_null(self, kind):
        pairs = zip(self.runs[kind], self.runs["null"])
        return statistics.median(run["full"]["cpu_us"] - null["full"]["cpu_us"] for run, null in pairs)

    def search(self, kind):
        runs = self.result["searches"].get(SEARCH_OF.get(kind, ""), [])
        return median(runs, "cpu_us") if runs else None

    def times(self, kind, share, name="us"):
        return [median(self.runs[kind], "shares", str(share), name, part) for part in ("p50", "p99", "p999")]

    def failures(self):
        return sum(run["failures"] for runs in self.runs.values() for run in runs)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def main_table(summary, kinds):
    lines = [
        "| request | req/s | by CPU | of null | CPU µs | above null | search alone | at 50 %: p50 | p99 | p99.9 "
        "| at 70 %: p50 | p99 | p99.9 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in kinds:
        if kind not in summary.runs:
            continue
        own = kind in SEGUE_KINDS and kind != "null"
        search = summary.search(kind)
        cells = [kind, number(summary.rate(kind)), number(summary.possible_rate(kind))]
        cells += [f"{100 * summary.share_of_null(kind):.0f} %" if own else ""]
        cells += [number(summary.cpu(kind)), f"{summary.above_null(kind):.1f}" if own else ""]
        cells += [f"{search:.1f}" if own and search is not None else ""]
        for share in (0.5, 0.7):
            cells += [number(value) for value in summary.times(kind, share)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def verdicts(summary):
    """(what, target, found, is met) for each target that was measured."""
    table = max(("table", "table-post"), key=summary.possible_rate)
    index_extra = summary.above_null("index") - summary.search("index")
    rows = [
        (f"{table}: throughput of the null request's, by CPU", "80 %", f"{100 * summary.share_of_null(table):.0f} %",
         summary.share_of_null(table) >= 0.8),
        (f"{table}: CPU µs above the null request", "4", f"{summary.above_null(table):.1f}",
         summary.above_null(table) <= 4),
        ("index: CPU µs above the null request and the search", "4", f"{index_extra:.1f}", index_extra <= 4),
    ]
    for kind, peer, what, target in (
        ("table", "blueprint-item", "by table, requests beside the blueprint's server, by CPU", 50),
        ("vector", "blueprint-item", "by vector, requests beside the blueprint's server, by CPU", 10),
        ("vector", "chroma-vector", "by vector, requests beside Chroma, by CPU", 10),
    ):
        if peer in summary.runs:
            ratio = summary.possible_rate(kind) / summary.possible_rate(peer)
            rows.append((what, f"{target} times", f"{ratio:.0f} times", ratio >= target))
    return rows


def text_of(result):
    summary = Summary(result)
    facts = result["facts"]
    known = ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    lines = [
        "# The service, measured",
        "",
        f"{facts['date']}, {facts['machine']}; commit {facts['commit']}; load average before the run "
        f"{facts['load_before']:.1f}. `./dev bench serve` makes this page.",
        "",
    ]
    lines += [result["note"], ""] if result["note"] else []
    lines += [
        f"`segue serve` answers from one bundle of {result['items']:,} items with vectors of 64 numbers, an index and a "
        "table of 100 neighbours each. Items are asked about as often as Zipf has it; every answer has ten. One load "
        "generator asks over 32 connections; it shares the cores with the server, so the rates are of both together. "
        f"*req/s* is what was seen; *by CPU* is what {facts['cores']} cores with nothing else on them could do, from the "
        "CPU time of server and generator; shares and ratios are of that, as it depends least on what else ran. "
        f"Runs of {result['seconds']:g} s, {result['rounds']} rounds, medians. Times are microseconds from the moment "
        "a request was due, at half and at seven tenths of the throughput. CPU is the server's, all threads, user and "
        "system. *Search alone* is the same question asked of the library in a program of its own.",
        "",
        *main_table(summary, SEGUE_KINDS),
        "",
        "| request | |",
        "|---|---|",
        *(f"| {kind} | {result['kinds'][kind]} |" for kind in SEGUE_KINDS),
        "",
    ]
    others = [kind for kind in summary.runs if kind not in SEGUE_KINDS]
    if others:
        lines += [
            f"## Beside others ({known})",
            "",
            "The same items, generator, machine and minutes. *blueprint* is the behaviour of the blueprint's index "
            "server (Flask under gunicorn, one worker of eight threads, ScaNN with its settings), written anew in "
            "bench/peers/serve_blueprint.py; it looks vectors up in its own process, where the original asks another "
            "service. *chroma* is the server of Chroma with its default index.",
            "",
            *main_table(summary, others),
            "",
            "| request | |",
            "|---|---|",
            *(f"| {kind} | {result['kinds'][kind]} |" for kind in others),
            "",
        ]
    lines += ["## Targets", "", "| | target | found | |", "|---|---:|---:|---|"]
    lines += [f"| {what} | {target} | {found} | {'met' if met else 'missed'} |"
              for what, target, found, met in verdicts(summary)]
    lags = {kind: median(runs, "shares", "0.7", "lag_us", "p99") for kind, runs in summary.runs.items()}
    worst = max(lags, key=lags.get)
    lines += [
        "",
        f"Requests that failed: {summary.failures()}. The generator itself was late by {lags['null']:.0f} µs at the "
        f"99th percentile of null requests at 70 %, and by {lags[worst]:.0f} µs at worst ({worst}): times that are not "
        "well above that tell of the machine, not of the server.",
        "",
    ]
    return "\n".join(lines)


def render(result, folder):
    with open(os.path.join(folder, "serve.md"), "w", encoding="utf-8") as file:
        file.write(text_of(result))


def write(result, folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "serve.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    render(result, folder)


if __name__ == "__main__":
    with open(os.path.join(sys.argv[1], "serve.json"), encoding="utf-8") as earlier:
        render(json.load(earlier), sys.argv[1])
