"""One figure a set: accuracy against coverage, against seconds of training, and over the popularity knob."""

import io
import os

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "segue"
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["font.family"] = ["DejaVu Sans", "sans-serif"]

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

OURS = {"cooc": "#c22121", "ials": "#1a65a3", "ease": "#217a21", "graph-filter": "#7a4fa8", "popularity": "#5f5f5f"}
PEER = "#8a6508"
LEAST_SECONDS = 1e-3
#: What is so far below the best that the rest would lie on one line is said beside the plot.
FAR_BELOW = 0.5
LABEL_SIZE = 8.5
#: Directions a label is tried in, nearest first at each distance (in points).
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
DISTANCES = (6, 12, 20, 30, 42)


def short(name):
    """"graph-filter" of "graph-filter (a .75, beta .2)": settings are in the table."""
    return name.split(" (")[0]


def colour_of(name):
    return OURS.get(short(name), PEER)


def marker_of(name):
    return "o" if short(name) in OURS else "D"


def box_at(anchor, direction, size):
    """The box of a label of that size whose near side, or corner, is at the anchor."""
    left, bottom = (place - (1 - step) / 2 * extent for place, step, extent in zip(anchor, direction, size))
    return Bbox.from_bounds(left, bottom, *size)


def overlap(box, others):
    shared = (Bbox.intersection(box, other) for other in others)
    return sum(common.width * common.height for common in shared if common is not None)


def along(start, end, step=5):
    """Small boxes on the way from one place to another, in pixels."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    count = max(1, int(length / step))
    places = ([a + (b - a) * at / count for a, b in zip(start, end)] for at in range(count + 1))
    return [Bbox.from_bounds(x - 1.5, y - 1.5, 3, 3) for x, y in places]


def add_labels(figure, panel, points, obstacles=()):
    """Writes the name of each point (name, x, y) beside it: where there is room, with a line to it where that is not near. Labels
    keep off points, other labels and lines, and lines off labels and points."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    pixels = figure.dpi / 72
    at = [panel.transData.transform((x, y)) for _, x, y in points]
    taken = [Bbox.from_bounds(x - 4 * pixels, y - 4 * pixels, 8 * pixels, 8 * pixels) for x, y in at] + list(obstacles)
    own_points, labels = len(at), []
    frame = panel.get_window_extent(renderer).padded(-3)
    for (name, x, y), (left, bottom) in sorted(zip(points, at), key=lambda pair: (-pair[0][2], pair[0][0])):
        text = panel.text(x, y, short(name), fontsize=LABEL_SIZE)
        extent = text.get_window_extent(renderer)
        text.remove()
        size = (extent.width * 1.06, extent.height)
        best = None
        for distance in DISTANCES:
            for direction in DIRECTIONS:
                anchor = (left + direction[0] * distance * pixels, bottom + direction[1] * distance * pixels)
                box = box_at(anchor, direction, size)
                outside = size[0] * size[1] - overlap(box, [frame])
                # The first boxes of a line lie on its own point.
                line = along((left, bottom), anchor)[2:] if distance > DISTANCES[1] else []
                crossed = sum(overlap(part, taken[:own_points] + labels) for part in line)
                cost = overlap(box, taken + labels) + 4 * outside + 20 * crossed
                if best is None or cost < best[0] - 0.5:
                    best = (cost, distance, direction, box, line)
            if best[0] < 0.5:
                break
        _, distance, direction, box, line = best
        labels.append(box)
        taken += line
        arrow = {"arrowstyle": "-", "color": colour_of(name), "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}
        panel.annotate(short(name), (x, y), xytext=(direction[0] * distance, direction[1] * distance),
                       textcoords="offset points", fontsize=LABEL_SIZE, color=colour_of(name),
                       ha={1: "left", 0: "center", -1: "right"}[direction[0]],
                       va={1: "bottom", 0: "center", -1: "top"}[direction[1]],
                       arrowprops=arrow if distance > DISTANCES[1] else None)


def points_of(result, x):
    """(name, x, recall@20) of every model; `x` takes a model and its seconds of training."""
    for model in result["models"]:
        name = model["recipe"]
        if name != "auto":
            seconds = result["peers"].get(name, model)["train_seconds"]
            yield name, x(model, seconds), model["metrics"]["recall@20"]


def scatter(panel, points, label):
    """Draws the points that are not far below the best and returns them."""
    best = max(recall for _, _, recall in points)
    shown = [point for point in points if point[2] >= FAR_BELOW * best]
    for name, at, recall in shown:
        panel.scatter(at, recall, color=colour_of(name), s=30, marker=marker_of(name), zorder=3)
    below = [f"{short(name)} {recall:.3f}" for name, _, recall in points if recall < FAR_BELOW * best]
    if below:
        panel.text(0.01, 0.015, "below the plot: " + ", ".join(below), transform=panel.transAxes, fontsize=LABEL_SIZE,
                   color="#5f5f5f")
    panel.set_xlabel(label)
    panel.set_ylabel("recall@20")
    panel.margins(x=0.12, y=0.14)
    panel.grid(True, alpha=0.3)
    return shown


def curves(panel, result):
    """Draws the curves of the knob, and the points of models that have none, which it returns."""
    for model in result["models"]:
        curve = model.get("popularity_curve")
        if curve and model["recipe"] != "auto":
            colour = colour_of(model["recipe"])
            panel.plot([p["item_coverage@20"] for p in curve], [p["item_ndcg@20"] for p in curve], color=colour,
                       marker=".", linewidth=1.2, label=short(model["recipe"]))
            usual = next(point for point in curve if point["default"])
            panel.scatter(usual["item_coverage@20"], usual["item_ndcg@20"], s=70, facecolors="none", edgecolors=colour)
    points = [(model["recipe"], model["metrics"]["item_coverage@20"], model["metrics"]["item_ndcg@20"])
              for model in result["models"] if not model.get("popularity_curve") and "item_ndcg@20" in model["metrics"]
              and model["recipe"] != "auto"]
    for name, coverage, ndcg in points:
        panel.scatter(coverage, ndcg, color=colour_of(name), s=26, marker=marker_of(name), zorder=3)
    panel.set_xlabel("coverage of the lists of single items")
    panel.set_ylabel("NDCG@20, one item asking")
    panel.margins(x=0.12, y=0.14)
    panel.grid(True, alpha=0.3)
    return points


def knob_obstacles(figure, panel, result):
    """Boxes around what curves and their legend cover."""
    boxes = []
    for line in panel.get_lines():
        places = panel.transData.transform(line.get_xydata())
        boxes += [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in places]
        for start, end in zip(places, places[1:]):
            boxes += along(start, end)
    if panel.get_legend_handles_labels()[0]:
        legend = panel.legend(fontsize=LABEL_SIZE, title="knob; ring: default", title_fontsize=LABEL_SIZE)
        boxes.append(legend.get_window_extent(FigureCanvasAgg(figure).get_renderer()))
    return boxes


def plain(value, _position):
    return f"{value:g}"


def plot(name, result, out):
    """Writes quality-NAME.svg to the folder `out`; returns the file's name."""
    with_items = sum("item_ndcg@20" in model["metrics"] for model in result["models"]) > 1
    figure, panels = pyplot.subplots(1, 2 + with_items, figsize=(5 * (2 + with_items), 4.8))
    drawn = [scatter(panels[0], list(points_of(result, lambda model, seconds: model["metrics"]["coverage@20"])),
                     "coverage of the lists of groups"),
             scatter(panels[1], list(points_of(result, lambda model, seconds: max(seconds, LEAST_SECONDS))),
                     "seconds of training")]
    panels[1].set_xscale("log")
    panels[1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[1].xaxis.set_major_formatter(FuncFormatter(plain))
    panels[1].xaxis.set_minor_formatter(NullFormatter())
    if with_items:
        drawn.append(curves(panels[2], result))
    figure.suptitle(name, fontsize=12)
    figure.tight_layout()
    figure.draw_without_rendering()
    for panel, points in zip(panels, drawn):
        add_labels(figure, panel, points, knob_obstacles(figure, panel, result))
    svg = io.StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    path = f"quality-{name}.svg"
    with open(os.path.join(out, path), "w", encoding="utf-8") as file:
        file.writelines(line.rstrip() + "\n" for line in svg.getvalue().splitlines())
    return path
