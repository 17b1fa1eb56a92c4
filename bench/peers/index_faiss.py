"""Faiss: k-means leaves with 4-bit codes scanned by in-register lookups and f32 rescoring; HNSW over int8 codes."""

import faiss
import numpy

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "faiss-cpu"

    @staticmethod
    def builds(num_items, dim, unit):
        leaves = 1024 if num_items < 600_000 else 2048 if num_items < 4_000_000 else 8192
        codes = f"PQ{dim // 2}x4fs,RFlat"
        return {
            "ivf": {"factory": f"IVF{leaves},{codes}"},
            "ivf-fine": {"factory": f"IVF{4 * leaves},{codes}"},
            "hnsw": {"factory": "HNSW32,SQ8", "ef_construction": 200},
        }

    def build(self, items, parameters, num_threads):
        faiss.omp_set_num_threads(num_threads)
        index = faiss.index_factory(self.dim, parameters["factory"], faiss.METRIC_INNER_PRODUCT)
        if "ef_construction" in parameters:
            index.hnsw.efConstruction = parameters["ef_construction"]
        index.train(items)
        index.add(items)
        self._bind(index)

    def _bind(self, index):
        self.owner = index  # the views below do not keep it alive
        self.index = faiss.downcast_index(index)
        self.base = faiss.downcast_index(self.index.base_index) if hasattr(self.index, "base_index") else None

    def save(self, folder):
        faiss.write_index(self.index, path_in(folder, "index.faiss"))

    def load(self, folder):
        self._bind(faiss.read_index(path_in(folder, "index.faiss")))
        faiss.omp_set_num_threads(1)

    def build_empty(self):
        faiss.omp_set_num_threads(1)
        index = faiss.IndexFlatIP(self.dim)
        index.add(numpy.eye(16, self.dim, dtype=numpy.float32))
        self._bind(index)

    def knobs(self):
        if isinstance(self.index, faiss.IndexFlatIP):
            return [{}]
        if self.base is None:
            return [{"ef": ef} for ef in (10, 20, 40, 80, 120, 200, 400, 800)]
        grid = []
        for probes in (2, 4, 6, 9, 13, 18, 25, 35, 50, 75, 110, 160, 240, 360):
            grid += [{"nprobe": probes, "k_factor": factor} for factor in (4, 10, 25, 60)]
        return grid

    def _set(self, knob):
        if "ef" in knob:
            self.index.hnsw.efSearch = knob["ef"]
        elif "nprobe" in knob:
            self.base.nprobe = knob["nprobe"]
            self.index.k_factor = knob["k_factor"]

    def one(self, knob):
        """Past the wrapper that makes arrays for every call."""
        self._set(knob)
        scores = numpy.empty(self.k, dtype=numpy.float32)
        rows = numpy.empty(self.k, dtype=numpy.int64)
        search, pointer, k = self.index.search_c, faiss.swig_ptr, self.k
        to_scores, to_rows = pointer(scores), pointer(rows)

        def answer(query):
            search(1, pointer(query), k, to_scores, to_rows)
            return rows.copy()

        return answer

    def batch(self, knob):
        self._set(knob)
        return lambda queries: self.index.search(queries, self.k)[1]
