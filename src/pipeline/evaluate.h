#pragma once

// How good the answers are: recipes trained on one part of a table and judged by the other, always
// beside the two baselines that cost nothing, popularity and co-occurrence.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "data/sparse.h"
#include "eval/judge.h"
#include "eval/significance.h"
#include "eval/split.h"
#include "pipeline/fit.h"

namespace segue {

/// The baseline that is no recipe: everybody gets what most groups have.
inline constexpr std::string_view kPopularity = "popularity";
/// The recipe that choose_recipe() takes, on the training part alone.
inline constexpr std::string_view kAutoRecipe = "auto";

/// Lists made elsewhere, judged like those of a recipe. Greater scores come first.
struct GivenLists {
    std::string name;
    SparseMatrix of_groups;  // [train.groups x train.items]
    /// [train.items x train.items]; no rows: single items are not judged.
    SparseMatrix of_items;
};

struct EvaluateParams {
    /// "popularity", "auto" or names of recipes. Popularity and cooc are judged first whether named
    /// or not, the others in the order given, each once.
    std::vector<std::string> recipes = {"ials"};
    /// Judged after the recipes.
    std::vector<GivenLists> given;
    /// What every recipe is told; `fit.recipe` is replaced by each of the above.
    RecipeParams fit;
    JudgeOptions judge;
    /// Judge ease and graph-filter by the lists a bundle would hold, not by all they learnt.
    bool cut_lists = false;
    /// Judge the lists of single items too.
    bool item_to_item = false;
    /// And those lists at each of kCurveExponents of the popularity knob.
    bool popularity_curve = false;
    /// Keep lists of this many items under every recipe, for people to look at.
    std::size_t num_examples = 0;
    BootstrapOptions bootstrap;
    /// What "auto" may take to choose.
    double choose_seconds = 60;

    /// Returns an error if: a recipe is unknown, two are of one name, or a number is out of its
    /// range.
    Status validate() const;
};

/// Where the popularity knob is tried; a recipe's own setting is put among them.
inline constexpr double kCurveExponents[] = {-0.8, -0.6, -0.4, -0.2, 0,   0.1, 0.2,
                                             0.3,  0.4,  0.5,  0.6,  0.8, 1};

/// Lists of single items with the knob at one setting, judged at the longest k.
struct CurvePoint {
    double exponent = 0;
    bool is_default = false;  // what the recipe does when nothing is said
    double hit_rate = 0;
    double ndcg = 0;
    double coverage = 0;
    double popularity = 0;
};

/// The point of the greatest NDCG, and the one of the greatest NDCG among those that show
/// `coverage` of the items at least. Null where there is no such point.
const CurvePoint* best_point(const std::vector<CurvePoint>& curve, double coverage = 0);

/// A recipe against the best one by a metric.
struct Comparison {
    std::string metric;
    std::string best;  // the recipe
    PairedDifference difference;
};

/// The list of one item, for people to look at.
struct ItemExample {
    struct Neighbour {
        std::uint32_t item_row = 0;
        std::string label;
        float score = 0;
        std::uint32_t together = 0;   // groups of the training part that have both
        std::uint32_t frequency = 0;  // groups that have the neighbour
    };
    std::uint32_t item_row = 0;
    std::string label;  // its first two texts, its key where there are none
    std::uint32_t frequency = 0;
    std::vector<Neighbour> neighbours;
};

/// One row of the table.
struct ModelReport {
    std::string recipe;  // as asked for
    std::string chosen;  // what "auto" became; empty otherwise
    /// The judge's for groups, then with item_to_item those for items, whose names begin with
    /// "item_".
    std::vector<Metric> metrics;
    double train_seconds = 0;     // from the table in memory to the model in memory
    double evaluate_seconds = 0;  // all lists made and judged
    /// With all their values; for items empty unless asked for.
    Judgement group_lists;
    Judgement item_lists;
    /// By recall and NDCG of the longest lists, and with item_to_item by those of single items.
    std::vector<Comparison> comparisons;
    std::vector<CurvePoint> popularity_curve;  // by exponent; empty unless asked for
    std::vector<ItemExample> examples;         // the same items for every recipe
    std::vector<std::string> warnings;

    /// "ease", "auto (ease)"
    std::string title() const;
    /// Null when the judge does not know it.
    const double* metric(std::string_view name) const;
    /// Null when there is none by that metric.
    const Comparison* comparison(std::string_view metric) const;
};

struct EvaluateReport {
    std::vector<ModelReport> models;
    /// Of the training part.
    std::size_t num_groups = 0;
    std::size_t num_items = 0;
    /// What the split, or the reading of the test table, dropped and kept.
    SplitCounts counts;
    std::uint64_t dropped_known_pairs =
        0;                      // rows of a test table that are in the training table too
    std::size_t longest_k = 0;  // what comparisons and curves are judged at
    BootstrapOptions bootstrap;

    /// Whether it is a chosen recipe that has a row of its own too: its curve and lists are there.
    bool is_judged_by_name(const ModelReport& model) const;
};

/// Trains each recipe on `train` and judges it by `test` [train.groups x train.items], which has no
/// entry of the training part. Fills `models`, `num_groups` and `num_items`. Returns an error if:
/// parameters are invalid, nothing is held out, or a fit fails.
Result<EvaluateReport> evaluate_recipes(const Dataset& train, const SparseView& test,
                                        const EvaluateParams& params, ThreadPool& pool,
                                        const ProgressListener& progress = {});

/// {"models":[{"recipe":"popularity","metrics":{"recall@20":0.03,...},"train_seconds":0.0,...}],...}
std::string to_json(const EvaluateReport& report);

}  // namespace segue
