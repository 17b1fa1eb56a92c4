#include "cooc/group_limit.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/random.h"

namespace segue {

namespace {

std::uint64_t pairs_of(std::uint64_t group_size) {
    return group_size * (group_size - std::min<std::uint64_t>(group_size, 1)) / 2;
}

/// The entries of one group that a cut to `size` keeps, ascending, in `entries`.
void draw_entries(const SparseView& interactions, std::size_t group, const GroupLimit& limit,
                  std::vector<std::uint64_t>& entries) {
    entries.resize(interactions.row_size(group));
    std::iota(entries.begin(), entries.end(), interactions.offsets[group]);
    const std::uint64_t group_hash = Random(limit.seed, group).next();
    const auto hash = [&](std::uint64_t entry) {
        return Random(group_hash, interactions.columns[entry]).next();
    };
    std::vector<std::pair<std::uint64_t, std::uint64_t>> drawn;
    for (const std::uint64_t entry : entries) {
        drawn.emplace_back(hash(entry), entry);
    }
    std::nth_element(drawn.begin(),
                     drawn.begin() + static_cast<std::ptrdiff_t>(limit.max_group_size),
                     drawn.end());
    entries.clear();
    for (std::size_t place = 0; place < limit.max_group_size; ++place) {
        entries.push_back(drawn[place].second);
    }
    std::sort(entries.begin(), entries.end());
}

}  // namespace

Result<LimitedTable> limit_groups(const CountInput& input, const GroupLimit& limit) {
    const SparseView& interactions = input.interactions;
    if (!input.positions.empty() && input.positions.size() != interactions.num_entries()) {
        return invalid_argument(fmt::format("{} positions for {} entries; expected one for each",
                                            input.positions.size(), interactions.num_entries()));
    }
    LimitedTable table;
    table.interactions.num_rows = interactions.num_rows;
    table.interactions.num_columns = interactions.num_columns;
    table.interactions.offsets.reserve(interactions.num_rows + 1);
    std::vector<std::uint64_t> kept;
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const std::size_t size = interactions.row_size(group);
        const bool is_long = limit.max_group_size > 0 && size > limit.max_group_size;
        kept.clear();
        if (is_long && limit.long_groups == LongGroups::kCut) {
            draw_entries(interactions, group, limit, kept);
        } else if (!is_long) {
            kept.resize(size);
            std::iota(kept.begin(), kept.end(), interactions.offsets[group]);
        }
        for (const std::uint64_t entry : kept) {
            table.interactions.columns.push_back(interactions.columns[entry]);
            if (!interactions.values.empty()) {
                table.interactions.values.push_back(interactions.values[entry]);
            }
            if (!input.positions.empty()) {
                table.positions.push_back(input.positions[entry]);
            }
        }
        table.interactions.offsets.push_back(table.interactions.columns.size());
        table.num_groups_limited += is_long ? 1 : 0;
        table.num_entries_removed += size - kept.size();
        table.num_pairs_removed += pairs_of(size) - pairs_of(kept.size());
    }
    return table;
}

}  // namespace segue
