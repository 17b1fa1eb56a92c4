#!/usr/bin/env python3
"""Runs the quality benchmark: Segue's recipes and public libraries on the same splits, judged by `segue evaluate`.

`./dev bench quality` starts it. Every library makes its lists in a process of its own; Segue's judge reads them. What was
measured is kept as JSON under --data, docs/benchmarks/quality.md comes out of it, with plots.
"""

import argparse
import contextlib
import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

import quality_cut
import quality_report
import quality_study

SETS = ("playlists", "retail", "lastfm", "movielens_small", "anime", "gowalla")
PEERS = ("implicit-als", "implicit-bm25", "implicit-cosine", "numpy-ease", "lightfm-warp")
#: So that all of it takes less than twenty minutes. A dense inverse of 40,981 items has no place in memory beside anything else.
SHORT = "so that the whole run takes less than twenty minutes"
LEFT_OUT = {
    ("gowalla", "numpy-ease"): "40,981 items: 20 GB of memory",
    ("gowalla", "implicit-als"): SHORT,
    ("gowalla", "lightfm-warp"): SHORT,
    ("anime", "lightfm-warp"): SHORT,
    ("retail", "lightfm-warp"): SHORT,
    ("playlists", "numpy-ease"): SHORT,
}
RECIPES = ("auto", "cooc", "ials", "ease", "graph-filter")
#: Sets too large for an inverse, and for lists of all items at every setting of the popularity knob.
LARGE = ("gowalla",)
MOVIELENS_DRAWS = (1, 2, 3)
PEER_TIMEOUT_S = 300
SEGUE_TIMEOUT_S = 900


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class PartTimes:
    """Seconds of the parts of a run, in the order they came; said as they end."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def part(self, name):
        began = time.perf_counter()
        yield
        taken = time.perf_counter() - began
        self.seconds[name] = self.seconds.get(name, 0) + taken
        say(f"{name}: {taken:.0f} s")


def parse_arguments(words):
    parser = argparse.ArgumentParser(prog="./dev bench quality", description="Recipes beside public libraries.")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS), help="of " + ", ".join(SETS))
    parser.add_argument("--peers", type=lambda text: [p for p in text.split(",") if p], default=list(PEERS))
    parser.add_argument("--trials", type=int, default=12, help="settings segue tune tries (12; 0: no tuned rows)")
    parser.add_argument("--seconds", type=float, default=20, help="seconds segue tune takes at most, a recipe (20)")
    parser.add_argument("--fresh", action="store_true", help="make the lists of other libraries anew")
    parser.add_argument("--no-knob", action="store_true", help="leave out the knob's settings on validation parts")
    parser.add_argument("--study", action="store_true",
                        help="instead: simple models of the literature and blends of two recipes; most of an hour")
    parser.add_argument("--cut", action="store_true",
                        help="instead: print what keeping an item's strongest weights alone costs; some minutes")
    parser.add_argument("--models", type=lambda text: text.split(","), help="with --study: these alone")
    parser.add_argument("--report-only", action="store_true", help="write the report of what is there")
    parser.add_argument("--data", default=os.path.join(ROOT, "build", "bench-data", "quality"))
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "benchmarks"), help="folder of the report")
    parser.add_argument("--note", default="", help="what readers of the report should know of this run")
    arguments = parser.parse_args(words)
    for name in arguments.sets:
        if name not in SETS:
            parser.error(f"there is no set '{name}'")
    return arguments


def run(command, seconds, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} ...: {done.stderr.strip().splitlines()[-1:] or done.returncode}")
    return done.stdout


def write_lists_as_pairs(source, target):
    """Lines "group item item ..." as rows of group and item."""
    with gzip.open(source, "rt", encoding="utf-8") as lines, open(target, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("group", "item"))
        for line in lines:
            group, *items = line.split()
            rows.writerows((group, item) for item in items)


def prepare(name, folder):
    """train.csv and test.csv of a set; False where the data are not there."""
    shared = os.environ.get("SEGUE_SHARED_DATA", "")
    os.makedirs(folder, exist_ok=True)
    for part in ("train", "test"):
        target = os.path.join(folder, part + ".csv")
        source = (os.path.join(shared, "gowalla", part + ".txt.gz") if name == "gowalla"
                  else os.path.join(shared, "splits", name, part + ".csv.gz"))
        if not os.path.exists(source):
            return False
        if os.path.exists(target):
            continue
        if name == "gowalla":
            write_lists_as_pairs(source, target)
        else:
            with gzip.open(source, "rb") as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
    return True


def made_lists(what, script, model, folder, facts, timeout, fresh):
    """Facts of a run of bench/peers/SCRIPT that writes a model's lists, with "problem" where it has none."""
    if fresh or not os.path.exists(facts):
        say(f"{what} ...")
        environment = {**os.environ, "PYTHONPATH": os.environ["SEGUE_QUALITY_PEERS"]}
        command = [sys.executable, os.path.join(HERE, "peers", script), model, folder, str(os.cpu_count())]
        try:
            run(command, timeout, environment)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            problem = str(error) if isinstance(error, RuntimeError) else f"not done after {timeout} s"
            return {"problem": problem}
    with open(facts, encoding="utf-8") as file:
        return json.load(file)


def make_peer_lists(name, peer, folder, fresh):
    if (name, peer) in LEFT_OUT:
        return {"problem": LEFT_OUT[name, peer]}
    facts = os.path.join(folder, peer + ".json")
    return made_lists(f"{name}: {peer}", "quality_lists.py", peer, folder, facts, PEER_TIMEOUT_S, fresh)


def make_study_lists(name, model, folder, fresh):
    facts = quality_study.path_of(folder, model) + ".json"
    return made_lists(f"{name}: {model}", "quality_study.py", model, folder, facts, SEGUE_TIMEOUT_S, fresh)


def segue(*words):
    return run([os.environ["SEGUE_PROGRAM"], *map(str, words), "--quiet"], SEGUE_TIMEOUT_S)


def judge(folder, *words):
    return json.loads(segue("evaluate", "--train", os.path.join(folder, "train.csv"), "--test",
                            os.path.join(folder, "test.csv"), "--group", "group", "--item", "item", "--k", "20",
                            "--json", *words))


def evaluate(folder, *words):
    return judge(folder, "--item-to-item", *words)


def recipes_for(name):
    return tuple(recipe for recipe in RECIPES if name not in LARGE or recipe != "ease")


def tuned_models(name, folder, arguments, defaults):
    """Each recipe with the settings `segue tune` found on the training part; of a large set the best one alone, for longer.
    `defaults` are the models that were judged with theirs."""
    train = os.path.join(folder, "train.csv")
    large = name in LARGE
    for recipe in ("graph-filter",) if large else RECIPES[1:]:
        config = os.path.join(folder, f"tuned-{recipe}.json")
        began = time.perf_counter()
        segue("tune", train, "--group", "group", "--item", "item", "--recipe", recipe, "--trials", arguments.trials,
              "--seconds", arguments.seconds * (3 if large else 1), "--force", "--out", config)
        seconds = time.perf_counter() - began
        with open(config, encoding="utf-8") as file:
            settings = json.load(file)
        # Where nothing was better than the defaults, they are judged already.
        models = defaults if settings == {"recipe": recipe} else evaluate(folder, "--config", config)["models"]
        model = dict(next(model for model in models if model["recipe"] == recipe))
        yield {**model, "settings": settings, "tune_seconds": seconds}


def measure(name, arguments, times):
    folder = os.path.join(arguments.data, name)
    if not prepare(name, folder):
        say(f"{name}: the data are not there; SEGUE_SHARED_DATA names their folder")
        return
    with times.part(f"{name}: lists of libraries"):
        peers = {peer: make_peer_lists(name, peer, folder, arguments.fresh) for peer in arguments.peers}
    lists = []
    for peer, facts in peers.items():
        if "problem" not in facts:
            lists += ["--lists", f"{peer}={folder}/{peer}.groups.csv", "--item-lists", f"{peer}={folder}/{peer}.items.csv"]
    curve = () if name in LARGE else ("--popularity-curve",)
    with times.part(f"{name}: Segue's recipes, and what libraries made, judged"):
        result = evaluate(folder, "--recipe", ",".join(recipes_for(name)), *curve, *lists)
    result["peers"] = peers
    if arguments.trials > 0:
        with times.part(f"{name}: tuning"):
            result["tuned"] = list(tuned_models(name, folder, arguments, result["models"]))
    if not arguments.no_knob and name not in LARGE:
        with times.part(f"{name}: the popularity knob on a validation part"):
            result["knob"] = json.loads(segue("evaluate", os.path.join(folder, "train.csv"), "--group", "group", "--item",
                                              "item", "--recipe", ",".join(RECIPES[1:]), "--k", "20",
                                              "--popularity-curve", "--json"))["models"]
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file)


def study(arguments):
    for name in arguments.sets:
        folder = os.path.join(arguments.data, name)
        if arguments.report_only or name in LARGE or not prepare(name, folder):
            continue
        facts = {model: make_study_lists(name, model, folder, arguments.fresh)
                 for model in arguments.models or quality_study.MODELS}
        lists = []
        for model, found in facts.items():
            if "problem" not in found:
                lists += ["--lists", f"{model}={quality_study.path_of(folder, model)}.groups.csv"]
        result = evaluate(folder, "--recipe", ",".join(RECIPES[1:]), *lists)
        result["study"] = facts
        with open(os.path.join(folder, "study.json"), "w", encoding="utf-8") as file:
            json.dump(result, file)
    quality_study.write(arguments.data, arguments.out, SETS)


def cut(arguments):
    measured = {}
    for name in arguments.sets:
        folder = os.path.join(arguments.data, name)
        if prepare(name, folder):
            say(f"{name}: by all weights, and by the strongest")
            recipes = [recipe for recipe in quality_cut.RECIPES if recipe in recipes_for(name)]
            # Lists of single items lose nothing by the cut.
            measured[name] = quality_cut.measure(lambda *words: judge(folder, *words), recipes)
    print(quality_cut.table(measured))


def mean_of_draws(results):
    """The first result with means of the metrics over all of them."""
    mean = results[0]
    for place, model in enumerate(mean["models"]):
        for name in model["metrics"]:
            model["metrics"][name] = sum(result["models"][place]["metrics"][name] for result in results) / len(results)
    return mean


def measure_movielens(arguments, times):
    """MovieLens-100K as recommenders' table has it: a random 75/25 of every user's ratings, NDCG@10. One draw differs from
    another by more than recipes do."""
    ratings = os.environ.get("SEGUE_MOVIELENS", "")
    if not os.path.exists(ratings):
        say("MovieLens-100K is not there")
        return
    folder = os.path.join(arguments.data, "ml-100k")
    os.makedirs(folder, exist_ok=True)
    with times.part("ml-100k"):
        results = [json.loads(segue("evaluate", ratings, "--group", "user_id", "--item", "item_id", "--split", "holdout:0.25",
                                    "--seed", seed, "--recipe", ",".join(RECIPES), "--k", "10", "--json"))
                   for seed in MOVIELENS_DRAWS]
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(mean_of_draws(results), file)


def main():
    arguments = parse_arguments(sys.argv[1:])
    if arguments.study:
        study(arguments)
        return
    if arguments.cut:
        cut(arguments)
        return
    if not arguments.report_only:
        began = time.perf_counter()
        times = PartTimes()
        for name in arguments.sets:
            measure(name, arguments, times)
        measure_movielens(arguments, times)
        seconds = time.perf_counter() - began
        say(f"all of it: {seconds / 60:.1f} minutes")
        with open(os.path.join(arguments.data, "run.json"), "w", encoding="utf-8") as file:
            json.dump({"seconds": seconds, "parts": times.seconds, "date": time.strftime("%Y-%m-%d"),
                       "note": arguments.note}, file)
    quality_report.write(arguments.data, arguments.out, SETS)
    say(f"wrote {os.path.join(arguments.out, 'quality.md')}")


if __name__ == "__main__":
    main()
