#include "train/dense_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cooc/best_partners.h"
#include "kernels/dense_kernels.h"
#include "train/ranked_scores.h"

namespace segue {

namespace {

constexpr std::size_t kListsPerChunk = 8;

/// Scores that are looked through at once, so that the threshold rises early.
constexpr std::size_t kBlock = 1024;

/// What one thread brings along.
struct Worker {
    Worker(std::size_t width, std::size_t k)
        : scores(width), magnitudes(kBlock), best(k), selected(width + 64) {}

    AlignedBuffer<float> scores;
    AlignedBuffer<float> magnitudes;  // of a block
    BestPartners best;
    std::vector<std::uint32_t> selected;
    std::vector<float> ones;
};

/// Offers all scores but 0, or their magnitudes.
void offer_scores(std::size_t num_items, bool by_magnitude, Worker& worker) {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    for (std::size_t begin = 0; begin < num_items; begin += kBlock) {
        const std::size_t count = std::min(kBlock, num_items - begin);
        const float* const scores = selected_by(worker.scores.data() + begin, count, by_magnitude,
                                                worker.magnitudes.data());
        const float threshold =
            std::max(worker.best.threshold(), std::numeric_limits<float>::lowest());
        const std::size_t found = kernels.select_above(
            scores, count, std::nextafter(threshold, -HUGE_VALF), worker.selected.data());
        for (std::size_t place = 0; place < found; ++place) {
            const float score = scores[worker.selected[place]];
            if (score != 0) {
                worker.best.offer(
                    {static_cast<std::uint32_t>(begin + worker.selected[place]), score});
            }
        }
    }
}

}  // namespace

Neighbours DenseWeights::lists(const SparseView& histories, const LinearListOptions& options,
                               ThreadPool& pool, const ProgressListener& progress) const {
    const kernels::DenseKernels& kernels = *kernels::active_kernels().dense;
    std::vector<std::vector<ScoredRow>> lists(histories.num_rows);
    std::vector<Worker> workers;
    const std::size_t k = std::min(options.k, num_items_ + 1);
    for (unsigned worker = 0; worker < pool.num_threads(); ++worker) {
        workers.emplace_back(weights_.stride(), k);
    }
    report(progress, {"score", 0, histories.num_rows, "lists", {}});
    const Chunks chunks = {histories.num_rows, kListsPerChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned thread) {
        Worker& worker = workers[thread];
        for (std::size_t row = chunks.begin(chunk); row < chunks.end(chunk); ++row) {
            const std::span<const std::uint32_t> own = histories.row_columns(row);
            if (own.empty()) {
                continue;
            }
            worker.ones.resize(std::max(worker.ones.size(), own.size()), 1.0F);
            kernels.sum_rows({.table = weights_.data(),
                              .stride = weights_.stride(),
                              .dim = weights_.stride(),
                              .columns = own.data(),
                              .weights = worker.ones.data(),
                              .num_entries = own.size(),
                              .out = worker.scores.data()});
            for (std::size_t item = 0; item < options.factors.size(); ++item) {
                worker.scores[item] *= options.factors[item];
            }
            for (const std::uint32_t item : own) {
                worker.scores[item] = 0;
            }
            worker.best.clear();
            offer_scores(num_items_, options.by_magnitude, worker);
            const std::span<const ScoredRow> best = worker.best.take_sorted();
            lists[row].assign(best.begin(), best.end());
            if (options.by_magnitude) {
                tell_scores([&](std::uint32_t item) { return worker.scores[item]; }, lists[row]);
            }
        }
    });
    report(progress, {"score", histories.num_rows, histories.num_rows, "lists", {}});
    return join_lists(lists);
}

}  // namespace segue
