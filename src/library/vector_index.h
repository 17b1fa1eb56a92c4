#pragma once

// The installed library: search among vectors, in memory or in a bundle file, from any C++20
// program. `find_package(segue)` gives the target segue::segue and this header as
// <segue/vector_index.h>; examples/library is a whole program. docs/index.md explains the index.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "data/measure.h"
#include "data/neighbours.h"

namespace segue {

/// How an index is built; zeros mean: chosen from the data. The names are ScaNN's.
struct VectorBuildOptions {
    Measure measure = Measure::kDot;
    std::uint32_t num_leaves = 0;                     // 1: exact search alone
    float anisotropic_quantization_threshold = 0.2F;  // T, in [0, 1)
    float soar_lambda = 0;                            // 0: every item in one leaf only
    std::uint64_t seed = 1;
    unsigned num_threads = 0;  // 0: one for each core
};

enum class VectorPath {
    kAuto,   // chosen from the size, the filter and the settings of the index
    kExact,  // every item, by score, ties by row
    kTree,
};

/// What a search asks beside its vector.
struct VectorSearchOptions {
    std::size_t k = 10;
    /// Dot products are divided by ||item||^popularity_exponent. Only for Measure::kDot.
    double popularity_exponent = 0;
    /// Rows not to offer, in any order.
    std::span<const std::uint32_t> excluded = {};
    std::optional<float> min_score = {};
    VectorPath path = VectorPath::kAuto;
    std::uint32_t num_leaves_to_search = 0;      // 0: what the index was calibrated to
    std::uint32_t reordering_num_neighbors = 0;  // 0: what the index was calibrated to
};

class VectorIndex;

/// A set of rows that may be offered, made once for many searches. Move-only. Immutable,
/// thread-safe.
class VectorFilter {
public:
    VectorFilter(VectorFilter&&) noexcept;
    VectorFilter& operator=(VectorFilter&&) noexcept;
    ~VectorFilter();
    /// Rows that may be offered.
    std::size_t count() const;

private:
    friend class VectorIndex;
    struct State;
    explicit VectorFilter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Memory of one thread's searches: after some queries no search allocates. Not thread-safe; one a
/// thread, of any index.
class VectorScratch {
public:
    VectorScratch();
    VectorScratch(VectorScratch&&) noexcept;
    VectorScratch& operator=(VectorScratch&&) noexcept;
    ~VectorScratch();

private:
    friend class VectorIndex;
    struct State;
    std::unique_ptr<State> state_;
};

/// An index over rows of vectors, built in memory or opened from a bundle. Move-only. Immutable,
/// thread-safe.
class VectorIndex {
public:
    /// Copies `vectors` [num_rows x dim], row-major. The same index for any number of threads.
    /// Returns an error if: dim is 0 or above 4096, the vectors are no whole rows of it, or the
    /// options are invalid.
    static Result<VectorIndex> build(std::span<const float> vectors, std::size_t dim,
                                     const VectorBuildOptions& options = {},
                                     const ProgressListener& progress = {});
    /// Maps a bundle: one that save() wrote, or one of `segue fit` or `segue import` that has item
    /// vectors. Returns an error if: it is missing, damaged, or has no vectors.
    static Result<VectorIndex> open(const std::string& path);
    VectorIndex(VectorIndex&&) noexcept;
    VectorIndex& operator=(VectorIndex&&) noexcept;
    ~VectorIndex();

    /// Writes a bundle; the same index gives the same bytes. Keys are the row numbers, unless it
    /// was opened from a bundle with keys. Returns an error if: the file exists and `overwrite` is
    /// false, or it cannot be written.
    Status save(const std::string& path, bool overwrite = false) const;

    std::size_t num_rows() const;
    std::size_t dim() const;
    Measure measure() const;
    /// The key of a row; valid while *this lives. Requires: row < num_rows().
    std::string_view key(std::uint32_t row) const;

    /// `allowed`: bit r % 64 of word r / 64 set: row r may be offered. [(num_rows + 63) / 64]
    /// Returns an error if: it has another size.
    Result<VectorFilter> make_filter(std::span<const std::uint64_t> allowed) const;

    /// Replaces `results` by at most k, best first; fewer only where fewer rows may be offered.
    /// `filter` null: all rows. Returns an error if: the query has another dimension or an element
    /// that is not finite, the filter is of another index, or an option is invalid.
    Status search(std::span<const float> query, const VectorSearchOptions& options,
                  VectorScratch& scratch, std::vector<ScoredRow>& results,
                  const VectorFilter* filter = nullptr) const;

    /// The results of each row of `queries` [num_queries x dim], in their order: what search gives
    /// for each alone. `num_threads` 0: one for each core. Returns an error as search does, naming
    /// the query.
    Result<std::vector<std::vector<ScoredRow>>> search_batch(
        std::span<const float> queries, const VectorSearchOptions& options,
        unsigned num_threads = 0, const VectorFilter* filter = nullptr) const;

private:
    struct State;
    explicit VectorIndex(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue
