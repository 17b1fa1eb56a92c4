"""What it costs that a bundle keeps the strongest weights of each item only: `./dev bench quality --cut`."""

RECIPES = ("ease", "graph-filter")
LENGTHS = (100, 200, 400)
METRICS = ("recall@20", "ndcg@20")


def judged(result, recipe):
    model = next(model for model in result["models"] if model["recipe"] == recipe)
    return tuple(model["metrics"][metric] for metric in METRICS)


def measure(evaluate, recipes):
    """{recipe: [(R@20, NDCG@20)]} by all weights, then by lists of each length; `evaluate` takes words of a command."""
    words = ("--recipe", ",".join(recipes))
    results = [evaluate(*words)]
    results += [evaluate(*words, "--cut-lists", "--neighbours", length) for length in LENGTHS]
    return {recipe: [judged(result, recipe) for result in results] for recipe in recipes}


def text_of(pair):
    return " ".join(f"{value:.4f}".lstrip("0") for value in pair)


def table(measured):
    """Markdown of {set: what measure() found}."""
    lines = ["| R@20 NDCG@20 | all weights | " + " | ".join(f"{length} of an item" for length in LENGTHS) + " |",
             "|---" * (len(LENGTHS) + 2) + "|"]
    for recipe in RECIPES:
        for name, found in measured.items():
            if recipe in found:
                lines.append(f"| `{recipe}`, {name} | " + " | ".join(text_of(pair) for pair in found[recipe]) + " |")
    return "\n".join(lines) + "\n"
