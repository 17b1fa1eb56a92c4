"""Tests of check_docs on small documents."""

import pathlib
import tempfile
import unittest

import check_docs

DOCUMENT = """# One heading: with `code`

[ok](#one-heading-with-code) [out](https://example.org/x) [gone](gone.md) [off](#nowhere) `[no](link.md)`

```sh
# runs
echo one > file
```

```sh
rm file-that-is-not-there
```

```sh
# runs
test "$(cat file)" = one
```
"""


class CheckDocs(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.document = pathlib.Path(self.directory.name) / "a.md"

    def write(self, text):
        self.document.write_text(text, encoding="utf-8")

    def test_names_links_that_lead_nowhere(self):
        self.write(DOCUMENT)
        self.assertEqual(
            check_docs.check_links(self.document, "a.md"),
            ["a.md:3: there is no gone.md", "a.md:3: a.md has no heading for #nowhere"],
        )

    def test_runs_the_marked_examples_in_one_directory(self):
        self.write(DOCUMENT)
        self.assertEqual(check_docs.run_examples(self.document, "a.md", "."), ([], 2))

    def test_stops_at_the_first_command_that_fails(self):
        self.write("```sh\n# runs\necho before; false\ntrue\n```\n")
        problems, _ = check_docs.run_examples(self.document, "a.md", ".")
        self.assertEqual(problems, ["a.md:1: the example ended with 1:\nbefore\n"])


if __name__ == "__main__":
    unittest.main()
