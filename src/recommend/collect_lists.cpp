#include "recommend/collect_lists.h"

#include <algorithm>

namespace segue {

Result<Neighbours> collect_lists(std::size_t num_lists, std::string_view stage,
                                 const ProgressListener& progress, const FillBlock& fill) {
    // Long enough that threads wait for each other rarely, short enough for 2,000-dimensional
    // queries.
    constexpr std::size_t kBlock = 8192;
    Neighbours joined;
    joined.offsets.reserve(num_lists + 1);
    report(progress, {stage, 0, num_lists, "lists", {}});
    for (std::size_t begin = 0; begin < num_lists; begin += kBlock) {
        const std::size_t end = std::min(num_lists, begin + kBlock);
        std::vector<std::vector<ScoredRow>> lists(end - begin);
        if (Status status = fill(begin, end, lists); !status.ok()) {
            return status;
        }
        for (const std::vector<ScoredRow>& list : lists) {
            for (const ScoredRow& row : list) {
                joined.item_rows.push_back(row.item_row);
                joined.scores.push_back(row.score);
            }
            joined.offsets.push_back(joined.item_rows.size());
        }
        report(progress, {stage, end, num_lists, "lists", {}});
    }
    return joined;
}

}  // namespace segue
