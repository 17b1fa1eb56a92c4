#pragma once

// Query vectors: sums of unit vectors, and histories solved as row problems of the model's
// objective.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "data/matrix.h"
#include "linalg/fold_in.h"
#include "model/model.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"
#include "recommend/scratch_pool.h"

namespace segue {

/// Euclidean length, summed in double.
double vector_norm(std::span<const float> vector);

/// Asks for all of a vector that is read soon.
inline void prefetch_vector(std::span<const float> vector) {
    constexpr std::size_t kFloatsPerLine = 16;  // of the cache
    for (std::size_t place = 0; place < vector.size(); place += kFloatsPerLine) {
        __builtin_prefetch(vector.data() + place);
    }
}

/// Writes the vector scaled to the length `weight`, zeros for a zero vector, to `unit` [dim]: what
/// VectorSum::add_unit() alone comes to.
void write_unit(std::span<const float> vector, double weight, std::span<float> unit);

/// Adds up weighted vectors in double. Not thread-safe.
class VectorSum {
public:
    VectorSum() = default;
    explicit VectorSum(std::size_t dim) { reset(dim); }

    /// A sum of nothing, in the memory there is.
    void reset(std::size_t dim) { sum_.assign(dim, 0); }

    void add(std::span<const float> vector, double weight);
    /// Adds the vector scaled to length 1; a zero vector adds nothing.
    void add_unit(std::span<const float> vector, double weight);
    /// Adds the sum of another scaled to length 1.
    void add_unit(const VectorSum& other);
    /// Writes the sum to `vector` [dim].
    void write(std::span<float> vector) const;

private:
    std::vector<double> sum_;
};

/// Solves histories as the model's objective would have it. Views the model. Thread-safe.
class HistoryFolder {
public:
    explicit HistoryFolder(const Model& model);
    ~HistoryFolder();

    /// Writes the vector of a history to `vector` [dim]. `values` [item_rows.size()] are the
    /// weights of the entries, or empty: all 1. An empty history gives zeros. Returns an error if:
    /// the row problem has no single solution.
    Status fold_in(std::span<const std::uint32_t> item_rows, std::span<const float> values,
                   std::span<float> vector) const;

private:
    const FoldIn& solver() const;

    const Model& model_;
    mutable std::once_flag solver_made_;
    mutable std::unique_ptr<FoldIn> solver_;
    mutable ScratchPool<FoldInScratch> scratches_;
};

}  // namespace segue
