"""Writes what the quality benchmark found: docs/benchmarks/quality.md and its plots. Losses are printed as wins are."""

import json
import os
import platform

import index_report
import quality_plots

#: set: [(model, R@20, NDCG@20, where it is from)]; the other sets are splits of our own that nobody has published on.
PUBLISHED = {
    "gowalla": [
        ("ItemKNN", 0.1570, 0.1214, "BARS benchmark"),
        ("LightGCN", 0.1830, 0.1554, "LightGCN-PyTorch repository"),
        ("MF-CCL", 0.1837, 0.1493, "Mao et al. 2021 (SimpleX)"),
        ("GF-CF", 0.1849, 0.1518, "Shen et al. 2021, arXiv 2108.07567"),
        ("UltraGCN", 0.1862, 0.1580, "Mao et al. 2021 (UltraGCN)"),
        ("SimpleX", 0.1872, 0.1557, "Mao et al. 2021 (SimpleX)"),
        ("BSPM", 0.1920, 0.1597, "Choi et al. 2023, arXiv 2211.09324"),
    ],
}
PUBLISHED_MOVIELENS = [
    ("SAR", 0.382, "recommenders' table (0.394 in 2025)"),
    ("NCF", 0.396, "recommenders' table"),
    ("LightGCN", 0.420, "recommenders' table"),
    ("BPR (Cornac)", 0.442, "recommenders' table"),
    ("BiVAE", 0.475, "recommenders' table"),
]
TITLES = {
    "playlists": "playlists (radio, 2010 and 2011)",
    "retail": "retail (invoices of a shop, UCI)",
    "lastfm": "lastfm (artists people listen to, HetRec 2011)",
    "movielens_small": "movielens_small (ml-latest-small)",
    "anime": "anime (series people watched)",
    "gowalla": "gowalla (check-ins, the published LightGCN split)",
}
WIDE_COVERAGE = 0.9
AUTO_TOLERANCE = 0.03


def load(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def table(header, rows):
    """Markdown, the first column left, the others right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=4):
    return "" if value is None else f"{value:.{digits}f}".replace("0.", ".", 1) if value < 1 else f"{value:.1f}"


def title(model):
    return f"auto ({model['chosen']})" if "chosen" in model else model["recipe"]


def against(model, metric):
    """"best", "tie" or how far from the best, as an interval; nothing of what was judged apart from the others."""
    comparison = model.get("against_best", {}).get(metric)
    if comparison is None or "tune_seconds" in model:
        return ""
    if comparison["best"] == model["recipe"]:
        return "best"
    span = f"{comparison['low']:+.4f} to {comparison['high']:+.4f}"
    return f"tie ({span})" if comparison["tie"] else span


def row_of(name, model, seconds):
    metrics = model["metrics"]
    return [name, number(metrics["recall@20"]), number(metrics["ndcg@20"]), against(model, "recall@20"),
            number(metrics["coverage@20"], 3), number(metrics.get("item_hr@20")), number(metrics.get("item_ndcg@20")),
            number(metrics.get("item_coverage@20"), 3), number(metrics.get("item_popularity@20"), 0),
            "" if seconds is None else f"{seconds:.2f}"]


HEADER = ["", "R@20", "NDCG@20", "R@20 from the best", "coverage", "items: HR@20", "NDCG@20", "coverage", "popularity",
          "train s"]


def rows_of(result):
    peers = result["peers"]
    rows = []
    for model in result["models"]:
        name = model["recipe"]
        if name in peers:
            settings = ", ".join(f"{key} {value:g}" for key, value in peers[name]["settings"].items())
            rows.append(row_of(f"{name}{f' ({settings})' if settings else ''}", model, peers[name]["train_seconds"]))
        else:
            rows.append(row_of(f"**{title(model)}**", model, model["train_seconds"]))
    for model in result.get("tuned", []):
        told = ", ".join(f"{key} {value:g}" for key, value in model["settings"].items() if key != "recipe")
        rows.append(row_of(f"**{model['recipe']}**, tuned in {model['tune_seconds']:.0f} s: {told or 'the defaults'}", model,
                           model["train_seconds"]))
    return rows


def section(name, result, plots):
    test, train = result["test"], result["train"]
    text = f"## {TITLES[name]}\n\n"
    text += (f"{train['rows']:,} rows of {train['groups']:,} groups and {train['items']:,} items to learn from, "
             f"{test['rows']:,} rows of {test['groups']:,} groups to be judged by.\n\n")
    text += table(HEADER, rows_of(result)) + "\n"
    problems = [f"{peer} ({facts['problem']})" for peer, facts in result["peers"].items() if "problem" in facts]
    if problems:
        text += f"Left out: {'; '.join(problems)}.\n\n"
    if name in PUBLISHED:
        text += "Published on this split:\n\n"
        text += table(["", "R@20", "NDCG@20", "source"],
                      [[model, number(recall), number(ndcg), source] for model, recall, ndcg, source in PUBLISHED[name]])
        text += "\n"
    return text + f"![{name}]({plots[name]})\n\n"


def auto_section(results):
    rows = []
    for name, result in results.items():
        models = {model["recipe"]: model for model in result["models"]}
        if "auto" not in models:
            continue
        named = [model for recipe, model in models.items() if recipe not in ("auto", "popularity", *result["peers"])]
        best = max(named, key=lambda model: model["metrics"]["recall@20"])
        best_ndcg = max(model["metrics"]["ndcg@20"] for model in named)
        mine = models["auto"]["metrics"]
        recall_share = mine["recall@20"] / best["metrics"]["recall@20"]
        ndcg_share = mine["ndcg@20"] / best_ndcg
        rows.append([name, models["auto"]["chosen"], f"{100 * recall_share:.1f} %", f"{100 * ndcg_share:.1f} %",
                     "yes" if min(recall_share, ndcg_share) >= 1 - AUTO_TOLERANCE else "no",
                     f"{models['auto']['train_seconds']:.1f}"])
    text = "## What `auto` chose\n\nAs shares of the best recipe named in the set's table, tuned rows left out, by each metric.\n\n"
    return text + table(["", "took", "R@20", "NDCG@20", "within 3 %", "choosing and training, s"], rows) + "\n"


def best_point(curve, coverage=0.0):
    wide = [point for point in curve if point["item_coverage@20"] >= coverage]
    return max(wide, key=lambda point: point["item_ndcg@20"]) if wide else None


def point_text(point):
    if point is None:
        return "none"
    return f"{point['exponent']:g}: {number(point['item_ndcg@20'])} at {number(point['item_coverage@20'], 2)}"


def knob_section(results):
    rows = []
    for name, result in results.items():
        for model in result.get("knob", []):
            curve = model.get("popularity_curve")
            if curve:
                usual = next(point for point in curve if point["default"])
                rows.append([name, model["recipe"], point_text(usual), point_text(best_point(curve)),
                             point_text(best_point(curve, WIDE_COVERAGE))])
    if not rows:
        return ""
    text = ("## The popularity knob\n\nOn validation parts (a fifth of each history of five or more cut from the training "
            "part), one item asking: exponent, then NDCG@20 and coverage of the lists.\n\n")
    return text + table(["", "recipe", "default", "most accurate", "most accurate that covers .9"], rows) + "\n"


def movielens_section(result):
    rows = [[f"**{title(model)}**", number(model["metrics"]["ndcg@10"], 3), number(model["metrics"]["precision@10"], 3),
             number(model["metrics"]["recall@10"], 3), against(model, "ndcg@10")] for model in result["models"]]
    text = ("## MovieLens-100K, 75/25\n\nA random quarter of every user's ratings held out, all ratings count alike, all items "
            "are candidates but the user's own. Means of three draws of the split, each with the defaults; the intervals and "
            "what auto took are those of the first.\n\n")
    text += table(["", "NDCG@10", "P@10", "R@10", "NDCG@10 from the best"], rows)
    text += "\nPublished (another draw of the split; ±.005 is noise):\n\n"
    return text + table(["", "NDCG@10", "source"], [[m, number(v, 3), s] for m, v, s in PUBLISHED_MOVIELENS]) + "\n"


def times_section(facts):
    parts = facts.get("parts")
    if not parts:
        return ""
    rows = [[name, f"{seconds:.0f}"] for name, seconds in parts.items()]
    rows.append(["all of it", f"{facts['seconds']:.0f}"])
    return "## What the run took\n\n" + table(["", "s"], rows) + "\n"


HEAD = """# Quality beside public libraries

`./dev bench quality` makes this page. The splits are fixed; every list, ours or a library's, is judged by `segue evaluate`:
all items of the training part are candidates but the group's own, recall divides by all held-out items, NDCG by the best
list of min(20, held-out items). Rows in bold are Segue's, with defaults unless they say tuned; settings of ours and of
the libraries were chosen on a validation part cut from the training part, never by the test part. "From the best" is the
95 % interval of the paired bootstrap over the groups; in a tie it has 0 in it; tuned rows, with what `segue tune` found on a part of the training part, were judged apart. The columns
for items: one item of each group's training part asks, its held-out items are right. Popularity is the mean number of groups of
what is shown.
[quality.md](../quality.md) says what to make of it.
"""


def write(data, out, sets):
    results = {name: load(os.path.join(data, name, "result.json")) for name in sets}
    results = {name: result for name, result in results.items() if result}
    facts = load(os.path.join(data, "run.json")) or {}
    text = HEAD + f"\nMachine: {index_report.processor()}, {platform.system()}; {facts.get('date', '')}; "
    text += f"commit {index_report.commit()}"
    text += f"; the whole run took {facts['seconds'] / 60:.0f} minutes" if facts.get("seconds") else ""
    text += ". " + facts.get("note", "") + "\n\n"
    text += auto_section(results)
    plots = {name: quality_plots.plot(name, result, out) for name, result in results.items()}
    for name, result in results.items():
        text += section(name, result, plots)
    movielens = load(os.path.join(data, "ml-100k", "result.json"))
    if movielens:
        text += movielens_section(movielens)
    text += knob_section(results) + times_section(facts)
    with open(os.path.join(out, "quality.md"), "w", encoding="utf-8") as file:
        file.write(text.rstrip() + "\n")
