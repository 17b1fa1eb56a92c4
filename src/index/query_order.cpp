#include "index/query_order.h"

#include <algorithm>

#include "index/tree_path.h"
#include "index_build/kmeans_groups.h"
#include "index_build/leaf_order.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

/// Entries a query reads from which on sharing gains more than what it takes to collect what is
/// above thresholds that are not yet final; and the least number of queries that do so.
constexpr std::size_t kMuchRead = 8192;
constexpr std::size_t kLeastSharing = 256;

}  // namespace

bool shares_codes(const PreparedBatch& batch) {
    const TreeTables& tree = batch.terms.index.tree;
    const std::size_t num_read = first_reach(batch.terms, 0).num_leaves * tree.num_entries /
                                 std::max<std::size_t>(1, tree.num_filled_leaves);
    return num_read >= kMuchRead && batch.queries.num_rows >= kLeastSharing;
}

std::vector<std::uint32_t> order_queries(const PreparedBatch& batch, ThreadPool& pool) {
    constexpr std::size_t kQueriesAtOnce = 64;
    const TreeTables& tree = batch.terms.index.tree;
    const IndexTables& tables = batch.terms.index.tables;
    const MatrixView runs = tree.run_centres.view();
    const MatrixView& leaves = tables.leaf_centres;
    std::vector<std::uint32_t> nearest(batch.queries.num_rows);
    const Chunks chunks = {batch.queries.num_rows, kQueriesAtOnce};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        std::vector<float> scores(std::max(runs.num_rows, kLeavesPerRun));
        for (std::size_t query = chunks.begin(chunk); query < chunks.end(chunk); ++query) {
            const float* vector = batch.queries.row(query).data();
            const kernels::KernelTable& kernels = kernels::active_kernels();
            kernels.dot_many(vector, runs.data, runs.stride, runs.num_rows, runs.dim,
                             scores.data());
            for (std::size_t run = 0; run < runs.num_rows; ++run) {
                scores[run] += tree.run_offsets[run];
            }
            const auto first =
                static_cast<std::size_t>(
                    std::max_element(scores.begin(),
                                     scores.begin() + static_cast<std::ptrdiff_t>(runs.num_rows)) -
                    scores.begin()) *
                kLeavesPerRun;
            const std::size_t count = std::min(kLeavesPerRun, leaves.num_rows - first);
            kernels.dot_many(vector, leaves.data + first * leaves.stride, leaves.stride, count,
                             leaves.dim, scores.data());
            if (tables.measure == Measure::kSquaredL2) {
                for (std::size_t leaf = 0; leaf < count; ++leaf) {
                    scores[leaf] += tree.centre_offsets[first + leaf] / 2;
                }
            }
            nearest[query] = static_cast<std::uint32_t>(
                first + static_cast<std::size_t>(
                            std::max_element(scores.begin(),
                                             scores.begin() + static_cast<std::ptrdiff_t>(count)) -
                            scores.begin()));
        }
    });
    const Groups groups = group_by(nearest, leaves.num_rows);
    return {groups.members.span().begin(), groups.members.span().end()};
}

}  // namespace segue
