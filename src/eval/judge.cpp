#include "eval/judge.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/random.h"
#include "eval/tally.h"

namespace segue {

namespace {

/// Lists asked for at once: bounds the memory of histories and lists however many groups there are.
constexpr std::size_t kGroupsInBatch = 16384;
/// Lists judged by one call of a worker.
constexpr std::size_t kGroupsInChunk = 256;
constexpr std::size_t kMaxK = 1'000'000;

std::string_view description_of(ListFault fault) {
    switch (fault) {
        case ListFault::kTooLong:
            return "is longer than asked for";
        case ListFault::kUnknownItem:
            return "has an item that the table does not have";
        case ListFault::kRepeatedItem:
            return "has an item twice";
        case ListFault::kOwnItem:
            return "has an item it was to leave out";
        case ListFault::kNone:
            break;
    }
    return "is fine";
}

/// Rows of `test` with entries; with `need_history` only those that have some in `train` too.
std::vector<std::uint32_t> groups_to_judge(const SparseView& train, const SparseView& test,
                                           bool need_history) {
    std::vector<std::uint32_t> groups;
    for (std::size_t group = 0; group < test.num_rows; ++group) {
        if (test.row_size(group) > 0 && (!need_history || train.row_size(group) > 0)) {
            groups.push_back(static_cast<std::uint32_t>(group));
        }
    }
    return groups;
}

SparseMatrix gather_rows(const SparseView& matrix, std::span<const std::uint32_t> rows) {
    SparseMatrix gathered;
    gathered.num_rows = rows.size();
    gathered.num_columns = matrix.num_columns;
    for (const std::uint32_t row : rows) {
        const std::span<const std::uint32_t> columns = matrix.row_columns(row);
        const std::span<const float> values = matrix.row_values(row);
        gathered.columns.insert(gathered.columns.end(), columns.begin(), columns.end());
        gathered.values.insert(gathered.values.end(), values.begin(), values.end());
        gathered.offsets.push_back(gathered.columns.size());
    }
    return gathered;
}

std::span<const std::uint32_t> list_of(const Neighbours& lists, std::size_t row) {
    const std::size_t begin = static_cast<std::size_t>(lists.offsets[row]);
    const std::size_t end = static_cast<std::size_t>(lists.offsets[row + 1]);
    return std::span(lists.item_rows).subspan(begin, end - begin);
}

Status check_lists(const Result<Neighbours>& lists, std::size_t expected) {
    if (!lists.ok()) {
        return lists.status();
    }
    if (lists->view().num_items() != expected) {
        return internal_error(fmt::format("{} lists were asked for and {} came", expected,
                                          lists->view().num_items()));
    }
    return Status();
}

Status check_input(const SparseView& train, const SparseView& test, const JudgeOptions& options,
                   std::span<const std::uint32_t> groups) {
    SEGUE_ASSERT(train.num_rows == test.num_rows && train.num_columns == test.num_columns);
    if (groups.empty()) {
        return invalid_argument("no group has items held out, there is nothing to judge by");
    }
    return options.validate();
}

Status first_fault(const Tally& tally, std::span<const std::uint32_t> groups) {
    const std::span<const ListFault> faults = tally.faults();
    const auto fault = std::find_if(faults.begin(), faults.end(),
                                    [](ListFault f) { return f != ListFault::kNone; });
    if (fault == faults.end()) {
        return Status();
    }
    return internal_error(fmt::format("the list of group {} {}", groups[fault - faults.begin()],
                                      description_of(*fault)));
}

/// Calls work(place, worker) for every place in [begin, end).
template <typename Work>
void for_each_place(std::size_t begin, std::size_t end, ThreadPool& pool, const Work& work) {
    const Chunks chunks{end - begin, kGroupsInChunk};
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned worker) {
        for (std::size_t at = chunks.begin(chunk); at < chunks.end(chunk); ++at) {
            work(begin + at, worker);
        }
    });
}

Result<Judgement> finish(const Tally& tally, std::vector<std::uint32_t> groups,
                         std::string_view prefix, const JudgeOptions& options) {
    const Status status = first_fault(tally, groups);
    if (!status.ok()) {
        return status;
    }
    Judgement judgement = tally.finish(prefix, options.keep_group_values);
    if (options.keep_group_values) {
        judgement.group_rows = std::move(groups);
    }
    return judgement;
}

/// Distinct items, ascending, and for each group which of them asks.
struct ItemQueries {
    std::vector<std::uint32_t> item_rows;
    std::vector<std::uint32_t> query_of_group;  // index into item_rows
};

ItemQueries draw_queries(const SparseView& train, std::span<const std::uint32_t> groups,
                         std::uint64_t seed) {
    ItemQueries queries;
    queries.query_of_group.reserve(groups.size());
    for (const std::uint32_t group : groups) {
        Random random(seed, group);
        const std::span<const std::uint32_t> items = train.row_columns(group);
        queries.query_of_group.push_back(items[random.below(items.size())]);
    }
    queries.item_rows = queries.query_of_group;
    std::sort(queries.item_rows.begin(), queries.item_rows.end());
    queries.item_rows.erase(std::unique(queries.item_rows.begin(), queries.item_rows.end()),
                            queries.item_rows.end());
    for (std::uint32_t& query : queries.query_of_group) {
        query = static_cast<std::uint32_t>(
            std::lower_bound(queries.item_rows.begin(), queries.item_rows.end(), query) -
            queries.item_rows.begin());
    }
    return queries;
}

}  // namespace

Status JudgeOptions::validate() const {
    if (ks.empty()) {
        return invalid_argument("no list length to judge at, expected for example 20");
    }
    if (ks.front() == 0 || ks.back() > kMaxK) {
        return invalid_argument(
            fmt::format("list lengths to judge at must be from 1 to {}, found {}", kMaxK,
                        ks.front() == 0 ? 0 : ks.back()));
    }
    if (std::adjacent_find(ks.begin(), ks.end(), std::greater_equal<>()) != ks.end()) {
        return invalid_argument("list lengths to judge at must ascend");
    }
    return Status();
}

Result<Judgement> judge_group_lists(const GroupListMaker& make_lists, const SparseView& train,
                                    const SparseView& test, const JudgeOptions& options,
                                    ThreadPool& pool, const ProgressListener& progress) {
    std::vector<std::uint32_t> groups = groups_to_judge(train, test, false);
    Status status = check_input(train, test, options, groups);
    if (!status.ok()) {
        return status;
    }
    const std::vector<std::uint32_t> frequencies = column_counts(train);
    Tally tally(options.ks, frequencies, groups.size(), pool.num_threads());
    const Chunks batches{groups.size(), kGroupsInBatch};
    for (std::size_t batch = 0; batch < batches.count(); ++batch) {
        const std::size_t begin = batches.begin(batch);
        const std::size_t end = batches.end(batch);
        report(progress, {"judge", begin, groups.size(), "groups", {}});
        const std::span<const std::uint32_t> rows =
            std::span<const std::uint32_t>(groups).subspan(begin, end - begin);
        const SparseMatrix histories = gather_rows(train, rows);
        const Result<Neighbours> lists =
            make_lists({rows, histories.view(), options.ks.back()}, pool);
        status = check_lists(lists, rows.size());
        if (!status.ok()) {
            return status;
        }
        for_each_place(begin, end, pool, [&](std::size_t place, unsigned worker) {
            const std::uint32_t group = groups[place];
            tally.add(place, worker, list_of(*lists, place - begin), test.row_columns(group),
                      train.row_columns(group));
        });
    }
    report(progress, {"judge", groups.size(), groups.size(), "groups", {}});
    return finish(tally, std::move(groups), "", options);
}

Result<Judgement> judge_item_lists(const ItemListMaker& make_lists, const SparseView& train,
                                   const SparseView& test, const JudgeOptions& options,
                                   ThreadPool& pool, const ProgressListener& progress) {
    std::vector<std::uint32_t> groups = groups_to_judge(train, test, true);
    Status status = check_input(train, test, options, groups);
    if (!status.ok()) {
        return status;
    }
    report(progress, {"judge items", 0, groups.size(), "groups", {}});
    const ItemQueries queries = draw_queries(train, groups, options.seed);
    const Result<Neighbours> lists = make_lists(queries.item_rows, options.ks.back(), pool);
    status = check_lists(lists, queries.item_rows.size());
    if (!status.ok()) {
        return status;
    }
    const std::vector<std::uint32_t> frequencies = column_counts(train);
    Tally tally(options.ks, frequencies, groups.size(), pool.num_threads());
    for_each_place(0, groups.size(), pool, [&](std::size_t place, unsigned worker) {
        const std::uint32_t query = queries.query_of_group[place];
        tally.add(place, worker, list_of(*lists, query), test.row_columns(groups[place]),
                  {&queries.item_rows[query], 1});
    });
    report(progress, {"judge items", groups.size(), groups.size(), "groups", {}});
    return finish(tally, std::move(groups), "item_", options);
}

Result<double> validation_recall(const GroupListMaker& make_lists, const SparseView& train,
                                 const SparseView& held_out, std::size_t k, ThreadPool& pool) {
    JudgeOptions options;
    options.ks = {k};
    const Result<Judgement> judgement =
        judge_group_lists(make_lists, train, held_out, options, pool);
    if (!judgement.ok()) {
        return judgement.status();
    }
    return judgement->metrics.front().value;
}

}  // namespace segue
