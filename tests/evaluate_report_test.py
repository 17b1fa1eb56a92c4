#!/usr/bin/env python3
"""Opens the page of `segue evaluate --report` in a headless browser and looks at what it became.

usage: evaluate_report_test.py SEGUE_PROGRAM [SCREENSHOT.png]

Skipped (77) where there is no Chromium; with a second argument the screenshot is kept there.
"""

import html.parser
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
RECIPES = ("popularity", "cooc", "ials")


class Page(html.parser.HTMLParser):
    """Counts elements and classes, and keeps what would be loaded and what was said."""

    def __init__(self):
        super().__init__()
        self.elements, self.classes, self.loaded, self.text = {}, {}, [], []

    def handle_starttag(self, tag, attrs):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        for name, value in attrs:
            if name == "class":
                for word in value.split():
                    self.classes[word] = self.classes.get(word, 0) + 1
            if name in ("src", "href", "srcset", "data"):
                self.loaded.append(value)

    def handle_data(self, data):
        self.text.append(data)


def run(*words, cwd=None, seconds=240):
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def open_page(browser, page, folder, *flags):
    return run(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=2000",
               f"--user-data-dir={folder}/profile", *flags, page.as_uri(), cwd=folder)


def check(truth, what):
    if not truth:
        sys.exit(f"the page is wrong: {what}")


def check_dom(dom):
    page = Page()
    page.feed(dom)
    text = " ".join(page.text)
    check(page.loaded == [], f"it loads {page.loaded}")
    check("script" not in page.elements, "it has scripts")
    check(page.elements.get("svg") == 4, f"{page.elements.get('svg')} plots instead of 4")
    check(page.elements.get("table") == 4, f"{page.elements.get('table')} tables instead of 4")
    check(page.classes.get("item") == 12, f"{page.classes.get('item')} examples instead of 12")
    check(page.elements.get("h4") == 12 * len(RECIPES), "not every recipe has every example")
    check(page.classes.get("line") == 2 * (len(RECIPES) - 1), "a recipe has no curve")
    for recipe in RECIPES:
        check(recipe in text, f"nothing is said of {recipe}")
    for words in ("Genre", "together in", "coverage", "best", "What these numbers cannot tell"):
        check(words in text, f"'{words}' is missing")
    check("<b>" not in dom and "&lt;b&gt;" in dom, "a title with markup is not escaped")


def size_of_png(path):
    head = path.read_bytes()[:24]
    check(head.startswith(b"\x89PNG"), "the screenshot is no PNG")
    return struct.unpack(">II", head[16:24])


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        print("skipped: there is no Chromium; apt-get install chromium")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="segue-report-") as name:
        folder = pathlib.Path(name)
        run(program, "generate", "--rows", 4000, "--items", 120, "--genres", 6, "--seed", 1, "--out", "plays.csv",
            cwd=folder)
        plays = (folder / "plays.csv").read_text(encoding="utf-8")
        (folder / "plays.csv").write_text(plays.replace("Genre 1 song 1", "Genre 1 <b>song</b> 1"), encoding="utf-8")
        run(program, "evaluate", "plays.csv", "--group", "group", "--item", "item", "--title", "title", "--recipe",
            "ials", "--dim", 8, "--report", "report.html", cwd=folder)
        report = folder / "report.html"
        check_dom(open_page(browser, report, folder, "--dump-dom"))
        picture = folder / "report.png"
        open_page(browser, report, folder, f"--screenshot={picture}", "--window-size=1280,2400")
        check(size_of_png(picture) == (1280, 2400), f"the screenshot has {size_of_png(picture)} pixels")
        # A blank page of that size has some 10 kB.
        check(picture.stat().st_size > 60_000, "the screenshot is nearly empty")
        if len(sys.argv) > 2:
            shutil.copy(picture, sys.argv[2])
    print("the report opens as it should")


if __name__ == "__main__":
    main()
