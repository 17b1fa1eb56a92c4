#include "index/tree_select.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"

namespace segue {
namespace {

using kernels::CodesKernels;
using kernels::kCodeBlock;
using kernels::kNoScore;

/// Groups of scores for one that is wanted, where the greatest of each group are looked at first:
/// the threshold that the wanted number of groups reach is one that few more scores do.
constexpr std::size_t kGroupsPerWanted = 8;
constexpr std::size_t kFloatBlock = 16;

/// Finds the cut by halving [low, high]: more than `rank` scores are above low, fewer are above
/// high.
template <typename Score, typename Middle, typename Count>
ScoreCut<Score> halve(Score low, Score high, std::size_t rank, Middle middle, Count count_above) {
    std::size_t above_high = 0;
    while (true) {
        const Score half = middle(low, high);
        if (half == low || half == high) {
            return {high, above_high};
        }
        const std::size_t above = count_above(half);
        if (above == rank) {
            return {half, above};
        }
        if (above > rank) {
            low = half;
        } else {
            high = half;
            above_high = above;
        }
    }
}

/// Requires: rank > 0. Where not more than `rank` entries have a score, the threshold is below all.
ScoreCut<std::int16_t> cut_scores(const CodesKernels& kernels, const std::int16_t* scores,
                                  std::size_t num_blocks, std::size_t rank) {
    return halve<std::int16_t>(
        kNoScore, kernels.max_score(scores, num_blocks, 1), rank,
        [](int low, int high) { return static_cast<std::int16_t>(low + (high - low) / 2); },
        [&](std::int16_t threshold) {
            return kernels.count_above(scores, num_blocks, 1, threshold);
        });
}

/// The greatest of every num_groups-th score.
void fold(std::span<const float> scores, std::size_t num_groups, std::vector<float>& greatest) {
    greatest.assign(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(num_groups));
    for (std::size_t first = num_groups; first < scores.size(); first += num_groups) {
        const float* from = scores.data() + first;
        const std::size_t count = std::min(num_groups, scores.size() - first);
        for (std::size_t i = 0; i < count; ++i) {
            greatest[i] = from[i] > greatest[i] ? from[i] : greatest[i];
        }
    }
}

}  // namespace

ScoreCut<float> cut_floats(const CodesKernels& kernels, std::span<const float> scores,
                           std::size_t rank) {
    float low = std::numeric_limits<float>::max();
    float high = std::numeric_limits<float>::lowest();
    for (const float score : scores) {
        low = score < low && score >= std::numeric_limits<float>::lowest() ? score : low;
        high = score > high ? score : high;
    }
    if (low > high) {
        return {-std::numeric_limits<float>::infinity(), 0};
    }
    // The middle of two such is finite.
    low = std::max(low, std::numeric_limits<float>::lowest() / 4);
    high = std::min(high, std::numeric_limits<float>::max() / 4);
    const std::size_t above_low = kernels.count_floats_above(scores.data(), scores.size(), low);
    if (above_low <= rank) {
        return {low, above_low};
    }
    return halve<float>(
        low, high, rank, [](float left, float right) { return left + (right - left) / 2; },
        [&](float threshold) {
            return kernels.count_floats_above(scores.data(), scores.size(), threshold);
        });
}

void choose_best(std::span<const float> scores, std::size_t count, SelectBuffers& buffers,
                 std::vector<std::uint32_t>& chosen) {
    const CodesKernels& codes = *kernels::active_kernels().codes;
    constexpr float kNothing = -std::numeric_limits<float>::infinity();
    chosen.clear();
    if (count == 0 || scores.empty()) {
        return;
    }
    float guess = kNothing;
    const std::size_t num_groups =
        (count * kGroupsPerWanted + kFloatBlock - 1) / kFloatBlock * kFloatBlock;
    if (2 * num_groups <= scores.size()) {
        fold(scores, num_groups, buffers.greatest);
        const ScoreCut<float> cut = cut_floats(codes, buffers.greatest, count);
        guess = cut.num_above == count ? cut.threshold : std::nextafter(cut.threshold, kNothing);
    }
    buffers.above.resize(scores.size());
    const auto collect = [&](float threshold) {
        return codes.collect_floats_above(scores.data(), scores.size(), threshold,
                                          buffers.above.data());
    };
    std::size_t num_above = collect(guess);
    if (num_above < count && guess != kNothing) {
        num_above = collect(kNothing);
    }
    if (num_above <= count) {
        chosen.assign(buffers.above.begin(), buffers.above.begin() + num_above);
        return;
    }
    buffers.values.resize(num_above);
    for (std::size_t i = 0; i < num_above; ++i) {
        buffers.values[i] = scores[buffers.above[i]];
    }
    const ScoreCut<float> cut = cut_floats(codes, buffers.values, count);
    std::size_t equal_left = count - cut.num_above;
    for (std::size_t i = 0; i < num_above; ++i) {
        const float value = buffers.values[i];
        if (value > cut.threshold) {
            chosen.push_back(buffers.above[i]);
        } else if (value == cut.threshold && equal_left != 0) {
            chosen.push_back(buffers.above[i]);
            --equal_left;
        }
    }
}

void BestEntries::reserve(std::size_t capacity) {
    if (entries_.size() >= capacity) {
        return;
    }
    capacity = std::max(capacity, entries_.size() * 3 / 2);
    entries_.resize(capacity);
    AlignedBuffer<std::int16_t> values(capacity + kCodeBlock);
    std::copy_n(values_.data(), size_, values.data());
    values_ = std::move(values);
}

void BestEntries::make_room(const CodesKernels& kernels, std::size_t count) {
    if (size_ + count > entries_.size()) {
        cut(kernels);
        reserve(std::max(size_ + count, 3 * wanted_ + count + 4 * kCodeBlock));
    }
}

void BestEntries::collect(const CodesKernels& kernels, const std::int16_t* scores,
                          std::span<const std::uint32_t> first_entries) {
    std::size_t block = 0;
    while (block < first_entries.size()) {
        reserve(std::max(size_ + kCodeBlock, 2 * wanted_ + 4 * kCodeBlock));
        std::size_t num_read = 0;
        const std::size_t found = kernels.collect_above(
            scores + block * kCodeBlock, first_entries.size() - block, threshold_,
            entries_.size() - size_, entries_.data() + size_, values_.data() + size_, &num_read);
        for (std::size_t i = size_; i < size_ + found; ++i) {
            entries_[i] =
                first_entries[block + entries_[i] / kCodeBlock] + entries_[i] % kCodeBlock;
        }
        size_ += found;
        block += num_read;
        if (block < first_entries.size()) {
            cut(kernels);
        }
    }
}

void BestEntries::cut(const CodesKernels& kernels) {
    if (size_ <= wanted_) {
        return;
    }
    const std::size_t num_blocks = (size_ + kCodeBlock - 1) / kCodeBlock;
    std::fill(values_.data() + size_, values_.data() + num_blocks * kCodeBlock, kNoScore);
    const ScoreCut<std::int16_t> cut = cut_scores(kernels, values_.data(), num_blocks, wanted_);
    std::size_t equal_left = wanted_ - cut.num_above;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
        const std::int16_t value = values_[i];
        const bool equal = value == cut.threshold && equal_left != 0;
        entries_[kept] = entries_[i];
        values_[kept] = value;
        kept += value > cut.threshold || equal ? 1 : 0;
        equal_left -= equal ? 1 : 0;
    }
    size_ = kept;
    // Entries to come that are equal to the last one kept come behind it.
    threshold_ = std::max(threshold_, cut.threshold);
}

void BestEntries::raise_threshold(const CodesKernels& kernels, const std::int16_t* scores,
                                  std::size_t num_blocks, SelectBuffers& buffers) {
    const std::size_t num_groups = (wanted_ * kGroupsPerWanted + kCodeBlock - 1) / kCodeBlock;
    if (2 * num_groups <= num_blocks) {
        if (buffers.greatest_scores.size() < num_groups * kCodeBlock) {
            buffers.greatest_scores = AlignedBuffer<std::int16_t>(num_groups * kCodeBlock * 2);
        }
        kernels.fold_scores(scores, num_blocks, num_groups, buffers.greatest_scores.data());
        scores = buffers.greatest_scores.data();
        num_blocks = num_groups;
    }
    if (wanted_ == 0 || wanted_ >= num_blocks * kCodeBlock) {
        return;
    }
    const ScoreCut<std::int16_t> cut = cut_scores(kernels, scores, num_blocks, wanted_);
    const int threshold = cut.num_above == wanted_ ? cut.threshold : cut.threshold - 1;
    threshold_ =
        std::max(threshold_, static_cast<std::int16_t>(std::max<int>(threshold, kNoScore)));
}

}  // namespace segue
