#include "cooc/counting_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace segue {

namespace {

// Nanoseconds an addition takes grow with the memory the cells of one item's row fill, as caches
// run out: measured 1.7 for 20 KB of cells, one more for each doubling, 9.8 for 4.7 MB. Each pair
// is added from both sides.
constexpr double kFastestAddition = 1.7e-9;
constexpr double kPerDoubling = 1.0e-9;
constexpr double kFastCells = 20e3;

constexpr std::uint64_t kBytesOfEntry = 8;        // a run
constexpr std::uint64_t kBytesOfWeight = 8;       // n^-a of a run
constexpr std::uint64_t kBytesOfEntryValue = 4;   // m of a run
constexpr std::uint64_t kBytesOfEntryWindow = 8;  // ordered columns and positions
constexpr std::uint64_t kBytesOfItem = 16;        // offsets, work to do
constexpr std::uint64_t kBytesOfCount = 4;        // cell
constexpr std::uint64_t kBytesOfSums = 16;        // cell
constexpr std::uint64_t kBytesOfRowEntry = 24;    // a worker's touch list and row read out

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t saturating_add(std::uint64_t left, std::uint64_t right) {
    std::uint64_t sum = 0;
    return __builtin_add_overflow(left, right, &sum) ? kMost : sum;
}

std::uint64_t saturating_multiply(std::uint64_t left, std::uint64_t right) {
    std::uint64_t product = 0;
    return __builtin_mul_overflow(left, right, &product) ? kMost : product;
}

std::uint64_t pairs_among(std::uint64_t size) {
    if (size < 2) {
        return 0;
    }
    return size % 2 == 0 ? saturating_multiply(size / 2, size - 1)
                         : saturating_multiply(size, (size - 1) / 2);
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr double kMega = 1e6;
    return bytes < 1000000000
               ? fmt::format("{:.0f} MB", std::ceil(static_cast<double>(bytes) / kMega))
               : fmt::format("{:.1f} GB", static_cast<double>(bytes) / (1e3 * kMega));
}

}  // namespace

CountingPlan plan_counting(const SparseView& interactions, const CountOptions& options,
                           unsigned num_threads) {
    std::uint64_t num_pairs = 0;
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const std::uint64_t size = interactions.row_size(group);
        std::uint64_t pairs = pairs_among(size);
        if (options.window > 0) {
            pairs = std::min(pairs, saturating_multiply(size, options.window));
        }
        num_pairs = saturating_add(num_pairs, pairs);
    }
    const bool multiplies = options.values_are_counts && !interactions.values.empty();
    const bool has_sums = options.group_exponent != 0 || multiplies;
    const std::uint64_t cell = has_sums ? kBytesOfSums : kBytesOfCount;
    const std::uint64_t entry = kBytesOfEntry + (has_sums ? kBytesOfWeight : 0) +
                                (multiplies ? 2 * kBytesOfEntryValue : 0) +
                                (options.window > 0 ? kBytesOfEntryWindow : 0);
    const std::uint64_t num_items = interactions.num_columns;
    const unsigned threads = std::max(1u, num_threads);

    CountingPlan plan;
    plan.num_pairs = num_pairs;
    plan.max_distinct_pairs = std::min(num_pairs, pairs_among(num_items));
    plan.memory_bytes = saturating_add(
        saturating_multiply(interactions.num_entries(), entry),
        saturating_multiply(num_items, kBytesOfItem + threads * (cell + kBytesOfRowEntry)));
    const double doublings = std::max(
        0.0, std::log2(static_cast<double>(num_items) * static_cast<double>(cell) / kFastCells));
    plan.seconds = 2 * static_cast<double>(plan.num_pairs) *
                   (kFastestAddition + kPerDoubling * doublings) / threads;
    return plan;
}

std::string CountingPlan::to_text() const {
    const std::string duration = seconds < 100 ? fmt::format("{:.1f} s", std::max(0.1, seconds))
                                               : fmt::format("{:.0f} min", std::ceil(seconds / 60));
    return fmt::format("{} pairs, about {} and {}", with_commas(num_pairs), duration,
                       bytes_text(memory_bytes));
}

}  // namespace segue
