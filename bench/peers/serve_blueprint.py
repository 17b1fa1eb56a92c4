"""The blueprint's index server, written anew for measuring: Flask under gunicorn, one worker, eight threads, ScaNN.

Its behaviour and its settings: a query is ids between spaces, whose vectors are averaged and normalised; ids alone are
answered, the ones asked about among them; failures are texts with status 200. Its leaves, leaves to search and
candidates are the blueprint's (sqrt(n), 200, 200). One thing is better than the original: vectors are looked up in this
process, where the original asks another service for them, once a request.

SERVE_DATA names the folder that `serve_bench data` made.
"""

import json
import math
import os

import flask
import numpy
from scann.scann_ops.py import scann_ops_pybind

LEAVES_TO_SEARCH = 200
REORDERED = 200


def read_items(folder):
    with open(os.path.join(folder, "items.json"), encoding="utf-8") as file:
        facts = json.load(file)
    vectors = numpy.fromfile(os.path.join(folder, "items.f32"), numpy.float32)
    return vectors.reshape(facts["num_items"], facts["dim"])


class Matcher:
    """Vectors of all items, and the index over them."""

    def __init__(self, vectors):
        self.vectors = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
        self.tokens = [f"item-{row}" for row in range(len(vectors))]
        self.rows = {token: row for row, token in enumerate(self.tokens)}
        num_leaves = int(math.sqrt(len(vectors)))
        self.searcher = (
            scann_ops_pybind.builder(self.vectors, 10, "dot_product")
            .tree(num_leaves, min(LEAVES_TO_SEARCH, num_leaves), training_sample_size=len(vectors))
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(REORDERED)
            .build()
        )

    def match(self, query, count):
        rows = [self.rows[token] for token in query.split(" ") if token in self.rows]
        vector = self.vectors[rows].mean(axis=0)
        vector /= numpy.linalg.norm(vector)
        found, _ = self.searcher.search(vector, final_num_neighbors=count)
        return [self.tokens[row] for row in found]


app = flask.Flask(__name__)
matcher = Matcher(read_items(os.environ["SERVE_DATA"]))


@app.route("/v1/models/<model>/versions/<version>", methods=["GET"])
def health(model, version):
    return {}


@app.route("/v1/models/<model>/versions/<version>:predict", methods=["POST"])
def predict(model, version):
    try:
        instance = flask.request.get_json(force=True)["instances"][0]
        query = instance.get("query", "")
        show = str(instance.get("show", 10))
        if not query:
            return {"predictions": "You need to provide the item Id(s) in the query!"}
        return {"predictions": matcher.match(query, int(show) if show.isdigit() else 10)}
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"Unexpected error: {error}"}
