"""Plots of recall against speed, as SVG that is the same for the same numbers."""

import io

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "segue"
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot

from index_summary import logit

LEAST_RECALL = 0.8
TICKS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
#: Segue's line is drawn last and thickest.
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#72b7b2", "#eeca3b", "#ff9da6", "#767676")


def plot(summary, path):
    """Two panels, single queries and all at once: recall@10 on a logit axis, queries a second on a logarithmic one."""
    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    for panel, (mode, title) in zip(panels, (("single", "single query"), ("batch_all", "all queries at once"))):
        peers = [library for library in summary.libraries if library != "segue"]
        for library, colour in [*zip(peers, COLOURS), ("segue", "#d62728")]:
            front = [(recall, rate) for recall, rate, _ in summary.fronts(library, mode) if recall >= LEAST_RECALL]
            if front:
                panel.plot(
                    [logit(min(recall, 0.9995)) for recall, _ in front],
                    [rate for _, rate in front],
                    color=colour,
                    label=library,
                    linewidth=2.4 if library == "segue" else 1.2,
                    marker="o",
                    markersize=3,
                )
        panel.set_yscale("log")
        panel.set_xticks([logit(tick) for tick in TICKS], [f"{tick:g}" for tick in TICKS])
        panel.set_xlabel("recall@10")
        panel.set_title(title, fontsize=10)
        panel.grid(True, which="major", alpha=0.3)
    panels[0].set_ylabel("queries a second, one core")
    panels[1].legend(fontsize=8, loc="lower left")
    figure.suptitle(summary.name, fontsize=11)
    figure.tight_layout()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())
