#include "cli/ingest_arguments.h"

#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

/// The blueprint's arguments of sp_ComputePMI, the same in all of its notebooks.
constexpr std::uint32_t kBlueprintMinItemFrequency = 15;
constexpr std::uint32_t kBlueprintMaxGroupSize = 100;

std::vector<std::pair<std::string_view, std::uint64_t>> drop_reasons(const DroppedRows& dropped) {
    return {{"no group", dropped.null_group},
            {"no item", dropped.null_item},
            {"no title", dropped.null_title},
            {"item key below 1", dropped.item_key_not_positive},
            {"no weight", dropped.null_weight},
            {"weight not positive", dropped.weight_not_positive},
            {"no time", dropped.null_time},
            {"unknown group", dropped.unknown_group},
            {"unknown item", dropped.unknown_item},
            {"duplicate", dropped.duplicates},
            {"rare item", dropped.rare_item},
            {"group too small", dropped.group_too_small},
            {"group too large", dropped.group_too_large}};
}

Duplicates duplicates_named(std::string_view name) {
    return name == "row"    ? Duplicates::kRow
           : name == "keep" ? Duplicates::kKeep
                            : Duplicates::kPair;
}

}  // namespace

void IngestArguments::declare(Options& options, ItemTexts with_texts) {
    texts = with_texts;
    options.text("sql", sql, "QUERY", "a query of DuckDB; it sees the tables as `input`");
    options.choice("format", format, {"auto", "lists", "baskets"},
                   "a table, \"group item item\" lines, or \"item item\" lines");
    options.text("group", group, "COL", "column of groups (guessed when left out)");
    options.text("item", item, "COL", "column of items (guessed when left out)");
    options.text("weight", weight, "COL", "column of weights above 0");
    options.text("time", time, "COL", "column of times");
    if (texts != ItemTexts::kNone) {
        options.text("title", title, "COL", "column of item titles (guessed when left out)");
        options.list("attribute", attributes, "COL", "a further column of text about items");
    }
    if (texts == ItemTexts::kAll) {
        options.text("items", items_table, "TABLE",
                     "a second table with the texts, one row an item");
        options.text("item-key", item_key, "COL", "its column of item keys");
    }
    options.choice("duplicates", duplicates, {"pair", "row", "keep"},
                   "count a (group, item) once, drop rows equal in all columns, or keep all");
    options.number("min-item-frequency", min_item_frequency, kCountRange,
                   "drop items in fewer rows");
    options.number("min-group-size", min_group_size, kCountRange, "drop groups of fewer items");
    options.number("max-group-size", max_group_size, kCountRange,
                   "drop groups of more items; 0 for no limit");
    options.number("threads", threads, kThreadsRange, "0 takes one for each core");
    options.positionals("TABLE", tables,
                        "files or globs: .csv .tsv .jsonl .parquet, also .gz and .zst", false);
}

Status IngestArguments::check() const {
    if (tables.empty() && sql.empty()) {
        return invalid_argument("a TABLE is missing");
    }
    if (!group.empty() && group == item) {
        return invalid_argument(fmt::format("--group and --item name one column, '{}'", group));
    }
    if (items_table.empty() && !item_key.empty()) {
        return invalid_argument("--item-key belongs to --items TABLE");
    }
    return options(CleaningDefaults::kKeepAll).validate();
}

IngestOptions IngestArguments::options(CleaningDefaults defaults) const {
    IngestOptions options;
    options.tables = tables;
    options.sql = sql;
    options.format = format == "lists"     ? TableFormat::kLists
                     : format == "baskets" ? TableFormat::kBaskets
                                           : TableFormat::kAuto;
    options.group_column = group;
    options.item_column = item;
    options.weight_column = weight;
    options.time_column = time;
    options.title_column = title;
    options.guess_title = texts != ItemTexts::kNone;
    options.attribute_columns = attributes;
    options.items_table = items_table;
    options.item_key_column = item_key;
    options.num_threads = threads;
    if (defaults != CleaningDefaults::kKeepAll) {
        options.min_group_size = 2;
    }
    if (defaults == CleaningDefaults::kBlueprint) {
        options.min_item_frequency = kBlueprintMinItemFrequency;
        options.max_group_size = kBlueprintMaxGroupSize;
        options.duplicates = Duplicates::kRow;
        options.drop_null_titles = !title.empty();
        options.positive_item_keys = true;
    }
    if (duplicates) {
        options.duplicates = duplicates_named(*duplicates);
    }
    options.min_item_frequency = min_item_frequency.value_or(options.min_item_frequency);
    options.min_group_size = min_group_size.value_or(options.min_group_size);
    options.max_group_size = max_group_size.value_or(options.max_group_size);
    return options;
}

std::string IngestArguments::as_words() const {
    std::string words;
    for (const std::string& table : tables) {
        words += fmt::format("{}{}", words.empty() ? "" : " ", shell_quoted(table));
    }
    const std::pair<std::string_view, const std::string*> flags[] = {
        {"sql", &sql},   {"group", &group}, {"item", &item},         {"weight", &weight},
        {"time", &time}, {"title", &title}, {"items", &items_table}, {"item-key", &item_key}};
    for (const auto& [name, value] : flags) {
        if (!value->empty()) {
            words += fmt::format("{}--{} {}", words.empty() ? "" : " ", name, shell_quoted(*value));
        }
    }
    return format == "auto" ? words : fmt::format("{} --format {}", words, format);
}

void tell_ingest(const IngestReport& report, Console& console) {
    std::string guesses;
    for (const ColumnGuess& guess : report.guesses) {
        guesses += fmt::format("{}--{} {}", guesses.empty() ? "guessed columns: " : " ", guess.role,
                               shell_quoted(guess.column));
    }
    if (!guesses.empty()) {
        console.remark(printable(guesses));
    }
    std::string reasons;
    for (const auto& [reason, count] : drop_reasons(report.dropped)) {
        if (count > 0) {
            reasons +=
                fmt::format("{}{} {}", reasons.empty() ? "" : ", ", with_commas(count), reason);
        }
    }
    if (!reasons.empty()) {
        console.remark(fmt::format("dropped {} of {} rows: {}", with_commas(report.dropped.total()),
                                   with_commas(report.rows_read), reasons));
    }
    if (report.item_rows_unknown > 0) {
        console.remark(fmt::format("{} of {} rows about items are about items not kept",
                                   with_commas(report.item_rows_unknown),
                                   with_commas(report.item_rows_read)));
    }
    if (report.items_without_title > 0) {
        console.warn(fmt::format("{} of {} items have no title",
                                 with_commas(report.items_without_title),
                                 with_commas(report.num_items)));
    }
}

void write_ingest(const IngestReport& report, JsonWriter& json) {
    json.key("rows_read").value(report.rows_read).key("rows_kept").value(report.rows_kept);
    json.key("dropped").begin_object();
    for (const auto& [reason, count] : drop_reasons(report.dropped)) {
        json.key(reason).value(count);
    }
    json.end_object().key("guesses").begin_object();
    for (const ColumnGuess& guess : report.guesses) {
        json.key(guess.role).value(guess.column);
    }
    json.end_object();
}

}  // namespace segue::cli
