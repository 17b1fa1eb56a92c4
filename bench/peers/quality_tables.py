"""What all list makers of the quality benchmark share: tables as sparse matrices, the validation part, lists and their files."""

import csv
import functools
import os

import numpy
import scipy.sparse

K = 20
BATCH = 1024


def read_pairs(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [(group, item) for group, item in rows]


def matrix(rows, columns, shape):
    table = scipy.sparse.csr_matrix((numpy.ones(len(rows), dtype=numpy.float32), (rows, columns)), shape=shape)
    table.data[:] = 1
    return table


class Split:
    """train.csv and test.csv of a folder (group,item): a sparse table, the keys of its rows, and who is asked for."""

    def __init__(self, folder):
        train, test = (read_pairs(os.path.join(folder, name)) for name in ("train.csv", "test.csv"))
        groups = {key: row for row, key in enumerate(dict.fromkeys(group for group, _ in train))}
        items = {key: row for row, key in enumerate(dict.fromkeys(item for _, item in train))}
        self.group_keys, self.item_keys, self.item_rows = list(groups), list(items), items
        self.table = matrix([groups[group] for group, _ in train], [items[item] for _, item in train],
                            (len(groups), len(items)))
        self.asked = numpy.array(sorted({groups[group] for group, _ in test if group in groups}))


def remembered(entries):
    """Keeps the latest results of a function of a table and settings."""
    def decorate(function):
        kept = {}

        @functools.wraps(function)
        def call(table, *settings):
            key = (id(table), *settings)
            if key not in kept:
                while len(kept) >= entries:
                    kept.pop(next(iter(kept)))
                kept[key] = (table, function(table, *settings))  # with the table its id stays its own
            return kept[key][1]
        return call
    return decorate


def hold_out(table):
    """A fifth of each row of five or more, seeded: (what is left, what was taken)."""
    random = numpy.random.default_rng(1)
    coo = table.tocoo()
    order = numpy.lexsort((random.random(len(coo.row)), coo.row))
    rows, columns = coo.row[order], coo.col[order]
    sizes = numpy.bincount(rows, minlength=table.shape[0])
    places = numpy.arange(len(rows)) - numpy.repeat(numpy.cumsum(sizes) - sizes, sizes)
    taken = (sizes[rows] >= 5) & (places < sizes[rows] // 5)
    return matrix(rows[~taken], columns[~taken], table.shape), matrix(rows[taken], columns[taken], table.shape)


def best_of(scores, own, k):
    """Row by row the k best columns of dense scores, those of `own` (csr) left out."""
    for row in range(own.shape[0]):
        scores[row, own.indices[own.indptr[row] : own.indptr[row + 1]]] = -numpy.inf
    best = numpy.argpartition(-scores, k, axis=1)[:, :k]
    values = numpy.take_along_axis(scores, best, 1)
    order = numpy.argsort(-values, axis=1, kind="stable")
    return numpy.take_along_axis(best, order, 1), numpy.take_along_axis(values, order, 1)


def batches(rows):
    for begin in range(0, len(rows), BATCH):
        yield rows[begin : begin + BATCH]


def mean_recall(lists, held_out):
    """Of pairs of a row and its list."""
    total, count = 0.0, 0
    for row, items in lists:
        relevant = held_out.indices[held_out.indptr[row] : held_out.indptr[row + 1]]
        total += len(numpy.intersect1d(items, relevant)) / len(relevant)
        count += 1
    return total / count


def write_lists(path, header, lists, row_keys, item_keys):
    """Scores that fall place by place keep ties in the order they came in."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows((row_keys[row], place + 1, item_keys[item], K - place)
                         for row, best in lists for place, item in enumerate(best))
