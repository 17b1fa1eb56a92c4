"""Voyager: HNSW over f32 or 8-bit floating-point vectors."""

import numpy
import voyager

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "voyager"

    @staticmethod
    def builds(num_items, dim, unit):
        return {
            "M24": {"M": 24, "ef_construction": 200, "storage": "Float32"},
            "M24-E4M3": {"M": 24, "ef_construction": 200, "storage": "E4M3"},
        }

    def build(self, items, parameters, num_threads):
        # Its inner product adds the dimension by itself.
        space = voyager.Space.Cosine if self.unit else voyager.Space.InnerProduct
        self.index = voyager.Index(
            space,
            num_dimensions=self.dim,
            M=parameters["M"],
            ef_construction=parameters["ef_construction"],
            random_seed=1,
            max_elements=len(items),
            storage_data_type=getattr(voyager.StorageDataType, parameters["storage"]),
        )
        self.index.add_items(items, num_threads=num_threads)

    def save(self, folder):
        self.index.save(path_in(folder, "index.voyager"))

    def load(self, folder):
        self.index = voyager.Index.load(path_in(folder, "index.voyager"))

    def build_empty(self):
        self.build(numpy.eye(16, self.dim, dtype=numpy.float32), self.builds(16, self.dim, True)["M24"], 1)

    def knobs(self):
        return [{"ef": ef} for ef in (10, 15, 20, 30, 40, 60, 80, 120, 170, 240, 340, 480, 700, 1000)]

    def one(self, knob):
        search, k, ef = self.index.query, self.k, max(knob["ef"], self.k)
        return lambda query: search(query, k, 1, ef)[0]

    def batch(self, knob):
        search, k, ef = self.index.query, self.k, max(knob["ef"], self.k)
        return lambda queries: search(queries, k, 1, ef)[0]
