#pragma once

#include "data/sparse.h"
#include "train/als.h"

namespace segue {

/// Parameters of the `ials` recipe worked out from the table: its density and sizes. How they were
/// found, and what they reach on which data, is in docs/numerics.md.
AlsParams default_ials_params(const SparseView& interactions, std::size_t dim);

}  // namespace segue
