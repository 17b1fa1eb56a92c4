#include "ingest/ingest.h"

#include <fmt/core.h>

#include <new>
#include <utility>

#include "base/stopwatch.h"
#include "base/text.h"
#include "ingest/clean.h"
#include "ingest/row_reader.h"

namespace segue {

namespace {

/// "10 rows read, 4 of them without an item, ...": why nothing is left.
std::string describe_drops(const IngestReport& report) {
    std::string text = fmt::format("{} rows read", with_commas(report.rows_read));
    const auto add = [&](std::uint64_t count, std::string_view reason) {
        if (count > 0) {
            text += fmt::format(", {} dropped: {}", with_commas(count), reason);
        }
    };
    const DroppedRows& dropped = report.dropped;
    add(dropped.null_group, "no group");
    add(dropped.null_item, "no item");
    add(dropped.null_title, "no title");
    add(dropped.item_key_not_positive, "item key below 1");
    add(dropped.null_weight, "no weight");
    add(dropped.weight_not_positive, "weight not above 0");
    add(dropped.null_time, "no time");
    add(dropped.duplicates, "duplicates");
    add(dropped.rare_item, "item too rare");
    add(dropped.group_too_small, "group too small");
    add(dropped.group_too_large, "group too large");
    return text;
}

Result<Session> open_session(const IngestOptions& options) {
    if (Status status = options.validate(); !status.ok()) {
        return status;
    }
    return Session::open(
        {.num_threads = options.num_threads, .memory_limit_bytes = options.memory_limit_bytes});
}

Result<IngestedData> ingest_or_throw(const IngestOptions& options,
                                     const ProgressListener& listener) {
    const Stopwatch reading;
    IngestReport report;
    Result<RawRows> rows = [&]() -> Result<RawRows> {
        Result<Session> session = open_session(options);
        return session.ok() ? read_rows(*session, options, listener, report) : session.status();
    }();
    if (!rows.ok()) {
        return rows.status();
    }
    report.read_seconds = reading.seconds();
    const Stopwatch cleaning;
    drop_untitled_rows(options, *rows, report);
    Result<Entries> entries = gather_entries(*rows, rows->groups.size(), options.duplicates,
                                             options.want_positions, report.dropped.duplicates);
    if (!entries.ok()) {
        return entries.status();
    }
    rows->group_rows = {};
    rows->item_rows = {};
    const KeptRows kept = filter_entries(*entries, rows->items.size(), options, report);
    if (report.rows_kept == 0) {
        return invalid_argument("no row is left: " + describe_drops(report));
    }
    Dataset dataset = build_dataset(std::move(*rows), std::move(*entries), kept, options, report);
    if (!dataset.attributes.names.empty() && dataset.attributes.names[0] == "title") {
        for (std::size_t item = 0; item < dataset.items.size(); ++item) {
            report.items_without_title += dataset.attributes.columns[0][item].empty() ? 1 : 0;
        }
    }
    report.clean_seconds = cleaning.seconds();
    return IngestedData{std::move(dataset), std::move(report)};
}

/// Numbers of `keys` in `known`, or nothing known: the number of known keys.
std::vector<std::uint32_t> numbers_in(const Vocabulary& known, const Vocabulary& keys) {
    std::vector<std::uint32_t> numbers(keys.size());
    for (std::size_t row = 0; row < keys.size(); ++row) {
        numbers[row] = known.find(keys[row]).value_or(static_cast<std::uint32_t>(known.size()));
    }
    return numbers;
}

/// Keeps the rows of known groups and items, under their known numbers.
void map_to_known(const Vocabulary& groups, const Vocabulary& items, RawRows& rows,
                  DroppedRows& dropped) {
    const std::vector<std::uint32_t> group_numbers = numbers_in(groups, rows.groups.keys());
    const std::vector<std::uint32_t> item_numbers = numbers_in(items, rows.items.keys());
    std::size_t end = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::uint32_t group = group_numbers[rows.group_rows[row]];
        const std::uint32_t item = item_numbers[rows.item_rows[row]];
        if (group == groups.size()) {
            ++dropped.unknown_group;
        } else if (item == items.size()) {
            ++dropped.unknown_item;
        } else {
            rows.group_rows[end] = group;
            rows.item_rows[end] = item;
            if (!rows.weights.empty()) {
                rows.weights[end] = rows.weights[row];
            }
            if (!rows.times.empty()) {
                rows.times[end] = rows.times[row];
            }
            ++end;
        }
    }
    rows.group_rows.resize(end);
    rows.item_rows.resize(end);
    rows.weights.resize(rows.weights.empty() ? 0 : end);
    rows.times.resize(rows.times.empty() ? 0 : end);
}

Result<KnownRows> read_known_or_throw(IngestOptions options, const Vocabulary& groups,
                                      const Vocabulary& items, const ProgressListener& listener) {
    const Stopwatch reading;
    // Titles do not matter here, and without them rows can only be equal in what is read.
    options.title_column.clear();
    options.guess_title = false;
    options.attribute_columns.clear();
    options.items_table.clear();
    options.item_key_column.clear();
    options.drop_null_titles = false;
    KnownRows result;
    IngestReport& report = result.report;
    Result<Session> session = open_session(options);
    if (!session.ok()) {
        return session.status();
    }
    Result<RawRows> rows = read_rows(*session, options, listener, report);
    if (!rows.ok()) {
        return rows.status();
    }
    map_to_known(groups, items, *rows, report.dropped);
    Result<Entries> entries =
        gather_entries(*rows, groups.size(), options.duplicates, false, report.dropped.duplicates);
    if (!entries.ok()) {
        return entries.status();
    }
    SparseMatrix& matrix = result.interactions;
    matrix.num_rows = groups.size();
    matrix.num_columns = items.size();
    matrix.offsets = std::move(entries->offsets);
    matrix.columns = std::move(entries->item_rows);
    matrix.values = std::move(entries->weights);
    if (options.weight_column.empty()) {
        matrix.values.assign(entries->row_counts.begin(), entries->row_counts.end());
    }
    result.times = std::move(entries->times);
    report.rows_kept = rows->size() - report.dropped.duplicates;
    report.num_groups = groups.size();
    report.num_items = items.size();
    report.num_entries = matrix.num_entries();
    report.read_seconds = reading.seconds();
    return result;
}

Status out_of_memory() {
    return resource_limit("the table does not fit into memory; read fewer rows or columns of it");
}

}  // namespace

Result<IngestedData> ingest(const IngestOptions& options, const ProgressListener& listener) {
    try {
        return ingest_or_throw(options, listener);
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Result<KnownRows> read_known_rows(const IngestOptions& options, const Vocabulary& groups,
                                  const Vocabulary& items, const ProgressListener& listener) {
    try {
        return read_known_or_throw(options, groups, items, listener);
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

}  // namespace segue
