"""The sets of vectors of the index benchmark: how each is made, once, and which libraries search it."""

import json
import os
import random
import subprocess

SEED = 20260101
HOLD_OUT_SHARE = 0.2

#: name: (title for people, what it is made from)
SETS = {
    "glove": ("GloVe word vectors, 337,479 x 100", "wink"),
    "mf-1m": ("like factors, 1,000,000 x 64", None),
    "tfrs": ("the tutorial's perturbed MovieLens, 1,683,682 x 32", "movielens"),
    "playlists-groups": ("iALS of playlists, histories folded in", "playlists"),
    "playlists-items": ("iALS of playlists, item to item", "playlists"),
    "gowalla-groups": ("iALS of Gowalla, histories folded in", "gowalla"),
    "gowalla-items": ("iALS of Gowalla, item to item", "gowalla"),
    "glove-like": ("as hard as word vectors, 1,183,514 x 100", None),
    "deep-10m": ("like descriptors, 10,000,000 x 96", None),
    "mf-100k": ("like factors, 100,000 x 64", None),
}
FULL_PROTOCOL = tuple(name for name in SETS if name != "mf-100k")
SHORT_PROTOCOL = ("mf-100k",)

#: Libraries that are asked to search ten million vectors; the others would build for hours.
LARGE_SET_PEERS = ("scann", "faiss")


class MissingSource(Exception):
    """What a set is made from is not there."""


class SetMaker:
    """Makes sets in `folder` with the programs given."""

    def __init__(self, folder, index_bench, segue, wink_json, movielens, shared_data):
        self.folder = folder
        self.index_bench = index_bench
        self.segue = segue
        self.sources = {"wink": wink_json, "movielens": movielens, "shared": shared_data}

    def make(self, name):
        """The folder of a set, made unless it is there. Raises MissingSource or CalledProcessError."""
        folder = os.path.join(self.folder, name)
        if not os.path.exists(os.path.join(folder, "set.json")):
            source = SETS[name][1]
            command = [self.index_bench, "data", name, folder]
            if source == "wink":
                command.append(self._existing(self.sources["wink"]))
            elif source is not None:
                command.append(self._bundle(source))
            subprocess.run(command, check=True)
        if not os.path.exists(os.path.join(folder, "truth.json")):
            subprocess.run([self.index_bench, "truth", folder], check=True)
        return folder

    def facts(self, name):
        facts = {}
        for file in ("set.json", "truth.json"):
            with open(os.path.join(self.folder, name, file), encoding="utf-8") as opened:
                facts.update(json.load(opened))
        return facts

    def held_out_table(self):
        return os.path.join(self.folder, "source", "movielens-test.tsv")

    def bundle_path(self, source):
        return os.path.join(self.folder, "source", source + ".segue")

    def _existing(self, path):
        if not path or not os.path.exists(path):
            raise MissingSource(f"{path or 'its source'} is not there")
        return path

    def _bundle(self, source):
        """A model fitted to a table, made unless it is there."""
        bundle = self.bundle_path(source)
        if os.path.exists(bundle):
            return bundle
        os.makedirs(os.path.dirname(bundle), exist_ok=True)
        shared = self.sources["shared"] or ""
        if source == "movielens":
            table, flags = self._split_movielens(), ["--group", "user", "--item", "item", "--dim", "32"]
        elif source == "playlists":
            table = os.path.join(shared, "playlists", "playlists.csv.gz")
            flags = ["--group", "list_id", "--item", "track_id", "--dim", "64"]
        else:
            table = os.path.join(shared, "gowalla", "train.txt.gz")
            flags = ["--format", "lists", "--dim", "64"]
        flags += ["--recipe", "ials", "--seed", "1", "--out", bundle, "--quiet"]
        fit = [self.segue, "fit", self._existing(table), *flags]
        subprocess.run(fit, check=True, stdout=subprocess.DEVNULL)
        return bundle

    def _split_movielens(self):
        """Writes four fifths of the ratings to learn from, and the pairs of the last fifth beside them."""
        with open(self._existing(self.sources["movielens"]), encoding="utf-8") as file:
            pairs = [line.split("\t")[:2] for line in file.read().splitlines()[1:]]
        random.Random(SEED).shuffle(pairs)
        num_test = int(len(pairs) * HOLD_OUT_SHARE)
        with open(self.held_out_table(), "w", encoding="utf-8") as file:
            file.writelines(f"{user}\t{item}\n" for user, item in pairs[:num_test])
        train = os.path.join(self.folder, "source", "movielens-train.tsv")
        with open(train, "w", encoding="utf-8") as file:
            file.write("user\titem\n")
            file.writelines(f"{user}\t{item}\n" for user, item in pairs[num_test:])
        return train
