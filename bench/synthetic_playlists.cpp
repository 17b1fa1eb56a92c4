#include "synthetic_playlists.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace segue::bench {

namespace {

constexpr std::uint64_t kItemsPerTopic = 150;
constexpr double kShareFromTopic = 0.75;
// Spreads popular items over all topics; an odd number, so that no two items fall together more
// than by chance.
constexpr std::uint64_t kSpread = 2654435761u;

/// Ranks below `count` with probabilities near rank^-.9.
std::uint64_t zipf(std::uint64_t count, Random& random) {
    const double span = std::pow(static_cast<double>(count), 0.1);
    const double rank = std::pow(random.uniform() * (span - 1) + 1, 10) - 1;
    return std::min(static_cast<std::uint64_t>(rank), count - 1);
}

}  // namespace

SparseMatrix synthetic_playlists(const PlaylistShape& shape, std::uint64_t seed) {
    Random random(seed);
    SparseMatrix table;
    table.num_rows = shape.num_groups;
    table.num_columns = shape.num_items;
    const std::uint64_t num_items = shape.num_items;
    const std::uint64_t num_topics = std::max<std::uint64_t>(20, num_items / kItemsPerTopic);
    std::vector<std::uint32_t> columns;
    for (std::uint32_t group = 0; group < shape.num_groups; ++group) {
        const double drawn = std::exp(std::log(shape.mean_group_size) - 0.5 + random.normal());
        const auto size = static_cast<std::size_t>(
            std::clamp(drawn, 2.0, static_cast<double>(shape.max_group_size)));
        const std::uint64_t first_of_topic = zipf(num_topics, random) * kItemsPerTopic;
        columns.clear();
        for (std::size_t place = 0; place < size; ++place) {
            const std::uint64_t item = random.uniform() < kShareFromTopic
                                           ? first_of_topic + zipf(kItemsPerTopic, random)
                                           : zipf(num_items, random) * kSpread;
            columns.push_back(static_cast<std::uint32_t>(item % num_items));
        }
        std::sort(columns.begin(), columns.end());
        columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
        table.columns.insert(table.columns.end(), columns.begin(), columns.end());
        table.offsets.push_back(table.columns.size());
    }
    return table;
}

}  // namespace segue::bench
