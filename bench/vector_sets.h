#pragma once

// Sets of vectors that indexes are measured on: raw files that C++, numpy and anything else read,
// with a small JSON beside them, made once and kept.
//     FOLDER/set.json      what the set is: counts, dimension, origin, seed
//     FOLDER/base.f32      [num_items x dim] without padding, little-endian
//     FOLDER/queries.f32   [num_queries x dim]
//     FOLDER/self.u32      [num_queries] the item a query is, where queries are items
//     FOLDER/truth.u32     [num_queries x 100] rows of the best items by dot product, best first
//     FOLDER/truth.f32     [num_queries x 100] their scores

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/matrix.h"

namespace segue::bench {

/// Neighbours stored for each query.
inline constexpr std::size_t kTruthSize = 100;

/// Items and queries of one set. All sets are searched by dot product; where vectors have length 1
/// that is the cosine too. Thread-compatible.
struct VectorSet {
    std::string name;
    std::string origin;  // one sentence for the report
    bool unit = false;   // all vectors have length 1
    std::uint64_t seed = 0;
    Matrix items;
    Matrix queries;
    /// [num_queries] or empty: the item a query is, which is no answer to it.
    std::vector<std::uint32_t> self = {};
};

/// The exact answers to a set's queries.
struct SetTruth {
    std::vector<std::uint32_t> rows;  // [num_queries x kTruthSize]
    std::vector<float> scores;        // [num_queries x kTruthSize]
};

/// Writes set.json last, so that a folder with one is whole. Returns an error if: a file cannot be
/// written.
Status write_set(const VectorSet& set, const std::string& folder);

/// Returns an error if: a file is missing or its size is not what set.json says.
Result<VectorSet> read_set(const std::string& folder);

/// Local intrinsic dimension around queries, by maximum likelihood over the 100 nearest by
/// Euclidean distance (Levina and Bickel; Amsaleg et al.): mean and the tenth and ninetieth
/// percentile.
struct IntrinsicDimension {
    double mean = 0;
    double low = 0;
    double high = 0;
};

Status write_truth(const SetTruth& truth, const std::string& folder);
Result<SetTruth> read_truth(const std::string& folder, std::size_t num_queries);

/// A set and its exact answers.
struct MeasuredSet {
    VectorSet set;
    SetTruth truth;
};

Result<MeasuredSet> read_set_with_truth(const std::string& folder);

/// Scales every row that is not zero to length 1.
void normalise_rows(Matrix& rows);

/// Rows [begin, end) of a matrix, copied.
Matrix copy_rows(const Matrix& rows, std::size_t begin, std::size_t end);

}  // namespace segue::bench
