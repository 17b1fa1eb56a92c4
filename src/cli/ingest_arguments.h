#pragma once

// The flags that name tables, their columns and how they are cleaned.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/console.h"
#include "cli/options.h"
#include "ingest/ingest.h"

namespace segue::cli {

/// What is dropped when nothing is said.
enum class CleaningDefaults {
    kKeepAll,    // only rows without a group or an item, and pairs said twice
    kPairs,      // groups of one item too: they have no pairs
    kBlueprint,  // items below 15, groups outside 2 to 100, rows equal in all columns, keys below 1
};

/// Which flags about texts of items a verb has.
enum class ItemTexts {
    kNone,    // it has no use for them, and no title is guessed
    kOfRows,  // --title and --attribute, as parts of a row (--duplicates row)
    kAll,     // those of a second table too
};

struct IngestArguments {
    std::vector<std::string> tables;
    std::string sql;
    std::string format = "auto";
    std::string group;
    std::string item;
    std::string weight;
    std::string time;
    std::string title;
    std::vector<std::string> attributes;
    std::string items_table;
    std::string item_key;
    std::optional<std::string> duplicates;
    std::optional<std::uint32_t> min_item_frequency;
    std::optional<std::uint32_t> min_group_size;
    std::optional<std::uint32_t> max_group_size;
    std::uint32_t threads = 0;
    ItemTexts texts = ItemTexts::kAll;

    void declare(Options& options, ItemTexts with_texts);
    /// Returns an error if: there is nothing to read, or flags contradict each other.
    Status check() const;
    IngestOptions options(CleaningDefaults defaults) const;
    /// The tables and columns as words of a command, for the hint of the next one.
    std::string as_words() const;
};

/// Guessed columns and dropped rows, by reason, on stderr.
void tell_ingest(const IngestReport& report, Console& console);

/// The same as members of the JSON object that is open.
void write_ingest(const IngestReport& report, JsonWriter& json);

}  // namespace segue::cli
