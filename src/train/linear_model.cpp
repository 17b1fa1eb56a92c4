#include "train/linear_model.h"

namespace segue {

Neighbours lists_of_items(const LinearModel& model, std::span<const std::uint32_t> item_rows,
                          const LinearListOptions& options, ThreadPool& pool,
                          const ProgressListener& progress) {
    SparseMatrix histories;
    histories.num_rows = item_rows.size();
    histories.num_columns = model.num_items();
    histories.columns.assign(item_rows.begin(), item_rows.end());
    for (std::size_t row = 0; row < item_rows.size(); ++row) {
        histories.offsets.push_back(row + 1);
    }
    return model.lists(histories.view(), options, pool, progress);
}

Neighbours join_lists(std::span<const std::vector<ScoredRow>> lists) {
    Neighbours joined;
    for (const std::vector<ScoredRow>& list : lists) {
        for (const ScoredRow& row : list) {
            joined.item_rows.push_back(row.item_row);
            joined.scores.push_back(row.score);
        }
        joined.offsets.push_back(joined.item_rows.size());
    }
    return joined;
}

}  // namespace segue
