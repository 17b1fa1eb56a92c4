"""NGT: its optimised graph ONNG. Its quantised graphs are built by a program that the wheel does not carry."""

import os

import ngtpy
import numpy

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "ngt"
    augments = True

    @staticmethod
    def builds(num_items, dim, unit):
        return {"onng": {"edges": 60, "outgoing": 10, "incoming": 120}}

    def build(self, items, parameters, num_threads):
        self.index = None
        self.folder = path_in(self.scratch_folder, "anng")
        ngtpy.create(
            self.folder, self.dim, edge_size_for_creation=parameters["edges"], distance_type="Normalized Cosine"
        )
        index = ngtpy.Index(self.folder, log_disabled=True)
        index.batch_insert(items, num_threads=num_threads)
        index.save()
        index.close()
        if "outgoing" in parameters:
            optimizer = ngtpy.Optimizer(
                num_of_outgoings=parameters["outgoing"], num_of_incomings=parameters["incoming"], log_disabled=True
            )
            optimizer.set_processing_modes(search_parameter_optimization=False, accuracy_table_generation=False)
            source, self.folder = self.folder, path_in(self.scratch_folder, "onng")
            optimizer.execute(source, self.folder)

    def save(self, folder):
        os.rename(self.folder, path_in(folder, "onng"))

    def load(self, folder):
        self.index = ngtpy.Index(path_in(folder, "onng"), read_only=True, zero_based_numbering=True, log_disabled=True)

    def build_empty(self):
        self.build(numpy.eye(16, self.dim, dtype=numpy.float32), {"edges": 10}, 1)
        self.index = ngtpy.Index(self.folder, read_only=True, log_disabled=True)

    def knobs(self):
        return [{"epsilon": e} for e in (0.05, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.35, 0.4, 0.5, 0.6)]

    def one(self, knob):
        search, k, epsilon = self.index.search, self.k, knob["epsilon"]
        return lambda query: search(query, k, epsilon, with_distance=False)
