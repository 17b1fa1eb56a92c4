#include <fmt/core.h>

#include "bundle/writer.h"
#include "model/model.h"
#include "model/model_metadata.h"
#include "model/model_tables.h"

namespace segue {

namespace {

template <typename Element>
void add_column(BundleWriter& writer, std::string name, std::span<const Element> values) {
    writer.add_tensor(std::move(name), {values.size()}, values);
}

void add_strings(BundleWriter& writer, const std::string& name, StringTableView strings) {
    add_column(writer, name + ".offsets", strings.offsets());
    add_column(writer, name + ".bytes", strings.bytes());
}

void add_tables(BundleWriter& writer, const TableViews& tables) {
    const MatrixView& vectors = tables.item_vectors;
    if (vectors.num_rows > 0) {
        writer.add_tensor("item_vectors", {vectors.num_rows, vectors.stride},
                          std::span(vectors.data, vectors.num_rows * vectors.stride));
    }
    add_strings(writer, "item_keys", tables.item_keys);
    if (!tables.item_frequencies.empty()) {
        add_column(writer, "item_frequencies", tables.item_frequencies);
    }
    for (std::size_t index = 0; index < tables.attributes.size(); ++index) {
        add_strings(writer, "attributes." + tables.attribute_names[index],
                    tables.attributes[index]);
    }
    const NeighboursView& neighbours = tables.neighbours;
    if (!neighbours.offsets.empty()) {
        add_column(writer, "neighbours.offsets", neighbours.offsets);
        add_column(writer, "neighbours.items", neighbours.item_rows);
        add_column(writer, "neighbours.scores", neighbours.scores);
        if (!neighbours.together.empty()) {
            add_column(writer, "neighbours.together", neighbours.together);
        }
    }
    const SparseView& interactions = tables.interactions;
    if (interactions.num_rows > 0) {
        add_strings(writer, "group_keys", tables.group_keys);
        add_column(writer, "interactions.offsets", interactions.offsets);
        add_column(writer, "interactions.items", interactions.columns);
        if (!interactions.values.empty()) {
            add_column(writer, "interactions.values", interactions.values);
        }
    }
}

}  // namespace

Status write_bundle(const ModelParts& parts, const std::string& path, bool overwrite) {
    SEGUE_ASSERT(parts.attributes.names.size() == parts.attributes.columns.size());
    const TableViews tables = views_of(parts);
    if (Status status = check_tables(parts.info, tables); !status.ok()) {
        return invalid_argument(
            fmt::format("this model cannot be written to '{}': {}", path, status.message()));
    }
    BundleWriter writer;
    add_stated_model(parts.info, tables, writer);
    add_tables(writer, tables);
    return writer.write(path, overwrite);
}

}  // namespace segue
