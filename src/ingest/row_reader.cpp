#include "ingest/row_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "ingest/other_sources.h"
#include "ingest/row_columns.h"
#include "tables/table_reader.h"

namespace segue {

namespace {

constexpr std::uint64_t kRowsBetweenReports = std::uint64_t{1} << 18;

bool is_missing(const ColumnView& column, std::size_t row) {
    return column.is_null(row) ||
           (column.kind() == ColumnView::Kind::kText && column.text(row).empty());
}

std::uint32_t number_of(KeyNumbers& keys, const ColumnView& column, std::size_t row) {
    return column.kind() == ColumnView::Kind::kInteger ? keys.number_of(column.integer(row))
                                                       : keys.number_of(column.text(row));
}

/// Whether a key is a whole number below 1.
bool is_not_positive(const ColumnView& column, std::size_t row) {
    if (column.kind() == ColumnView::Kind::kInteger) {
        return column.integer(row) <= 0;
    }
    std::string_view text = column.text(row);
    const bool has_sign = text.front() == '-';
    text.remove_prefix(has_sign ? 1 : 0);
    const auto is_in = [&](std::string_view digits) {
        return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
    };
    return is_in(has_sign ? "0123456789" : "0");
}

/// Reads one table of rows, chunk after chunk.
class RowReader {
public:
    RowReader(const IngestOptions& options, const Table& table, const RowColumns& columns,
              IngestReport& report, RawRows& rows)
        : options_(options), table_(table), columns_(columns), report_(report), rows_(rows) {
        requests_.push_back({columns.group, ColumnUse::kKey});
        requests_.push_back({columns.item, ColumnUse::kKey});
        weight_ = request(columns.weight, ColumnUse::kNumber);
        time_ = request(columns.time, ColumnUse::kTime);
        for (const AttributeColumn& attribute : columns.attributes) {
            texts_.push_back(request(attribute.in_rows, ColumnUse::kText));
        }
        if (options.duplicates == Duplicates::kRow) {
            rows.row_texts.resize(texts_.size());
            rows.row_text_numbers.resize(texts_.size());
            best_numbers_.resize(texts_.size());
        }
    }

    Status read(const ProgressListener& listener) {
        Status status = read_chunks(listener);
        // Its text is read by another query, when the one of the rows is over.
        return bad_cell_ ? describe(*bad_cell_) : status;
    }

    void expect_rows(std::uint64_t num_rows) {
        table_rows_ = num_rows;
        const std::size_t reserve =
            static_cast<std::size_t>(std::min<std::uint64_t>(num_rows, kMostRows));
        rows_.group_rows.reserve(reserve);
        rows_.item_rows.reserve(reserve);
    }

private:
    std::optional<std::size_t> request(std::optional<std::size_t> column, ColumnUse use) {
        if (!column) {
            return std::nullopt;
        }
        requests_.push_back({*column, use});
        return requests_.size() - 1;
    }

    Status read_chunks(const ProgressListener& listener) {
        Result<TableRows> source = table_.read(requests_);
        if (!source.ok()) {
            return source.status();
        }
        const std::uint64_t total = table_rows_;
        std::uint64_t next_report = kRowsBetweenReports;
        for (;;) {
            Result<std::optional<TableChunk>> chunk = source->next();
            if (!chunk.ok()) {
                return chunk.status();
            }
            if (!chunk->has_value()) {
                break;
            }
            if (Status status = take(**chunk); !status.ok()) {
                return status;
            }
            if (report_.rows_read >= next_report) {
                next_report = report_.rows_read + std::max(kRowsBetweenReports, next_report / 64);
                segue::report(listener, {"read", report_.rows_read, total, "rows", {}});
            }
        }
        segue::report(listener, {"read", report_.rows_read, report_.rows_read, "rows", {}});
        return Status();
    }

    Status take(const TableChunk& chunk) {
        if (rows_.size() + chunk.num_rows > kMostRows) {
            return resource_limit(fmt::format("{} has more than {} rows", table_.description(),
                                              with_commas(kMostRows)));
        }
        const ColumnView& groups = chunk.columns[0];
        const ColumnView& items = chunk.columns[1];
        for (std::size_t row = 0; row < chunk.num_rows; ++row) {
            const std::uint64_t row_of_table = report_.rows_read++;
            if (is_dropped_for_keys(chunk, row)) {
                continue;
            }
            const Result<bool> has_values = take_values(chunk, row, row_of_table);
            if (!has_values.ok()) {
                return has_values.status();
            }
            if (!*has_values) {
                continue;
            }
            rows_.group_rows.push_back(number_of(rows_.groups, groups, row));
            rows_.item_rows.push_back(number_of(rows_.items, items, row));
            take_texts(chunk, row);
        }
        return Status();
    }

    bool is_dropped_for_keys(const TableChunk& chunk, std::size_t row) {
        DroppedRows& dropped = report_.dropped;
        if (is_missing(chunk.columns[0], row)) {
            ++dropped.null_group;
            return true;
        }
        if (is_missing(chunk.columns[1], row)) {
            ++dropped.null_item;
            return true;
        }
        // A title from the table of items is looked at when that has been read.
        if (options_.drop_null_titles && texts_[0] && is_missing(chunk.columns[*texts_[0]], row)) {
            ++dropped.null_title;
            return true;
        }
        if (options_.positive_item_keys && is_not_positive(chunk.columns[1], row)) {
            ++dropped.item_key_not_positive;
            return true;
        }
        return false;
    }

    /// Keeps weight and time of a row; false when it is to be dropped for them.
    Result<bool> take_values(const TableChunk& chunk, std::size_t row, std::uint64_t row_of_table) {
        double weight = 1;
        if (weight_) {
            const ColumnView& cells = chunk.columns[*weight_];
            if (cells.is_null(row)) {
                ++report_.dropped.null_weight;
                return false;
            }
            weight = cells.number(row);
            if (!std::isfinite(weight) || !std::isfinite(static_cast<float>(weight))) {
                return refuse({*columns_.weight, row_of_table, "weight"});
            }
            if (static_cast<float>(weight) <= 0) {
                ++report_.dropped.weight_not_positive;
                return false;
            }
        }
        if (time_) {
            const ColumnView& cells = chunk.columns[*time_];
            if (cells.is_null(row)) {
                ++report_.dropped.null_time;
                return false;
            }
            if (!std::isfinite(cells.number(row))) {
                return refuse({*columns_.time, row_of_table, "time"});
            }
            rows_.times.push_back(cells.number(row));
        }
        if (weight_) {
            rows_.weights.push_back(weight);
        }
        return true;
    }

    void take_texts(const TableChunk& chunk, std::size_t row) {
        const std::uint32_t item = rows_.item_rows.back();
        for (std::size_t index = 0; index < texts_.size(); ++index) {
            if (!texts_[index]) {
                continue;
            }
            const ColumnView& cells = chunk.columns[*texts_[index]];
            const std::string_view text = cells.is_null(row) ? std::string_view() : cells.text(row);
            const bool was_best = rows_.attributes[index].see(item, text);
            if (options_.duplicates == Duplicates::kRow) {
                rows_.row_text_numbers[index].push_back(
                    number_of_text(index, item, text, was_best));
            }
        }
    }

    /// The number of a text; that of an item's greatest text is kept, as most of its rows have the
    /// same one.
    std::uint32_t number_of_text(std::size_t index, std::uint32_t item, std::string_view text,
                                 bool was_best) {
        std::vector<std::uint32_t>& numbers = best_numbers_[index];
        if (was_best) {
            return numbers[item];
        }
        const std::uint32_t number = rows_.row_texts[index].insert(text);
        if (!text.empty() && rows_.attributes[index].of(item) == text) {
            numbers.resize(std::max<std::size_t>(numbers.size(), std::size_t{item} + 1));
            numbers[item] = number;
        }
        return number;
    }

    /// A weight or time that is no finite number.
    struct BadCell {
        std::size_t column;
        std::uint64_t row;
        std::string_view what;
    };

    Status refuse(const BadCell& cell) {
        bad_cell_ = cell;
        return invalid_argument("a cell is no number");
    }

    Status describe(const BadCell& cell) const {
        return invalid_argument(fmt::format(
            "{}, row {}: the {} '{}' in column '{}' is not a finite number{}", table_.description(),
            cell.row + 1, cell.what, shortened(table_.cell_text(cell.column, cell.row)),
            shortened(table_.columns()[cell.column].name), cell.what == "time" ? " or date" : ""));
    }

    const IngestOptions& options_;
    const Table& table_;
    const RowColumns& columns_;
    IngestReport& report_;
    RawRows& rows_;
    std::vector<ColumnRequest> requests_;
    std::optional<std::size_t> weight_;
    std::optional<std::size_t> time_;
    std::vector<std::optional<std::size_t>> texts_;  // [attributes] numbers of requests
    std::vector<std::vector<std::uint32_t>>
        best_numbers_;  // [attributes][items], for number_of_text
    std::uint64_t table_rows_ = 0;
    std::optional<BadCell> bad_cell_;
};

/// column0, column1, ...: what DuckDB calls the columns of a file without a header.
bool is_column_number(const std::string& name) {
    constexpr std::string_view kStart = "column";
    return name.rfind(kStart, 0) == 0 &&
           parse_unsigned(std::string_view(name).substr(kStart.size()));
}

}  // namespace

Result<RawRows> read_rows(Session& session, const IngestOptions& options,
                          const ProgressListener& listener, IngestReport& report) {
    const bool is_table = options.format == TableFormat::kAuto;
    const bool has_header =
        !is_column_number(options.group_column) || !is_column_number(options.item_column);
    Result<Table> table =
        is_table
            ? Table::open(session,
                          {.paths = options.tables, .sql = options.sql, .has_header = has_header})
            : Table::open_lines(session, options.tables);
    if (!table.ok()) {
        return table.status();
    }
    std::optional<Table> items;
    if (!options.items_table.empty()) {
        Result<Table> opened =
            Table::open(session, {.paths = {options.items_table}, .sql = {}, .has_header = true});
        if (!opened.ok()) {
            return opened.status().with_context("table of items");
        }
        items.emplace(std::move(*opened));
    }
    const Result<RowColumns> columns = choose_columns(options, is_table ? &*table : nullptr,
                                                      items ? &*items : nullptr, report.guesses);
    if (!columns.ok()) {
        return columns.status();
    }
    RawRows rows;
    rows.attributes.resize(columns->attributes.size());
    for (const AttributeColumn& attribute : columns->attributes) {
        rows.attribute_names.push_back(attribute.name);
    }
    Status status;
    if (is_table) {
        RowReader reader(options, *table, *columns, report, rows);
        reader.expect_rows(table->num_rows_if_known().value_or(0));
        status = reader.read(listener);
    } else {
        status = read_lists(*table, options.format == TableFormat::kLists, listener, report, rows);
    }
    if (status.ok() && items) {
        status = read_items(*items, *columns, report, rows);
    }
    if (!status.ok()) {
        return status;
    }
    return rows;
}

}  // namespace segue
