#include "cli/list_output.h"

#include <algorithm>

#include "tables/session.h"

namespace segue::cli {
namespace {

/// Memory for rows that wait to be written; more of them wait on the disk.
constexpr std::uint64_t kTableBytes = std::uint64_t{1} << 29;

}  // namespace

void ListArguments::declare(Options& options, std::string_view titles_help) {
    options.number("k", k, kResultsRange, "longest list");
    options.required_text("out", out, "FILE", "a .parquet, .csv, .tsv or .jsonl file");
    options.flag("titles", titles, titles_help);
    options.number("popularity-exponent", popularity_exponent, kExponentRange,
                   "how strongly popular items are held down, instead of the model's default");
    options.flag("exact", exact, "score every item, whatever the index was tuned to");
    options.number("threads", threads, kThreadsRange, "0 takes one for each core");
    options.flag("force", force, "overwrite the file");
    options.flag("json", json, "print one JSON object");
}

Status ListArguments::check() const {
    return check_table_name(out).with_context("--out");
}

std::size_t rows_per_block(std::size_t longest_list) {
    constexpr std::size_t kMostRows = 65536;
    constexpr std::size_t kFewestRows = 16;
    constexpr std::size_t kMostEntries = std::size_t{1} << 22;
    return std::clamp(kMostEntries / std::max<std::size_t>(1, longest_list), kFewestRows,
                      kMostRows);
}

ProgressListener progress_of_block(const ProgressListener& progress, std::size_t begin,
                                   std::size_t end, std::size_t total) {
    return [&progress, begin, end, total](const Progress& step) {
        // Steps of another size are parts of this block's.
        if (step.total == end - begin) {
            Progress whole = step;
            whole.done = begin + step.done;
            whole.total = total;
            report(progress, whole);
        }
    };
}

Status write_lists(const std::string& path, std::vector<OutputColumn> columns, bool overwrite,
                   std::size_t num_rows, std::size_t longest_list, const BlockWriter& write_block) {
    Result<Session> session = Session::open({.memory_limit_bytes = kTableBytes});
    if (!session.ok()) {
        return session.status();
    }
    Result<TableWriter> writer = TableWriter::create(*session, path, std::move(columns), overwrite);
    if (!writer.ok()) {
        return writer.status();
    }
    const std::size_t block_rows = rows_per_block(longest_list);
    for (std::size_t begin = 0; begin < num_rows; begin += block_rows) {
        const std::size_t end = std::min(num_rows, begin + block_rows);
        if (Status status = write_block(begin, end, *writer); !status.ok()) {
            return status;
        }
    }
    return writer->commit();
}

}  // namespace segue::cli
