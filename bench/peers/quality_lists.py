"""Lists of one public library on one split, for `segue evaluate --lists` to judge.

usage: quality_lists.py PEER FOLDER THREADS
FOLDER has train.csv and test.csv (group,item); gets PEER.groups.csv (group,rank,item,score) for the groups of test.csv,
PEER.items.csv (item,rank,neighbour,score) and PEER.json. Where a library has settings, they are chosen by recall@20 on a
fifth of each history of five or more that is cut from train.csv, never by test.csv.
"""

import json
import os
import sys
import time

peer, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
# implicit brings threads of its own, which those of OpenBLAS would get in the way of.
os.environ["OPENBLAS_NUM_THREADS"] = str(threads if peer == "numpy-ease" else 1)

import numpy
import scipy.sparse

from quality_tables import K, Split, batches, best_of, hold_out, mean_recall, write_lists

ITEM_NEIGHBOURS = 200
DIM = 64


class Dense:
    """A model whose scores of rows are `left[rows] @ right`, or of histories `history @ weights`."""

    def lists(self, table, rows):
        for batch in batches(rows):
            own = table[batch]
            yield from zip(batch, *best_of(self.scores(own, batch), own, K))

    def similar(self, num_items):
        for batch in batches(numpy.arange(num_items)):
            own = scipy.sparse.csr_matrix((numpy.ones(len(batch)), (numpy.arange(len(batch)), batch)),
                                          shape=(len(batch), num_items))
            yield from zip(batch, *best_of(self.item_scores(batch), own, K))


class Factors(Dense):
    def __init__(self, users, items, bias=0.0):
        self.users, self.items, self.bias = users, items, bias

    def scores(self, own, batch):
        return self.users[batch] @ self.items.T + self.bias

    def item_scores(self, batch):
        return self.items[batch] @ self.items.T


class Ease(Dense):
    def __init__(self, weights):
        self.weights = weights

    def scores(self, own, batch):
        return numpy.ascontiguousarray(own @ self.weights)

    def item_scores(self, batch):
        return self.weights[batch].copy()


class Neighbours:
    """implicit's models of item neighbours answer by themselves."""

    def __init__(self, model):
        self.model = model

    def lists(self, table, rows):
        ids, scores = self.model.recommend(rows, table[rows], N=K, filter_already_liked_items=True)
        for row, items, values in zip(rows, ids, scores):
            # Where it has fewer than K, implicit fills up with -1 or with what the row has already.
            offered = (items >= 0) & ~numpy.isin(items, table[row].indices)
            yield row, items[offered], values[offered]

    def similar(self, num_items):
        ids, scores = self.model.similar_items(numpy.arange(num_items), N=K + 1)
        for item, items, values in zip(range(num_items), ids, scores):
            others = (items != item) & (items >= 0)
            yield item, items[others][:K], values[others][:K]


def fit_als(table, alpha, regularization):
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=DIM, alpha=alpha, regularization=regularization, iterations=15,
                                    num_threads=threads, use_gpu=False, random_state=1)
    model.fit(table, show_progress=False)
    return Factors(model.user_factors, model.item_factors)


def fit_neighbours(kind, table):
    from implicit import nearest_neighbours

    model = getattr(nearest_neighbours, kind)(K=ITEM_NEIGHBOURS, num_threads=threads)
    model.fit(table, show_progress=False)
    return Neighbours(model)


def fit_ease(table, l2_reg):
    """Steck 2019, as it is written there."""
    gram = (table.T @ table).toarray().astype(numpy.float32)
    diagonal = numpy.diag_indices(gram.shape[0])
    gram[diagonal] += l2_reg
    weights = numpy.linalg.inv(gram)
    weights /= -numpy.diag(weights)
    weights[diagonal] = 0
    return Ease(weights)


def fit_lightfm(table, epochs):
    from lightfm import LightFM

    model = LightFM(no_components=DIM, loss="warp", random_state=1)
    model.fit(table.tocoo(), epochs=epochs, num_threads=threads)
    bias, items = model.get_item_representations()
    _, users = model.get_user_representations()
    return Factors(users, items, bias)


#: name: (fit, settings to choose from)
PEERS = {
    "implicit-als": (fit_als, [{"alpha": a, "regularization": r} for a in (5.0, 20.0, 60.0) for r in (0.01, 1.0)]),
    "implicit-bm25": (lambda table: fit_neighbours("BM25Recommender", table), [{}]),
    "implicit-cosine": (lambda table: fit_neighbours("CosineRecommender", table), [{}]),
    "numpy-ease": (fit_ease, [{"l2_reg": value} for value in (50.0, 200.0, 800.0)]),
    "lightfm-warp": (fit_lightfm, [{"epochs": value} for value in (10, 30)]),
}


def recall(model, table, held_out):
    rows = numpy.flatnonzero(numpy.diff(held_out.indptr))
    return mean_recall(((row, items) for row, items, _ in model.lists(table, rows)), held_out)


def main():
    split = Split(folder)
    fit, settings = PEERS[peer]
    chosen, tried = settings[0], []
    if len(settings) > 1:
        left, held_out = hold_out(split.table)
        tried = [(recall(fit(left, **setting), left, held_out), setting) for setting in settings]
        chosen = max(tried, key=lambda pair: pair[0])[1]
    began = time.perf_counter()
    model = fit(split.table, **chosen)
    seconds = time.perf_counter() - began
    write_lists(os.path.join(folder, peer + ".groups.csv"), ("group", "rank", "item", "score"),
                ((row, best) for row, best, _ in model.lists(split.table, split.asked)), split.group_keys, split.item_keys)
    write_lists(os.path.join(folder, peer + ".items.csv"), ("item", "rank", "neighbour", "score"),
                ((row, best) for row, best, _ in model.similar(len(split.item_keys))), split.item_keys, split.item_keys)
    with open(os.path.join(folder, peer + ".json"), "w", encoding="utf-8") as file:
        json.dump({"train_seconds": seconds, "settings": chosen, "tried": tried}, file)


main()
