// Many queries at once: blocks of 64 queries share every load of an item's row.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "index/exact_index.h"
#include "index/query.h"
#include "index_build/top_k.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

using kernels::kQueryBlock;

/// Rows between two looks at the thresholds: a multiple of the rows of a register tile, small
/// enough for the thresholds to rise early.
constexpr std::size_t kRowsPerCall = 192;
/// Rows that are worth a unit of work of their own.
constexpr std::size_t kMinRowsPerPart = 8192;

}  // namespace

/// One call of search_batch. Its units of work are (block of queries, part of the rows); what they
/// find does not depend on how rows are divided, since scores do not and comes_before is a total
/// order.
class BatchSearch {
public:
    BatchSearch(const ExactIndex& index, const MatrixView& queries,
                const BatchSearchOptions& options, ThreadPool& pool);

    Result<Neighbours> run(const ProgressListener& progress);

private:
    /// Memory of one thread.
    struct Worker {
        AlignedBuffer<float> packed;
        std::vector<float> prepared;
        std::vector<kernels::Hit> hits;
        TopK best[kQueryBlock];
        ExcludedRows excluded[kQueryBlock];
        float thresholds[kQueryBlock];
        double slack[kQueryBlock];
    };

    void search_unit(std::size_t block, std::size_t part, Worker& worker);
    void start_queries(std::size_t first_query, std::size_t num_queries, std::size_t begin,
                       Worker& worker) const;
    void scan_rows(std::size_t first_query, std::size_t begin, std::size_t count,
                   Worker& worker) const;
    /// Appends the lists of the queries of blocks [first_block, end_block).
    void collect(std::size_t first_block, std::size_t end_block, Neighbours& out);

    std::size_t query_of(std::size_t block) const { return block * kQueryBlock; }
    std::size_t end_query_of(std::size_t block) const {
        return std::min(queries_.num_rows, (block + 1) * kQueryBlock);
    }

    const ExactIndex& index_;
    const MatrixView& queries_;
    const BatchSearchOptions& options_;
    ThreadPool& pool_;
    std::size_t k_;
    AlignedBuffer<float> computed_scales_;
    const float* scales_ = nullptr;
    AlignedBuffer<float> biases_;
    double longest_norm_ = 0;
    std::size_t num_parts_ = 1;
    std::size_t wave_begin_ = 0;
    std::vector<std::vector<ScoredRow>> lists_;  // [queries of the wave x num_parts]
    std::vector<Worker> workers_;
};

BatchSearch::BatchSearch(const ExactIndex& index, const MatrixView& queries,
                         const BatchSearchOptions& options, ThreadPool& pool)
    : index_(index),
      queries_(queries),
      options_(options),
      pool_(pool),
      k_(std::min(options.k, index.items_.num_rows)),
      workers_(pool.num_threads()) {
    const std::size_t num_items = index.items_.num_rows;
    if (options.popularity_exponent != 0 && options.popularity_exponent != index.usual_exponent_) {
        computed_scales_ = AlignedBuffer<float>(num_items);
    }
    scales_ = index.scales(0, num_items, options.popularity_exponent, computed_scales_.data());
    if (index.measure_ == Measure::kSquaredL2) {
        // 2 q.j - ||j||^2 ranks like -||q - j||^2, but for rounding: see slack.
        computed_scales_ = AlignedBuffer<float>(num_items);
        biases_ = AlignedBuffer<float>(num_items);
        for (std::size_t i = 0; i < num_items; ++i) {
            const float norm = index.norms_[i];
            computed_scales_[i] = 2;
            biases_[i] = -norm * norm;
            longest_norm_ = std::max(longest_norm_, static_cast<double>(norm));
        }
        scales_ = computed_scales_.data();
    }
}

void BatchSearch::start_queries(std::size_t first_query, std::size_t num_queries, std::size_t begin,
                                Worker& worker) const {
    const std::size_t dim = index_.items_.dim;
    if (worker.hits.empty()) {
        worker.packed = AlignedBuffer<float>(dim * kQueryBlock);
        worker.prepared.resize(dim * kQueryBlock);
        worker.hits.resize(kRowsPerCall * kQueryBlock);
    }
    std::fill(std::begin(worker.thresholds), std::end(worker.thresholds),
              std::numeric_limits<float>::infinity());
    for (std::size_t q = 0; q < num_queries; ++q) {
        const std::size_t query = first_query + q;
        prepare_query(queries_.row(query), index_.measure_, worker.prepared.data() + q * dim);
        worker.best[q].start(k_, options_.min_score);
        worker.excluded[q] = {};
        if (options_.excluded.num_rows != 0) {
            worker.excluded[q] = ExcludedRows(options_.excluded.row_columns(query),
                                              static_cast<std::uint32_t>(begin));
        }
        worker.slack[q] = 0;
        if (index_.measure_ == Measure::kSquaredL2) {
            double squared = 0;
            for (const float value : queries_.row(query)) {
                squared += static_cast<double>(value) * static_cast<double>(value);
            }
            // The scan computes ||q||^2 less than the distance; its rounding, and that of the
            // distance itself, is within (dim + 8) epsilon of the squared sum of the two lengths.
            const double lengths = std::sqrt(squared) + longest_norm_;
            const double epsilon = std::numeric_limits<float>::epsilon();
            worker.slack[q] =
                squared - 2 * static_cast<double>(dim + 8) * epsilon * lengths * lengths;
        }
    }
    kernels::pack_queries(worker.prepared.data(), dim, num_queries, dim, worker.packed.data());
}

void BatchSearch::scan_rows(std::size_t first_query, std::size_t begin, std::size_t count,
                            Worker& worker) const {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const MatrixView& items = index_.items_;
    const std::size_t num_hits =
        kernels.select_products({.packed_queries = worker.packed.data(),
                                 .thresholds = worker.thresholds,
                                 .rows = items.data + begin * items.stride,
                                 .stride = items.stride,
                                 .num_rows = count,
                                 .dim = items.dim,
                                 .first_row = static_cast<std::uint32_t>(begin),
                                 .scale = scales_ != nullptr ? scales_ + begin : nullptr,
                                 .bias = biases_.size() != 0 ? biases_.data() + begin : nullptr},
                                worker.hits.data());
    for (std::size_t h = 0; h < num_hits; ++h) {
        kernels::Hit hit = worker.hits[h];
        if (!is_allowed(options_.allowed, hit.row) ||
            worker.excluded[hit.query].contains(hit.row)) {
            continue;
        }
        if (index_.measure_ == Measure::kSquaredL2) {
            hit.score = -kernels.squared_distance(queries_.row(first_query + hit.query).data(),
                                                  items.row(hit.row).data(), items.dim);
        }
        if (std::isfinite(hit.score)) {
            worker.best[hit.query].offer({hit.row, hit.score});
        }
    }
}

void BatchSearch::search_unit(std::size_t block, std::size_t part, Worker& worker) {
    const std::size_t first_query = query_of(block);
    const std::size_t num_queries = end_query_of(block) - first_query;
    const std::size_t num_items = index_.items_.num_rows;
    const std::size_t begin = num_items * part / num_parts_;
    const std::size_t end = num_items * (part + 1) / num_parts_;
    start_queries(first_query, num_queries, begin, worker);
    for (std::size_t first = begin; first < end; first += kRowsPerCall) {
        for (std::size_t q = 0; q < num_queries; ++q) {
            const double threshold = static_cast<double>(worker.best[q].threshold());
            worker.thresholds[q] = static_cast<float>(threshold + worker.slack[q]);
        }
        scan_rows(first_query, first, std::min(kRowsPerCall, end - first), worker);
    }
    for (std::size_t q = 0; q < num_queries; ++q) {
        const std::span<const ScoredRow> best = worker.best[q].finish();
        const std::size_t list = (first_query + q - query_of(wave_begin_)) * num_parts_ + part;
        lists_[list].assign(best.begin(), best.end());
    }
}

void BatchSearch::collect(std::size_t first_block, std::size_t end_block, Neighbours& out) {
    const std::size_t num_queries = end_query_of(end_block - 1) - query_of(first_block);
    for (std::size_t query = 0; query < num_queries; ++query) {
        std::vector<ScoredRow>& list = lists_[query * num_parts_];
        for (std::size_t part = 1; part < num_parts_; ++part) {
            const std::vector<ScoredRow>& other = lists_[query * num_parts_ + part];
            list.insert(list.end(), other.begin(), other.end());
        }
        if (num_parts_ > 1) {
            std::sort(list.begin(), list.end(), comes_before);
            list.resize(std::min(list.size(), k_));
        }
        for (const ScoredRow& scored : list) {
            out.item_rows.push_back(scored.item_row);
            out.scores.push_back(scored.score);
        }
        out.offsets.push_back(out.item_rows.size());
    }
}

Result<Neighbours> BatchSearch::run(const ProgressListener& progress) {
    constexpr std::size_t kMaxReports = 100;
    Neighbours out;
    const Chunks blocks = {queries_.num_rows, kQueryBlock};
    const std::size_t num_units = std::size_t{4} * pool_.num_threads();
    const std::size_t wave_size = std::max(num_units, blocks.count() / kMaxReports);
    for (wave_begin_ = 0; wave_begin_ < blocks.count(); wave_begin_ += wave_size) {
        const std::size_t wave_end = std::min(blocks.count(), wave_begin_ + wave_size);
        const std::size_t wave_blocks = wave_end - wave_begin_;
        num_parts_ = std::clamp<std::size_t>(
            num_units / wave_blocks, 1,
            std::max<std::size_t>(1, index_.items_.num_rows / kMinRowsPerPart));
        lists_.assign(wave_blocks * kQueryBlock * num_parts_, {});
        pool_.for_each(wave_blocks * num_parts_, [&](std::size_t unit, unsigned worker) {
            search_unit(wave_begin_ + unit / num_parts_, unit % num_parts_, workers_[worker]);
        });
        collect(wave_begin_, wave_end, out);
        report(progress, {.stage = "neighbours",
                          .done = end_query_of(wave_end - 1),
                          .total = queries_.num_rows,
                          .unit = "queries",
                          .note = {}});
    }
    return out;
}

Result<Neighbours> ExactIndex::search_batch(const MatrixView& queries,
                                            const BatchSearchOptions& options, ThreadPool& pool,
                                            const ProgressListener& progress) const {
    Status status =
        check(queries.dim, options.allowed, options.min_score, options.popularity_exponent);
    for (std::size_t query = 0; status.ok() && query < queries.num_rows; ++query) {
        status = check_query(queries.row(query)).with_context(fmt::format("query {}", query));
    }
    if (!status.ok()) {
        return status;
    }
    if (options.excluded.num_rows != 0 && options.excluded.num_rows != queries.num_rows) {
        return invalid_argument(fmt::format("{} lists of excluded items were given for {} queries",
                                            options.excluded.num_rows, queries.num_rows));
    }
    return BatchSearch(*this, queries, options, pool).run(progress);
}

Result<Neighbours> build_neighbour_table(const MatrixView& vectors, std::size_t k,
                                         double popularity_exponent, ThreadPool& pool,
                                         const ProgressListener& progress) {
    const ExactIndex index(vectors, Measure::kDot, popularity_exponent);
    SparseMatrix self;
    self.num_rows = vectors.num_rows;
    self.num_columns = vectors.num_rows;
    for (std::size_t row = 0; row < vectors.num_rows; ++row) {
        self.columns.push_back(static_cast<std::uint32_t>(row));
        self.offsets.push_back(row + 1);
    }
    return index.search_batch(
        vectors, {.k = k, .popularity_exponent = popularity_exponent, .excluded = self.view()},
        pool, progress);
}

}  // namespace segue
