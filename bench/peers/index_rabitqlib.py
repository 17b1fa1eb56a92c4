"""SymphonyQG of the RaBitQ library: a graph whose vertices carry the 1-bit codes of their neighbours."""

import numpy
import rabitqlib

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "rabitqlib"
    augments = True
    least_dim = 64

    @staticmethod
    def builds(num_items, dim, unit):
        return {
            "R32": {"max_degree": 32, "ef_construction": 200},
            "R64": {"max_degree": 64, "ef_construction": 200},
        }

    def build(self, items, parameters, num_threads):
        self.index = rabitqlib.SymqgIndex(self.dim, parameters["max_degree"], metric="l2")
        self.index.build(items, parameters["ef_construction"], num_threads)

    def save(self, folder):
        self.index.save(path_in(folder, "index.symqg"))

    def load(self, folder):
        self.index = rabitqlib.SymqgIndex.load(path_in(folder, "index.symqg"))

    def build_empty(self):
        items = numpy.random.default_rng(1).standard_normal((64, self.dim), dtype=numpy.float32)
        self.build(items, {"max_degree": 32, "ef_construction": 32}, 1)

    def knobs(self):
        return [{"ef": ef} for ef in (10, 14, 20, 28, 40, 56, 80, 110, 160, 220, 320, 450, 640, 900, 1300)]

    def one(self, knob):
        search, k, ef = self.index.search, self.k, max(knob["ef"], self.k)
        return lambda query: search(query[None], k, ef)[0]

    def rows_of(self, answer):
        return numpy.asarray(answer).ravel()

    def batch(self, knob):
        search, k, ef = self.index.search_batch, self.k, max(knob["ef"], self.k)
        return lambda queries: search(queries, k, ef)[0]
