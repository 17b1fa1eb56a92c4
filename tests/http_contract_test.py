"""Holds every answer that the tests of the HTTP dialects get against src/serve/openapi.json.

usage: http_contract_test.py ROOT SEGUE_SERVE_TEST

SEGUE_SERVE_TEST is the program of the tests of src/serve. It is run once with SEGUE_API_RECORD, so that it writes down
every request and answer. The package jsonschema is looked for in ROOT/.deps/python-test, where `./dev setup` puts it, then
where Python looks. Without it the test exits with 77, which CTest counts as skipped.
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
PROGRAM = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ROOT / ".deps" / "python-test"))
try:
    import jsonschema
except ImportError as error:
    print(f"skipped: {error}; `./dev setup` installs jsonschema for this test")
    sys.exit(77)

DOCUMENT = json.loads((ROOT / "src" / "serve" / "openapi.json").read_text(encoding="utf-8"))


def resolved(node):
    """The object a reference within the document leads to."""
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def errors_of(schema, value):
    """Messages of what is wrong with `value`; references are looked up in the whole document."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": DOCUMENT["components"], **schema}
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(whole).iter_errors(value)]


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


AT = "(?:/versions/[^/:]+|/labels/[^/:]+)?"


def pattern_of(path, item):
    """What a path that was asked looks like, or a route, whose names are still in braces."""
    name = "[^/:]+"
    pattern = re.sub(r"\\{\w+\\}", name, re.escape(path))
    return re.compile(pattern.replace(name, name + AT, 1) if item.get("x-at") else pattern)


PATTERNS = {path: pattern_of(path, item) for path, item in DOCUMENT["paths"].items()}


def path_of(route, method):
    """The document's path of what was asked, or None. The one with fewer names where several fit."""
    fitting = [
        path for path, pattern in PATTERNS.items() if pattern.fullmatch(route) and method.lower() in DOCUMENT["paths"][path]
    ]
    return min(fitting, key=lambda path: path.count("{"), default=None)


def record():
    """All requests and answers of the tests, as objects."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "answers"
        run = subprocess.run(
            [PROGRAM, "--gtest_brief=1", "--gtest_filter=*Api.*:ServiceTest.*"],
            env={**os.environ, "SEGUE_API_RECORD": str(file)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if run.returncode != 0:
            raise RuntimeError(run.stdout + run.stderr)
        answers = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        # Paths that nobody knows are asked for too.
        return [answer for answer in answers if answer["route"] not in ("other", "/nowhere")]


class HttpContract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answers = record()

    def operation(self, answer):
        path = path_of(answer["route"], answer["method"])
        self.assertIsNotNone(path, f"{answer['method']} {answer['route']} is not in openapi.json")
        if "{at}" in answer["route"]:
            self.assertTrue(DOCUMENT["paths"][path].get("x-at"), path)
        return DOCUMENT["paths"][path][answer["method"].lower()]

    def test_every_reference_leads_somewhere_and_every_schema_is_one(self):
        for node in references(DOCUMENT):
            self.assertTrue(resolved(node))
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_every_name_in_a_path_is_described(self):
        for path, item in DOCUMENT["paths"].items():
            described = {resolved(parameter)["name"] for parameter in item.get("parameters", [])}
            self.assertEqual(set(re.findall(r"{(\w+)}", path)), described, path)

    def test_every_answer_is_as_described(self):
        for answer in self.answers:
            described = self.operation(answer)["responses"]
            kind = str(answer["status"]) if str(answer["status"]) in described else "default"
            content = resolved(described[kind]).get("content")
            if content is None:
                self.assertEqual("", answer["response"])
                continue
            self.assertIn(answer["content_type"], content, answer)
            if answer["content_type"] == "application/json":
                schema = content["application/json"]["schema"]
                self.assertEqual([], errors_of(schema, json.loads(answer["response"])), answer)

    def test_every_request_that_was_understood_is_one_the_document_allows(self):
        checked = 0
        for answer in self.answers:
            content = self.operation(answer).get("requestBody")
            if answer["status"] != 200 or content is None or '"Unexpected error' in answer["response"]:
                continue
            schema = resolved(content)["content"]["application/json"]["schema"]
            try:
                request = json.loads(answer["request"])
            except ValueError:
                continue  # raw tensors follow the JSON
            if '"queries"' in answer["request"] and '"error"' in answer["response"]:
                continue  # a batch with a query that was refused
            if "You need to provide" in answer["response"] or '"show":"many"' in answer["request"]:
                continue  # what the blueprint's habits forgive
            self.assertEqual([], errors_of(schema, request), answer["request"][:300])
            checked += 1
        self.assertGreater(checked, 50)

    def test_every_operation_and_every_kind_of_status_was_tried(self):
        tried = {(path_of(answer["route"], answer["method"]), answer["method"].lower()) for answer in self.answers}
        known = {
            (path, method) for path, item in DOCUMENT["paths"].items() for method in item if method in ("get", "post", "put", "delete")
        }
        self.assertEqual(set(), known - tried)
        statuses = {answer["status"] for answer in self.answers}
        self.assertEqual(set(), {200, 202, 204, 304, 400, 401, 403, 404, 422, 503, 504} - statuses)
        self.assertFalse({status for status in statuses if status == 500})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
