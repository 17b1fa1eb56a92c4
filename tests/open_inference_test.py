"""Drives the Open Inference Protocol with a client of others: tritonclient.

usage: open_inference_test.py ROOT SEGUE

The packages are looked for in ROOT/.deps/python-test, where `./dev setup` puts them, then where Python looks. Without them
the test exits with 77, which CTest counts as skipped.
"""

import pathlib
import sys
import unittest

from serve_program import ServeProgram

ROOT = pathlib.Path(sys.argv[1])
PROGRAM = sys.argv[2]
sys.path.insert(0, str(ROOT / ".deps" / "python-test"))
try:
    import numpy
    import tritonclient.http as triton
except (ImportError, RuntimeError) as error:
    print(f"skipped: {error}; `./dev setup` installs tritonclient for this test")
    sys.exit(77)


def items(*keys, binary=True):
    tensor = triton.InferInput("item", [len(keys)], "BYTES")
    tensor.set_data_from_numpy(numpy.array([key.encode() for key in keys], dtype=numpy.object_), binary_data=binary)
    return tensor


def vectors(*rows, binary=True):
    tensor = triton.InferInput("vector", [len(rows), len(rows[0])], "FP32")
    tensor.set_data_from_numpy(numpy.array(rows, dtype=numpy.float32), binary_data=binary)
    return tensor


class OpenInference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.served = ServeProgram(ROOT, PROGRAM).__enter__()
        cls.addClassCleanup(cls.served.__exit__)
        cls.client = triton.InferenceServerClient(f"127.0.0.1:{cls.served.port}")
        cls.addClassCleanup(cls.client.close)

    def test_server_and_model_say_that_they_are_ready(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("songs"))
        self.assertTrue(self.client.is_model_ready("songs", "1"))
        self.assertFalse(self.client.is_model_ready("songs", "2"))
        self.assertFalse(self.client.is_model_ready("none"))

    def test_metadata_names_the_tensors(self):
        self.assertEqual("segue", self.client.get_server_metadata()["name"])
        metadata = self.client.get_model_metadata("songs")
        self.assertEqual(["item", "vector"], [tensor["name"] for tensor in metadata["inputs"]])
        self.assertEqual(["ids", "scores", "counts"], [tensor["name"] for tensor in metadata["outputs"]])

    def test_items_in_raw_and_in_json_get_the_same_lists(self):
        for binary in (True, False):
            asked = [
                triton.InferRequestedOutput("ids", binary_data=binary),
                triton.InferRequestedOutput("scores", binary_data=binary),
            ]
            answer = self.client.infer("songs", [items("a", "b", binary=binary)], outputs=asked, request_id="7", parameters={"k": 1})
            self.assertEqual("7", answer.get_response()["id"])
            self.assertEqual([["b"], ["a"]], numpy.vectorize(as_text)(answer.as_numpy("ids")).tolist())
            numpy.testing.assert_allclose(answer.as_numpy("scores"), [[0.99703974], [0.7688228]], rtol=1e-5)

    def test_vectors_find_their_items(self):
        for binary in (True, False):
            answer = self.client.infer("songs", [vectors([1, 0], [0, -1], binary=binary)], parameters={"k": 4})
            self.assertEqual((2, 4), answer.as_numpy("ids").shape)
            self.assertEqual([4, 4], answer.as_numpy("counts").tolist())
            self.assertEqual([b"d", b"a"], answer.as_numpy("ids")[:, 0].tolist())
            self.assertTrue((numpy.diff(answer.as_numpy("scores"), axis=1) <= 0).all())

    def test_what_is_wrong_is_an_error_of_the_client(self):
        with self.assertRaisesRegex(triton.InferenceServerException, "404"):
            self.client.infer("none", [items("a")])
        with self.assertRaisesRegex(triton.InferenceServerException, "404"):
            self.client.infer("songs", [items("gone")])
        with self.assertRaisesRegex(triton.InferenceServerException, "422"):
            self.client.infer("songs", [vectors([1, 2, 3])])


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
