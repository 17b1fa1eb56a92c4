"""usearch: HNSW over bf16 or int8 vectors."""

import numpy
from usearch.compiled import ScalarKind
from usearch.index import Index

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "usearch"
    augments = True

    @staticmethod
    def builds(num_items, dim, unit):
        return {
            "bf16": {"dtype": "bf16", "connectivity": 24, "expansion_add": 200},
            "i8": {"dtype": "i8", "connectivity": 24, "expansion_add": 200},
        }

    def build(self, items, parameters, num_threads):
        # int8 takes vectors of length 1 only, which the cosine makes of them.
        self.index = Index(ndim=self.dim, metric="cos", **parameters)
        self.index.add(numpy.arange(len(items), dtype=numpy.uint64), items, threads=num_threads)

    def save(self, folder):
        self.index.save(path_in(folder, "index.usearch"))

    def load(self, folder):
        self.index = Index.restore(path_in(folder, "index.usearch"))

    def build_empty(self):
        self.build(numpy.eye(16, self.dim, dtype=numpy.float32), self.builds(16, self.dim, True)["bf16"], 1)

    def knobs(self):
        return [{"expansion": ef} for ef in (10, 16, 24, 36, 54, 80, 120, 180, 270, 400, 600, 900)]

    def _search(self, knob):
        """Past the wrapper that makes objects of matches."""
        self.index.expansion_search = max(knob["expansion"], self.k)
        search, k, unknown = self.index._compiled.search_many, self.k, ScalarKind.Unknown
        return lambda queries: search(queries, count=k, threads=1, dtype=unknown)[0]

    def one(self, knob):
        search = self._search(knob)
        return lambda query: search(query[None])[0]

    def batch(self, knob):
        return self._search(knob)
