#include "index/build_neighbours.h"

#include <fmt/core.h>

#include <cstdint>
#include <numeric>

#include "data/sparse.h"

namespace segue {

bool exact_table_pays(std::size_t num_items, std::size_t dim) {
    // A core multiplies about 2e11 bytes a second: 1M x 64 takes 320 s of one, routed a quarter.
    constexpr double kMostProducts = 2.4e13;
    const auto items = static_cast<double>(num_items);
    return items * items * static_cast<double>(dim) <= kMostProducts;
}

Result<Neighbours> build_neighbour_table(const LeafIndex& index, const MatrixView& items,
                                         const NeighbourTableOptions& options, ThreadPool& pool,
                                         const ProgressListener& progress) {
    const IndexTables& tables = index.tables();
    if (items.num_rows != tables.num_items || items.dim != tables.dim) {
        return invalid_argument(fmt::format(
            "a table of neighbours was asked for {} x {} vectors from an index of {} x {}",
            items.num_rows, items.dim, tables.num_items, tables.dim));
    }
    SearchPath path = options.path;
    if (path == SearchPath::kAuto) {
        path = tables.has_codes() && !exact_table_pays(items.num_rows, items.dim)
                   ? SearchPath::kTree
                   : SearchPath::kExact;
    }
    SparseMatrix self;
    self.num_rows = items.num_rows;
    self.num_columns = items.num_rows;
    self.columns.resize(items.num_rows);
    self.offsets.resize(items.num_rows + 1);
    std::iota(self.columns.begin(), self.columns.end(), 0U);
    std::iota(self.offsets.begin(), self.offsets.end(), std::uint64_t{0});
    return index.search_batch(items,
                              {.k = options.k,
                               .popularity_exponent = options.popularity_exponent,
                               .excluded = self.view(),
                               .path = path,
                               .knobs = options.knobs},
                              pool, progress);
}

}  // namespace segue
