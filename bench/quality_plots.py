"""One figure a set: accuracy against coverage, against seconds of training, and over the popularity knob."""

import io
import os

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "segue"
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot

OURS = {"cooc": "#d62728", "ials": "#1f77b4", "ease": "#2ca02c", "graph-filter": "#9467bd", "auto": "#000000",
        "popularity": "#7f7f7f"}
PEER = "#b8860b"
LEAST_SECONDS = 1e-3


def points(result, x):
    """(name, x, recall@20, colour) of every model; `x` takes a model and its seconds of training."""
    for model in result["models"]:
        name = model["recipe"]
        if name != "auto":
            seconds = result["peers"].get(name, model)["train_seconds"]
            yield name, x(model, seconds), model["metrics"]["recall@20"], OURS.get(name, PEER)


def scatter(panel, result, x, label):
    for name, at, recall, colour in points(result, x):
        panel.scatter(at, recall, color=colour, s=26, marker="o" if name in OURS else "D", zorder=3)
        panel.annotate(name, (at, recall), textcoords="offset points", xytext=(5, 3), fontsize=7)
    panel.set_xlabel(label)
    panel.set_ylabel("recall@20")
    panel.margins(x=0.2)
    panel.grid(True, alpha=0.3)


def curves(panel, result):
    for model in result["models"]:
        curve = model.get("popularity_curve")
        if curve and model["recipe"] != "auto":
            colour = OURS.get(model["recipe"], PEER)
            panel.plot([p["item_coverage@20"] for p in curve], [p["item_ndcg@20"] for p in curve], color=colour,
                       marker=".", linewidth=1.2, label=model["recipe"])
            usual = next(point for point in curve if point["default"])
            panel.scatter(usual["item_coverage@20"], usual["item_ndcg@20"], s=60, facecolors="none", edgecolors=colour)
    for model in result["models"]:
        if not model.get("popularity_curve") and "item_ndcg@20" in model["metrics"] and model["recipe"] != "auto":
            metrics, colour = model["metrics"], OURS.get(model["recipe"], PEER)
            marker = "o" if model["recipe"] in OURS else "D"
            panel.scatter(metrics["item_coverage@20"], metrics["item_ndcg@20"], color=colour, s=22, marker=marker)
            panel.annotate(model["recipe"], (metrics["item_coverage@20"], metrics["item_ndcg@20"]),
                           textcoords="offset points", xytext=(5, 3), fontsize=7)
    panel.set_xlabel("coverage of the lists of single items")
    panel.set_ylabel("NDCG@20, one item asking")
    panel.grid(True, alpha=0.3)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(fontsize=7)


def plot(name, result, out):
    """Writes quality-NAME.svg to the folder `out`; returns the file's name."""
    figure, panels = pyplot.subplots(1, 3, figsize=(14, 4.2))
    scatter(panels[0], result, lambda model, seconds: model["metrics"]["coverage@20"], "coverage of the lists of groups")
    scatter(panels[1], result, lambda model, seconds: max(seconds, LEAST_SECONDS), "seconds of training")
    panels[1].set_xscale("log")
    curves(panels[2], result)
    figure.suptitle(name, fontsize=11)
    figure.tight_layout()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    path = f"quality-{name}.svg"
    with open(os.path.join(out, path), "w", encoding="utf-8") as file:
        file.writelines(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())
    return path
