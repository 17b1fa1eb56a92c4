"""Lists of one simple model of the study on one split, for `segue evaluate --lists` to judge.

usage: quality_study.py MODEL FOLDER THREADS
FOLDER has train.csv and test.csv (group,item); gets study/MODEL.groups.csv (group,rank,item,score) for the groups of test.csv
and study/MODEL.json. Settings are chosen by recall@20 of at most so many groups of a validation part that is cut from
train.csv, never by test.csv. SEGUE_PROGRAM names the program that fits the recipes of blends.
"""

import json
import os
import sys
import time

name, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["OPENBLAS_NUM_THREADS"] = str(threads)

import numpy

from quality_blends import BLENDS
from quality_models import MODELS
from quality_tables import K, Split, batches, best_of, hold_out, mean_recall, write_lists

MOST_JUDGED = 1000


def histories_of(table, rows):
    """Batches of rows and what they have; made once, so that models may remember what they worked out for one."""
    return [(batch, table[batch]) for batch in batches(rows)]


def lists_of(model, histories):
    for batch, own in histories:
        best, _ = best_of(model.scores(own, batch), own, K)
        yield from zip(batch, best)


def main():
    split = Split(folder)
    fit, settings = {**MODELS, **BLENDS}[name]
    left, held_out = hold_out(split.table)
    judged = numpy.flatnonzero(numpy.diff(held_out.indptr))
    judged = numpy.sort(numpy.random.default_rng(2).permutation(judged)[:MOST_JUDGED])
    histories = histories_of(left, judged)
    tried = [(mean_recall(lists_of(fit(left, **setting), histories), held_out), setting) for setting in settings]
    chosen = max(tried, key=lambda pair: pair[0])[1]
    began = time.perf_counter()
    model = fit(split.table, **chosen)
    seconds = time.perf_counter() - began
    target = os.path.join(folder, "study", name.replace(" + ", "+"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    write_lists(target + ".groups.csv", ("group", "rank", "item", "score"), lists_of(model, histories_of(split.table, split.asked)),
                split.group_keys, split.item_keys)
    with open(target + ".json", "w", encoding="utf-8") as file:
        json.dump({"train_seconds": seconds, "settings": chosen, "tried": tried}, file)


main()
