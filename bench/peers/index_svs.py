"""Intel's scalable vector search: the Vamana graph. Its own compressed codes run on Intel's processors only."""


import numpy
import svs

from index_peer import BasePeer, path_in


class Peer(BasePeer):
    package = "scalable-vs"
    augments = True

    @staticmethod
    def builds(num_items, dim, unit):
        return {
            "R48": {"graph_max_degree": 48, "window_size": 200, "type": "float32"},
            "R48-f16": {"graph_max_degree": 48, "window_size": 200, "type": "float16"},
        }

    def build(self, items, parameters, num_threads):
        settings = svs.VamanaBuildParameters(
            alpha=0.95, graph_max_degree=parameters["graph_max_degree"], window_size=parameters["window_size"]
        )
        if parameters["type"] == "float16":
            items = items.astype(numpy.float16)
        self.type = parameters["type"]
        self.index = svs.Vamana.build(settings, items, svs.DistanceType.MIP, num_threads)

    def save(self, folder):
        with open(path_in(folder, "type.txt"), "w", encoding="ascii") as file:
            file.write(self.type)
        self.index.save(*(path_in(folder, part) for part in ("config", "graph", "data")))

    def load(self, folder):
        with open(path_in(folder, "type.txt"), encoding="ascii") as file:
            self.type = file.read()
        self.index = svs.Vamana(
            path_in(folder, "config"),
            svs.GraphLoader(path_in(folder, "graph")),
            svs.VectorDataLoader(path_in(folder, "data"), getattr(svs, self.type), dims=self.dim),
            svs.DistanceType.MIP,
            query_type=svs.float32,
            num_threads=1,
        )

    def build_empty(self):
        parameters = dict(self.builds(16, self.dim, True)["R48"], window_size=16)
        self.build(numpy.eye(16, self.dim, dtype=numpy.float32), parameters, 1)

    def knobs(self):
        return [{"window": window} for window in (10, 15, 20, 30, 40, 60, 80, 120, 170, 240, 340, 480, 700)]

    def one(self, knob):
        self.index.search_window_size = max(knob["window"], self.k)
        search, k = self.index.search, self.k
        return lambda query: search(query, k)[0]

    def rows_of(self, answer):
        return answer.ravel()

    def batch(self, knob):
        self.index.search_window_size = max(knob["window"], self.k)
        return lambda queries: self.index.search(queries, self.k)[0]
