"""Holds /metrics, deploy/grafana.json and the table of docs/operations.md against each other.

usage: metrics_test.py ROOT SEGUE

The text is read by a program of others, prometheus_client, from ROOT/.deps/python-test, where `./dev setup` puts it, or from
where Python looks. Without it the test exits with 77, which CTest counts as skipped.
"""

import json
import pathlib
import re
import sys
import unittest
import urllib.request

from serve_program import ServeProgram

ROOT = pathlib.Path(sys.argv[1])
PROGRAM = sys.argv[2]
sys.path.insert(0, str(ROOT / ".deps" / "python-test"))
try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError as error:
    print(f"skipped: {error}; `./dev setup` installs prometheus_client for this test")
    sys.exit(77)

NAME = re.compile(r"\b(?:rec|process)_[a-z_]+")


def without_ending(name):
    """The name of the family of a line; those of histograms have several."""
    return re.sub(r"_(?:bucket|sum|count)$", "", name)


def name_of(family):
    """As it is in the text; the parser leaves the ending of counters away."""
    return family.name + "_total" if family.type == "counter" else family.name


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with ServeProgram(ROOT, PROGRAM) as served:
            address = f"http://127.0.0.1:{served.port}"
            request = urllib.request.Request(f"{address}/v1/models/songs:similar", data=b'{"items":["a","b"]}')
            urllib.request.urlopen(request, timeout=30).read()
            cls.text = urllib.request.urlopen(f"{address}/metrics", timeout=30).read().decode()
        cls.families = {name_of(family): family for family in text_string_to_metric_families(cls.text)}

    def test_every_line_is_one_that_others_read(self):
        self.assertGreater(len(self.families), 20)
        lines = [line for line in self.text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), sum(len(family.samples) for family in self.families.values()))
        for family in self.families.values():
            self.assertTrue(family.documentation, family.name)
            self.assertIn(family.type, ("counter", "gauge", "histogram"), family.name)

    def test_histograms_have_the_buckets_that_were_promised(self):
        ends = ["2.5e-05", "5e-05", "0.0001", "0.0002", "0.0004", "0.0007", "0.001", "0.0015", "0.002", "0.005", "0.01", "0.05"]
        for name in ("rec_request_duration_seconds", "rec_search_duration_seconds"):
            samples = self.families[name].samples
            found = [sample.labels["le"] for sample in samples if sample.name.endswith("_bucket")]
            self.assertEqual([*ends, "0.1", "1", "+Inf"], found[: len(ends) + 3])
            counts = [sample.value for sample in samples if sample.name.endswith("_bucket")][: len(ends) + 3]
            self.assertEqual(sorted(counts), counts)

    def test_every_metric_of_the_dashboard_exists(self):
        dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
        named = set()
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                named |= {without_ending(name) for name in NAME.findall(target["expr"])}
        self.assertGreater(len(named), 15)
        self.assertEqual(set(), named - self.families.keys())
        # Nothing is counted that nobody looks at.
        self.assertEqual(set(), self.families.keys() - named)

    def test_the_manual_explains_every_metric_and_no_other(self):
        manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        table = manual[manual.index("## Metrics") :]
        explained = set()
        for line in table.splitlines():
            if line.startswith("| `"):
                explained |= {without_ending(name) for name in NAME.findall(line.split("|")[1])}
        self.assertEqual(set(self.families.keys()), explained)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
