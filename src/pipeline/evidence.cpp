#include "pipeline/evidence.h"

#include <vector>

namespace segue {

namespace {

constexpr std::size_t kItemsPerChunk = 64;

}  // namespace

void count_evidence(const SparseView& by_item, ThreadPool& pool, Neighbours& neighbours) {
    neighbours.together.assign(neighbours.item_rows.size(), 0);
    std::vector<std::vector<std::uint8_t>> marks(pool.num_threads());
    const std::size_t num_items = neighbours.offsets.size() - 1;
    const Chunks chunks{num_items, kItemsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        std::vector<std::uint8_t>& marked = marks[worker];
        marked.resize(by_item.num_columns, 0);
        for (std::size_t item = chunks.begin(chunk); item < chunks.end(chunk); ++item) {
            for (const std::uint32_t group : by_item.row_columns(item)) {
                marked[group] = 1;
            }
            for (std::uint64_t k = neighbours.offsets[item]; k < neighbours.offsets[item + 1];
                 ++k) {
                std::uint32_t together = 0;
                for (const std::uint32_t group : by_item.row_columns(neighbours.item_rows[k])) {
                    together += marked[group];
                }
                neighbours.together[k] = together;
            }
            for (const std::uint32_t group : by_item.row_columns(item)) {
                marked[group] = 0;
            }
        }
    });
}

}  // namespace segue
