#pragma once

// Lists of many groups or items into a table file, block by block so that memory stays small.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/neighbours.h"
#include "tables/table_writer.h"

namespace segue::cli {

/// Rows of a block: large enough to keep all threads busy, small enough for memory.
inline constexpr std::size_t kListsPerBlock = 65536;

/// Makes the lists of rows [begin, end) and writes them.
using BlockWriter = std::function<Status(std::size_t begin, std::size_t end, TableWriter& writer)>;

/// Says before the work what would be said after it; leaves nothing behind.
/// Returns an error if: a file cannot be made at `path`, or one is there and `overwrite` is false.
Status check_writable(const std::string& path, bool overwrite);

/// Writes `path` with `columns`, calling write_block for all of [0, num_rows) in order. Nothing is
/// left of the file after an error.
Status write_lists(const std::string& path, std::vector<OutputColumn> columns, bool overwrite,
                   std::size_t num_rows, const BlockWriter& write_block);

}  // namespace segue::cli
