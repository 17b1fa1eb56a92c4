#include "model/index_tensors.h"

#include <fmt/core.h>

#include <algorithm>

namespace segue {

namespace {

template <typename Element>
void add_column(BundleWriter& writer, std::string name, std::span<const Element> values) {
    writer.add_tensor(std::move(name), {values.size()}, values);
}

/// The rows of all items; those that fill the last cache line are left out.
std::span<const std::uint8_t> find_rows(TableFinder& finder, std::size_t num_items, std::size_t dim,
                                        AlignedBuffer<std::uint8_t>& aligned) {
    const std::span<const std::uint8_t> stored = finder.at_cache_line("index.rows", 2, aligned);
    if (stored.size() / int8_row_bytes(dim) < num_items) {
        finder.fail(fmt::format("tensor 'index.rows' has {} bytes, expected {} rows of {}",
                                stored.size(), num_items, int8_row_bytes(dim)));
        return {};
    }
    return stored.first(num_items * int8_row_bytes(dim));
}

}  // namespace

bool has_index(const TableFinder& finder) {
    return finder.has("index.leaf_offsets");
}

FoundIndex find_index(TableFinder& finder, const StatedIndex& stated, std::size_t num_items,
                      std::size_t dim) {
    FoundIndex found;
    IndexTables& tables = found.tables;
    tables.measure = stated.measure;
    tables.built_exponent = stated.built_exponent;
    tables.num_items = num_items;
    tables.dim = dim;
    tables.norm_low = stated.norm_low;
    tables.norm_ratio = stated.norm_ratio;
    tables.leaf_offsets = finder.required<std::uint64_t>("index.leaf_offsets");
    tables.leaf_centres = finder.matrix("index.leaf_centres", dim, found.leaf_centres);
    tables.item_rows = finder.required<std::uint32_t>("index.item_rows");
    tables.rows = find_rows(finder, num_items, dim, found.rows);
    tables.row_scales = finder.required<float>("index.row_scales");
    tables.block_errors = finder.required<float>("index.block_errors");
    tables.norms = finder.required<float>("index.norms");
    tables.norm_levels = finder.required<std::uint8_t>("index.norm_levels");
    if (finder.has("index.code_offsets")) {
        tables.code_offsets = finder.required<std::uint64_t>("index.code_offsets");
        tables.codes = finder.at_cache_line("index.codes", 2, found.codes);
        tables.codebook = finder.at_cache_line("index.codebook", 3, found.codebook);
        if (finder.has("index.code_positions")) {
            tables.code_positions =
                finder.at_cache_line("index.code_positions", 1, found.code_positions);
        }
    }
    return found;
}

IndexTensors::IndexTensors(const IndexTables& tables) : tables_(tables) {
    const std::size_t bytes = tables.rows.size();
    if (bytes % kDataAlignment != 0) {
        padded_rows_ = AlignedBuffer<std::uint8_t>((bytes / kDataAlignment + 1) * kDataAlignment);
        std::copy(tables.rows.begin(), tables.rows.end(), padded_rows_.data());
    }
}

void IndexTensors::add_to(BundleWriter& writer) const {
    const MatrixView& centres = tables_.leaf_centres;
    const std::size_t row_bytes = int8_row_bytes(tables_.dim);
    const std::span<const std::uint8_t> rows =
        padded_rows_.size() != 0 ? padded_rows_.span() : tables_.rows;
    add_column(writer, "index.leaf_offsets", tables_.leaf_offsets);
    writer.add_tensor("index.leaf_centres", {centres.num_rows, centres.stride},
                      std::span(centres.data, centres.num_rows * centres.stride));
    add_column(writer, "index.item_rows", tables_.item_rows);
    writer.add_tensor("index.rows", {rows.size() / row_bytes, row_bytes}, rows);
    add_column(writer, "index.row_scales", tables_.row_scales);
    add_column(writer, "index.block_errors", tables_.block_errors);
    add_column(writer, "index.norms", tables_.norms);
    add_column(writer, "index.norm_levels", tables_.norm_levels);
    if (!tables_.has_codes()) {
        return;
    }
    const std::size_t block_bytes = code_block_bytes(tables_.dim);
    writer.add_tensor("index.codes", {tables_.codes.size() / block_bytes, block_bytes},
                      tables_.codes);
    add_column(writer, "index.code_offsets", tables_.code_offsets);
    if (!tables_.code_positions.empty()) {
        add_column(writer, "index.code_positions", tables_.code_positions);
    }
    writer.add_tensor("index.codebook",
                      {num_subspaces(tables_.dim), kDimensionsPerBlock, kCodewords},
                      tables_.codebook);
}

}  // namespace segue
