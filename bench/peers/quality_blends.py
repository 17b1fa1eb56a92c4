"""Blends of two of Segue's recipes: both fitted by `segue fit` on the table, their scores of all items put on one scale and
added. The bundles are read as any reader of safetensors would."""

import csv
import json
import os
import subprocess
import tempfile

import numpy

from quality_models import Weights, counts, diagonal, grid
from quality_tables import remembered

#: Of an item; more is nearly all that ease and graph-filter learnt, and a blend is not judged by what a cut costs.
WEIGHTS_OF_AN_ITEM = 2000
#: Of reciprocal ranks (Cormack et al. 2009).
RANK_OFFSET = 60
RANKED = 200


class Bundle:
    def __init__(self, path):
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            self.header = json.loads(file.read(size))
            self.data = file.read()
        self.metadata = self.header["__metadata__"]

    def tensor(self, name):
        entry = self.header[name]
        kind = {"F32": numpy.float32, "U32": numpy.uint32, "U64": numpy.uint64, "U8": numpy.uint8}[entry["dtype"]]
        begin, end = entry["data_offsets"]
        return numpy.frombuffer(self.data[begin:end], dtype=kind).reshape(entry["shape"])

    def item_keys(self):
        offsets = self.tensor("item_keys.offsets").astype(numpy.int64)
        text = self.tensor("item_keys.bytes").tobytes()
        return [text[offsets[i] : offsets[i + 1]].decode() for i in range(len(offsets) - 1)]

    def number(self, key):
        return float(self.metadata["segue." + key])


@remembered(4)
def fit_recipe(table, recipe):
    """Groups and items are called by their rows."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "part.csv"), os.path.join(folder, "part.segue")
        with open(source, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("group", "item"))
            rows.writerows(zip(*table.nonzero()))
        told = ["--neighbours", str(WEIGHTS_OF_AN_ITEM), "--item-popularity-exponent", "0"]
        subprocess.run([os.environ["SEGUE_PROGRAM"], "fit", source, "--group", "group", "--item", "item", "--recipe", recipe,
                        "--out", target, "--quiet", *(told if recipe in ("ease", "graph-filter") else [])], check=True)
        bundle = Bundle(target)
    rows = numpy.array([int(key) for key in bundle.item_keys()])
    return {"ials": FoldIn, "cooc": pair_weights}.get(recipe, stored_weights)(bundle, rows, table)


def stored_weights(bundle, rows, table):
    lengths = numpy.diff(bundle.tensor("neighbours.offsets").astype(numpy.int64))
    weights = numpy.zeros((table.shape[1], table.shape[1]), dtype=numpy.float32)
    weights[numpy.repeat(rows, lengths), rows[bundle.tensor("neighbours.items")]] = bundle.tensor("neighbours.scores")
    return Weights(weights)


def pair_weights(bundle, _, table):
    """All pairs, as docs/numerics.md has them."""
    own, other, group, sharpness = (bundle.number("pair_score." + name) for name in (
        "own_exponent", "other_exponent", "group_exponent", "sharpness"))
    together = (table.T @ diagonal(counts(table, 1) ** -group) @ table).toarray()
    together[numpy.diag_indices(len(together))] = 0
    frequencies = counts(table, 0)
    return Weights((together * frequencies[:, None] ** -own * frequencies[None, :] ** -other) ** sharpness)


class FoldIn:
    """Histories folded in by the row problem of `ials`."""

    def __init__(self, bundle, rows, table):
        dim = int(bundle.number("dim"))
        self.items = numpy.zeros((table.shape[1], dim))
        self.items[rows] = bundle.tensor("item_vectors")[:, :dim]
        self.unobserved = bundle.number("fold_in.unobserved_weight")
        self.reg, self.exponent = bundle.number("fold_in.l2_reg"), bundle.number("fold_in.l2_exponent")
        self.gram = self.unobserved * self.items.T @ self.items

    def scores(self, own, rows):
        vectors = numpy.zeros((own.shape[0], self.items.shape[1]))
        for row in range(own.shape[0]):
            part = self.items[own.indices[own.indptr[row] : own.indptr[row + 1]]]
            reg = self.reg * (len(part) + self.unobserved * len(self.items)) ** self.exponent
            vectors[row] = numpy.linalg.solve(self.gram + part.T @ part + reg * numpy.eye(len(self.gram)), part.sum(axis=0))
        return (vectors @ self.items.T).astype(numpy.float32)


def standard(scores):
    """Mean 0 and deviation 1 over the items of each row."""
    scores -= scores.mean(axis=1, keepdims=True)
    scores /= scores.std(axis=1, keepdims=True) + 1e-9
    return scores


def reciprocal_ranks(scores, own):
    """Of the best RANKED of each row that are not its own."""
    scores = scores.copy()
    scores[own.nonzero()] = -numpy.inf
    best = numpy.argpartition(-scores, RANKED, axis=1)[:, :RANKED]
    order = numpy.argsort(-numpy.take_along_axis(scores, best, 1), axis=1, kind="stable")
    ranks = numpy.zeros_like(scores)
    values = numpy.broadcast_to(1 / (RANK_OFFSET + 1 + numpy.arange(RANKED, dtype=numpy.float32)), best.shape)
    numpy.put_along_axis(ranks, numpy.take_along_axis(best, order, 1), values, 1)
    return ranks


@remembered(2)
def scaled_scores(own, model, by):
    scores = model.scores(own, None)
    return standard(scores) if by == "z-score" else reciprocal_ranks(scores, own)


class Blend:
    def __init__(self, table, first, second, by, share):
        self.parts = [(fit_recipe(table, first), share), (fit_recipe(table, second), 1 - share)]
        self.by = by

    def scores(self, own, rows):
        return sum(numpy.float32(share) * scaled_scores(own, model, self.by) for model, share in self.parts)


def blend(first, second):
    return (Blend, grid(first=(first,), second=(second,), by=("z-score",), share=(0.1, 0.25, 0.5, 0.75, 0.9))
            + grid(first=(first,), second=(second,), by=("ranks",), share=(0.5,)))


BLENDS = {
    "ease + graph-filter": blend("ease", "graph-filter"),
    "ease + ials": blend("ease", "ials"),
    "graph-filter + ials": blend("graph-filter", "ials"),
    "ials + cooc": blend("ials", "cooc"),
}
