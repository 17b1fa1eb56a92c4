#include "train/graph_filter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "cooc/best_partners.h"
#include "kernels/dense_kernels.h"
#include "linalg/gather_order.h"
#include "linalg/singular_vectors.h"

// With R' = D_g^(-a/2) R D_i^(-b), scaled so that its largest singular value is 1, P = R'^T R', and
// V its right singular vectors, a history r has the scores
//     r (P + beta D_i^-b V V^T D_i^b) q(P),
// where q(P) = 1 - T P + T^2 P^2 / 2 - T^3 P^3 / 6 + T^4 P^4 / 24 is one step of Runge and Kutta
// along ds/dt = -s P. P is never made: scores of a block of histories go to groups and back. What
// q(P) does to D_i^b V is worked out once.

namespace segue {

namespace {

using kernels::kLeftStrip;
using kernels::kQueryBlock;
using kernels::kRightStrip;

constexpr unsigned kStepsOfQ = 4;
constexpr std::size_t kItemsPerTile = 256;
constexpr std::size_t kDepth = 128;
constexpr std::uint32_t kPowerIterations = 8;
constexpr std::size_t kPowerDim = 16;  // vectors that find the largest singular value alone

static_assert(kItemsPerTile % kLeftStrip == 0 && kQueryBlock % kRightStrip == 0);

std::size_t round_up(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

/// n^exponent; 1 for what is empty.
float power_of_size(std::size_t size, double exponent) {
    return size == 0 ? 1 : static_cast<float>(std::pow(static_cast<double>(size), exponent));
}

/// `values` become base - factor * values, or factor * values without a base.
void combine(const float* base, float factor, std::size_t count, float* values) {
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = (base == nullptr ? 0 : base[i]) + factor * values[i];
    }
}

class GraphFilter : public LinearModel {
public:
    GraphFilter(const SparseView& interactions, const GraphFilterParams& params);

    Status find_singular_vectors(const GraphFilterParams& params, ThreadPool& pool,
                                 const ProgressListener& progress);

    /// Makes lists() ready once all else is found.
    void keep_ordered();

    std::size_t num_items() const override { return by_group_.num_columns; }
    Neighbours lists(const SparseView& histories, const LinearListOptions& options,
                     ThreadPool& pool, const ProgressListener& progress) const override;

private:
    /// Scores of one block of histories while it is worked on; one a thread.
    struct Block {
        Block(const GraphFilter& filter, std::size_t k)
            : groups(filter.by_group_.num_rows, kQueryBlock),
              first(filter.padded_items(), kQueryBlock),
              scores(filter.padded_items(), kQueryBlock),
              sums(filter.from_items_.stride()),
              strips(filter.from_items_.stride() * kQueryBlock),
              hits(kItemsPerTile * kQueryBlock),
              best(kQueryBlock, BestPartners(k)) {}

        Matrix groups;                // [num_groups x kQueryBlock]
        Matrix first;                 // [padded_items x kQueryBlock] r P
        Matrix scores;                // [padded_items x kQueryBlock]
        AlignedBuffer<float> sums;    // [low_rank_dim] of one history
        AlignedBuffer<float> strips;  // [kQueryBlock / kRightStrip][low_rank_dim][kRightStrip]
        std::vector<float> ones;
        std::vector<kernels::Hit> hits;
        std::vector<BestPartners> best;
    };

    static const kernels::DenseKernels& kernels() { return *kernels::active_kernels().dense; }
    std::size_t padded_items() const { return round_up(num_items(), kItemsPerTile); }

    void sharpen(Matrix& items, ThreadPool& pool) const;
    void multiply(const OrderedRows& matrix, const Matrix& right, Matrix& out,
                  const Matrix* base = nullptr, float factor = 1) const;
    void smooth(const SparseView& histories, std::size_t begin, std::size_t end,
                Block& block) const;
    void sharpen_block(Block& block) const;
    void add_low_rank(const SparseView& histories, std::size_t begin, std::size_t end,
                      Block& block) const;
    void select(const SparseView& histories, std::size_t begin, std::size_t end,
                const LinearListOptions& options, Block& block,
                std::vector<std::vector<ScoredRow>>& lists) const;

    SparseMatrix by_group_;           // R'; its entries are in ordered_groups_ after training
    SparseMatrix by_item_;            // its transpose
    OrderedRows ordered_groups_;      // R'
    OrderedRows ordered_items_;       // its transpose
    std::vector<float> item_powers_;  // [num_items] f^-b
    double sharpening_ = 0;
    Matrix from_items_;              // [num_items x k] D_i^-b V
    AlignedBuffer<float> to_items_;  // -beta q(P) D_i^b V [padded / kLeftStrip][k][kLeftStrip]
};

GraphFilter::GraphFilter(const SparseView& interactions, const GraphFilterParams& params)
    : sharpening_(params.sharpening) {
    by_group_.num_rows = interactions.num_rows;
    by_group_.num_columns = interactions.num_columns;
    by_group_.offsets.assign(interactions.offsets.begin(), interactions.offsets.end());
    by_group_.columns.assign(interactions.columns.begin(), interactions.columns.end());
    std::vector<std::size_t> frequencies(interactions.num_columns, 0);
    for (const std::uint32_t item : interactions.columns) {
        ++frequencies[item];
    }
    for (const std::size_t frequency : frequencies) {
        item_powers_.push_back(power_of_size(frequency, -params.item_exponent));
    }
    by_group_.values.reserve(interactions.num_entries());
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const float weight =
            power_of_size(interactions.row_size(group), -params.group_exponent / 2);
        for (const std::uint32_t item : interactions.row_columns(group)) {
            by_group_.values.push_back(weight * item_powers_[item]);
        }
    }
}

/// Scales R' and makes what the low-rank part needs.
Status GraphFilter::find_singular_vectors(const GraphFilterParams& params, ThreadPool& pool,
                                          const ProgressListener& progress) {
    by_item_ = transpose(by_group_.view());
    const bool has_low_rank = params.low_rank_weight != 0 && params.low_rank_dim > 0;
    SingularParams wanted;
    wanted.dim = has_low_rank ? params.low_rank_dim : kPowerDim;
    wanted.seed = params.seed;
    wanted.iterations = has_low_rank ? params.iterations : kPowerIterations;
    Result<SingularVectors> found =
        right_singular_vectors({by_group_.view(), by_item_.view()}, wanted, pool, progress);
    if (!found.ok()) {
        return found.status();
    }
    const float scale = 1 / found->values[0];
    for (std::vector<float>* values : {&by_group_.values, &by_item_.values}) {
        for (float& value : *values) {
            value *= scale;
        }
    }
    if (!has_low_rank) {
        return Status();
    }
    Matrix to_items = std::move(found->vectors);
    from_items_ = Matrix(to_items.num_rows(), to_items.dim());
    for (std::size_t item = 0; item < to_items.num_rows(); ++item) {
        for (std::size_t column = 0; column < to_items.dim(); ++column) {
            from_items_.row(item)[column] = to_items.row(item)[column] * item_powers_[item];
            to_items.row(item)[column] /= item_powers_[item];
        }
    }
    sharpen(to_items, pool);
    const std::size_t dim = to_items.stride();
    const auto factor = static_cast<float>(-params.low_rank_weight);
    to_items_ = AlignedBuffer<float>(padded_items() * dim);
    for (std::size_t item = 0; item < to_items.num_rows(); ++item) {
        for (std::size_t column = 0; column < to_items.dim(); ++column) {
            to_items_[(item / kLeftStrip * dim + column) * kLeftStrip + item % kLeftStrip] =
                factor * to_items.row(item)[column];
        }
    }
    return Status();
}

/// items := q(P) items, by Horner's rule.
void GraphFilter::sharpen(Matrix& items, ThreadPool& pool) const {
    if (sharpening_ == 0) {
        return;
    }
    Matrix powered(items.num_rows(), items.dim());
    std::copy_n(items.data(), items.num_rows() * items.stride(), powered.data());
    Matrix groups(by_group_.num_rows, items.dim());
    for (unsigned step = kStepsOfQ; step > 0; --step) {
        multiply_sparse(by_group_.view(), powered, groups, pool);
        multiply_sparse(by_item_.view(), groups, powered, pool);
        combine(items.data(), static_cast<float>(-sharpening_ / step),
                items.num_rows() * items.stride(), powered.data());
    }
    items = std::move(powered);
}

void GraphFilter::keep_ordered() {
    GatherOrder order = gather_order({by_group_.view(), by_item_.view()});
    ordered_groups_ = in_order(by_group_.view(), std::move(order.rows));
    by_group_.columns = {};
    by_group_.values = {};
    by_group_.offsets = {};
    ordered_items_ = in_order(by_item_.view(), std::move(order.columns));
}

/// out := matrix right, or base + factor (matrix right).
void GraphFilter::multiply(const OrderedRows& matrix, const Matrix& right, Matrix& out,
                           const Matrix* base, float factor) const {
    const SparseView view = matrix.matrix.view();
    for (std::size_t place = 0; place < view.num_rows; ++place) {
        const std::uint32_t row = matrix.rows[place];
        float* const sums = out.row(row).data();
        kernels().sum_rows({.table = right.data(),
                            .stride = kQueryBlock,
                            .dim = kQueryBlock,
                            .columns = view.row_columns(place).data(),
                            .weights = view.row_values(place).data(),
                            .num_entries = view.row_size(place),
                            .out = sums});
        if (base != nullptr) {
            combine(base->row(row).data(), factor, kQueryBlock, sums);
        }
    }
}

/// first := r P for the histories [begin, end).
void GraphFilter::smooth(const SparseView& histories, std::size_t begin, std::size_t end,
                         Block& block) const {
    std::fill_n(block.groups.data(), block.groups.num_rows() * kQueryBlock, 0.0F);
    const SparseView by_item = by_item_.view();
    for (std::size_t history = begin; history < end; ++history) {
        for (const std::uint32_t item : histories.row_columns(history)) {
            const std::span<const std::uint32_t> groups = by_item.row_columns(item);
            const std::span<const float> values = by_item.row_values(item);
            for (std::size_t place = 0; place < groups.size(); ++place) {
                block.groups.row(groups[place])[history - begin] += values[place];
            }
        }
    }
    multiply(ordered_items_, block.groups, block.first);
}

/// scores := first q(P)
void GraphFilter::sharpen_block(Block& block) const {
    if (sharpening_ == 0) {
        std::copy_n(block.first.data(), num_items() * kQueryBlock, block.scores.data());
        return;
    }
    for (unsigned step = kStepsOfQ; step > 0; --step) {
        multiply(ordered_groups_, step == kStepsOfQ ? block.first : block.scores, block.groups);
        multiply(ordered_items_, block.groups, block.scores, &block.first,
                 static_cast<float>(-sharpening_ / step));
    }
}

void GraphFilter::add_low_rank(const SparseView& histories, std::size_t begin, std::size_t end,
                               Block& block) const {
    if (from_items_.num_rows() == 0) {
        return;
    }
    const std::size_t dim = from_items_.stride();
    std::fill_n(block.strips.data(), dim * kQueryBlock, 0.0F);
    for (std::size_t history = begin; history < end; ++history) {
        const std::span<const std::uint32_t> items = histories.row_columns(history);
        block.ones.resize(std::max(block.ones.size(), items.size()), 1.0F);
        kernels().sum_rows({.table = from_items_.data(),
                            .stride = dim,
                            .dim = dim,
                            .columns = items.data(),
                            .weights = block.ones.data(),
                            .num_entries = items.size(),
                            .out = block.sums.data()});
        const std::size_t query = history - begin;
        for (std::size_t column = 0; column < dim; ++column) {
            block.strips[(query / kRightStrip * dim + column) * kRightStrip + query % kRightStrip] =
                block.sums[column];
        }
    }
    for (std::size_t item = 0; item < padded_items(); item += kItemsPerTile) {
        for (std::size_t depth = 0; depth < dim; depth += kDepth) {
            kernels().subtract_products({.left = to_items_.data() + item * dim + depth * kLeftStrip,
                                         .left_step = dim * kLeftStrip,
                                         .num_left = kItemsPerTile / kLeftStrip,
                                         .right = block.strips.data() + depth * kRightStrip,
                                         .right_step = dim * kRightStrip,
                                         .num_right = kQueryBlock / kRightStrip,
                                         .depth = std::min(kDepth, dim - depth),
                                         .out = block.scores.row(item).data(),
                                         .out_stride = kQueryBlock});
        }
    }
}

void GraphFilter::select(const SparseView& histories, std::size_t begin, std::size_t end,
                         const LinearListOptions& options, Block& block,
                         std::vector<std::vector<ScoredRow>>& lists) const {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    for (std::size_t item = 0; item < options.factors.size(); ++item) {
        combine(nullptr, options.factors[item], kQueryBlock, block.scores.row(item).data());
    }
    std::vector<float> thresholds(kQueryBlock, std::numeric_limits<float>::infinity());
    for (std::size_t history = begin; history < end; ++history) {
        const std::span<const std::uint32_t> own = histories.row_columns(history);
        for (const std::uint32_t item : own) {
            block.scores.row(item)[history - begin] = 0;
        }
        block.best[history - begin].clear();
        thresholds[history - begin] =
            own.empty() ? std::numeric_limits<float>::infinity() : kLowest;
    }
    if (options.by_magnitude) {
        const std::size_t count = num_items() * kQueryBlock;
        std::copy_n(block.scores.data(), count, block.first.data());
        std::transform(block.first.data(), block.first.data() + count, block.scores.data(),
                       [](float score) { return std::abs(score); });
    }
    for (std::size_t item = 0; item < num_items(); item += kItemsPerTile) {
        const std::size_t count = std::min(kItemsPerTile, num_items() - item);
        const std::size_t num_hits = kernels().select_scores(block.scores.row(item).data(), count,
                                                             static_cast<std::uint32_t>(item),
                                                             thresholds.data(), block.hits.data());
        for (std::size_t hit = 0; hit < num_hits; ++hit) {
            if (block.hits[hit].score != 0) {
                block.best[block.hits[hit].query].offer(
                    {block.hits[hit].row, block.hits[hit].score});
            }
        }
        for (std::size_t query = 0; query < end - begin; ++query) {
            // Hits come in ascending order, so that an equal score further on is no better.
            thresholds[query] = std::max(thresholds[query], block.best[query].threshold());
        }
    }
    for (std::size_t history = begin; history < end; ++history) {
        const std::span<const ScoredRow> best = block.best[history - begin].take_sorted();
        lists[history].assign(best.begin(), best.end());
        if (options.by_magnitude) {
            for (ScoredRow& scored : lists[history]) {
                scored.score = block.first.row(scored.item_row)[history - begin];
            }
            std::sort(lists[history].begin(), lists[history].end(), comes_before);
        }
    }
}

Neighbours GraphFilter::lists(const SparseView& histories, const LinearListOptions& options,
                              ThreadPool& pool, const ProgressListener& progress) const {
    // A few rounds, so that progress is seen.
    constexpr std::size_t kBlocksPerRound = 32;
    const std::size_t k = std::min(options.k, num_items() + 1);
    std::vector<std::vector<ScoredRow>> lists(histories.num_rows);
    std::vector<std::unique_ptr<Block>> blocks(pool.num_threads());
    const Chunks chunks = {histories.num_rows, kQueryBlock};
    for (std::size_t round = 0; round < chunks.count(); round += kBlocksPerRound) {
        report(progress, {"score", chunks.begin(round), histories.num_rows, "lists", {}});
        pool.for_each(std::min(kBlocksPerRound, chunks.count() - round),
                      [&](std::size_t chunk, unsigned thread) {
                          if (blocks[thread] == nullptr) {
                              blocks[thread] = std::make_unique<Block>(*this, k);
                          }
                          const std::size_t begin = chunks.begin(round + chunk);
                          const std::size_t end = chunks.end(round + chunk);
                          Block& block = *blocks[thread];
                          smooth(histories, begin, end, block);
                          sharpen_block(block);
                          add_low_rank(histories, begin, end, block);
                          select(histories, begin, end, options, block, lists);
                      });
    }
    report(progress, {"score", histories.num_rows, histories.num_rows, "lists", {}});
    return join_lists(lists);
}

}  // namespace

Result<std::unique_ptr<const LinearModel>> train_graph_filter(const SparseView& interactions,
                                                              const GraphFilterParams& params,
                                                              ThreadPool& pool,
                                                              const ProgressListener& progress) {
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    auto filter = std::make_unique<GraphFilter>(interactions, params);
    if (Status status = filter->find_singular_vectors(params, pool, progress); !status.ok()) {
        return status;
    }
    filter->keep_ordered();
    return Result<std::unique_ptr<const LinearModel>>(std::move(filter));
}

}  // namespace segue
