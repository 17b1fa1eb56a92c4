"""The study of simple models: which there are, where their lists lie, and docs/benchmarks/quality-study.md."""

import os
import time

import index_report
from quality_report import load, number, table

#: In the order they are reported; bench/peers/quality_models.py and quality_blends.py make their lists.
MODELS = ("p3alpha", "rp3beta", "item-knn-cosine", "item-knn-tf-idf", "item-knn-bm25", "group-knn", "turbo-cf", "edlae", "rdlae",
          "ease-dan", "ease + graph-filter", "ease + ials", "graph-filter + ials", "ials + cooc")
RECIPES = ("cooc", "ials", "ease", "graph-filter")


def path_of(folder, model):
    return os.path.join(folder, "study", model.replace(" + ", "+"))


def cell(model, best):
    """R@20 and NDCG@20, the first bold where nothing of ours is above it."""
    if model is None:
        return ""
    recall, ndcg = (model["metrics"][metric] for metric in ("recall@20", "ndcg@20"))
    mark = "**" if recall > best else ""
    return f"{mark}{number(recall)}{mark} {number(ndcg)}"


def settings_text(settings):
    return ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
                     for key, value in settings.items() if key not in ("first", "second"))


def tuned_name(recipe):
    return f"{recipe}, tuned"


def best_of_ours(models):
    names = [*RECIPES, *map(tuned_name, RECIPES)]
    return max(models[name]["metrics"]["recall@20"] for name in names if name in models)


def models_of(data, name, result):
    """What was judged for the study, and the tuned recipes of the benchmark where it has been run."""
    models = {model["recipe"]: model for model in result["models"]}
    benchmark = load(os.path.join(data, name, "result.json")) or {}
    return {**models, **{tuned_name(model["recipe"]): model for model in benchmark.get("tuned", [])}}


def write(data, out, sets):
    results = {name: load(os.path.join(data, name, "study.json")) for name in sets}
    results = {name: result for name, result in results.items() if result}
    models = {name: models_of(data, name, result) for name, result in results.items()}
    bests = {name: best_of_ours(found) for name, found in models.items()}
    text = HEAD + f"\nMachine: {index_report.processor()}; {time.strftime('%Y-%m-%d')}; commit {index_report.commit()}.\n\n"
    rows = [[f"**{recipe}**"] + [cell(models[name].get(recipe), 1) for name in results] for recipe in RECIPES]
    rows += [[f"**{recipe}**, tuned"] + [cell(models[name].get(tuned_name(recipe)), 1) for name in results] for recipe in RECIPES]
    rows += [[model] + [cell(models[name].get(model), bests[name]) for name in results] for model in MODELS]
    rows += [["best against our best"] + [
        f"{100 * (max(models[name][m]['metrics']['recall@20'] for m in MODELS if m in models[name]) / bests[name] - 1):+.1f} %"
        for name in results]]
    text += table(["R@20 NDCG@20", *results], rows) + "\n## Settings chosen\n\n"
    rows = [[model] + [settings_text(result["study"].get(model, {}).get("settings", {})) or
                       result["study"].get(model, {}).get("problem", "") for result in results.values()]
            for model in MODELS]
    text += table(["", *results], rows)
    with open(os.path.join(out, "quality-study.md"), "w", encoding="utf-8") as file:
        file.write(text)


HEAD = """# Simple models of the literature, and blends

`./dev bench quality --study` makes this page: models that are as simple as ours, written anew in numpy and scipy from their papers
(bench/peers/quality_models.py), and blends of two of our recipes (bench/peers/quality_blends.py): scores of all items, brought to
mean 0 and deviation 1 in each list or turned into reciprocal ranks, added with a share for each. Settings, shares too, are those of
the best R@20 on a validation part (a fifth of each history of five or more, cut from the training part); lists are judged by
`segue evaluate` on the test part, as in [quality.md](quality.md). Our own rows are the defaults, and what `segue tune` found by the
best NDCG@20 on a validation part, as that page has it. A model in bold is above all of them by R@20.
"""
