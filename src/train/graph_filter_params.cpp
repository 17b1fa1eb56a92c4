#include <fmt/core.h>

#include <utility>

#include "kernels/dense_kernels.h"
#include "train/graph_filter.h"

namespace segue {

Status GraphFilterParams::validate() const {
    const std::pair<const char*, double> numbers[] = {{"group exponent", group_exponent},
                                                      {"item exponent", item_exponent},
                                                      {"low-rank weight", low_rank_weight},
                                                      {"sharpening", sharpening}};
    for (const auto& [what, value] : numbers) {
        if (!(value >= 0 && value <= 4)) {
            return invalid_argument(fmt::format("{} is {}; expected 0 to 4", what, value));
        }
    }
    if (iterations < 1 || iterations > 1000) {
        return invalid_argument(fmt::format("iterations is {}; expected 1 to 1000", iterations));
    }
    if (low_rank_dim > 1024) {
        return invalid_argument(
            fmt::format("low-rank dim is {}; expected 0 to 1024", low_rank_dim));
    }
    return Status();
}

std::uint64_t graph_filter_bytes(const SparseView& interactions, const GraphFilterParams& params,
                                 unsigned num_threads) {
    const std::uint64_t items = interactions.num_columns;
    const std::uint64_t groups = interactions.num_rows;
    const std::uint64_t dim = params.low_rank_dim;
    const std::uint64_t block =
        (items * kernels::kQueryBlock + (2 * items + groups) * kernels::kPanel) * sizeof(float);
    return interactions.num_entries() * 24 + (4 * items + 2 * groups) * dim * sizeof(float) +
           block * num_threads;
}

}  // namespace segue
