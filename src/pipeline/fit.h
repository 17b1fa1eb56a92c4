#pragma once

// From a cleaned table to a model: the wiring of a recipe, and of a whole `segue fit`.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cooc/pair_scores.h"
#include "data/dataset.h"
#include "ingest/ingest.h"
#include "model/model.h"
#include "pipeline/index_model.h"
#include "train/als.h"

namespace segue {

class LinearModel;

enum class Recipe { kIals, kCooc, kEase, kGraphFilter, kBlueprint };

/// "ials", "cooc", "ease", "graph-filter", "blueprint".
std::string_view name_of(Recipe recipe);
Result<Recipe> recipe_by_name(std::string_view name);

/// What `ease` is told; what is left out is worked out from the table.
struct EaseOptions {
    std::optional<double> ridge;
    std::optional<double> dropout;
    std::optional<double> group_exponent;
    /// Weights are multiplied by (f_i / f_j)^c, f_i of the history's item.
    std::optional<double> balance;
    /// The most an item's own weight may be, below 1.
    std::optional<double> diagonal;
};

/// What `graph-filter` is told; what is left out is worked out from the table.
struct GraphFilterOptions {
    std::optional<double> group_exponent;   // a
    std::optional<double> item_exponent;    // b
    std::optional<double> low_rank_weight;  // beta
    std::optional<std::uint32_t> low_rank_dim;
    std::optional<double> sharpening;  // T
};

/// What one recipe is told; what is left out is worked out from the recipe and the data.
struct RecipeParams {
    Recipe recipe = Recipe::kIals;
    std::uint64_t seed = 1;

    // ials and blueprint
    std::optional<std::size_t> dim;                          // 64; blueprint 50
    std::optional<std::uint32_t> iterations;                 // 12; blueprint 20
    std::optional<AlsLoss> loss;                             // rendle; blueprint hu
    std::optional<AlsSolver> solver;                         // eigen-pcg
    std::uint32_t solver_steps = 0;                          // 0 chooses by dim
    std::optional<double> unobserved_weight;                 // rendle's alpha0; from the density
    std::optional<double> l2_reg;                            // from the density; blueprint 1
    std::optional<double> alpha;                             // hu; 1
    std::optional<double> min_relative_progress;             // 0; blueprint 0.01
    NegativeWeights negative = NegativeWeights::kConfident;  // blueprint
    bool diagonal = true;                                    // blueprint: keep (i, i)
    bool stop_on_recall = false;  // ials: a fifth of each history judges every epoch

    // cooc
    PairScoreParams pair_score;
    bool sharpness_from_support =
        false;                        // choose pair_score.sharpness by how well counts are known
    bool takes_best = false;          // several items: the best of their scores, not the sum
    std::uint32_t window = 0;         // 0: any two items of a group; needs positions
    std::uint32_t cut_groups_to = 0;  // 0: never; else a seeded sample of this many items

    EaseOptions ease;
    GraphFilterOptions graph_filter;
    /// ease and graph-filter: weights of an item that are stored, 200 when nothing is said.
    std::optional<std::size_t> num_weights;
    /// ease and graph-filter: keep all that was learnt for a judge and make no lists of it. Such a
    /// model is not to be stored.
    bool keep_uncut = false;

    /// Instead of the recipe's default knob: exponent of ||j||, for recipes that answer by lists of
    /// f_j.
    std::optional<double> popularity_exponent;
    /// Likewise for one item asked about alone; cooc, ease and graph-filter.
    std::optional<double> item_popularity_exponent;
    std::size_t num_neighbours = 100;

    /// Returns an error if: a number is out of its range.
    Status validate() const;
};

/// One timed step.
struct FitStage {
    std::string name;        // "read", "count", "train", "neighbours", "write"
    double seconds = 0;      // wall clock
    double cpu_seconds = 0;  // all threads
    std::string note;        // "2,250,412 pairs, 1,123,004 distinct"
};

struct RecipeChoice;

struct FitReport {
    std::vector<FitStage> stages;
    /// How the recipe was chosen; null where it was named.
    std::shared_ptr<const RecipeChoice> choice;
    std::vector<AlsEpoch> epochs;  // of ials and blueprint
    std::size_t num_groups = 0;
    std::size_t num_items = 0;
    std::uint64_t num_interactions = 0;
    std::uint64_t bundle_bytes = 0;  // 0 when nothing was written
    std::optional<IndexReport> index;
    std::vector<std::string> warnings;

    double total_seconds() const;
};

struct FittedRecipe {
    ModelParts parts;
    FitReport report;
    /// What the lists are cut from; null unless params.keep_uncut and the recipe has it.
    std::shared_ptr<const LinearModel> uncut;
};

/// Fits one recipe in memory. The filters of the blueprint are the reader's work, not done here.
Result<FittedRecipe> fit_recipe(const Dataset& dataset, const RecipeParams& params,
                                ThreadPool& pool, const ProgressListener& progress = {});

struct FitOptions {
    IngestOptions ingest;
    RecipeParams recipe;
    /// Given: the recipe is chosen among all (choose_recipe.h) in about so many seconds, and
    /// `recipe` says what each is told.
    std::optional<double> choose_seconds;
    std::string out;
    bool overwrite = false;
    unsigned num_threads = 0;  // 0: one for each core
    /// Nothing: no index is built. Recipes without vectors never have one.
    std::optional<IndexModelOptions> index = IndexModelOptions{.show_points = false};
};

/// Reads tables, fits, builds the index, writes the bundle. `ingest_report` may be null.
Result<FitReport> fit(const FitOptions& options, const ProgressListener& progress = {},
                      IngestReport* ingest_report = nullptr);

}  // namespace segue
