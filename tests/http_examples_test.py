"""Runs every curl line of docs/http_api.md against a service and compares the answer with the one shown below it.

usage: http_examples_test.py ROOT SEGUE

Times differ from run to run and are not compared; numbers may differ by rounding. Without curl the test exits with 77, which
CTest counts as skipped.
"""

import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from serve_program import ServeProgram

ROOT = pathlib.Path(sys.argv[1])
PROGRAM = sys.argv[2]
EXAMPLE = re.compile(r"```sh\n(curl [^\n]*)\n```\n\n```json\n([^\n]*)\n```")

if shutil.which("curl") is None:
    print("skipped: there is no curl")
    sys.exit(77)


def is_alike(left, right):
    """Whether two JSON values are the same but for times and rounding."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(key == "took_us" or is_alike(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(is_alike(one, other) for one, other in zip(left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-6)
    return left == right


class HttpExamples(unittest.TestCase):
    def test_every_answer_is_as_shown(self):
        examples = EXAMPLE.findall((ROOT / "docs" / "http_api.md").read_text(encoding="utf-8"))
        self.assertGreater(len(examples), 15)
        with ServeProgram(ROOT, PROGRAM) as served:
            for command, shown in examples:
                line = command.replace("127.0.0.1:8501", f"127.0.0.1:{served.port}")
                line = line.replace("127.0.0.1:8502", f"127.0.0.1:{served.admin_port}")
                answer = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30).stdout
                self.assertTrue(is_alike(json.loads(answer), json.loads(shown)), f"{command}\n{answer}\n{shown}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
