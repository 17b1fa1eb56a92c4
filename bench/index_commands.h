#pragma once

// The sub-commands of index_bench; index_bench.cpp says how they are called.

#include <span>
#include <string>

#include "base/status.h"

namespace segue::bench {

/// Words behind the sub-command.
using Arguments = std::span<const std::string>;

/// data NAME FOLDER [FILE]: makes a set of vectors.
Status make_data(Arguments arguments);

/// truth FOLDER: the exact answers of a set, and how hard it is (truth.json).
Status make_truth(Arguments arguments);

/// run FOLDER OUT.json [FLAG VALUE]...: builds Segue's index of a set and searches it over a grid
/// of settings, each as single queries, in batches of 64 and all at once.
Status run_segue(Arguments arguments);

/// limits OUT.json: kernels of the index against the peaks of this machine's instructions.
Status measure_limits(Arguments arguments);

/// seeds FOLDER BUNDLE HELD_OUT.tsv OUT.json: the figures of the efficient serving tutorial of
/// TensorFlow Recommenders beside ours, on its catalogue.
Status measure_seeds(Arguments arguments);

/// filters FOLDER OUT.json: what searches cost where few items may be offered.
Status measure_filters(Arguments arguments);

/// Replaces a file. Returns an error if: it cannot be written.
Status write_json(const std::string& text, const std::string& path);

}  // namespace segue::bench
