"""ScaNN: a tree of k-means leaves, 4-bit codes with anisotropic loss, rescoring; with and without SOAR."""

import os

import numpy
from scann.scann_ops.py import scann_ops_pybind

from index_peer import BasePeer, leaves_for


class Peer(BasePeer):
    package = "scann"

    @staticmethod
    def builds(num_items, dim, unit):
        leaves = leaves_for(num_items)
        return {
            "soar": {"num_leaves": leaves, "soar_lambda": 1.5},
            "plain": {"num_leaves": leaves, "soar_lambda": None},
        }

    def build(self, items, parameters, num_threads):
        # The threshold is a length along an item: for items that are not of length 1 it grows with them.
        length = 1.0 if self.unit else float(numpy.median(numpy.linalg.norm(items, axis=1)))
        builder = scann_ops_pybind.builder(items, self.k, "dot_product").set_n_training_threads(num_threads)
        self.searcher = (
            builder.tree(
                num_leaves=parameters["num_leaves"],
                num_leaves_to_search=max(1, parameters["num_leaves"] // 20),
                training_sample_size=min(len(items), 250_000),
                spherical=self.unit,
                quantize_centroids=True,
                soar_lambda=parameters["soar_lambda"],
            )
            .score_ah(2, anisotropic_quantization_threshold=0.2 * length)
            .reorder(100)
            .build()
        )

    def save(self, folder):
        self.searcher.serialize(folder, relative_path=True)

    def load(self, folder):
        before = os.getcwd()
        os.chdir(folder)  # the assets are named by paths within
        try:
            self.searcher = scann_ops_pybind.load_searcher(folder)
        finally:
            os.chdir(before)

    def build_empty(self):
        items = numpy.eye(16, self.dim, dtype=numpy.float32)
        self.searcher = scann_ops_pybind.builder(items, self.k, "dot_product").score_brute_force().build()

    def knobs(self):
        grid = [(0, 0)] if self.searcher.size() <= 16 else []
        for leaves in (1, 2, 3, 4, 6, 9, 13, 18, 25, 35, 50, 70, 100, 140, 200, 280, 400):
            grid += [(leaves, 15 + 3 * leaves // 4), (leaves, 30 + 2 * leaves)]
        return [{"leaves_to_search": leaves, "reorder": max(reorder, self.k)} for leaves, reorder in grid]

    def one(self, knob):
        search, k = self.searcher.searcher.search, self.k
        reorder, leaves = knob["reorder"], knob["leaves_to_search"]
        return lambda query: search(query, k, reorder, leaves)[0]

    def batch(self, knob):
        search, k = self.searcher.searcher.search_batched, self.k
        reorder, leaves = knob["reorder"], knob["leaves_to_search"]
        return lambda queries: search(queries, k, reorder, leaves, False, 0)[0]
