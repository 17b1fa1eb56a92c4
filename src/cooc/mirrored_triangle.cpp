#include "cooc/mirrored_triangle.h"

#include <algorithm>
#include <numeric>

namespace segue {

namespace {

// Rows of the result that are written in one walk down the triangle, a tile: few enough that the
// lines their ends lie in stay in the first cache level, unless each row of the triangle had only
// some entries for them then.
constexpr std::size_t kLeastRowsPerTile = 128;
constexpr std::size_t kMostRowsPerTile = 8192;
constexpr double kEntriesPerVisit = 32;
constexpr std::size_t kRowsPerBlock = 1024;  // that one thread writes, at least
// A visit reads a few lines anywhere in memory; asked for so many rows ahead they have arrived.
constexpr std::size_t kRowsAhead = 4;

template <typename Value>
struct TriangleRow {
    std::span<const std::uint32_t> columns;
    std::span<const Value> values;
};

template <typename Value>
std::vector<TriangleRow<Value>> rows_of(const Chunks& chunks,
                                        std::span<const TriangleChunk<Value>> triangle) {
    std::vector<TriangleRow<Value>> rows;
    rows.reserve(chunks.size);
    for (const TriangleChunk<Value>& part : triangle) {
        std::uint64_t begin = 0;
        for (const std::uint64_t end : part.row_ends) {
            rows.push_back({part.columns.subspan(begin, end - begin),
                            part.values.subspan(begin, end - begin)});
            begin = end;
        }
    }
    return rows;
}

std::size_t rows_per_tile(std::size_t num_items, std::uint64_t num_entries) {
    const double cells = 0.5 * static_cast<double>(num_items) * static_cast<double>(num_items);
    const double rows =
        kEntriesPerVisit * cells / static_cast<double>(std::max<std::uint64_t>(1, num_entries));
    return static_cast<std::size_t>(std::clamp(rows, static_cast<double>(kLeastRowsPerTile),
                                               static_cast<double>(kMostRowsPerTile)));
}

/// Where each row of the whole matrix begins, [num_items + 1].
template <typename Value>
std::vector<std::uint64_t> count_rows(std::span<const TriangleRow<Value>> rows) {
    std::vector<std::uint64_t> offsets(rows.size() + 1, 0);
    for (std::size_t item = 0; item < rows.size(); ++item) {
        const std::span<const std::uint32_t> columns = rows[item].columns;
        offsets[item + 1] += columns.size();
        const bool has_diagonal = !columns.empty() && columns.front() == item;
        for (const std::uint32_t column : columns.subspan(has_diagonal ? 1 : 0)) {
            ++offsets[column + 1];
        }
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    return offsets;
}

/// Writes rows [begin, end) of the matrix, one tile after the other. A row of it is what the rows
/// above hold of its column, in their order, then its own row: both in one walk down the triangle.
template <typename Value>
void write_block(std::span<const TriangleRow<Value>> rows, std::size_t begin, std::size_t end,
                 std::size_t tile_size, MirroredMatrix<Value>& matrix) {
    std::vector<std::uint64_t> next(matrix.offsets.begin() + static_cast<std::ptrdiff_t>(begin),
                                    matrix.offsets.begin() + static_cast<std::ptrdiff_t>(end));
    std::vector<std::size_t> entries(end);  // the first of each row that is not written yet
    for (std::size_t item = 0; item < end; ++item) {
        const std::span<const std::uint32_t> columns = rows[item].columns;
        entries[item] = static_cast<std::size_t>(
            std::lower_bound(columns.begin(), columns.end(), std::max(begin, item + 1)) -
            columns.begin());
    }
    for (std::size_t tile = begin; tile < end; tile += tile_size) {
        const std::size_t tile_end = std::min(tile + tile_size, end);
        for (std::size_t item = 0; item < tile_end; ++item) {
            const auto& [columns, values] = rows[item];
            if (const std::size_t ahead = item + kRowsAhead; ahead < tile_end) {
                __builtin_prefetch(rows[ahead].columns.data() + entries[ahead]);
                __builtin_prefetch(rows[ahead].values.data() + entries[ahead]);
            }
            if (item >= tile) {
                const auto place = static_cast<std::ptrdiff_t>(next[item - begin]);
                std::copy(columns.begin(), columns.end(), matrix.columns.begin() + place);
                std::copy(values.begin(), values.end(), matrix.values.begin() + place);
            }
            std::size_t entry = entries[item];
            for (; entry < columns.size() && columns[entry] < tile_end; ++entry) {
                const std::uint64_t place = next[columns[entry] - begin]++;
                matrix.columns[place] = static_cast<std::uint32_t>(item);
                matrix.values[place] = values[entry];
            }
            entries[item] = entry;
        }
    }
}

}  // namespace

template <typename Value>
MirroredMatrix<Value> mirror_triangle(const Chunks& chunks,
                                      std::span<const TriangleChunk<Value>> triangle,
                                      ThreadPool& pool) {
    const std::vector<TriangleRow<Value>> all_rows = rows_of<Value>(chunks, triangle);
    const std::span<const TriangleRow<Value>> rows = all_rows;
    MirroredMatrix<Value> matrix;
    matrix.offsets = count_rows(rows);
    matrix.columns.resize(matrix.offsets.back());
    matrix.values.resize(matrix.offsets.back());
    const std::size_t tile_size = rows_per_tile(chunks.size, matrix.offsets.back() / 2);
    const Chunks blocks{.size = chunks.size, .chunk_size = std::max(tile_size, kRowsPerBlock)};
    pool.for_each(blocks.count(), [&](std::size_t block, unsigned) {
        write_block(rows, blocks.begin(block), blocks.end(block), tile_size, matrix);
    });
    return matrix;
}

template MirroredMatrix<float> mirror_triangle(const Chunks&, std::span<const TriangleChunk<float>>,
                                               ThreadPool&);
template MirroredMatrix<double> mirror_triangle(const Chunks&,
                                                std::span<const TriangleChunk<double>>,
                                                ThreadPool&);

}  // namespace segue
