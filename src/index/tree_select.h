#pragma once

// The best R of many scores without sorting or a heap: the threshold that leaves R is found by
// counting, among the greatest of groups of scores first.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/codes_kernels.h"

namespace segue {

/// What divides the best `rank` of some scores from the others: those above `threshold`, and of
/// those equal to it the first rank - num_above.
template <typename Score>
struct ScoreCut {
    Score threshold = 0;
    std::size_t num_above = 0;
};

/// Requires: 1 <= rank <= scores.size(), no NaN.
ScoreCut<float> cut_floats(const kernels::CodesKernels& kernels, std::span<const float> scores,
                           std::size_t rank);

/// Memory of choose_best and BestEntries. Not thread-safe.
struct SelectBuffers {
    std::vector<float> greatest;
    std::vector<float> values;
    std::vector<std::uint32_t> above;
    AlignedBuffer<std::int16_t> greatest_scores;
};

/// The indices of the best `count` scores, ascending; of equal scores the first. Fewer where fewer
/// are above minus infinity. NaN is above nothing.
void choose_best(std::span<const float> scores, std::size_t count, SelectBuffers& buffers,
                 std::vector<std::uint32_t>& chosen);

/// Entries with their scores, cut to the best R again and again: which are kept does not depend on
/// when that was. Not thread-safe.
class BestEntries {
public:
    /// Begins anew.
    void start(std::size_t count) {
        wanted_ = count;
        size_ = 0;
        threshold_ = kernels::kNoScore;
    }
    /// Entries at or below this are not among the best.
    std::int16_t threshold() const { return threshold_; }
    std::size_t size() const { return size_; }
    std::span<const std::uint32_t> entries() const { return {entries_.data(), size_}; }

    /// Adds those above the threshold of `scores` [num_blocks * 32]: entry i has the number
    /// first_entries[i / 32] + i % 32. Requires: numbers ascend, from call to call too.
    void collect(const kernels::CodesKernels& kernels, const std::int16_t* scores,
                 std::span<const std::uint32_t> first_entries);
    /// Room for `count` more: the caller writes them to next_entries() and next_values(), under the
    /// same conditions, and then calls add. May cut.
    void make_room(const kernels::CodesKernels& kernels, std::size_t count);
    std::size_t room() const { return entries_.size() - size_; }
    std::uint32_t* next_entries() { return entries_.data() + size_; }
    std::int16_t* next_values() { return values_.data() + size_; }
    void add(std::size_t count) { size_ += count; }
    /// Leaves the best, and of those with the last score the first.
    void cut(const kernels::CodesKernels& kernels);

    /// Raises the threshold to one that at least the wanted number of `scores` are above or equal
    /// to the last of, and few more: of all or some of what will be collected.
    void raise_threshold(const kernels::CodesKernels& kernels, const std::int16_t* scores,
                         std::size_t num_blocks, SelectBuffers& buffers);

private:
    void reserve(std::size_t capacity);

    std::size_t wanted_ = 0;
    std::size_t size_ = 0;
    std::int16_t threshold_ = kernels::kNoScore;
    std::vector<std::uint32_t> entries_;
    AlignedBuffer<std::int16_t> values_;
};

}  // namespace segue
