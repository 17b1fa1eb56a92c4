#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace segue {

/// The vector of a set of items, and what of the set is unknown.
struct MeanVector {
    std::vector<float> vector;  // [dim]
    std::vector<std::string> unknown;
};

/// The mean of the raw vectors of the keys in `text`, which are between white space: TensorFlow's
/// embedding_lookup_sparse(combiner="mean") with a row of zeros for what is out of the vocabulary.
/// A key named twice counts twice, an unknown key adds zeros to the mean, no key at all gives
/// zeros.
MeanVector mean_vector(const Model& model, std::string_view text);

}  // namespace segue
