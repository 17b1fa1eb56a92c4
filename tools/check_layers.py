#!/usr/bin/env python3
"""Checks that every folder of src/ knows only the layers below it.

Two things say what a folder knows: the includes of its sources and the links of its library. Both must point to lower
layers, and they must agree: what is included is linked, what is linked is included. The table of layers is the one of
docs/architecture.md.
"""

import pathlib
import re
import sys

LAYERS = (
    ("base",),
    ("kernels", "data", "tables"),
    ("linalg", "cooc", "ingest", "index_build", "bundle", "features", "http"),
    ("train", "index"),
    ("model",),
    ("recommend",),
    ("eval",),
    ("pipeline", "serve"),
    ("cli", "library", "python", "web"),
)
LEVEL = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}

# The bundle is the only contract between training and serving, so these never meet, not even through others.
APART = (("serve", "train"), ("serve", "ingest"))

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
LINK = re.compile(r"\bsegue_([a-z_]+)\b")
# Words of our own in CMakeLists.txt that are not libraries of folders.
NOT_FOLDERS = {"library", "shared", "test", "options"}


def includes_of(text):
    """Yields (line number, quote, path) of every include directive."""
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def links_of(text):
    """The folders named as segue_FOLDER in a CMakeLists.txt; comments and test programs left out."""
    code = "\n".join(line.split("#", 1)[0] for line in text.splitlines())
    return {name for name in LINK.findall(code) if name not in NOT_FOLDERS and not name.endswith("_test")}


def closure(folder, links):
    """Every folder reached from `folder` by links, itself left out."""
    reached, waiting = set(), [folder]
    while waiting:
        for target in links.get(waiting.pop(), set()) - reached:
            reached.add(target)
            waiting.append(target)
    return reached - {folder}


def direction_problem(folder, target):
    """Why `folder` must not know `target`, or None."""
    if target not in LEVEL:
        return f"'{target}' is not a folder of the layer table"
    if target != folder and LEVEL[target] >= LEVEL[folder]:
        return f"{folder} (L{LEVEL[folder]}) must not know {target} (L{LEVEL[target]})"
    return None


def check_includes(folder, sources):
    """sources: {path: text}. Returns (problems, folders included)."""
    problems, included = [], set()
    for path, text in sorted(sources.items()):
        for number, quote, header in includes_of(text):
            target, slash, _ = header.partition("/")
            if quote == "<":
                if slash and target in LEVEL:
                    problems.append(f'{path}:{number}: write our own headers in quotes: "{header}"')
                continue
            if not slash:
                problems.append(f'{path}:{number}: write "{folder}/{header}", relative to src/')
                continue
            if target not in LEVEL:  # a library of others; our own folders are all in the table
                continue
            problem = direction_problem(folder, target)
            if problem:
                problems.append(f"{path}:{number}: {problem}: \"{header}\"")
            else:
                included.add(target)
    return problems, included - {folder}


def check_links(folders, links, included):
    """Checks the links of all folders against the layers and against what is included."""
    problems = []
    for folder in sorted(folders):
        place = f"src/{folder}/CMakeLists.txt"
        for target in sorted(links[folder] - {folder}):
            problem = direction_problem(folder, target)
            if problem:
                problems.append(f"{place}: {problem}")
            elif target not in included[folder]:
                problems.append(f"{place}: links segue_{target}, of which nothing is included")
        for target in sorted(included[folder] - closure(folder, links)):
            problems.append(f"{place}: {target} is included but segue_{target} is not linked")
    for folder, forbidden in APART:
        if forbidden in closure(folder, links):
            problems.append(f"src/{folder}/CMakeLists.txt: {folder} must not reach {forbidden}, even through others")
    return problems


def check(src):
    """Problems of the tree under `src` (a pathlib.Path), as lines to print."""
    problems, links, included = [], {}, {}
    for directory in sorted(path for path in src.iterdir() if path.is_dir()):
        folder = directory.name
        if folder not in LEVEL:
            problems.append(f"src/{folder}: not in the layer table of tools/check_layers.py")
            continue
        sources = {
            f"src/{path.relative_to(src)}": path.read_text(encoding="utf-8")
            for path in directory.rglob("*")
            if path.suffix in (".h", ".cpp")
        }
        found, included[folder] = check_includes(folder, sources)
        problems += found
        lists = directory / "CMakeLists.txt"
        links[folder] = links_of(lists.read_text(encoding="utf-8")) if lists.exists() else set()
    return problems + check_links(included.keys(), links, included)


def main():
    src = pathlib.Path(__file__).resolve().parent.parent / "src"
    problems = check(src)
    print("\n".join(problems) if problems else "layers: every include and every link points down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
