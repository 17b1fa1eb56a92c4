#!/usr/bin/env python3
"""Checks of the files themselves: nothing of one machine, nothing left for later, nothing that is not source.

Long files are named but do not fail the check: over 400 lines a file needs a reason, which a reader has to judge.
"""

import pathlib
import re
import subprocess
import sys

MAX_BYTES = 200_000
LONG_FILE_LINES = 400
SOURCE_SUFFIXES = (".cpp", ".h", ".py", ".sh", ".ts")
# Files kept byte for byte: words of others, and data that tests read.
VERBATIM = ("LICENSE", "tests/golden/", "fuzz/corpus/")
# Small files of a released format, kept as they were written.
GOLDEN_FOLDER = "tests/golden/"

# Each pattern is written so that it does not match its own line.
RULES = (
    (re.compile(r"(?<![\w.$])/(?:home|root|work|Users)/"), "a path of one machine"),
    (re.compile(r"https?://[^/\s]*(?:pypi|npm|crates|maven|golang|debian)[^/\s]*\."), "the host of a package registry"),
    (re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b|\bDISABLED[_]"), "something left for later"),
    (re.compile(r"[ \t]+$"), "white space at the end of the line"),
    (re.compile(r"^(?:<{7}|>{7}) "), "a merge conflict"),
)


def problems_of(name, content):
    """Problems of one file as lines to print. content: bytes."""
    if len(content) > MAX_BYTES:
        return [f"{name}: {len(content)} bytes; data and binaries do not belong in the checkout"]
    if name.startswith(GOLDEN_FOLDER):
        return []
    if name.startswith(VERBATIM):
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [f"{name}: not UTF-8 text"]
    problems = [
        f"{name}:{number}: {what}: {line.strip()[:80]}"
        for number, line in enumerate(text.split("\n"), start=1)
        for pattern, what in RULES
        if pattern.search(line)
    ]
    if text and not text.endswith("\n"):
        problems.append(f"{name}: no line end at the end of the file")
    return problems


def is_long(name, content):
    return name.endswith(SOURCE_SUFFIXES) and content.count(b"\n") > LONG_FILE_LINES


def files_of(root):
    """The tracked files, or without git every file outside of build directories."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout
        names = [name for name in listed.decode("utf-8").split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        left_out = {".git", ".deps", "build", "__pycache__"}
        names = [
            str(path.relative_to(root))
            for path in sorted(root.rglob("*"))
            if not left_out & set(path.relative_to(root).parts)
        ]
    return [name for name in names if (root / name).is_file()]


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    problems = []
    for name in files_of(root):
        content = (root / name).read_bytes()
        problems += problems_of(name, content)
        if is_long(name, content):
            print(f"{name}: more than {LONG_FILE_LINES} lines; is there a reason?")
    print("\n".join(problems) if problems else "repository: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
