"""Fills a running Chroma server with the items that `serve_bench data` made: serve_chromadb.py PORT FOLDER.

Prints the path that questions go to. Ten values of the attribute "color", as the bundle has them in number.
"""

import json
import os
import sys

import chromadb
import numpy

BATCH = 4000


def main(port, folder):
    with open(os.path.join(folder, "items.json"), encoding="utf-8") as file:
        facts = json.load(file)
    vectors = numpy.fromfile(os.path.join(folder, "items.f32"), numpy.float32)
    vectors = vectors.reshape(facts["num_items"], facts["dim"])
    client = chromadb.HttpClient(host="127.0.0.1", port=port)
    collection = client.create_collection("items", configuration={"hnsw": {"space": "ip"}})
    colors = numpy.random.default_rng(1).integers(0, 10, len(vectors))
    for begin in range(0, len(vectors), BATCH):
        rows = range(begin, min(begin + BATCH, len(vectors)))
        collection.add(
            ids=[f"item-{row}" for row in rows],
            embeddings=vectors[begin : begin + BATCH],
            metadatas=[{"color": f"c{colors[row]}"} for row in rows],
        )
    place = f"/api/v2/tenants/{client.tenant}/databases/{client.database}"
    print(f"{place}/collections/{collection.id}/query", flush=True)


main(int(sys.argv[1]), sys.argv[2])
