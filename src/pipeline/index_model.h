#pragma once

// Builds the index of a model, tunes it to a recall, and judges it: what `segue index` does, and
// `segue fit` and `segue import` before they write.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "index_build/build_index.h"
#include "model/model.h"
#include "pipeline/calibrate.h"

namespace segue {

struct IndexModelOptions {
    /// Zeros are worked out, and so is the exponent where it is not given: that of the searches the
    /// model is asked for most. num_leaves 0 makes no leaves where an exact search is as fast.
    IndexBuildOptions build = {};
    std::optional<double> popularity_exponent = {};
    /// Instead of the cheaper one at each popularity exponent.
    SearchPath path = SearchPath::kAuto;
    /// Also measure what other recalls cost, for people to choose by.
    bool show_points = true;
    double target_recall = 0.95;
    /// Below this recall@10, or above this p99 of a single search, the index is not blessed.
    double min_recall = 0.8;
    double max_latency_ms = 10;

    Status validate() const;
};

/// Recall of one kind of query at one popularity exponent, on queries kept apart.
struct KindRecall {
    QueryKind kind = QueryKind::kItems;
    double popularity_exponent = 0;
    RecallEstimate recall;
};

/// One way to search the index: exactly (no knobs) or by knobs found for a target.
struct IndexPoint {
    SearchPath path = SearchPath::kExact;
    double target_recall = 1;
    TreeKnobs knobs;
    struct Kind {
        QueryKind kind = QueryKind::kItems;
        RecallEstimate recall;
        Latency latency;
    };
    std::vector<Kind> kinds;  // each at its usual exponent
};

/// The number and bytes of one table.
struct IndexTableBytes {
    std::string name;  // of its tensor
    std::uint64_t bytes = 0;
};

struct IndexReport {
    SearchPath path = SearchPath::kExact;  // at the exponent the index is built for
    RecallEstimate recall;                 // of the kind and exponent that has the lowest
    Latency latency;                       // of all kinds together, each at its usual exponent
    std::uint64_t bytes = 0;
    bool blessed = false;
    std::string verdict;  // why it is not; empty where it is

    std::vector<KindRecall> kinds;  // at exponents 0, .5, 1 and the usual one
    std::vector<IndexPoint> points;
    std::vector<CalibratedKnobs> settings;
    double exact_share = 1;  // of the rows that exact searches read
    std::vector<IndexTableBytes> tables;
    std::size_t num_items = 0;
    std::size_t dim = 0;
    std::size_t num_leaves = 0;
    double build_seconds = 0;
    double calibrate_seconds = 0;
};

/// {"path":..,"recall@10":..,"recall_low":..,"latency_us":{..},"bytes":..,"blessed":..} and what
/// stands behind it.
std::string to_json(const IndexReport& report);

/// By the names of the tensors.
std::vector<IndexTableBytes> bytes_of_tables(const IndexTables& index);

struct IndexedModel {
    IndexParts parts;
    IndexFacts facts;
    IndexReport report;
};

/// Whether the model has vectors that an index can be built over.
bool can_be_indexed(const Model& model);

/// The same parts and facts for one seed and any number of threads, but for a verdict that depends
/// on latency. Returns an error if: the options are invalid, or the model cannot be indexed.
Result<IndexedModel> index_model(const Model& model, const IndexModelOptions& options,
                                 ThreadPool& pool, const ProgressListener& progress = {});

/// Gives the parts an index, where they can have one. What keeps it from being built is a text of
/// `warning`, not an error: the model answers without. Nothing where there is none.
std::optional<IndexReport> add_index(ModelParts& parts, const IndexModelOptions& options,
                                     ThreadPool& pool, const ProgressListener& progress,
                                     std::string& warning);

/// Opens a bundle and puts the index in place of the one it may have. Returns an error if: see
/// index_model and replace_index; the bundle is untouched then.
Result<IndexReport> index_bundle(const std::string& path, const IndexModelOptions& options,
                                 ThreadPool& pool, const ProgressListener& progress = {});

}  // namespace segue
