#include "train/graph_filter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "cooc/best_partners.h"
#include "kernels/dense_kernels.h"
#include "linalg/singular_vectors.h"
#include "train/graph_walk.h"
#include "train/ranked_scores.h"

// With R' = D_g^(-a/2) R D_i^(-b), scaled so that its largest singular value is 1, P = R'^T R', and
// V its right singular vectors, a history r has the scores
//     r (P + beta D_i^-b V V^T D_i^b) q(P),
// with q(P) as the walk has it (train/graph_walk.h). What q(P) does to D_i^b V is worked out once.

namespace segue {

namespace {

using kernels::kLeftStrip;
using kernels::kPanel;
using kernels::kQueryBlock;
using kernels::kRightStrip;

constexpr std::size_t kItemsPerTile = 256;
constexpr std::size_t kDepth = 128;
constexpr std::uint32_t kPowerIterations = 8;
constexpr std::size_t kPowerDim = 16;  // vectors that find the largest singular value alone

static_assert(kItemsPerTile % kLeftStrip == 0 && kQueryBlock % kRightStrip == 0);
static_assert(kQueryBlock % kPanel == 0);

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

    /// Makes lists() ready once all else is found, and lets go of what it does not need.
    void prepare_walk();

    std::size_t num_items() const override { return item_powers_.size(); }
    Neighbours lists(const SparseView& histories, const LinearListOptions& options,
                     ThreadPool& pool, const ProgressListener& progress) const override;

private:
    /// Scores of one block of histories while it is worked on; one a thread.
    struct Block {
        Block(const GraphFilter& filter, std::size_t k)
            : walk(filter.walk_),
              scores(filter.padded_items(), kQueryBlock),
              sums(filter.from_items_.stride()),
              strips(filter.from_items_.stride() * kQueryBlock),
              magnitudes(kItemsPerTile * kQueryBlock),
              thresholds(kQueryBlock),
              num_own_passed(kQueryBlock),
              hits(kItemsPerTile * kQueryBlock),
              best(kQueryBlock, BestPartners(k)) {}

        GraphWalk::Scratch walk;
        Matrix scores;                    // [padded_items x kQueryBlock]
        AlignedBuffer<float> sums;        // [low_rank_dim] of one history
        AlignedBuffer<float> strips;      // [kQueryBlock / kRightStrip][low_rank_dim][kRightStrip]
        AlignedBuffer<float> magnitudes;  // [kItemsPerTile x kQueryBlock]
        std::vector<float> ones;
        std::vector<float> thresholds;            // [kQueryBlock]
        std::vector<std::size_t> num_own_passed;  // [kQueryBlock] own items in tiles behind
        std::vector<kernels::Hit> hits;
        std::vector<BestPartners> best;
    };

    static const kernels::DenseKernels& kernels() { return *kernels::active_kernels().dense; }
    std::size_t padded_items() const { return round_up(num_items(), kItemsPerTile); }

    void sharpen(Matrix& items, ThreadPool& pool) const;
    void project(const SparseView& histories, std::size_t begin, std::size_t end,
                 Block& block) const;
    void add_low_rank(std::size_t tile, Block& block) const;
    void select(const SparseView& histories, std::size_t begin, std::size_t tile,
                const LinearListOptions& options, Block& block) const;
    void score_block(const SparseView& histories, std::size_t begin, std::size_t end,
                     const LinearListOptions& options, Block& block,
                     std::vector<std::vector<ScoredRow>>& lists) const;

    SparseMatrix by_group_;  // R', until the walk has it
    SparseMatrix by_item_;   // its transpose
    GraphWalk walk_;
    std::vector<float> group_scales_;  // [num_groups] n^-a/2, over the largest singular value
    std::vector<float> item_powers_;   // [num_items] f^-b
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
        group_scales_.push_back(weight);
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
    for (float& group_scale : group_scales_) {
        group_scale *= scale;
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

void GraphFilter::prepare_walk() {
    walk_ =
        GraphWalk({by_group_.view(), by_item_.view()}, group_scales_, item_powers_, sharpening_);
    by_group_ = {};
    by_item_ = {};
}

/// strips := r D_i^-b V for the histories [begin, end).
void GraphFilter::project(const SparseView& histories, std::size_t begin, std::size_t end,
                          Block& block) const {
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
}

/// Adds the low-rank part to the scores of the items from `tile`.
void GraphFilter::add_low_rank(std::size_t tile, Block& block) const {
    const std::size_t dim = from_items_.stride();
    for (std::size_t depth = 0; depth < dim; depth += kDepth) {
        kernels().subtract_products({.left = to_items_.data() + tile * dim + depth * kLeftStrip,
                                     .left_step = dim * kLeftStrip,
                                     .num_left = kItemsPerTile / kLeftStrip,
                                     .right = block.strips.data() + depth * kRightStrip,
                                     .right_step = dim * kRightStrip,
                                     .num_right = kQueryBlock / kRightStrip,
                                     .depth = std::min(kDepth, dim - depth),
                                     .out = block.scores.row(tile).data(),
                                     .out_stride = kQueryBlock});
    }
}

/// Offers the scores of the items from `tile` to the lists of the histories from `begin`.
void GraphFilter::select(const SparseView& histories, std::size_t begin, std::size_t tile,
                         const LinearListOptions& options, Block& block) const {
    const std::size_t count = std::min(kItemsPerTile, num_items() - tile);
    for (std::size_t item = tile; item < tile + count && !options.factors.empty(); ++item) {
        combine(nullptr, options.factors[item], kQueryBlock, block.scores.row(item).data());
    }
    for (std::size_t query = 0; query < std::min(kQueryBlock, histories.num_rows - begin);
         ++query) {
        const std::span<const std::uint32_t> own = histories.row_columns(begin + query);
        std::size_t& passed = block.num_own_passed[query];
        for (; passed < own.size() && own[passed] < tile + count; ++passed) {
            block.scores.row(own[passed])[query] = 0;
        }
    }
    const float* const scores = selected_by(block.scores.row(tile).data(), count * kQueryBlock,
                                            options.by_magnitude, block.magnitudes.data());
    const std::size_t num_hits =
        kernels().select_scores(scores, count, static_cast<std::uint32_t>(tile),
                                block.thresholds.data(), block.hits.data());
    for (std::size_t hit = 0; hit < num_hits; ++hit) {
        if (block.hits[hit].score != 0) {
            block.best[block.hits[hit].query].offer({block.hits[hit].row, block.hits[hit].score});
        }
    }
    for (std::size_t query = 0; query < kQueryBlock; ++query) {
        // Hits come in ascending order, so that an equal score further on is no better.
        block.thresholds[query] = std::max(block.thresholds[query], block.best[query].threshold());
    }
}

void GraphFilter::score_block(const SparseView& histories, std::size_t begin, std::size_t end,
                              const LinearListOptions& options, Block& block,
                              std::vector<std::vector<ScoredRow>>& lists) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (std::size_t panel = begin; panel < end; panel += kPanel) {
        walk_.scores(histories, panel, std::min(end, panel + kPanel), block.walk,
                     block.scores.data() + (panel - begin), kQueryBlock);
    }
    const bool has_low_rank = from_items_.num_rows() != 0;
    if (has_low_rank) {
        project(histories, begin, end, block);
    }
    std::ranges::fill(block.thresholds, kInfinity);
    std::ranges::fill(block.num_own_passed, 0U);
    for (std::size_t query = 0; query < end - begin; ++query) {
        block.best[query].clear();
        block.thresholds[query] = histories.row_size(begin + query) == 0 ? kInfinity : -kInfinity;
    }
    for (std::size_t tile = 0; tile < num_items(); tile += kItemsPerTile) {
        if (has_low_rank) {
            add_low_rank(tile, block);
        }
        select(histories, begin, tile, options, block);
    }
    for (std::size_t history = begin; history < end; ++history) {
        const std::span<const ScoredRow> best = block.best[history - begin].take_sorted();
        lists[history].assign(best.begin(), best.end());
        if (options.by_magnitude) {
            tell_scores([&](std::uint32_t item) { return block.scores.row(item)[history - begin]; },
                        lists[history]);
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
                          score_block(histories, chunks.begin(round + chunk),
                                      chunks.end(round + chunk), options, *blocks[thread], lists);
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
    filter->prepare_walk();
    return Result<std::unique_ptr<const LinearModel>>(std::move(filter));
}

}  // namespace segue
