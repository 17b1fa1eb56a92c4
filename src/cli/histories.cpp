#include "cli/histories.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "tables/session.h"
#include "tables/table_reader.h"

namespace segue::cli {
namespace {

constexpr std::size_t kUnknownGroupsKept = 10;

Status check_groups_stored(const Model& model) {
    return model.interactions().num_rows > 0
               ? Status()
               : invalid_argument(
                     fmt::format("this {} model stores no groups", model.info().recipe));
}

/// Keys are text or whole numbers; both as text.
std::string key_text(const ColumnView& column, std::size_t row) {
    return column.kind() == ColumnView::Kind::kInteger ? fmt::format("{}", column.integer(row))
                                                       : std::string(column.text(row));
}

/// The group column asked for, or the one that can only be meant.
Result<std::size_t> group_column_of(const Table& table, const HistoryTable& asked) {
    if (!asked.group_column.empty()) {
        return table.find_column(asked.group_column);
    }
    if (const std::optional<std::size_t> named = table.try_find_column("group")) {
        return *named;
    }
    if (table.columns().size() == 1) {
        return std::size_t{0};
    }
    return invalid_argument(
        fmt::format("{} has {} columns and none is called group; say "
                    "--group-column COL",
                    table.description(), table.columns().size()));
}

/// A (group, item) row of a table; item_row is meaningless without an item column.
Status for_each_row(const Model& model, const HistoryTable& asked, Histories& histories,
                    std::vector<Triplet>& entries) {
    Result<Session> session = Session::open({});
    if (!session.ok()) {
        return session.status();
    }
    const Result<Table> table = Table::open(*session, {.paths = asked.paths, .sql = {}});
    if (!table.ok()) {
        return table.status();
    }
    const Result<std::size_t> group = group_column_of(*table, asked);
    if (!group.ok()) {
        return group.status();
    }
    std::vector<ColumnRequest> requests = {{*group, ColumnUse::kKey}};
    if (!asked.item_column.empty()) {
        const Result<std::size_t> item = table->find_column(asked.item_column);
        if (!item.ok()) {
            return item.status();
        }
        requests.push_back({*item, ColumnUse::kKey});
    }
    Result<TableRows> rows = table->read(requests);
    if (!rows.ok()) {
        return rows.status();
    }
    for (;;) {
        const Result<std::optional<TableChunk>> next = rows->next();
        if (!next.ok()) {
            return next.status();
        }
        if (!next->has_value()) {
            return {};
        }
        const TableChunk& chunk = **next;
        for (std::size_t row = 0; row < chunk.num_rows; ++row) {
            if (chunk.columns[0].is_null(row)) {
                continue;
            }
            const std::uint32_t group_row =
                histories.groups.insert(key_text(chunk.columns[0], row));
            if (requests.size() < 2 || chunk.columns[1].is_null(row)) {
                continue;
            }
            if (const auto item_row = model.find_item(key_text(chunk.columns[1], row))) {
                entries.push_back({group_row, *item_row, 1});
            } else {
                ++histories.num_unknown_items;
            }
        }
    }
}

}  // namespace

Result<Histories> stored_histories(const Model& model, const std::vector<std::string>& group_keys) {
    if (Status status = check_groups_stored(model); !status.ok()) {
        return status;
    }
    Histories histories;
    const SparseView stored = model.interactions();
    histories.items.num_columns = model.num_items();
    const bool has_values = !stored.values.empty();
    for (const std::string& key : group_keys) {
        const std::optional<std::uint32_t> row = model.find_group(key);
        if (!row) {
            ++histories.num_unknown_groups;
            if (histories.unknown_groups.size() < kUnknownGroupsKept) {
                histories.unknown_groups.push_back(key);
            }
            continue;
        }
        if (histories.groups.insert(key) != histories.items.num_rows) {
            continue;  // named twice
        }
        const std::span<const std::uint32_t> columns = stored.row_columns(*row);
        histories.items.columns.insert(histories.items.columns.end(), columns.begin(),
                                       columns.end());
        if (has_values) {
            const std::span<const float> values = stored.row_values(*row);
            histories.items.values.insert(histories.items.values.end(), values.begin(),
                                          values.end());
        }
        histories.items.offsets.push_back(histories.items.columns.size());
        ++histories.items.num_rows;
    }
    return histories;
}

Result<Histories> table_histories(const Model& model, const HistoryTable& table) {
    Histories read;
    std::vector<Triplet> entries;
    if (Status status = for_each_row(model, table, read, entries); !status.ok()) {
        return status;
    }
    if (table.item_column.empty()) {
        std::vector<std::string> keys;
        for (std::size_t row = 0; row < read.groups.size(); ++row) {
            keys.emplace_back(read.groups[row]);
        }
        return stored_histories(model, keys);
    }
    // A pair counts once, as in the default of segue fit.
    const auto in_order = [](const Triplet& left, const Triplet& right) {
        return std::pair(left.row, left.column) < std::pair(right.row, right.column);
    };
    const auto same_place = [](const Triplet& left, const Triplet& right) {
        return left.row == right.row && left.column == right.column;
    };
    std::sort(entries.begin(), entries.end(), in_order);
    entries.erase(std::unique(entries.begin(), entries.end(), same_place), entries.end());
    read.items = sparse_from_triplets(read.groups.size(), model.num_items(), entries);
    return read;
}

SparseMatrix rows_between(const SparseView& matrix, std::size_t begin, std::size_t end) {
    SparseMatrix rows;
    rows.num_rows = end - begin;
    rows.num_columns = matrix.num_columns;
    for (std::size_t row = begin; row < end; ++row) {
        const std::span<const std::uint32_t> columns = matrix.row_columns(row);
        const std::span<const float> values = matrix.row_values(row);
        rows.columns.insert(rows.columns.end(), columns.begin(), columns.end());
        rows.values.insert(rows.values.end(), values.begin(), values.end());
        rows.offsets.push_back(rows.columns.size());
    }
    return rows;
}

}  // namespace segue::cli
