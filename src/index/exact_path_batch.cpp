// Many queries at once, in blocks, on all threads.

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "index/exact_block.h"
#include "index/exact_path.h"
#include "index/query.h"
#include "index/query_order.h"

namespace segue {
namespace {

using kernels::kQueryBlock;

/// Rows that are worth a unit of work of their own.
constexpr std::size_t kMinRowsPerPart = 16384;
/// A block of so few queries is faster one query at a time: multiplying 64 takes about as long as
/// reading the rows eight times.
constexpr std::size_t kFewQueries = 6;
/// Candidates of a block of queries would need much memory beyond this k.
constexpr std::size_t kMostForBlocks = 8192;

/// Memory of one thread.
struct Worker {
    ExactBlock block;
    std::vector<float> prepared;
    ItemRowSet excluded;
    ExactBuffers single;
};

/// One call of search_exact_batch. Its units of work are (block of queries, part of the rows); what
/// they find does not depend on how rows are divided, since f32 scores do not and comes_before is a
/// total order.
class ExactBatch {
public:
    ExactBatch(const PreparedBatch& batch, ThreadPool& pool)
        : batch_(batch),
          shared_(batch),
          pool_(pool),
          lists_(batch.queries.num_rows),
          workers_(pool.num_threads()) {
        if (!shared_.balls.empty() && batch.terms.index.tables.has_codes() &&
            batch.queries.num_rows > kQueryBlock) {
            order_ = order_queries(batch, pool);
        } else {
            order_.resize(batch.queries.num_rows);
            std::iota(order_.begin(), order_.end(), 0U);
        }
    }

    Neighbours run(const ProgressListener& progress);

private:
    void search_unit(std::size_t block, std::size_t part, Worker& worker);
    void search_single(std::size_t place, Worker& worker);
    void collect(std::size_t first_block, std::size_t end_block);

    std::size_t end_place_of(std::size_t block) const {
        return std::min(order_.size(), (block + 1) * kQueryBlock);
    }
    std::vector<ScoredRow>& list_of(std::size_t place, std::size_t part) {
        return parts_[(place - wave_begin_ * kQueryBlock) * num_parts_ + part];
    }

    const PreparedBatch& batch_;
    ExactBatchTables shared_;
    ThreadPool& pool_;
    /// The queries in the order they are searched: those of a block skip what none of them wants.
    std::vector<std::uint32_t> order_;
    std::size_t num_parts_ = 1;
    std::size_t wave_begin_ = 0;
    std::vector<std::vector<ScoredRow>> parts_;  // [places of the wave x num_parts]
    std::vector<std::vector<ScoredRow>> lists_;  // [num_queries]
    std::vector<Worker> workers_;
};

void ExactBatch::search_single(std::size_t place, Worker& worker) {
    const IndexTables& tables = shared_.tables;
    const std::uint32_t query = order_[place];
    worker.prepared.resize(tables.dim);
    prepare_query(batch_.queries.row(query), tables.measure, worker.prepared.data());
    worker.excluded.assign(batch_.excluded_rows(query), tables.num_items);
    SearchTrace trace;
    search_exact({batch_.terms, worker.prepared, worker.excluded}, worker.single, list_of(place, 0),
                 trace);
}

void ExactBatch::search_unit(std::size_t block, std::size_t part, Worker& worker) {
    const std::size_t first_place = block * kQueryBlock;
    const std::size_t num_queries = end_place_of(block) - first_place;
    const bool one_by_one = num_queries <= kFewQueries || batch_.terms.k > kMostForBlocks;
    if (!one_by_one) {
        const std::size_t num_blocks = shared_.bounds.blocks.size();
        const std::size_t begin = num_blocks * part / num_parts_ * kBlockPositions;
        const std::size_t end = num_blocks * (part + 1) / num_parts_ * kBlockPositions;
        worker.block.start(shared_, std::span(order_).subspan(first_place, num_queries));
        worker.block.scan(begin, std::min(end, shared_.tables.num_items));
    }
    for (std::size_t q = 0; q < num_queries; ++q) {
        if (!one_by_one && !worker.block.is_tied(q)) {
            const std::span<const ScoredRow> best = worker.block.finish(q);
            list_of(first_place + q, part).assign(best.begin(), best.end());
        } else if (q % num_parts_ == part) {
            search_single(first_place + q, worker);
        }
    }
}

void ExactBatch::collect(std::size_t first_block, std::size_t end_block) {
    const std::size_t begin = first_block * kQueryBlock;
    for (std::size_t place = begin; place < end_place_of(end_block - 1); ++place) {
        std::vector<ScoredRow>& list = lists_[order_[place]];
        list = std::move(list_of(place, 0));
        for (std::size_t part = 1; part < num_parts_; ++part) {
            const std::vector<ScoredRow>& more = list_of(place, part);
            list.insert(list.end(), more.begin(), more.end());
        }
        if (num_parts_ > 1) {
            std::sort(list.begin(), list.end(), comes_before);
            list.resize(std::min(list.size(), batch_.terms.k));
        }
    }
}

Neighbours ExactBatch::run(const ProgressListener& progress) {
    constexpr std::size_t kMaxReports = 100;
    const Chunks blocks = {batch_.queries.num_rows, kQueryBlock};
    const std::size_t num_units = std::size_t{4} * pool_.num_threads();
    const std::size_t wave_size = std::max(num_units, blocks.count() / kMaxReports);
    for (wave_begin_ = 0; wave_begin_ < blocks.count(); wave_begin_ += wave_size) {
        const std::size_t wave_end = std::min(blocks.count(), wave_begin_ + wave_size);
        const std::size_t wave_blocks = wave_end - wave_begin_;
        // One thread gains nothing from parts.
        const std::size_t most_parts =
            pool_.num_threads() == 1
                ? 1
                : std::max<std::size_t>(1, shared_.tables.num_items / kMinRowsPerPart);
        num_parts_ = std::clamp<std::size_t>(num_units / wave_blocks, 1, most_parts);
        parts_.assign(wave_blocks * kQueryBlock * num_parts_, {});
        pool_.for_each(wave_blocks * num_parts_, [&](std::size_t unit, unsigned worker) {
            search_unit(wave_begin_ + unit / num_parts_, unit % num_parts_, workers_[worker]);
        });
        collect(wave_begin_, wave_end);
        report(progress, {.stage = "search",
                          .done = end_place_of(wave_end - 1),
                          .total = batch_.queries.num_rows,
                          .unit = "queries",
                          .note = {}});
    }
    Neighbours out;
    out.offsets.reserve(lists_.size() + 1);
    for (const std::vector<ScoredRow>& list : lists_) {
        for (const ScoredRow& scored : list) {
            out.item_rows.push_back(scored.item_row);
            out.scores.push_back(scored.score);
        }
        out.offsets.push_back(out.item_rows.size());
    }
    return out;
}

}  // namespace

Neighbours search_exact_batch(const PreparedBatch& batch, ThreadPool& pool,
                              const ProgressListener& progress) {
    return ExactBatch(batch, pool).run(progress);
}

}  // namespace segue
