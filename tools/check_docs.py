#!/usr/bin/env python3
"""Checks the documents: every link resolves, and every example that says so runs.

usage: check_docs.py PROGRAM_DIRECTORY

An example runs when it is a fenced block of language `sh` whose first line is `# runs`. The blocks of one document run
one after the other in one empty directory, with PROGRAM_DIRECTORY in front of PATH; a command that fails fails the check.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^\s*```")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$")
EXAMPLE_SECONDS = 300


def split(text):
    """Returns ([(line number, prose line)], [(line number, language, code)]) of a document."""
    prose, blocks, opened = [], [], None
    for number, line in enumerate(text.splitlines(), start=1):
        if FENCE.match(line):
            if opened:
                blocks.append((opened[0], opened[1], "\n".join(opened[2]) + "\n"))
                opened = None
            else:
                opened = (number, line.strip().lstrip("`").strip(), [])
        elif opened:
            opened[2].append(line)
        else:
            prose.append((number, line))
    return prose, blocks


def anchors_of(text):
    """The anchors that headings get where Markdown is shown: lower case, dashes, no punctuation."""
    headings = (HEADING.match(line) for _, line in split(text)[0])
    return {re.sub(r"[^\w\- ]", "", match.group(1).lower()).replace(" ", "-") for match in headings if match}


def link_problem(document, target):
    """Why the link `target` in `document` (a path) leads nowhere, or None."""
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    path = (document.parent / name) if name else document
    if not path.exists():
        return f"there is no {name}"
    if anchor and path.suffix == ".md" and anchor not in anchors_of(path.read_text(encoding="utf-8")):
        return f"{path.name} has no heading for #{anchor}"
    return None


def check_links(document, name):
    problems = []
    for number, line in split(document.read_text(encoding="utf-8"))[0]:
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            problem = link_problem(document, target)
            if problem:
                problems.append(f"{name}:{number}: {problem}")
    return problems


def examples_of(text):
    """[(line number, code)] of the examples that say `# runs`."""
    return [
        (number, code)
        for number, language, code in split(text)[1]
        if language == "sh" and code.startswith("# runs\n")
    ]


def run_examples(document, name, programs):
    """Runs the examples of one document. Returns (problems, number of examples)."""
    examples = examples_of(document.read_text(encoding="utf-8"))
    environment = dict(os.environ, PATH=f"{programs}{os.pathsep}{os.environ.get('PATH', '')}")
    with tempfile.TemporaryDirectory() as directory:
        for number, code in examples:
            try:
                ended = subprocess.run(
                    ["sh", "-eu", "-c", code], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=EXAMPLE_SECONDS, check=False,
                )
            except subprocess.TimeoutExpired:
                return [f"{name}:{number}: the example did not end in {EXAMPLE_SECONDS} s"], len(examples)
            if ended.returncode != 0:
                output = ended.stdout.decode("utf-8", "replace")[-2000:]
                return [f"{name}:{number}: the example ended with {ended.returncode}:\n{output}"], len(examples)
    return [], len(examples)


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(__file__).resolve().parent.parent
    programs = pathlib.Path(arguments[0]).resolve()
    documents = sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))
    problems, num_examples = [], 0
    for document in documents:
        name = str(document.relative_to(root))
        problems += check_links(document, name)
        failed, ran = run_examples(document, name, programs)
        problems += failed
        num_examples += ran
    print("\n".join(problems) if problems else f"docs: {len(documents)} documents, {num_examples} examples run")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
