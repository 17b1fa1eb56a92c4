#pragma once

// Which column is which when nobody says so.

#include <optional>
#include <string_view>
#include <vector>

#include "ingest/report.h"
#include "tables/table_reader.h"

namespace segue {

enum class ColumnRole { kGroup, kItem, kTitle, kItemKey };

/// "group", "item", "title", "item key".
std::string_view name_of(ColumnRole role);

/// The first column of `table` with a name usual for the role ("playlist_id", "userId", "track
/// title:token"), not one of `taken`; nothing when there is none.
std::optional<std::size_t> guess_column(const Table& table, ColumnRole role,
                                        const std::vector<std::size_t>& taken);

/// The column called `name`, or a guess, which is added to `guesses`, when the name is empty. A
/// table of two columns is taken as (group, item). Returns an error if: there is no such column, or
/// nothing to guess from.
Result<std::size_t> choose_column(const Table& table, ColumnRole role, std::string_view name,
                                  const std::vector<std::size_t>& taken,
                                  std::vector<ColumnGuess>& guesses);

}  // namespace segue
