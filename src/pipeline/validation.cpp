#include "pipeline/validation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/stopwatch.h"
#include "pipeline/judge_recipe.h"

namespace segue {

namespace {

/// Keeps the entries of a seeded sample of the rows that have any.
void keep_some_rows(SparseMatrix& matrix, std::size_t most, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, std::size_t>> rows;
    for (std::size_t row = 0; row < matrix.num_rows; ++row) {
        if (matrix.view().row_size(row) > 0) {
            rows.emplace_back(Random(seed, row).next(), row);
        }
    }
    if (rows.size() <= most) {
        return;
    }
    std::ranges::nth_element(rows, rows.begin() + static_cast<std::ptrdiff_t>(most));
    std::vector<bool> is_kept(matrix.num_rows);
    for (std::size_t place = 0; place < most; ++place) {
        is_kept[rows[place].second] = true;
    }
    SparseMatrix kept;
    kept.num_rows = matrix.num_rows;
    kept.num_columns = matrix.num_columns;
    const SparseView whole = matrix.view();
    for (std::size_t row = 0; row < whole.num_rows; ++row) {
        if (is_kept[row]) {
            const std::span<const std::uint32_t> columns = whole.row_columns(row);
            const std::span<const float> values = whole.row_values(row);
            kept.columns.insert(kept.columns.end(), columns.begin(), columns.end());
            kept.values.insert(kept.values.end(), values.begin(), values.end());
        }
        kept.offsets.push_back(kept.columns.size());
    }
    matrix = std::move(kept);
}

double metric_at_k(const ModelReport& report, const char* name) {
    const double* value = report.metric(name + std::string("@") + std::to_string(kValidationK));
    SEGUE_ASSERT(value != nullptr);
    return *value;
}

}  // namespace

Result<DatasetSplit> cut_validation(const Dataset& dataset, double share_of_groups,
                                    std::size_t most_judged, std::uint64_t seed) {
    Dataset sample = sample_groups(dataset, share_of_groups, seed);
    sample.attributes = {};
    SplitSpec spec;
    spec.seed = seed;
    Result<DatasetSplit> part = split_dataset(sample, spec);
    if (!part.ok()) {
        spec.kind = SplitKind::kLeaveOneOut;
        spec.min_group_size = 2;
        sample.times.clear();
        part = split_dataset(sample, spec);
    }
    if (part.ok()) {
        keep_some_rows(part->test, most_judged, seed);
    }
    return part;
}

Result<ValidationScore> score_on(const DatasetSplit& part, const RecipeParams& params,
                                 ThreadPool& pool, const ProgressListener& progress) {
    const Stopwatch watch;
    EvaluateParams evaluate;
    evaluate.judge.ks = {kValidationK};
    const Result<ModelReport> report =
        judge_recipe({part.train, part.test.view(), evaluate, pool, progress}, params);
    if (!report.ok()) {
        return report.status();
    }
    ValidationScore score;
    score.recall = metric_at_k(*report, "recall");
    score.ndcg = metric_at_k(*report, "ndcg");
    score.seconds = watch.seconds();
    return score;
}

}  // namespace segue
