"""Reads bundles with the public safetensors package, as docs/bundle_format.md says.

usage: bundle_python_test.py ROOT WRITE_SMALL_BUNDLE

The package is looked for in ROOT/.deps/python-test, where `./dev setup` puts it, then where Python looks. Without it the
test exits with 77, which CTest counts as skipped.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1])
WRITER = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ROOT / ".deps" / "python-test"))
try:
    import numpy
    import safetensors
except ImportError as error:
    print(f"skipped: {error}; `./dev setup` installs numpy and safetensors for this test")
    sys.exit(77)


def texts(bundle, name):
    offsets = bundle.get_tensor(f"{name}.offsets")
    content = bundle.get_tensor(f"{name}.bytes").tobytes()
    return [content[begin:end].decode() for begin, end in zip(offsets[:-1], offsets[1:])]


class BundleInPython(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        fresh = pathlib.Path(self.folder.name) / "model.segue"
        subprocess.run([WRITER, fresh], check=True)
        golden = sorted((ROOT / "tests" / "golden").glob("bundle_v*.segue"))
        self.assertTrue(golden)
        self.paths = [fresh, *golden]

    def test_every_table_reads_as_it_was_written(self):
        for path in self.paths:
            with self.subTest(path=path), safetensors.safe_open(path, framework="numpy") as bundle:
                facts = bundle.metadata()
                self.assertEqual(facts["segue.answer_by"], "fold_in")
                self.assertEqual(json.loads(facts["segue.parameters"])["dim"], 2)
                self.assertEqual(texts(bundle, "item_keys"), ["a", "b", "c", "d"])
                self.assertEqual(texts(bundle, "group_keys"), ["x", "y", "z"])
                self.assertEqual(json.loads(facts["segue.attributes"]), ["title", "artist"])
                self.assertEqual(texts(bundle, "attributes.artist"), ["Björk", "Björk", "", "Björk"])
                vectors = bundle.get_tensor("item_vectors")
                self.assertEqual((vectors.dtype, vectors.shape), (numpy.float32, (4, 16)))
                self.assertEqual(vectors[:, : int(facts["segue.dim"])][3].tolist(), [3.5, -0.25])
                self.assertFalse(vectors[:, 2:].any())
                self.assertEqual(bundle.get_tensor("item_frequencies").tolist(), [3, 2, 1, 1])
                self.assertEqual(bundle.get_tensor("neighbours.items").tolist(), [1, 2, 3, 0, 2, 0, 1, 0])
                self.assertEqual(bundle.get_tensor("interactions.offsets").tolist(), [0, 2, 5, 7])
                self.assertEqual(bundle.get_tensor("interactions.values").tolist()[-1], 2.0)

    def test_the_example_of_the_document_runs(self):
        document = (ROOT / "docs" / "bundle_format.md").read_text(encoding="utf-8")
        example = re.search(r"```python\n(.*?)```", document, re.DOTALL).group(1)
        names = {}
        os.chdir(self.folder.name)
        self.addCleanup(os.chdir, "/")
        exec(compile(example, "bundle_format.md", "exec"), names)
        self.assertEqual(names["keys"], ["a", "b", "c", "d"])
        self.assertEqual(names["vectors"].shape, (4, 16))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
