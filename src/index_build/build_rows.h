#pragma once

#include "base/progress.h"
#include "base/thread_pool.h"
#include "index_build/build_items.h"
#include "index_build/index_tables.h"

namespace segue {

/// Fills rows, row_scales, block_errors, norms, norm_levels, norm_low and norm_ratio of `parts`
/// from its item_rows. The same bytes for any number of threads.
void fill_rows(const BuildItems& items, IndexParts& parts, ThreadPool& pool,
               const ProgressListener& progress);

}  // namespace segue
