#include "model/model.h"

#include <algorithm>

#include "model/model_tables.h"

namespace segue {

std::string_view name_of(AnswerBy answer_by) {
    switch (answer_by) {
        case AnswerBy::kLists:
            return "lists";
        case AnswerBy::kFoldIn:
            return "fold_in";
        case AnswerBy::kVectors:
            return "vectors";
    }
    return "unknown";
}

TableViews views_of(const ModelParts& parts) {
    TableViews views;
    views.item_keys = parts.items.keys();
    views.attribute_names = parts.attributes.names;
    for (const StringTable& column : parts.attributes.columns) {
        views.attributes.push_back(column.view());
    }
    views.item_frequencies = parts.item_frequencies;
    if (parts.item_vectors.num_rows() > 0) {
        views.item_vectors = parts.item_vectors.view();
    }
    if (parts.neighbours.offsets.size() > 1) {
        views.neighbours = parts.neighbours.view();
    }
    views.group_keys = parts.groups.keys();
    views.interactions = parts.interactions.view();
    if (parts.groups.size() == 0 && parts.interactions.num_rows == 0) {
        views.interactions = {};
        views.interactions.num_columns = parts.items.size();
    }
    return views;
}

Model Model::from_parts(ModelParts parts) {
    auto tables = std::make_unique<Tables>();
    tables->parts = std::move(parts);
    tables->info = tables->parts.info;
    tables->views = views_of(tables->parts);
    const TableViews& views = tables->views;
    const std::size_t num_items = views.item_keys.size();
    SEGUE_ASSERT(views.attributes.size() == views.attribute_names.size());
    for (const StringTableView& column : views.attributes) {
        SEGUE_ASSERT(column.size() == num_items);
    }
    SEGUE_ASSERT(views.item_frequencies.empty() || views.item_frequencies.size() == num_items);
    SEGUE_ASSERT(views.item_vectors.num_rows == 0 || views.item_vectors.num_rows == num_items);
    SEGUE_ASSERT(views.neighbours.offsets.empty() || views.neighbours.num_items() == num_items);
    SEGUE_ASSERT(views.interactions.num_rows == views.group_keys.size());
    SEGUE_ASSERT(views.interactions.num_columns == num_items);
    if (tables->parts.index) {
        Result<LeafIndex> opened = LeafIndex::open(
            tables->parts.index->tables(), views.item_vectors, tables->parts.index_facts.settings);
        SEGUE_ASSERT(opened.ok());
        tables->index = std::move(opened).value();
        tables->index_facts = tables->parts.index_facts;
    }
    return Model(std::move(tables));
}

ModelParts Model::release_parts() && {
    SEGUE_ASSERT(!tables_->file);
    tables_->index.reset();
    return std::move(tables_->parts);
}

Model::Model(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelInfo& Model::info() const {
    return tables_->info;
}

std::size_t Model::num_items() const {
    return tables_->views.item_keys.size();
}

StringTableView Model::item_keys() const {
    return tables_->views.item_keys;
}

std::optional<std::uint32_t> Model::find_item(std::string_view item_key) const {
    return tables_->file ? tables_->item_index.find(item_keys(), item_key)
                         : tables_->parts.items.find(item_key);
}

const std::vector<std::string>& Model::attribute_names() const {
    return tables_->views.attribute_names;
}

StringTableView Model::attribute(std::size_t index) const {
    SEGUE_ASSERT(index < tables_->views.attributes.size());
    return tables_->views.attributes[index];
}

std::optional<StringTableView> Model::titles() const {
    const std::vector<std::string>& names = attribute_names();
    const auto title = std::find(names.begin(), names.end(), "title");
    if (title == names.end()) {
        return std::nullopt;
    }
    return attribute(static_cast<std::size_t>(title - names.begin()));
}

std::span<const std::uint32_t> Model::item_frequencies() const {
    return tables_->views.item_frequencies;
}

MatrixView Model::item_vectors() const {
    return tables_->views.item_vectors;
}

NeighboursView Model::neighbours() const {
    return tables_->views.neighbours;
}

const LeafIndex* Model::index() const {
    return tables_->index ? &*tables_->index : nullptr;
}

const IndexFacts& Model::index_facts() const {
    return tables_->index_facts;
}

SparseView Model::interactions() const {
    return tables_->views.interactions;
}

SparseView Model::interactions_by_item() const {
    Tables& tables = *tables_;
    std::call_once(tables.by_item_made,
                   [&] { tables.by_item = transpose(tables.views.interactions); });
    return tables.by_item.view();
}

StringTableView Model::group_keys() const {
    return tables_->views.group_keys;
}

std::optional<std::uint32_t> Model::find_group(std::string_view group_key) const {
    return tables_->file ? tables_->group_index.find(group_keys(), group_key)
                         : tables_->parts.groups.find(group_key);
}

}  // namespace segue
