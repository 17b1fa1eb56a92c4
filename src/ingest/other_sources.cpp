#include "ingest/other_sources.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace segue {

namespace {

std::string_view key_text(const ColumnView& column, std::size_t row, std::string& buffer) {
    if (column.is_null(row)) {
        return {};
    }
    if (column.kind() == ColumnView::Kind::kInteger) {
        buffer = DecimalText(column.integer(row)).view();
        return buffer;
    }
    return column.text(row);
}

}  // namespace

Status read_lists(const Table& table, bool group_is_first, const ProgressListener& listener,
                  IngestReport& report, RawRows& rows) {
    Result<TableRows> source = table.read(std::vector<ColumnRequest>{{0, ColumnUse::kText}});
    if (!source.ok()) {
        return source.status();
    }
    std::int64_t line_number = 0;
    for (;;) {
        const Result<std::optional<TableChunk>> chunk = source->next();
        if (!chunk.ok()) {
            return chunk.status();
        }
        if (!chunk->has_value()) {
            break;
        }
        const ColumnView& lines = (*chunk)->columns[0];
        for (std::size_t line = 0; line < (*chunk)->num_rows; ++line) {
            ++line_number;
            const std::vector<std::string_view> keys =
                split_on_space(lines.is_null(line) ? std::string_view() : lines.text(line));
            const std::size_t first_item = group_is_first ? 1 : 0;
            if (keys.size() <= first_item) {
                ++report.lists_without_items;
                continue;
            }
            if (rows.size() + keys.size() > kMostRows) {
                return resource_limit(fmt::format("{} has more than {} items", table.description(),
                                                  with_commas(kMostRows)));
            }
            const std::uint32_t group = group_is_first ? rows.groups.number_of(keys[0])
                                                       : rows.groups.number_of(line_number);
            for (std::size_t key = first_item; key < keys.size(); ++key) {
                rows.group_rows.push_back(group);
                rows.item_rows.push_back(rows.items.number_of(keys[key]));
            }
            report.rows_read += keys.size() - first_item;
        }
        segue::report(listener, {"read", report.rows_read, 0, "items", {}});
    }
    segue::report(listener, {"read", report.rows_read, report.rows_read, "items", {}});
    return Status();
}

Status read_items(const Table& table, const RowColumns& columns, IngestReport& report,
                  RawRows& rows) {
    std::vector<ColumnRequest> requests = {{*columns.item_key, ColumnUse::kKey}};
    std::vector<std::size_t> attributes;
    for (std::size_t index = 0; index < columns.attributes.size(); ++index) {
        if (columns.attributes[index].in_items) {
            requests.push_back({*columns.attributes[index].in_items, ColumnUse::kText});
            attributes.push_back(index);
        }
    }
    Result<TableRows> source = table.read(requests);
    if (!source.ok()) {
        return source.status();
    }
    std::string buffer;
    for (;;) {
        const Result<std::optional<TableChunk>> chunk = source->next();
        if (!chunk.ok()) {
            return chunk.status();
        }
        if (!chunk->has_value()) {
            return Status();
        }
        report.item_rows_read += (*chunk)->num_rows;
        for (std::size_t row = 0; row < (*chunk)->num_rows; ++row) {
            const std::string_view key = key_text((*chunk)->columns[0], row, buffer);
            const std::optional<std::uint32_t> item =
                key.empty() ? std::nullopt : rows.items.keys().find(key);
            if (!item) {
                ++report.item_rows_unknown;
                continue;
            }
            for (std::size_t index = 0; index < attributes.size(); ++index) {
                const ColumnView& cells = (*chunk)->columns[index + 1];
                if (!cells.is_null(row)) {
                    rows.attributes[attributes[index]].see(*item, cells.text(row));
                }
            }
        }
    }
}

}  // namespace segue
