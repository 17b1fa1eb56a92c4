#include "pipeline/evaluate_tables.h"

#include <utility>

#include "base/file.h"
#include "pipeline/per_group_table.h"
#include "tables/table_writer.h"

namespace segue {

namespace {

/// What recipes learn from and are judged by.
struct Parts {
    Dataset train;
    SparseMatrix test;
    SplitCounts counts;
    std::uint64_t dropped_known_pairs = 0;
};

Result<Parts> split_table(const Dataset& dataset, const SplitSpec& spec) {
    Result<DatasetSplit> split = split_dataset(dataset, spec);
    if (!split.ok()) {
        return split.status();
    }
    Parts parts;
    parts.train = std::move(split->train);
    parts.test = std::move(split->test);
    parts.counts = split->counts;
    return parts;
}

/// Counts that split_dataset would have made.
SplitCounts count_parts(const SparseView& train, const SparseView& test,
                        const DroppedRows& dropped) {
    SplitCounts counts;
    counts.train_entries = train.num_entries();
    counts.test_entries = test.num_entries();
    for (std::size_t group = 0; group < test.num_rows; ++group) {
        ++(test.row_size(group) > 0 ? counts.test_groups : counts.whole_groups);
    }
    counts.dropped_unseen_items = dropped.unknown_item;
    counts.dropped_unseen_groups = dropped.unknown_group;
    return counts;
}

Result<Parts> read_test_part(Dataset dataset, const EvaluateOptions& options,
                             const ProgressListener& progress, EvaluateInput* input) {
    IngestOptions test_options = options.ingest;
    test_options.tables = options.test_tables;
    test_options.sql.clear();
    Result<KnownRows> rows = read_known_rows(test_options, dataset.groups, dataset.items, progress);
    if (!rows.ok()) {
        return rows.status().with_context("test table");
    }
    Parts parts;
    parts.test = without_entries_of(dataset.interactions.view(), rows->interactions.view(),
                                    &parts.dropped_known_pairs);
    parts.counts =
        count_parts(dataset.interactions.view(), parts.test.view(), rows->report.dropped);
    parts.train = std::move(dataset);
    if (input != nullptr) {
        input->test = std::move(rows->report);
    }
    if (parts.counts.test_entries == 0) {
        return invalid_argument(
            "no row of the test table can be judged by: none has a group and an item of the "
            "training table that are not together there already");
    }
    return parts;
}

/// Rows of (row, column, score) laid over known keys. Rows of others are left out: a list of items
/// that nobody could be offered is shorter for it.
Result<SparseMatrix> read_scores(const std::string& path, const std::string& row_column,
                                 const std::string& column_column, const Vocabulary& rows,
                                 const Vocabulary& columns, const EvaluateOptions& options,
                                 const ProgressListener& progress) {
    IngestOptions reading;
    reading.tables = {path};
    reading.group_column = row_column;
    reading.item_column = column_column;
    reading.weight_column = "score";
    reading.guess_title = false;
    reading.num_threads = options.ingest.num_threads;
    Result<KnownRows> read = read_known_rows(reading, rows, columns, progress);
    return read.ok() ? Result<SparseMatrix>(std::move(read->interactions))
                     : Result<SparseMatrix>(read.status());
}

Result<std::vector<GivenLists>> read_given(const Dataset& train, const EvaluateOptions& options,
                                           const ProgressListener& progress) {
    std::vector<GivenLists> given;
    for (const GivenTables& tables : options.given) {
        GivenLists lists;
        lists.name = tables.name;
        Result<SparseMatrix> of_groups = read_scores(tables.of_groups, "group", "item",
                                                     train.groups, train.items, options, progress);
        if (!of_groups.ok()) {
            return of_groups.status().with_context("lists " + tables.name);
        }
        lists.of_groups = std::move(of_groups).value();
        if (!tables.of_items.empty()) {
            Result<SparseMatrix> of_items = read_scores(
                tables.of_items, "item", "neighbour", train.items, train.items, options, progress);
            if (!of_items.ok()) {
                return of_items.status().with_context("lists " + tables.name);
            }
            lists.of_items = std::move(of_items).value();
        }
        given.push_back(std::move(lists));
    }
    return given;
}

/// Before anything is learnt for nothing.
Status check_per_group_path(const EvaluateOptions& options) {
    if (options.per_group_path.empty()) {
        return Status();
    }
    Status status = check_table_name(options.per_group_path);
    return status.ok() ? check_writable(options.per_group_path, options.overwrite) : status;
}

}  // namespace

Result<EvaluateReport> evaluate_tables(const EvaluateOptions& options,
                                       const ProgressListener& progress, EvaluateInput* input) {
    if (Status status = options.params.validate(); !status.ok()) {
        return status;
    }
    if (Status status = check_per_group_path(options); !status.ok()) {
        return status.with_context("table of groups");
    }
    IngestOptions ingest_options = options.ingest;
    ingest_options.want_positions |= options.params.fit.window != 0;
    Result<IngestedData> read = ingest(ingest_options, progress);
    if (!read.ok()) {
        return read.status();
    }
    if (input != nullptr) {
        input->table = read->report;
    }
    Result<Parts> parts = options.test_tables.empty()
                              ? split_table(read->dataset, options.split)
                              : read_test_part(std::move(read->dataset), options, progress, input);
    if (!parts.ok()) {
        return parts.status();
    }
    EvaluateParams params = options.params;
    Result<std::vector<GivenLists>> given = read_given(parts->train, options, progress);
    if (!given.ok()) {
        return given.status();
    }
    params.given = std::move(given).value();
    params.judge.keep_group_values |= !options.per_group_path.empty();
    ThreadPool pool(options.num_threads);
    Result<EvaluateReport> report =
        evaluate_recipes(parts->train, parts->test.view(), params, pool, progress);
    if (!report.ok()) {
        return report;
    }
    report->counts = parts->counts;
    report->dropped_known_pairs = parts->dropped_known_pairs;
    if (!options.per_group_path.empty()) {
        if (Status status = write_per_group(*report, parts->train.groups, options.per_group_path,
                                            options.overwrite);
            !status.ok()) {
            return status.with_context("table of groups");
        }
    }
    return report;
}

}  // namespace segue
