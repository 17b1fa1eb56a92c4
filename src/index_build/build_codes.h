#pragma once

#include <cstdint>
#include <span>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "index_build/build_index.h"
#include "index_build/build_items.h"
#include "index_build/index_tables.h"

namespace segue {

/// Learns the codebook of `parts` from residuals of a sample of its positions and fills codes and
/// code_offsets. Requires: leaf_offsets, leaf_centres and item_rows are there. The same bytes for
/// any number of threads.
void fill_codes(const BuildItems& items, const IndexBuildOptions& options, IndexParts& parts,
                ThreadPool& pool, const ProgressListener& progress);

}  // namespace segue
