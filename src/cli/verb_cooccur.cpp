// segue cooccur: the blueprint's table of pairs.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/ingest_arguments.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "cooc/blueprint_pairs.h"
#include "cooc/counting_plan.h"
#include "tables/session.h"
#include "tables/table_writer.h"

namespace segue::cli {
namespace {

constexpr std::uint64_t kRowsBetweenReports = 1 << 20;

struct CooccurArguments {
    static constexpr std::string_view kName = "cooccur";
    static constexpr std::string_view kSummary =
        "Write all pairs of items with counts and PMI, best first.";
    IngestArguments ingest;
    std::string out;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.required_text("out", out, "FILE", "a .parquet, .csv, .tsv or .jsonl file");
        options.flag("force", force, "overwrite the file");
        options.flag("json", json, "print one JSON object");
        ingest.declare(options, ItemTexts::kOfRows);
        options.example("The table of the blueprint",
                        "segue cooccur plays.csv --group list --item track "
                        "--min-item-frequency 15 --max-group-size 100 --out pairs.csv");
    }
    Status check() const {
        const Status status = check_table_name(out).with_context("--out");
        return status.ok() ? ingest.check() : status;
    }
    Status run(Console& console) const;
};

/// The place of each key among the sorted keys.
std::vector<std::uint32_t> ranks_of(const Vocabulary& keys) {
    std::vector<std::uint32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t left, std::uint32_t right) { return keys[left] < keys[right]; });
    std::vector<std::uint32_t> ranks(keys.size());
    for (std::uint32_t place = 0; place < order.size(); ++place) {
        ranks[order[place]] = place;
    }
    return ranks;
}

Status write_pairs(std::span<const CooccurrenceRow> rows, const Vocabulary& items,
                   const CooccurArguments& arguments, const ProgressListener& progress) {
    using Type = OutputColumn::Type;
    Result<Session> session = Session::open({.num_threads = arguments.ingest.threads});
    if (!session.ok()) {
        return session.status();
    }
    Result<TableWriter> writer = TableWriter::create(*session, arguments.out,
                                                     {{"item1", Type::kText},
                                                      {"item2", Type::kText},
                                                      {"cooc", Type::kInteger},
                                                      {"frequency1", Type::kInteger},
                                                      {"frequency2", Type::kInteger},
                                                      {"pmi", Type::kDouble},
                                                      {"score", Type::kDouble}},
                                                     arguments.force);
    if (!writer.ok()) {
        return writer.status();
    }
    std::uint64_t done = 0;
    for (const CooccurrenceRow& row : rows) {
        writer->text(items[row.item1_row]);
        writer->text(items[row.item2_row]);
        writer->integer(std::llround(row.together));
        writer->integer(row.frequency1);
        writer->integer(row.frequency2);
        writer->number(row.pmi);
        writer->number(row.score);
        writer->end_row();
        if (++done % kRowsBetweenReports == 0) {
            report(progress, {.stage = "write",
                              .done = done,
                              .total = rows.size(),
                              .unit = "pairs",
                              .note = {}});
        }
    }
    return writer->commit();
}

Status CooccurArguments::run(Console& console) const {
    const Stopwatch clock;
    if (Status status = check_writable(out, force); !status.ok()) {
        return status;
    }
    const ProgressListener progress = console.progress();
    const Result<IngestedData> read =
        segue::ingest(ingest.options(CleaningDefaults::kPairs), progress);
    if (!read.ok()) {
        return read.status();
    }
    tell_ingest(read->report, console);
    const Dataset& dataset = read->dataset;
    const CountInput input = {dataset.interactions.view(), dataset.positions};
    CountOptions counting;
    counting.values_are_counts = dataset.values_are_counts;
    ThreadPool pool(ingest.threads);
    const CountingPlan plan = plan_counting(input.interactions, counting, pool.num_threads());
    console.remark(fmt::format("count: {}", plan.to_text()));
    Result<LargeVector<CooccurrenceRow>> rows = cooccurrence_rows(input, counting, pool, progress);
    if (!rows.ok()) {
        return rows.status();
    }
    sort_by_score(*rows, ranks_of(dataset.items));
    if (Status status = write_pairs(*rows, dataset.items, *this, progress); !status.ok()) {
        return status;
    }
    if (json) {
        JsonWriter writer;
        writer.begin_object().key("out").value(out);
        writer.key("rows").value(static_cast<std::uint64_t>(rows->size()));
        writer.key("pairs_counted").value(plan.num_pairs);
        write_ingest(read->report, writer);
        console.print_line(writer.key("seconds").value(clock.seconds()).end_object().text());
    } else {
        console.print_line(fmt::format("{} rows in {}, {}", with_commas(rows->size()),
                                       printable(out), seconds_text(clock.seconds())));
    }
    console.suggest_next(
        fmt::format("segue fit {} --recipe blueprint --out pairs.segue", ingest.as_words()));
    return {};
}

}  // namespace

Verb cooccur_verb() {
    return verb_of<CooccurArguments>();
}

}  // namespace segue::cli
