"""Prints curl lines that ask a service about two items, whose ids are in the JSON on standard input.

usage: serve_lines.py SCHEME LISTEN ADMIN

SCHEME is http or https, with options of curl before it.
"""

import json
import shlex
import sys
import urllib.parse


def lines(scheme, listen, admin, ids):
    """The lines to paste into a shell."""
    *options, scheme = scheme.split()
    curl = " ".join(["curl -s", *options])
    base = f"{scheme}://{listen}"
    one, two = ids[:2]

    def ask(url, body=None):
        data = "" if body is None else " -d " + shlex.quote(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
        return f"{curl} {shlex.quote(url)}{data}"

    found = [
        ask(f"{base}/v1/models/ials/items/{urllib.parse.quote(one, safe='')}/similar?k=5&fields=title"),
        ask(f"{base}/v1/models/ials:similar", {"items": [one, two], "k": 5, "fields": ["title"]}),
        ask(f"{base}/v1/models/ials:similar", {"user": "100", "k": 5, "fields": ["title"]}),
        ask(f"{base}/v1/models/ials"),
        ask(f"{base}/readyz"),
        ask(f"{base}/metrics"),
    ]
    if admin != "none":
        version = {"version": "1"}
        found.append(f"{ask(f'{scheme}://{admin}/v1/models/ials/labels/stable', version)} -X PUT")
    return found


def main():
    ids = [result["id"] for result in json.load(sys.stdin)["results"]]
    if len(ids) < 2:
        return 1
    print("\nOnce it listens, in another shell:\n")
    for line in lines(*sys.argv[1:4], ids):
        print(f"    {line}")
    print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
