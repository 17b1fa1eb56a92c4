"""Builds one index of a peer, or searches it, in a process of its own; bench/index_bench.py starts it, pinned.

usage: index_run_peer.py build|search PEER BUILD SET_FOLDER CACHE_FOLDER OUT.json [SECONDS_A_POINT]

Times are CPU time of the process, which on a machine with other work is what the search itself takes; wall time is
written beside it. Libraries are held to one thread for searching and two for building.
"""

import gc
import importlib
import importlib.metadata
import json
import os
import resource
import shutil
import sys
import tempfile
import time

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy

K = 10
TRUTH_SIZE = 100
TOLERANCE = 1e-3  # of the k-th true score
BATCH = 64
ENOUGH_RECALL = 0.997
BATCH_SHARE = 4  # seconds of a setting's own for each pass over the queries in batches
LEAST_BATCH_QUERIES = 1000  # that the recall of batches is taken from, and their time, where settings are slow
NO_ROW = 0xFFFFFFFF


def cpu_ns():
    return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class VectorSet:
    """A set as bench/vector_sets.h describes it, read where asked."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "set.json"), encoding="utf-8") as file:
            self.facts = json.load(file)
        self.dim, self.unit = self.facts["dim"], self.facts["unit"]

    def _rows(self, name, rows, dtype, columns):
        values = numpy.fromfile(os.path.join(self.folder, name), dtype=dtype)
        return values.reshape(rows, columns)

    def items(self):
        return self._rows("base.f32", self.facts["num_items"], numpy.float32, self.dim)

    def mapped_items(self):
        shape = (self.facts["num_items"], self.dim)
        return numpy.memmap(os.path.join(self.folder, "base.f32"), dtype=numpy.float32, mode="r", shape=shape)

    def queries(self):
        return self._rows("queries.f32", self.facts["num_queries"], numpy.float32, self.dim)

    def self_rows(self):
        """The item that each query is, or None."""
        if not self.facts["self"]:
            return None
        return numpy.fromfile(os.path.join(self.folder, "self.u32"), dtype=numpy.uint32).astype(numpy.int64)

    def truth_scores(self):
        return self._rows("truth.f32", self.facts["num_queries"], numpy.float32, TRUTH_SIZE)

    def truth_rows(self):
        return self._rows("truth.u32", self.facts["num_queries"], numpy.uint32, TRUTH_SIZE)


class Judge:
    """Recall of answers: by score as bench/index_truth.h says, and by row."""

    def __init__(self, vector_set):
        self.items = vector_set.mapped_items()
        self.queries = vector_set.queries()
        self.self_rows = vector_set.self_rows()
        self.scores = vector_set.truth_scores()
        self.rows = vector_set.truth_rows()

    def recall(self, answers):
        """answers: [m x k or k + 1] rows for the first m queries; returns both recalls."""
        by_score = by_row = 0
        for first in range(0, len(answers), 512):
            part = numpy.asarray(answers[first : first + 512]).astype(numpy.int64)
            queries = numpy.arange(first, first + len(part))
            part = self._without_self(part, queries)
            found = self.items[numpy.clip(part, 0, len(self.items) - 1)].astype(numpy.float64)
            scores = numpy.einsum("qkd,qd->qk", found, self.queries[queries].astype(numpy.float64))
            last = self.scores[queries, K - 1].astype(numpy.float64)
            enough = (last - TOLERANCE * numpy.abs(last))[:, None]
            by_score += int(((scores >= enough) & (part >= 0) & (part < len(self.items)) & ~repeated(part)).sum())
            truth = self.rows[queries, :K].astype(numpy.int64)
            by_row += int((truth[:, :, None] == part[:, None, :]).any(axis=2).sum())
        return by_score / (len(answers) * K), by_row / (len(answers) * K)

    def _without_self(self, part, queries):
        """The first K answers that are not the item asked about; -1 for none."""
        if self.self_rows is None:
            return part[:, :K]
        own = part == self.self_rows[queries][:, None]
        order = numpy.argsort(own, axis=1, kind="stable")
        return numpy.take_along_axis(numpy.where(own, -1, part), order, axis=1)[:, :K]


def repeated(rows):
    """Where a row of answers has an item that it had before."""
    same = rows[:, :, None] == rows[:, None, :]
    return numpy.tril(same, -1).any(axis=2)


def padded(answer, size):
    """Rows of one answer as `size` numbers; some libraries give fewer."""
    rows = numpy.full(size, -1, dtype=numpy.int64)
    given = numpy.asarray(answer, dtype=numpy.int64).ravel()[:size]
    rows[: len(given)] = given
    return rows


def time_single(one, queries, seconds):
    """CPU nanoseconds of each query until the time is up, in turn, and the answers; wall time of all."""
    durations, answers = [], []
    clock, limit = cpu_ns, int(seconds * 1e9)
    started = time.perf_counter_ns()
    spent = 0
    for query in queries:
        before = clock()
        answer = one(query)
        duration = clock() - before
        durations.append(duration)
        answers.append(answer)
        spent += duration
        if spent > limit and len(durations) >= 200:
            break
    return numpy.array(durations), answers, (time.perf_counter_ns() - started) / len(durations)


def time_batches(batch, queries, size, seconds):
    """CPU and wall seconds a query of searching all queries in batches of a size, best of what fits in the time."""
    best_cpu = best_wall = float("inf")
    spent = 0.0
    while spent < seconds:
        wall, cpu, count = time.perf_counter(), cpu_ns(), 0
        for first in range(0, len(queries), size):
            batch(queries[first : first + size])
            count += min(size, len(queries) - first)
            if (cpu_ns() - cpu) * 1e-9 > 2 * seconds:
                break
        cpu, wall = (cpu_ns() - cpu) * 1e-9, time.perf_counter() - wall
        best_cpu, best_wall = min(best_cpu, cpu / count), min(best_wall, wall / count)
        spent += cpu
    return best_cpu, best_wall


def microseconds(durations):
    return {
        "mean_us": float(durations.mean()) * 1e-3,
        "p50_us": float(numpy.percentile(durations, 50)) * 1e-3,
        "p99_us": float(numpy.percentile(durations, 99)) * 1e-3,
    }


def measure_point(peer, knob, judge, queries, seconds):
    one = peer.one(knob)
    for query in queries[:50]:
        one(query)
    durations, answers, wall_ns = time_single(one, queries, seconds)
    rows = numpy.array([padded(peer.rows_of(answer), peer.k) for answer in answers])
    recall, by_row = judge.recall(rows)
    point = {"knob": knob, "recall": recall, "recall_by_row": by_row, "single": microseconds(durations)}
    point["single"].update(wall_mean_us=wall_ns * 1e-3, num_queries=len(durations))
    batch = peer.batch(knob)
    if batch is not None:
        affordable = int(BATCH_SHARE * seconds / (durations.mean() * 1e-9))
        queries = queries[: max(LEAST_BATCH_QUERIES, affordable)]
        point["batch_recall"] = judge.recall(batch(queries))[0]
        for name, size in (("batch64", BATCH), ("batch_all", len(queries))):
            cpu, wall = time_batches(batch, queries, size, seconds / 2)
            point[name] = {"mean_us": cpu * 1e6, "wall_mean_us": wall * 1e6}
    return point


def empty_call(peer_class, vector_set, k, queries):
    """Microseconds of a call that has nothing to search, the clock's own included; None where it cannot be made."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            peer = peer_class(vector_set.dim, vector_set.unit, k, scratch)
            peer.build_empty()
            one = peer.one(peer.knobs()[0])
            for query in queries[:200]:
                one(query)
            durations, _, _ = time_single(one, queries[:2000], 1.0)
        except Exception as error:  # a library that cannot be empty
            return {"reason": f"{type(error).__name__}: {error}"[:300]}
    return microseconds(durations)


def build(peer_class, build_name, vector_set, cache, k):
    items = vector_set.items()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(cache)) as scratch:
        peer = peer_class(vector_set.dim, vector_set.unit, k, scratch)
        parameters = peer.builds(len(items), vector_set.dim, vector_set.unit)[build_name]
        items = peer.prepare_items(items)
        gc.collect()
        resident = resident_bytes()
        wall, cpu = time.perf_counter(), time.process_time()
        peer.build(items, parameters, 2)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        grown = resident_bytes() - resident
        unfinished = cache + ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        os.makedirs(unfinished)
        peer.save(unfinished)
    file_bytes = sum(
        os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(unfinished) for name in names
    )
    facts = {
        "build_wall_s": wall,
        "build_cpu_s": cpu,
        "grown_bytes": grown,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "file_bytes": file_bytes,
        "parameters": parameters,
        "version": importlib.metadata.version(peer_class.package),
    }
    with open(os.path.join(unfinished, "build.json"), "w", encoding="ascii") as file:
        json.dump(facts, file)
    shutil.rmtree(cache, ignore_errors=True)
    os.rename(unfinished, cache)
    return facts


def search(peer_class, vector_set, cache, k, seconds):
    with open(os.path.join(cache, "build.json"), encoding="ascii") as file:
        facts = json.load(file)
    judge = Judge(vector_set)
    with tempfile.TemporaryDirectory() as scratch:
        peer = peer_class(vector_set.dim, vector_set.unit, k, scratch)
        queries = numpy.ascontiguousarray(peer.prepare_queries(vector_set.queries()))
        facts["empty_call"] = empty_call(peer_class, vector_set, k, queries)
        gc.collect()
        resident = resident_bytes()
        peer.load(os.path.abspath(cache))
        points = []
        for knob in peer.knobs():
            points.append(measure_point(peer, knob, judge, queries, seconds))
            if not points[1:]:
                facts["resident_bytes"] = resident_bytes() - resident
            if points[-1]["recall"] > ENOUGH_RECALL:
                break
    facts["points"] = points
    return facts


def main():
    mode, name, build_name, folder, cache, out = sys.argv[1:7]
    seconds = float(sys.argv[7]) if len(sys.argv) > 7 else 1.0
    peer_class = importlib.import_module(f"index_{name}").Peer
    vector_set = VectorSet(folder)
    # Items asked for what is like them come back themselves; one more answer makes up for it.
    k = K + 1 if vector_set.facts["self"] else K
    if mode == "build":
        facts = build(peer_class, build_name, vector_set, cache, k)
    else:
        facts = search(peer_class, vector_set, cache, k, seconds)
    facts.update(peer=name, build=build_name, set=vector_set.facts["name"])
    with open(out, "w", encoding="ascii") as file:
        json.dump(facts, file, indent=1)


if __name__ == "__main__":
    main()
