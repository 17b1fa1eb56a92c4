#pragma once

// One function a recipe: fills the vectors, lists and settings of parts whose keys, attributes,
// frequencies and histories are there already.

#include "base/json_writer.h"
#include "pipeline/fit.h"

namespace segue {

/// What a recipe works on and where it puts its results.
struct RecipeRun {
    const Dataset& dataset;
    const RecipeParams& params;
    ThreadPool& pool;
    const ProgressListener& progress;
    FittedRecipe& result;
};

Status run_ials(const RecipeRun& run);
Status run_cooc(const RecipeRun& run);
Status run_ease(const RecipeRun& run);
Status run_graph_filter(const RecipeRun& run);
Status run_blueprint(const RecipeRun& run);

/// The stored table of a recipe with vectors: best by dot / ||j||^exponent, with the evidence of
/// each pair; left to when there is an index where that is much faster (neighbour_table.h).
Status store_neighbours(const RecipeRun& run, double popularity_exponent);

/// ALS parameters of `params` over the recipe's `defaults`.
AlsParams overridden(AlsParams defaults, const RecipeParams& params);

/// The parameters of an ALS fit as members of the JSON object that is open.
void write_parameters(JsonWriter& json, const AlsParams& params);

}  // namespace segue
