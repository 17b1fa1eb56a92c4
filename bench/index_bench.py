#!/usr/bin/env python3
"""Runs the index benchmark: Segue and the libraries people pick instead, side by side; `./dev bench index` starts it.

Every library has a process of its own, held to one core while it searches; the order of libraries turns from round to
round; indexes are built once, on two cores, and kept. docs/benchmarks/index.md comes out, with plots and JSON.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

import index_report
import index_sets

#: Names of files in bench/peers and how many of its builds the whole protocol makes, most interesting first.
PEERS = ("scann", "faiss", "rabitqlib", "hnswlib", "svs", "voyager", "usearch", "pyvsag", "ngt")
PACKAGES = {"faiss": "faiss-cpu", "svs": "scalable-vs"}
SHORT_PEERS = ("scann", "faiss", "hnswlib")
BUILD_TIMEOUT_S = 3600
SEARCH_TIMEOUT_S = 1800
IDLE_SHARE = 0.92
IDLE_WINDOW_S = 1.5


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def parse_arguments(words):
    parser = argparse.ArgumentParser(prog="./dev bench index", description="Segue's index beside other libraries.")
    parser.add_argument("--short", action="store_true", help="100,000 rows, three libraries, one round")
    parser.add_argument("--sets", type=lambda text: text.split(","), help="of " + ", ".join(index_sets.SETS))
    parser.add_argument("--peers", type=lambda text: [p for p in text.split(",") if p], help="of " + ", ".join(PEERS))
    parser.add_argument("--max-builds", type=int, help="indexes a library may build for a set (3; short 1)")
    parser.add_argument("--rounds", type=int, help="rounds of searching (5; short 1)")
    parser.add_argument("--first-round", type=int, default=1, help="go on from this one with --keep (1)")
    parser.add_argument("--seconds", type=float, help="CPU seconds a setting is searched with (1; short 0.2)")
    parser.add_argument("--core", type=int, default=0, help="core that searches run on (0)")
    parser.add_argument("--wait-idle", type=float, default=60, help="seconds to wait for an idle machine (60)")
    parser.add_argument("--out", help="folder of the report (docs/benchmarks; short: build/bench-data/short)")
    parser.add_argument("--data", default=os.path.join(ROOT, "build", "bench-data"), help="folder of sets and indexes")
    parser.add_argument("--no-build", action="store_true", help="leave out indexes of libraries that are not built yet")
    parser.add_argument("--keep", action="store_true", help="keep what earlier runs found of other libraries")
    parser.add_argument("--skip-limits", action="store_true", help="no peaks, filters and tutorial figures")
    parser.add_argument("--note", default="", help="what readers of the report should know of this run")
    parser.add_argument("--report-only", action="store_true", help="write the report of the runs that are there")
    arguments = parser.parse_args(words)
    short = arguments.short
    arguments.sets = arguments.sets or list(index_sets.SHORT_PROTOCOL if short else index_sets.FULL_PROTOCOL)
    arguments.peers = list(SHORT_PEERS if short else PEERS) if arguments.peers is None else arguments.peers
    arguments.max_builds = arguments.max_builds or (1 if short else 3)
    arguments.rounds = arguments.rounds or (1 if short else 5)
    arguments.seconds = arguments.seconds or (0.2 if short else 1.0)
    arguments.out = arguments.out or (
        os.path.join(arguments.data, "short") if short else os.path.join(ROOT, "docs", "benchmarks")
    )
    for name in arguments.sets:
        if name not in index_sets.SETS:
            parser.error(f"there is no set '{name}'")
    for name in arguments.peers:
        if name not in PEERS:
            parser.error(f"there is no library '{name}'")
    return arguments


def peers_folder(name):
    return os.path.join(os.environ["SEGUE_BENCH_PEERS"], PACKAGES.get(name, name))


def environment(name, threads):
    """What a library's process sees: its own wheels, a number of threads, huge pages for whatever it allocates."""
    paths = [os.environ["SEGUE_BENCH_PYTHONPATH"], os.path.join(HERE, "peers")]
    if name != "segue":
        paths.insert(0, peers_folder(name))
    changed = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": str(threads),
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }
    return {**os.environ, **changed}


def busy_share(seconds):
    """Share of the cores' time that something ran in."""

    def read():
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = read()
    time.sleep(seconds)
    total_after, idle_after = read()
    return 1 - (idle_after - idle) / max(1, total_after - total)


class Runner:
    """Starts the processes of one run and keeps what they write. Not thread-safe."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.index_bench = os.environ["SEGUE_INDEX_BENCH"]
        self.results = os.path.join(arguments.out if arguments.short else arguments.data, "results")
        os.makedirs(self.results, exist_ok=True)
        self.failures = {}
        self.busy = []

    def forget_results(self):
        """Removes what earlier runs found of what this one measures: a report is of one run."""
        for name in self.arguments.sets:
            shutil.rmtree(os.path.join(self.results, name), ignore_errors=True)
        if not self.arguments.skip_limits:
            extras = ["limits", "seeds", *(f"filters-{name}" for name in self.arguments.sets)]
            for name in extras:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(self.results, name + ".json"))

    def wait_for_idle(self):
        deadline = time.monotonic() + self.arguments.wait_idle
        busy = busy_share(IDLE_WINDOW_S)
        while 1 - busy < IDLE_SHARE and time.monotonic() < deadline:
            busy = busy_share(IDLE_WINDOW_S)
        self.busy.append(busy)

    def run(self, command, name, threads, timeout, cores):
        """Runs a process; returns None, or why it failed."""
        log = os.path.join(self.results, "last.log")
        with open(log, "w", encoding="utf-8") as output:
            try:
                done = subprocess.run(
                    ["taskset", "-c", cores, *command],
                    env=environment(name, threads),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"not done after {timeout} s"
        if done.returncode == 0:
            return None
        with open(log, encoding="utf-8", errors="replace") as output:
            lines = [line.strip() for line in output if line.strip()]
        return f"exit code {done.returncode}: {lines[-1][:300] if lines else 'it said nothing'}"

    def builds_of(self, name, facts):
        """Names of the builds of a library for a set, at most as many as asked; a failure to import is recorded."""
        failed = peers_folder(name) + ".failed"
        if os.path.exists(failed):
            with open(failed, encoding="utf-8") as file:
                self.failures[f"{name}"] = "not installed: " + file.read().strip()
            return []
        code = (
            f"import json, index_{name} as peer;"
            f"print(json.dumps(list(peer.Peer.builds({facts['num_items']}, {facts['dim']}, {facts['unit']}))))"
        )
        done = subprocess.run(
            ["/usr/bin/python3", "-c", code], env=environment(name, 1), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            self.failures[name] = "cannot be imported: " + (done.stderr.strip().splitlines() or ["?"])[-1][:300]
            return []
        return json.loads(done.stdout.splitlines()[-1])[: self.arguments.max_builds]

    def build_peer(self, name, build, folder):
        """The folder of a built index, made unless it is there; None if it cannot be built."""
        cache = os.path.join(folder, "peers", f"{name}-{build}")
        if os.path.exists(os.path.join(cache, "build.json")):
            return cache
        if self.arguments.no_build:
            self.failures[f"{name} {build} on {os.path.basename(folder)}"] = "not built in this run"
            return None
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        say(f"building {name} {build}")
        script = os.path.join(HERE, "peers", "index_run_peer.py")
        out = os.path.join(self.results, "last-build.json")
        command = ["/usr/bin/python3", script, "build", name, build, folder, cache, out]
        reason = self.run(command, name, 2, BUILD_TIMEOUT_S, "0,1")
        if reason:
            self.failures[f"{name} {build} on {os.path.basename(folder)}"] = "not built, " + reason
            return None
        return cache

    def search_peer(self, name, build, folder, cache, out):
        script = os.path.join(HERE, "peers", "index_run_peer.py")
        seconds = str(self.arguments.seconds)
        command = ["/usr/bin/python3", script, "search", name, build, folder, cache, out, seconds]
        return self.run(command, name, 1, SEARCH_TIMEOUT_S, str(self.arguments.core))

    def search_segue(self, build, folder, out):
        flags = ["--name", build["name"], "--seconds", str(self.arguments.seconds), "--core", str(self.arguments.core)]
        flags += ["--leaves", str(build["leaves"]), "--soar", str(build["soar"])]
        return self.run([self.index_bench, "run", folder, out, *flags], "segue", 2, SEARCH_TIMEOUT_S, "0,1")

    def run_set(self, name, folder, facts, after_round):
        """All rounds of one set. Results go to files, which the report reads; `after_round` follows each."""
        contenders = [("segue", build["name"], build) for build in segue_builds(facts, self.arguments.max_builds)]
        peers = self.arguments.peers
        if facts["num_items"] > 5_000_000:
            peers = [peer for peer in peers if peer in index_sets.LARGE_SET_PEERS]
        for peer in peers:
            for build in self.builds_of(peer, facts):
                cache = self.build_peer(peer, build, folder)
                if cache is not None:
                    contenders.append((peer, build, cache))
        os.makedirs(os.path.join(self.results, name), exist_ok=True)
        for number in range(self.arguments.first_round - 1, self.arguments.rounds):
            turn = number % len(contenders)
            for peer, build, what in contenders[turn:] + contenders[:turn]:
                out = os.path.join(self.results, name, f"{peer}-{build}-round{number}.json")
                self.wait_for_idle()
                say(f"{name}, round {number + 1}: {peer} {build}")
                if peer == "segue":
                    reason = self.search_segue(what, folder, out)
                else:
                    reason = self.search_peer(peer, build, folder, what, out)
                if reason:
                    self.failures[f"{peer} {build} on {name}"] = "not searched, " + reason
            after_round()


def segue_builds(facts, most):
    """Settings of Segue's own builds: its defaults, twice the leaves, and each item in a second leaf."""
    leaves = int(round(4 * facts["num_items"] ** 0.5))
    builds = [
        {"name": "default", "leaves": 0, "soar": 0},
        {"name": "fine", "leaves": 2 * leaves, "soar": 0},
        {"name": "soar", "leaves": leaves, "soar": 1.5},
    ]
    return builds[:most]


def make_set(maker, name, failures):
    """The folder of a set, or None if it cannot be made."""
    try:
        return maker.make(name)
    except (index_sets.MissingSource, OSError, subprocess.CalledProcessError) as error:
        failures[f"set {name}"] = f"not made: {error}"
        say(f"the set {name} is left out: {error}")
        return None


def run_extras(runner, maker, arguments, folders):
    """Peaks of the machine, the tutorial's figures, searches with filters."""
    core = str(arguments.core)
    jobs = [("limits.json", ["limits"])]
    if "tfrs" in folders:
        jobs.append(("seeds.json", ["seeds", folders["tfrs"], maker.bundle_path("movielens"), maker.held_out_table()]))
    for name in ("glove", "mf-1m", "mf-100k"):
        if name in folders:
            jobs.append((f"filters-{name}.json", ["filters", folders[name]]))
    for out, words in jobs:
        runner.wait_for_idle()
        say("measuring " + out.removesuffix(".json"))
        command = [runner.index_bench, *words, os.path.join(runner.results, out)]
        reason = runner.run(command, "segue", 2, SEARCH_TIMEOUT_S, core if words[0] == "limits" else "0,1")
        if reason:
            runner.failures[out.removesuffix(".json")] = reason


def main(words):
    arguments = parse_arguments(words)
    environ = os.environ
    maker = index_sets.SetMaker(
        arguments.data,
        environ["SEGUE_INDEX_BENCH"],
        environ["SEGUE_PROGRAM"],
        environ.get("SEGUE_WINK_JSON"),
        environ.get("SEGUE_MOVIELENS"),
        environ.get("SEGUE_SHARED_DATA"),
    )
    runner = Runner(arguments)
    if not arguments.report_only:
        if not shutil.which("taskset"):
            say("taskset is missing; install util-linux")
            return 1
        if not arguments.keep:
            runner.forget_results()
        folders = {}

        def report():
            # Of a run that takes hours, what is done should not be lost with the rest.
            index_report.save_facts(runner, arguments)
            return index_report.write(runner.results, arguments, maker)

        for name in arguments.sets:
            folder = make_set(maker, name, runner.failures)
            if folder is None:
                continue
            folders[name] = folder
            try:
                runner.run_set(name, folder, maker.facts(name), report)
            except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
                runner.failures[f"set {name}"] = f"given up: {type(error).__name__}: {error}"
                say(f"the set {name} is given up: {error}")
        if not arguments.skip_limits:
            run_extras(runner, maker, arguments, folders)
        index_report.save_facts(runner, arguments)
    return index_report.write(runner.results, arguments, maker)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
