"""Writes what the index benchmark found: tables for people, fronts as JSON, plots."""

import json
import os
import platform
import re
import statistics
import time

import index_plots
import index_tables
from index_summary import MODES, SetSummary
from machine_facts import commit, processor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def save_facts(runner, arguments):
    """What the report needs to say about the run as a whole."""
    facts = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": processor(),
        "system": f"{platform.system()} {platform.release()}",
        "commit": commit(),
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "busy_median": statistics.median(runner.busy) if runner.busy else 0.0,
        "busy_worst": max(runner.busy, default=0.0),
        "failures": runner.failures,
    }
    with open(os.path.join(runner.results, "facts.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)


def load(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load_set(results, name, maker):
    """SetSummary of the runs of one set, or None. Rounds that were not finished are left out: ratios need all."""
    folder = os.path.join(results, name)
    rounds = {}
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        number = re.fullmatch(r".*-round(\d+)\.json", file)
        if number:
            run = load(os.path.join(folder, file))
            rounds.setdefault(int(number[1]), {}).setdefault(run["peer"], []).append(run)
    if not rounds:
        return None
    num_runs = {number: sum(map(len, libraries.values())) for number, libraries in rounds.items()}
    full = [rounds[number] for number in sorted(rounds) if num_runs[number] == max(num_runs.values())]
    return SetSummary(name, maker.facts(name), full)


def rounded(value):
    return float(f"{value:.4g}")


def write_fronts(summaries, facts, path):
    """The fronts of every library as JSON: what the plots show and the tables come from."""
    sets = {}
    for summary in summaries:
        sets[summary.name] = {
            library: {
                mode: [
                    {"recall": rounded(recall), "qps": rounded(rate), "knob": knob}
                    for recall, rate, knob in summary.fronts(library, mode)
                ]
                for mode in MODES
            }
            for library in summary.libraries
        }
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"facts": facts, "fronts": sets}, file, separators=(",", ":"), sort_keys=True)
        file.write("\n")


def write(results, arguments, maker):
    """Writes index.md, index.json and a plot for each set into the folder asked for; returns an exit code."""
    facts = load(os.path.join(results, "facts.json"))
    names = sorted(os.listdir(results)) if os.path.isdir(results) else []
    ordered = [name for name in arguments.sets if name in names]
    summaries = [summary for name in ordered if (summary := load_set(results, name, maker))]
    if not facts or not summaries:
        print("bench: there are no results to report")
        return 1
    os.makedirs(arguments.out, exist_ok=True)
    extras = {name: load(os.path.join(results, name + ".json")) for name in ("limits", "seeds")}
    extras["filters"] = {
        summary.name: found
        for summary in summaries
        if (found := load(os.path.join(results, f"filters-{summary.name}.json")))
    }
    for summary in summaries:
        index_plots.plot(summary, os.path.join(arguments.out, f"index-{summary.name}.svg"))
    write_fronts(summaries, facts, os.path.join(arguments.out, "index.json"))
    text = index_tables.document(summaries, facts, extras, arguments.note)
    with open(os.path.join(arguments.out, "index.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(f"bench: the report is {os.path.relpath(os.path.join(arguments.out, 'index.md'))}")
    return 0
