#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "data/neighbours.h"

namespace segue {

/// Fills the lists [begin, end) of a batch: lists[q - begin] for query q, empty at first.
using FillBlock = std::function<Status(std::size_t begin, std::size_t end,
                                       std::vector<std::vector<ScoredRow>>& lists)>;

/// Runs a batch of `num_lists` block after block, so that what a block needs (queries, lists in
/// progress) does not grow with the batch, and joins the lists in their order. Returns the first
/// error of a block.
Result<Neighbours> collect_lists(std::size_t num_lists, std::string_view stage,
                                 const ProgressListener& progress, const FillBlock& fill);

}  // namespace segue
