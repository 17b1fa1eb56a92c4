"""What the libraries an index is measured beside have in common. One file each, index_NAME.py, with one class Peer.

A Peer is made for a set, builds or loads one of at most three indexes, and hands out two functions: `one`, which
answers a single query, and `batch`, which answers many. Both are bound to everything that does not change between
queries, and go to the library the fastest way its wheel offers.
"""

import math
import os

import numpy


class BasePeer:
    """One index of one library over one set. Peers override what is below the line."""

    #: Name of the package on PyPI.
    package = ""
    #: Whether inner products of items of many lengths need the items made equally long by one more dimension.
    augments = False
    #: Shorter vectors are filled up with zeros, which leaves all products as they are.
    least_dim = 1

    def __init__(self, dim, unit, k, scratch_folder):
        self.unit = unit
        self.scratch_folder = scratch_folder
        self.k = k
        self.augmented = self.augments and not unit
        self.dim = max(dim + 1 if self.augmented else dim, self.least_dim)

    def prepare_items(self, items):
        """Items as the library gets them: with augments, all of one length, which leaves the order of inner products."""
        if self.augmented:
            squares = numpy.einsum("ij,ij->i", items, items, dtype=numpy.float64)
            rest = numpy.sqrt(squares.max() - squares).astype(numpy.float32)
            items = numpy.hstack([items, rest[:, None]])
        return self._filled_up(items)

    def prepare_queries(self, queries):
        return self._filled_up(queries)

    def _filled_up(self, rows):
        missing = self.dim - rows.shape[1]
        return numpy.ascontiguousarray(numpy.pad(rows, ((0, 0), (0, missing)))) if missing else rows

    # ------------------------------------------------------------------------------------------------------------

    @staticmethod
    def builds(num_items, dim, unit):
        """At most three: {name: parameters of build}."""
        raise NotImplementedError

    def build(self, items, parameters, num_threads):
        """items: [n x dim] float32 of prepare_items."""
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError

    def load(self, folder):
        raise NotImplementedError

    def build_empty(self):
        """Makes an index with next to nothing in it, a search of which costs what any call does."""
        raise NotImplementedError

    def knobs(self):
        """Settings of the search from the quickest on: the grid a Pareto front is taken from."""
        raise NotImplementedError

    def one(self, knob):
        """A function from a query [dim] to the rows of at most k items, a sequence or what `rows_of` makes one."""
        raise NotImplementedError

    def batch(self, knob):
        """A function from queries [m x dim] to rows [m x k]. None where the library has no such call."""
        return None

    def rows_of(self, answer):
        return answer


def path_in(folder, name):
    return os.path.join(folder, name)


def thinned(values, low, high):
    """The values of a grid within [low, high]."""
    return [value for value in values if low <= value <= high]


def leaves_for(num_items):
    """Twice the root of the number of items, the rule of ScaNN's manual and its authors' settings between."""
    return int(round(2 * math.sqrt(num_items)))
