#include <fmt/core.h>

#include <optional>
#include <utility>

#include "base/json_reader.h"
#include "bundle/reader.h"
#include "bundle/writer.h"
#include "model/index_tensors.h"
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

/// Returns an error if: the index is not one of these vectors, or its facts cannot be read back.
Status check_index(const IndexTables& index, const MatrixView& vectors, const IndexFacts& facts) {
    if (Status status = check_json_object(facts.report_json); !status.ok()) {
        return status.with_context("report of the index");
    }
    return LeafIndex::open(index, vectors, facts.settings).status();
}

/// Metadata the writer adds itself, and those of the index that is replaced.
bool is_written_anew(std::string_view key) {
    return key == kFormatVersionKey || key == kHeaderChecksumKey ||
           key.starts_with(kTensorChecksumPrefix) || key.starts_with("segue.index.");
}

/// The tensors that stay, in the order their checksums have in the header, which is that in which
/// they were handed to the writer: a bundle whose index is replaced has the bytes of one written
/// with that index at once.
std::vector<TensorView> tensors_kept(const BundleReader& bundle) {
    std::vector<TensorView> kept;
    for (const auto& [key, checksum] : bundle.metadata()) {
        const std::string_view name =
            key.starts_with(kTensorChecksumPrefix)
                ? std::string_view(key).substr(kTensorChecksumPrefix.size())
                : std::string_view();
        const TensorView* const tensor = bundle.find(name);
        if (tensor != nullptr && !name.starts_with("index.")) {
            kept.push_back(*tensor);
        }
    }
    return kept;
}

}  // namespace

Status write_bundle(const ModelParts& parts, const std::string& path, bool overwrite) {
    SEGUE_ASSERT(parts.attributes.names.size() == parts.attributes.columns.size());
    const TableViews tables = views_of(parts);
    const MatrixView& vectors = tables.item_vectors;
    ThreadPool pool(threads_for_checks(vectors.num_rows * vectors.stride * sizeof(float)));
    Status status = check_tables(parts.info, tables, pool);
    std::optional<IndexTensors> index;
    if (status.ok() && parts.index) {
        index.emplace(parts.index->tables());
        status = check_index(parts.index->tables(), vectors, parts.index_facts);
    }
    if (!status.ok()) {
        return invalid_argument(
            fmt::format("this model cannot be written to '{}': {}", path, status.message()));
    }
    BundleWriter writer;
    add_stated_model(parts.info, tables, writer);
    add_tables(writer, tables);
    if (index) {
        add_stated_index(parts.index->tables(), parts.index_facts, writer);
        index->add_to(writer);
    }
    return writer.write(path, overwrite);
}

Status replace_index(const std::string& path, const IndexTables& index, const IndexFacts& facts) {
    const Result<BundleReader> old = BundleReader::open(path, true);
    if (!old.ok()) {
        return old.status();
    }
    const Result<Model> model = Model::open(path, {.verify_checksums = false, .open_index = false});
    if (!model.ok()) {
        return model.status();
    }
    if (Status status = check_index(index, model->item_vectors(), facts); !status.ok()) {
        return invalid_argument(
            fmt::format("this index cannot be written to '{}': {}", path, status.message()));
    }
    BundleWriter writer;
    for (const auto& [key, value] : old->metadata()) {
        if (!is_written_anew(key)) {
            writer.add_metadata(key, std::string_view(value));
        }
    }
    add_stated_index(index, facts, writer);
    const IndexTensors index_tensors(index);
    for (TensorView& tensor : tensors_kept(*old)) {
        writer.add_tensor(std::move(tensor));
    }
    index_tensors.add_to(writer);
    return writer.write(path, true);
}

}  // namespace segue
