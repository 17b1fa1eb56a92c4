#include "eval/popularity.h"

#include <algorithm>
#include <vector>

namespace segue {

namespace {

/// Items of any group, the most frequent first.
std::vector<ScoredRow> rank_by_frequency(const SparseView& train) {
    const std::vector<std::uint32_t> frequencies = column_counts(train);
    std::vector<ScoredRow> ranking;
    for (std::size_t item = 0; item < frequencies.size(); ++item) {
        if (frequencies[item] > 0) {
            ranking.push_back(
                {static_cast<std::uint32_t>(item), static_cast<float>(frequencies[item])});
        }
    }
    std::sort(ranking.begin(), ranking.end(), comes_before);
    return ranking;
}

/// Appends the first k of the ranking that are not among `own` (ascending).
void append_list(std::span<const ScoredRow> ranking, std::span<const std::uint32_t> own,
                 std::size_t k, Neighbours& lists) {
    std::size_t taken = 0;
    for (const ScoredRow& entry : ranking) {
        if (taken == k) {
            break;
        }
        if (!std::binary_search(own.begin(), own.end(), entry.item_row)) {
            lists.item_rows.push_back(entry.item_row);
            lists.scores.push_back(entry.score);
            ++taken;
        }
    }
    lists.offsets.push_back(lists.item_rows.size());
}

}  // namespace

GroupListMaker popularity_group_lists(const SparseView& train) {
    return [ranking = rank_by_frequency(train)](const GroupListRequest& request,
                                                ThreadPool&) -> Result<Neighbours> {
        Neighbours lists;
        for (std::size_t row = 0; row < request.histories.num_rows; ++row) {
            append_list(ranking, request.histories.row_columns(row), request.k, lists);
        }
        return lists;
    };
}

ItemListMaker popularity_item_lists(const SparseView& train) {
    return [ranking = rank_by_frequency(train)](std::span<const std::uint32_t> item_rows,
                                                std::size_t k, ThreadPool&) -> Result<Neighbours> {
        Neighbours lists;
        for (const std::uint32_t item_row : item_rows) {
            append_list(ranking, {&item_row, 1}, k, lists);
        }
        return lists;
    };
}

}  // namespace segue
