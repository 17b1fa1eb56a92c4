// segue generate: a table with planted structure to try things on.

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "ingest/generate.h"
#include "tables/table_writer.h"

namespace segue::cli {
namespace {

// A row takes some bytes on disk and in DuckDB; more rows than this are a slip.
constexpr Range kRowsRange = {1, 10'000'000'000.0};

struct GenerateArguments {
    static constexpr std::string_view kName = "generate";
    static constexpr std::string_view kSummary =
        "Write a seeded table with planted genres and Zipf popularity.";
    GenerateOptions table;
    bool no_titles = false;
    std::string out;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.required_text("out", out, "FILE", "a .parquet, .csv or .jsonl file");
        options.number("rows", table.num_rows, kRowsRange, "rows (about)");
        options.number("groups", table.num_groups, kCountRange, "0 takes rows / mean group size");
        options.number("mean-group-size", table.mean_group_size, {1, 1e6}, "items in a group");
        options.number("items", table.num_items, {1, 100'000'000}, "distinct items");
        options.number("genres", table.num_genres, {1, 1'000'000}, "planted genres");
        options.number("genre-share", table.genre_share, {0, 1}, "rows from a group's own genre");
        options.number("zipf-exponent", table.zipf_exponent, {0, 4}, "steepness of popularity");
        options.number("seed", table.seed, kSeedRange, "equal seeds give equal tables");
        options.number("threads", table.num_threads, kThreadsRange, "0 takes one for each core");
        options.flag("no-titles", no_titles, "leave out the columns title and genre");
        options.flag("force", force, "overwrite the file");
        options.flag("json", json, "print one JSON object");
        options.example("A small table to try everything on",
                        "segue generate --rows 20000 --items 500 --genres 10 --out rows.csv");
    }
    GenerateOptions generate_options() const {
        GenerateOptions options = table;
        options.with_titles = !no_titles;
        return options;
    }
    Status check() const {
        const Status status = check_table_name(out).with_context("--out");
        return status.ok() ? generate_options().validate() : status;
    }
    Status run(Console& console) const;
};

Status GenerateArguments::run(Console& console) const {
    const Stopwatch clock;
    if (Status status = generate_table(generate_options(), out, force, console.progress());
        !status.ok()) {
        return status;
    }
    if (json) {
        JsonWriter writer;
        writer.begin_object().key("out").value(out).key("seed").value(table.seed);
        console.print_line(writer.key("seconds").value(clock.seconds()).end_object().text());
    } else {
        console.print_line(fmt::format("{}: about {} rows in {}", printable(out),
                                       with_commas(table.num_rows), seconds_text(clock.seconds())));
    }
    console.suggest_next(
        fmt::format("segue fit {} --group group --item item{} --out generated.segue",
                    shell_quoted(out), no_titles ? "" : " --title title"));
    return {};
}

}  // namespace

Verb generate_verb() {
    return verb_of<GenerateArguments>();
}

}  // namespace segue::cli
