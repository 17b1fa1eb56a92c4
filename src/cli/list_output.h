#pragma once

// Lists of many groups or items into a table file, block by block so that memory stays small.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "cli/options.h"
#include "data/neighbours.h"
#include "recommend/recommend.h"
#include "tables/table_writer.h"

namespace segue::cli {

/// The flags of a verb that writes lists.
struct ListArguments {
    std::uint64_t k = 20;
    std::string out;
    bool titles = false;
    std::optional<double> popularity_exponent;
    std::uint32_t threads = 0;
    bool exact = false;
    bool force = false;
    bool json = false;

    void declare(Options& options, std::string_view titles_help);
    SearchChoice search() const { return {exact ? SearchPath::kExact : SearchPath::kAuto, {}}; }
    /// Returns an error if: the ending of `out` tells no format.
    Status check() const;
};

/// Makes the lists of rows [begin, end) and writes them.
using BlockWriter = std::function<Status(std::size_t begin, std::size_t end, TableWriter& writer)>;

/// Rows of a block whose lists have up to `longest_list` entries: enough to keep all threads busy,
/// few enough for memory.
std::size_t rows_per_block(std::size_t longest_list);

/// What `progress` hears of a block at `begin`, of `total` rows in all.
ProgressListener progress_of_block(const ProgressListener& progress, std::size_t begin,
                                   std::size_t end, std::size_t total);

/// Writes `path` with `columns`, calling write_block for all of [0, num_rows) in order; a row's
/// list has up to `longest_list` entries. Nothing is left of the file after an error.
Status write_lists(const std::string& path, std::vector<OutputColumn> columns, bool overwrite,
                   std::size_t num_rows, std::size_t longest_list, const BlockWriter& write_block);

}  // namespace segue::cli
