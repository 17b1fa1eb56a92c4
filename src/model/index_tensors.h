#pragma once

// The tables of an index as tensors `index.*` of a bundle; docs/bundle_format.md has their shapes.

#include <cstdint>

#include "base/aligned_buffer.h"
#include "bundle/writer.h"
#include "data/matrix.h"
#include "index_build/index_tables.h"
#include "model/model_metadata.h"
#include "model/table_finder.h"

namespace segue {

/// Tables of an index found in a bundle, and copies of those that did not begin at cache lines
/// there. Move-only.
struct FoundIndex {
    IndexTables tables;
    Matrix leaf_centres;
    AlignedBuffer<std::uint8_t> rows;
    AlignedBuffer<std::uint8_t> codes;
    AlignedBuffer<std::uint32_t> code_positions;
    AlignedBuffer<float> codebook;
};

bool has_index(const TableFinder& finder);

/// Views of the tensors, in the sizes they happen to have: LeafIndex::open() checks that they fit
/// together. What is missing is the finder's complaint.
FoundIndex find_index(TableFinder& finder, const StatedIndex& stated, std::size_t num_items,
                      std::size_t dim);

/// What of an index cannot be written as it lies in memory.
class IndexTensors {
public:
    /// Views the tables, which must outlive it.
    explicit IndexTensors(const IndexTables& tables);

    /// Requires: *this lives until the writer is done.
    void add_to(BundleWriter& writer) const;

private:
    IndexTables tables_;
    AlignedBuffer<std::uint8_t> padded_rows_;  // where the rows end within a cache line
};

}  // namespace segue
