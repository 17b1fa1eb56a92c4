#include "eval/given_lists.h"

#include <algorithm>
#include <vector>

namespace segue {

namespace {

Neighbours lists_of(const SparseView& scores, std::span<const std::uint32_t> rows, std::size_t k) {
    Neighbours lists;
    std::vector<ScoredRow> list;
    for (const std::uint32_t row : rows) {
        const std::span<const std::uint32_t> columns = scores.row_columns(row);
        const std::span<const float> values = scores.row_values(row);
        list.clear();
        for (std::size_t entry = 0; entry < columns.size(); ++entry) {
            list.push_back({columns[entry], values.empty() ? 1.0F : values[entry]});
        }
        std::ranges::sort(list, comes_before);
        list.resize(std::min(list.size(), k));
        for (const ScoredRow& scored : list) {
            lists.item_rows.push_back(scored.item_row);
            lists.scores.push_back(scored.score);
        }
        lists.offsets.push_back(lists.item_rows.size());
    }
    return lists;
}

}  // namespace

GroupListMaker given_group_lists(const SparseView& scores) {
    return [scores](const GroupListRequest& request, ThreadPool&) -> Result<Neighbours> {
        return lists_of(scores, request.group_rows, request.k);
    };
}

ItemListMaker given_item_lists(const SparseView& scores) {
    return [scores](std::span<const std::uint32_t> item_rows, std::size_t k,
                    ThreadPool&) -> Result<Neighbours> { return lists_of(scores, item_rows, k); };
}

}  // namespace segue
