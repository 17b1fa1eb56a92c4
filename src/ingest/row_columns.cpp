#include "ingest/row_columns.h"

#include <algorithm>

#include "ingest/column_choice.h"

namespace segue {

namespace {

/// The attribute called `name` in the table of items, else in the main one.
Result<AttributeColumn> find_attribute(const std::string& name, const Table* rows,
                                       const Table* items) {
    AttributeColumn attribute{name, std::nullopt, std::nullopt};
    if (items != nullptr) {
        attribute.in_items = items->try_find_column(name);
    }
    if (!attribute.in_items && rows != nullptr) {
        attribute.in_rows = rows->try_find_column(name);
    }
    if (attribute.in_items || attribute.in_rows) {
        return attribute;
    }
    const Status status = (items != nullptr ? items : rows)->find_column(name).status();
    return items != nullptr && rows != nullptr ? status.with_context("neither table has it")
                                               : status;
}

/// The title as named or guessed; nothing when it is to be guessed and no column looks like one.
Result<std::optional<AttributeColumn>> choose_title(const IngestOptions& options, const Table* rows,
                                                    const Table* items, const RowColumns& columns,
                                                    std::vector<ColumnGuess>& guesses) {
    if (!options.title_column.empty()) {
        Result<AttributeColumn> title = find_attribute(options.title_column, rows, items);
        if (!title.ok()) {
            return title.status();
        }
        title->name = "title";
        return std::optional<AttributeColumn>(*title);
    }
    AttributeColumn title{"title", std::nullopt, std::nullopt};
    if (options.guess_title && items != nullptr) {
        title.in_items = guess_column(*items, ColumnRole::kTitle, {*columns.item_key});
    }
    if (options.guess_title && !title.in_items && rows != nullptr) {
        title.in_rows = guess_column(*rows, ColumnRole::kTitle, {columns.group, columns.item});
    }
    if (!title.in_items && !title.in_rows) {
        return std::optional<AttributeColumn>();
    }
    guesses.push_back({"title", title.in_items ? items->columns()[*title.in_items].name
                                               : rows->columns()[*title.in_rows].name});
    return std::optional<AttributeColumn>(title);
}

Result<std::optional<std::size_t>> find_optional(const Table& table, const std::string& name) {
    if (name.empty()) {
        return std::optional<std::size_t>();
    }
    const Result<std::size_t> column = table.find_column(name);
    if (!column.ok()) {
        return column.status();
    }
    return std::optional<std::size_t>(*column);
}

Status choose_main_columns(const IngestOptions& options, const Table& rows, RowColumns& columns,
                           std::vector<ColumnGuess>& guesses) {
    // A column that is named is not there to be guessed for another role.
    std::vector<std::size_t> taken;
    for (const std::string* name : {&options.group_column, &options.item_column,
                                    &options.weight_column, &options.time_column}) {
        const std::optional<std::size_t> column = rows.try_find_column(*name);
        if (!name->empty() && column) {
            taken.push_back(*column);
        }
    }
    const Result<std::size_t> group =
        choose_column(rows, ColumnRole::kGroup, options.group_column, taken, guesses);
    if (!group.ok()) {
        return group.status();
    }
    taken.push_back(*group);
    const Result<std::size_t> item =
        choose_column(rows, ColumnRole::kItem, options.item_column, taken, guesses);
    if (!item.ok()) {
        return item.status();
    }
    columns.group = *group;
    columns.item = *item;
    const auto weight = find_optional(rows, options.weight_column);
    const auto time = find_optional(rows, options.time_column);
    if (!weight.ok() || !time.ok()) {
        return weight.ok() ? time.status() : weight.status();
    }
    columns.weight = *weight;
    columns.time = *time;
    return Status();
}

/// The key column of the table of items: as named, else called like the item column, else guessed.
Result<std::size_t> choose_item_key(const IngestOptions& options, const Table* rows,
                                    const Table& items, const RowColumns& columns,
                                    std::vector<ColumnGuess>& guesses) {
    if (options.item_key_column.empty() && rows != nullptr) {
        const std::string& name = rows->columns()[columns.item].name;
        if (const std::optional<std::size_t> same = items.try_find_column(name)) {
            guesses.push_back({"item key", items.columns()[*same].name});
            return *same;
        }
    }
    return choose_column(items, ColumnRole::kItemKey, options.item_key_column, {}, guesses);
}

}  // namespace

Result<RowColumns> choose_columns(const IngestOptions& options, const Table* rows,
                                  const Table* items, std::vector<ColumnGuess>& guesses) {
    RowColumns columns;
    if (rows != nullptr) {
        if (Status status = choose_main_columns(options, *rows, columns, guesses); !status.ok()) {
            return status;
        }
    }
    if (items != nullptr) {
        const Result<std::size_t> key = choose_item_key(options, rows, *items, columns, guesses);
        if (!key.ok()) {
            return key.status();
        }
        columns.item_key = *key;
    }
    Result<std::optional<AttributeColumn>> title =
        choose_title(options, rows, items, columns, guesses);
    if (!title.ok()) {
        return title.status();
    }
    if (title->has_value()) {
        columns.has_title = true;
        columns.attributes.push_back(std::move(**title));
    } else if (options.drop_null_titles) {
        return invalid_argument(
            "rows without a title are to be dropped, but there is no title column; say --title");
    }
    for (const std::string& name : options.attribute_columns) {
        Result<AttributeColumn> attribute = find_attribute(name, rows, items);
        if (!attribute.ok()) {
            return attribute.status();
        }
        const auto same = std::find_if(
            columns.attributes.begin(), columns.attributes.end(),
            [&](const AttributeColumn& other) { return other.name == attribute->name; });
        if (same != columns.attributes.end()) {
            if (same->in_rows == attribute->in_rows && same->in_items == attribute->in_items) {
                continue;
            }
            return invalid_argument("there are two columns to be the attribute '" + name + "'");
        }
        columns.attributes.push_back(std::move(*attribute));
    }
    return columns;
}

}  // namespace segue
