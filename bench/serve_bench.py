#!/usr/bin/env python3
"""Runs the service benchmark: `segue serve`, a null request to it, and two servers people run instead, side by side.

`./dev bench serve` starts it. Each server is a process of its own, asked by one load generator over 32 connections on
the same machine, one after the other, round after round. docs/benchmarks/serve.md and serve.json come out.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

import serve_report

PEERS = ("blueprint", "chromadb")
SHARES = (0.5, 0.7)
SEARCHING = ("table", "index", "items", "filter", "vector")
START_TIMEOUT_S = 300


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def parse_arguments(words):
    parser = argparse.ArgumentParser(prog="./dev bench serve", description="The service beside others.")
    parser.add_argument("--short", action="store_true", help="20,000 items, one round of a second")
    parser.add_argument("--items", type=int, help="items that are served (50000; short 20000)")
    parser.add_argument("--seconds", type=float, help="seconds of each run (3; short 1)")
    parser.add_argument("--rounds", type=int, help="rounds, of which medians are told (3; short 1)")
    parser.add_argument("--peers", type=lambda text: [p for p in text.split(",") if p], help="of " + ", ".join(PEERS))
    parser.add_argument("--data", default=os.path.join(ROOT, "build", "bench-data", "serve"), help="folder of data")
    parser.add_argument("--out", help="folder of the report (docs/benchmarks; short: the folder of data)")
    parser.add_argument("--note", default="", help="what readers of the report should know of this run")
    arguments = parser.parse_args(words)
    short = arguments.short
    arguments.items = arguments.items or (20_000 if short else 50_000)
    arguments.seconds = arguments.seconds or (1 if short else 3)
    arguments.rounds = arguments.rounds or (1 if short else 3)
    arguments.peers = list(PEERS) if arguments.peers is None else arguments.peers
    arguments.out = arguments.out or (arguments.data if short else os.path.join(ROOT, "docs", "benchmarks"))
    for name in arguments.peers:
        if name not in PEERS:
            parser.error(f"there is no peer '{name}'")
    return arguments


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a process group of its own, until stop()."""

    def __init__(self, name, command, port, ready_path, folder, environment=None):
        self.name = name
        self.port = port
        self.path = ""
        with open(os.path.join(folder, f"{name}.log"), "wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )
        self.wait_until_ready(ready_path)

    def wait_until_ready(self, path):
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SystemExit(f"bench: {self.name} did not start; its log is {self.name}.log")
                time.sleep(0.1)

    def cpu_seconds(self):
        """Of all threads of the group; what has ended since counts no more."""
        nanoseconds = 0
        for entry in os.listdir("/proc"):
            try:
                if not entry.isdigit() or os.getpgid(int(entry)) != self.process.pid:
                    continue
                for task in os.listdir(f"/proc/{entry}/task"):
                    with open(f"/proc/{entry}/task/{task}/schedstat", encoding="ascii") as file:
                        nanoseconds += int(file.read().split()[0])
            except OSError:
                continue  # it ended meanwhile
        return nanoseconds * 1e-9

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = os.environ["SEGUE_SERVE_BENCH"]
        self.folder = arguments.data
        os.makedirs(self.folder, exist_ok=True)

    def call(self, *words):
        done = subprocess.run([self.program, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: serve_bench {' '.join(map(str, words))} failed")
        return json.loads(done.stdout) if done.stdout else None

    def load(self, server, kind, rate):
        """One run, with the CPU time of the server for each answer."""
        before = server.cpu_seconds()
        words = [self.folder, kind, server.port, self.arguments.seconds, rate]
        result = self.call("load", *words, *([server.path] if server.path else []))
        result["cpu_us"] = 1e6 * (server.cpu_seconds() - before) / result["answers"]
        return result

    def measure(self, server, kind):
        self.call("load", self.folder, kind, server.port, 0.3, 0, *([server.path] if server.path else []))
        full = self.load(server, kind, 0)
        shares = {str(share): self.load(server, kind, share * full["rate"]) for share in SHARES}
        failures = sum(run["not_ok"] + run["broken"] for run in (full, *shares.values()))
        say(f"{kind}: {full['rate']:.0f}/s, {full['cpu_us']:.1f} CPU us" + (f", {failures} failed" if failures else ""))
        return {"full": full, "shares": shares, "failures": failures}


def start_segue(bench):
    port = free_port()
    command = [os.environ["SEGUE_PROGRAM"], "serve", "items.segue", "--listen", f"127.0.0.1:{port}"]
    command += ["--admin", "none", "--max-queue-ms", "0"]
    return Server("segue", command, port, "/readyz", bench.folder)


def start_blueprint(bench):
    port = free_port()
    paths = os.path.join(os.environ["SEGUE_BENCH_PEERS"], "serve-blueprint")
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers=1", "--threads", "8"]
    command += ["--timeout", "1800", "serve_blueprint:app"]
    environment = {"PYTHONPATH": os.pathsep.join([paths, os.path.join(HERE, "peers")]), "SERVE_DATA": bench.folder}
    return Server("blueprint", command, port, "/v1/models/items/versions/1", bench.folder, environment)


def start_chromadb(bench):
    port = free_port()
    paths = os.path.join(os.environ["SEGUE_BENCH_PEERS"], "serve-chromadb")
    environment = {"PYTHONPATH": paths, "ANONYMIZED_TELEMETRY": "False"}
    subprocess.run(["rm", "-rf", os.path.join(bench.folder, "chroma")], check=True)
    command = [sys.executable, os.path.join(paths, "bin", "chroma"), "run", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--path", os.path.join(bench.folder, "chroma")]
    server = Server("chromadb", command, port, "/api/v2/heartbeat", bench.folder, environment)
    filled = subprocess.run(
        [sys.executable, os.path.join(HERE, "peers", "serve_chromadb.py"), str(port), bench.folder],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if filled.returncode != 0:
        server.stop()
        raise SystemExit("bench: chromadb could not be filled")
    server.path = filled.stdout.strip().splitlines()[-1]
    return server


STARTERS = {"segue": start_segue, "blueprint": start_blueprint, "chromadb": start_chromadb}
PREFIXES = {"blueprint": "blueprint-", "chromadb": "chroma-"}


def run(arguments):
    bench = Bench(arguments)
    say(f"{arguments.items} items; the data are made if they are not there")
    bench.call("data", bench.folder, arguments.items)
    kinds = bench.call("kinds")
    servers = {}
    measured = {kind: [] for kind in kinds}
    searches = {kind: [] for kind in SEARCHING}
    try:
        for name in ("segue", *arguments.peers):
            say(f"starting {name}")
            servers[name] = STARTERS[name](bench)
        for turn in range(arguments.rounds):
            say(f"round {turn + 1} of {arguments.rounds}")
            for kind in SEARCHING:
                searches[kind].append(bench.call("search", bench.folder, kind, 0.5))
            for kind in kinds:
                owner = next((name for name, prefix in PREFIXES.items() if kind.startswith(prefix)), "segue")
                if owner in servers:
                    measured[kind].append(bench.measure(servers[owner], kind))
    finally:
        for server in servers.values():
            server.stop()
    result = {
        "facts": serve_report.machine_facts(),
        "items": arguments.items,
        "seconds": arguments.seconds,
        "rounds": arguments.rounds,
        "note": arguments.note,
        "versions": serve_report.versions(os.environ["SEGUE_BENCH_PEERS"], arguments.peers),
        "kinds": kinds,
        "measured": {kind: runs for kind, runs in measured.items() if runs},
        "searches": searches,
    }
    serve_report.write(result, arguments.out)
    say(f"wrote {os.path.join(arguments.out, 'serve.md')}")


if __name__ == "__main__":
    run(parse_arguments(sys.argv[1:]))
