#include "cooc/mirrored_triangle.h"

#include <algorithm>
#include <numeric>

#include "cooc/huge_pages.h"

namespace segue {

namespace {

// Rows that are written side by side while the triangle is read: their heads stay in the second
// cache level, and looking up where a block begins in a row of the triangle stays rare.
constexpr std::size_t kRowsPerBlock = 8192;

/// Calls take(item, columns, values) for the rows of the triangle in ascending order, up to
/// `end_item`.
template <typename Value, typename Take>
void for_each_row(const Chunks& chunks, std::span<const TriangleChunk<Value>> triangle,
                  std::size_t end_item, const Take& take) {
    for (std::size_t chunk = 0; chunk < triangle.size() && chunks.begin(chunk) < end_item;
         ++chunk) {
        const TriangleChunk<Value>& part = triangle[chunk];
        std::uint64_t begin = 0;
        for (std::size_t row = 0; row < part.row_ends.size(); ++row) {
            const std::size_t item = chunks.begin(chunk) + row;
            const std::uint64_t end = part.row_ends[row];
            if (item < end_item) {
                take(item, part.columns.subspan(begin, end - begin),
                     part.values.subspan(begin, end - begin));
            }
            begin = end;
        }
    }
}

/// Where each row of the whole matrix begins, [num_items + 1].
template <typename Value>
std::vector<std::uint64_t> count_rows(const Chunks& chunks,
                                      std::span<const TriangleChunk<Value>> triangle) {
    std::vector<std::uint64_t> offsets(chunks.size + 1, 0);
    for_each_row(chunks, triangle, chunks.size,
                 [&](std::size_t item, std::span<const std::uint32_t> columns, auto) {
                     offsets[item + 1] += columns.size();
                     const bool has_diagonal = !columns.empty() && columns.front() == item;
                     for (const std::uint32_t column : columns.subspan(has_diagonal ? 1 : 0)) {
                         ++offsets[column + 1];
                     }
                 });
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    return offsets;
}

}  // namespace

template <typename Value>
MirroredMatrix<Value> mirror_triangle(const Chunks& chunks,
                                      std::span<const TriangleChunk<Value>> triangle,
                                      ThreadPool& pool) {
    MirroredMatrix<Value> matrix;
    matrix.offsets = count_rows<Value>(chunks, triangle);
    resize_on_huge_pages(matrix.columns, matrix.offsets.back());
    resize_on_huge_pages(matrix.values, matrix.offsets.back());
    // A row of the result is what the rows above hold of its column, in their order, then its own
    // row: both in one walk down the triangle. Blocks of rows are independent.
    const Chunks blocks{.size = chunks.size, .chunk_size = kRowsPerBlock};
    pool.for_each(blocks.count(), [&](std::size_t block, unsigned) {
        const std::size_t begin = blocks.begin(block);
        const std::size_t end = blocks.end(block);
        std::vector<std::uint64_t> next(matrix.offsets.begin() + static_cast<std::ptrdiff_t>(begin),
                                        matrix.offsets.begin() + static_cast<std::ptrdiff_t>(end));
        for_each_row<Value>(
            chunks, triangle, end,
            [&](std::size_t item, std::span<const std::uint32_t> columns,
                std::span<const Value> values) {
                if (item >= begin) {
                    const auto place = static_cast<std::ptrdiff_t>(next[item - begin]);
                    std::copy(columns.begin(), columns.end(), matrix.columns.begin() + place);
                    std::copy(values.begin(), values.end(), matrix.values.begin() + place);
                }
                const std::size_t first_row = std::max(begin, item + 1);
                auto entry = static_cast<std::size_t>(
                    std::lower_bound(columns.begin(), columns.end(), first_row) - columns.begin());
                for (; entry < columns.size() && columns[entry] < end; ++entry) {
                    const std::uint64_t place = next[columns[entry] - begin]++;
                    matrix.columns[place] = static_cast<std::uint32_t>(item);
                    matrix.values[place] = values[entry];
                }
            });
    });
    return matrix;
}

template MirroredMatrix<float> mirror_triangle(const Chunks&, std::span<const TriangleChunk<float>>,
                                               ThreadPool&);
template MirroredMatrix<double> mirror_triangle(const Chunks&,
                                                std::span<const TriangleChunk<double>>,
                                                ThreadPool&);

}  // namespace segue
