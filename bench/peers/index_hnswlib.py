"""hnswlib: the graph of Malkov and Yashunin over f32 vectors."""

import hnswlib
import numpy

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "hnswlib"
    augments = True

    @staticmethod
    def builds(num_items, dim, unit):
        return {
            "M16": {"M": 16, "ef_construction": 200},
            "M24": {"M": 24, "ef_construction": 200},
        }

    def build(self, items, parameters, num_threads):
        self.index = hnswlib.Index(space="ip", dim=self.dim)
        self.index.init_index(max_elements=len(items), random_seed=1, **parameters)
        self.index.add_items(items, num_threads=num_threads)

    def save(self, folder):
        self.index.save_index(path_in(folder, "index.bin"))

    def load(self, folder):
        self.index = hnswlib.Index(space="ip", dim=self.dim)
        self.index.load_index(path_in(folder, "index.bin"))
        self.index.set_num_threads(1)

    def build_empty(self):
        self.build(numpy.eye(16, self.dim, dtype=numpy.float32), {"M": 16, "ef_construction": 16}, 1)
        self.index.set_num_threads(1)

    def knobs(self):
        return [{"ef": ef} for ef in (10, 15, 20, 30, 40, 60, 80, 120, 170, 240, 340, 480, 700, 1000)]

    def one(self, knob):
        self.index.set_ef(max(knob["ef"], self.k))
        search, k = self.index.knn_query, self.k
        return lambda query: search(query, k, 1)[0][0]

    def batch(self, knob):
        self.index.set_ef(max(knob["ef"], self.k))
        return lambda queries: self.index.knn_query(queries, self.k, 1)[0]
