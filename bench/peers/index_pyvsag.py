"""VSAG: its hierarchical graph over int8 codes, rescored by f32 vectors. Its wheel answers single queries only."""

import json

import numpy
import pyvsag

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "pyvsag"
    augments = True

    @staticmethod
    def builds(num_items, dim, unit):
        def parameters(codes):
            return {"base_quantization_type": codes, "max_degree": 48, "ef_construction": 300}

        return {"sq8": parameters("sq8_uniform"), "sq4": parameters("sq4_uniform")}

    def _make(self, parameters, num_threads):
        pyvsag.set_logger_off()
        settings = dict(
            parameters, use_reorder=True, precise_quantization_type="fp32", build_thread_count=num_threads
        )
        description = {"dtype": "float32", "metric_type": "ip", "dim": self.dim, "index_param": settings}
        return pyvsag.Index("hgraph", json.dumps(description))

    def build(self, items, parameters, num_threads):
        self.parameters = parameters
        self.index = self._make(parameters, num_threads)
        self.index.build(items.ravel(), numpy.arange(len(items), dtype=numpy.int64), len(items), self.dim)

    def save(self, folder):
        with open(path_in(folder, "parameters.json"), "w", encoding="ascii") as file:
            json.dump(self.parameters, file)
        self.index.save(path_in(folder, "index.vsag"))

    def load(self, folder):
        with open(path_in(folder, "parameters.json"), encoding="ascii") as file:
            self.index = self._make(json.load(file), 1)
        self.index.load(path_in(folder, "index.vsag"))

    def build_empty(self):
        self.build(
            numpy.eye(16, self.dim, dtype=numpy.float32), {"base_quantization_type": "fp32", "max_degree": 16}, 1
        )

    def knobs(self):
        return [{"ef_search": ef} for ef in (10, 15, 20, 30, 40, 60, 80, 120, 170, 240, 340, 480, 700, 1000)]

    def one(self, knob):
        search, k = self.index.knn_search, self.k
        parameters = json.dumps({"hgraph": {"ef_search": max(knob["ef_search"], self.k)}})
        return lambda query: search(query, k, parameters)[0]
