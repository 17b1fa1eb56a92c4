// Nanoseconds a pair of co-occurrence counting at three sizes, and the blueprint's scored pairs
// against the same SQL in DuckDB, compared row by row. usage: cooc_bench [--quick]

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "cooc/blueprint_pairs.h"
#include "cooc/counting_plan.h"
#include "cooc/neighbour_lists.h"
#include "cooc/pair_counter.h"
#include "synthetic_playlists.h"
#include "tables/session.h"
#include "tables/table_writer.h"

namespace segue::bench {
namespace {

constexpr std::array<PlaylistShape, 3> kShapes = {{
    {.name = "seed-like", .num_groups = 210'000, .num_items = 5'000, .mean_group_size = 14},
    {.name = "12M rows", .num_groups = 840'000, .num_items = 60'000, .mean_group_size = 14},
    {.name = "lastfm-like", .num_groups = 358'868, .num_items = 292'365, .mean_group_size = 49},
}};
constexpr double kTargetNanoseconds = 6;  // a pair, one core, seed-like
constexpr double kTargetRatio = 20;       // DuckDB's CPU seconds over ours

struct Timing {
    double cpu = 0;
    double kernel = 0;  // of it, in the kernel: mostly pages of memory not used before
    double wall = 0;
};

Timing now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    static const Stopwatch stopwatch;
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), seconds(usage.ru_stime),
            stopwatch.seconds()};
}

/// The median of some runs, after one that is not timed: on virtual machines memory that was never
/// used before costs far more than the work.
Timing median_of(int repetitions, const std::function<void()>& work) {
    work();
    std::vector<Timing> timings;
    for (int repetition = 0; repetition < repetitions; ++repetition) {
        const Timing before = now();
        work();
        const Timing after = now();
        timings.push_back(
            {after.cpu - before.cpu, after.kernel - before.kernel, after.wall - before.wall});
    }
    std::sort(timings.begin(), timings.end(),
              [](const Timing& left, const Timing& right) { return left.cpu < right.cpu; });
    return timings[timings.size() / 2];
}

std::string cpu_model() {
    std::ifstream info("/proc/cpuinfo");
    std::string line;
    while (std::getline(info, line)) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown processor";
}

/// What counting cannot go below: for each item, the later items of its groups read in the same
/// order and added to one sum, nothing kept of them.
Timing time_reading(const SparseView& table, int repetitions, std::uint64_t& sum) {
    struct Tail {
        std::uint64_t begin, end;
    };
    std::vector<std::uint64_t> offsets(table.num_columns + 1, 0);
    for (const std::uint32_t item : table.columns) {
        ++offsets[item + 1];
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    std::vector<Tail> tails(table.num_entries());
    for (std::size_t group = 0; group < table.num_rows; ++group) {
        for (std::uint64_t e = table.offsets[group]; e < table.offsets[group + 1]; ++e) {
            tails[offsets[table.columns[e]]++] = {e + 1, table.offsets[group + 1]};
        }
    }
    return median_of(repetitions, [&] {
        for (std::size_t tail = 0; tail < tails.size(); ++tail) {
            if (tail + 6 < tails.size()) {
                __builtin_prefetch(table.columns.data() + tails[tail + 6].begin);
            }
            for (std::uint64_t e = tails[tail].begin; e < tails[tail].end; ++e) {
                sum += table.columns[e];
            }
        }
    });
}

struct Checked {
    std::uint64_t distinct = 0;
    double together = 0;
};

/// Every pair once, from one side; the sum of all counts must be the number of pairs.
Checked count_on_one_core(const SparseView& table, double group_exponent) {
    const auto counter =
        PairCounter::create({table, {}}, {.group_exponent = group_exponent}, Partners::kLater);
    Checked checked;
    RowAccumulator scratch = counter->make_scratch();
    for (std::size_t item = 0; item < counter->num_items(); ++item) {
        const PairRow row = counter->count(static_cast<std::uint32_t>(item), scratch);
        checked.distinct += row.partners.size();
        checked.together =
            std::accumulate(row.together.begin(), row.together.end(), checked.together);
    }
    return checked;
}

bool time_counting(const PlaylistShape& shape, const SparseMatrix& table, int repetitions) {
    const SparseView view = table.view();
    const CountingPlan plan = plan_counting(view, {}, 1);
    const auto num_pairs = static_cast<double>(plan.num_pairs);
    fmt::print("\n{}: {} groups, {} items, {} entries; planned on one core: {}\n", shape.name,
               view.num_rows, view.num_columns, view.num_entries(), plan.to_text());
    Checked checked;
    bool good = true;
    const auto print = [&](const char* what, const Timing& timing) {
        fmt::print("  {:<44} {:>7.3f} s cpu {:>7.3f} s wall {:>6.2f} ns a pair\n", what, timing.cpu,
                   timing.wall, timing.cpu / num_pairs * 1e9);
    };
    const Timing counts = median_of(repetitions, [&] { checked = count_on_one_core(view, 0); });
    print("counts, each pair once, 1 thread", counts);
    good = good && checked.together == num_pairs;
    fmt::print("  {} distinct pairs; counts sum to the number of pairs: {}\n", checked.distinct,
               good ? "yes" : "NO");
    print("counts and weighted counts, 1 thread",
          median_of(repetitions, [&] { checked = count_on_one_core(view, 0.5); }));
    std::uint64_t sum = 0;
    print("floor: the same items read and added up", time_reading(view, repetitions, sum));
    for (const unsigned num_threads : {1u, 2u}) {
        ThreadPool pool(num_threads);
        std::size_t listed = 0;
        print(num_threads == 1 ? "top 100 of all items, default score, 1 thread"
                               : "the same, 2 threads",
              median_of(repetitions, [&] {
                  listed = cooc_neighbours({view, {}}, {}, pool)->item_rows.size();
              }));
        good = good && listed > 0;
    }
    if (std::strcmp(shape.name, kShapes[0].name) == 0) {
        const double found = counts.cpu / num_pairs * 1e9;
        fmt::print("  target at most {} ns a pair: {}\n", kTargetNanoseconds,
                   found <= kTargetNanoseconds ? "met" : "MISSED");
    }
    return good && sum > 0;
}

/// The blueprint's sp_ComputePMI behind its filters, over entries(grp, item), all integers.
constexpr const char* kPairsSql = R"(
    CREATE OR REPLACE TABLE scored AS
    WITH pairs AS (
        SELECT a.item AS item1, b.item AS item2, count(*) AS cooc
        FROM entries a JOIN entries b ON a.grp = b.grp AND a.item < b.item GROUP BY 1, 2),
    frequency AS (SELECT item, count(*) AS f FROM entries GROUP BY item),
    total AS (SELECT sum(f) AS t FROM frequency),
    mirrored AS (
        SELECT item1, item2, cooc FROM pairs
        UNION ALL SELECT item2, item1, cooc FROM pairs
        UNION ALL SELECT item, item, f FROM frequency)
    SELECT item1, item2, cooc, f1.f AS frequency1, f2.f AS frequency2,
           log2(cooc) - log2(f1.f) - log2(f2.f) + log2(t) AS pmi, cooc * pmi AS score
    FROM mirrored JOIN frequency f1 ON f1.item = item1 JOIN frequency f2 ON f2.item = item2, total)";

Status fill_entries(Session& session, const SparseView& table) {
    const std::string path =
        fmt::format("{}/segue_cooc_bench_{}.parquet", P_tmpdir, static_cast<long>(getpid()));
    Result<TableWriter> writer = TableWriter::create(
        session, path,
        {{"grp", OutputColumn::Type::kInteger}, {"item", OutputColumn::Type::kInteger}}, true);
    if (!writer.ok()) {
        return writer.status();
    }
    for (std::size_t group = 0; group < table.num_rows; ++group) {
        for (const std::uint32_t item : table.row_columns(group)) {
            writer->integer(static_cast<std::int64_t>(group));
            writer->integer(item);
            writer->end_row();
        }
    }
    if (Status status = writer->commit(); !status.ok()) {
        return status;
    }
    const auto filled = session.query(
        fmt::format("CREATE TABLE entries AS SELECT grp::INTEGER AS grp, item::INTEGER AS item "
                    "FROM read_parquet({})",
                    sql_literal(path)));
    std::remove(path.c_str());
    return filled.status();
}

/// How many of DuckDB's rows differ from ours, or are missing on either side.
Result<std::uint64_t> count_differences(Session& session, std::span<const CooccurrenceRow> rows) {
    Result<QueryResult> result = session.stream(
        "SELECT item1::BIGINT, item2::BIGINT, cooc::BIGINT, frequency1::BIGINT, "
        "frequency2::BIGINT, pmi::DOUBLE, score::DOUBLE FROM scored ORDER BY item1, item2");
    if (!result.ok()) {
        return result.status();
    }
    std::uint64_t num_differences = 0;
    std::size_t place = 0;
    for (;;) {
        const auto chunk = result->next();
        if (!chunk.ok()) {
            return chunk.status();
        }
        if (!chunk->has_value()) {
            break;
        }
        const auto integers = [&](std::size_t column) {
            return (*chunk)->column(column, ColumnView::Kind::kInteger);
        };
        const ColumnView pmi = (*chunk)->column(5, ColumnView::Kind::kNumber);
        const ColumnView score = (*chunk)->column(6, ColumnView::Kind::kNumber);
        for (std::size_t row = 0; row < (*chunk)->num_rows(); ++row, ++place) {
            if (place >= rows.size()) {
                ++num_differences;
                continue;
            }
            const CooccurrenceRow& ours = rows[place];
            const bool same =
                integers(0).integer(row) == ours.item1_row &&
                integers(1).integer(row) == ours.item2_row &&
                static_cast<double>(integers(2).integer(row)) == ours.together &&
                integers(3).integer(row) == ours.frequency1 &&
                integers(4).integer(row) == ours.frequency2 &&
                std::abs(pmi.number(row) - ours.pmi) < 1e-9 &&
                std::abs(score.number(row) - ours.score) < 1e-9 * (1 + std::abs(ours.score));
            num_differences += same ? 0 : 1;
        }
    }
    return num_differences + (rows.size() - std::min(place, rows.size()));
}

/// From integer tables in memory to scored pairs in memory, both ways.
bool race_duckdb(const SparseMatrix& table, int repetitions) {
    constexpr unsigned kThreads = 2;
    Result<Session> session = Session::open({.num_threads = kThreads});
    if (!session.ok()) {
        fmt::print("\nno DuckDB to compare with: {}\n", session.status().message());
        return true;
    }
    if (const Status filled = fill_entries(*session, table.view()); !filled.ok()) {
        fmt::print("\nDuckDB: {}\n", filled.message());
        return false;
    }
    ThreadPool pool(kThreads);
    std::size_t num_entries = 0;
    const Timing matrix = median_of(repetitions, [&] {
        num_entries = blueprint_pairs({table.view(), {}}, {}, pool)->num_entries();
    });
    LargeVector<CooccurrenceRow> rows;
    const Timing all_columns = median_of(repetitions, [&] {
        rows = {};
        rows = cooccurrence_rows({table.view(), {}}, {}, pool).value();
    });
    Status failure;
    const Timing theirs =
        median_of(repetitions, [&] { failure = session->query(kPairsSql).status(); });
    if (!failure.ok()) {
        fmt::print("\nDuckDB: {}\n", failure.message());
        return false;
    }
    const Result<std::uint64_t> differences = count_differences(*session, rows);
    const bool same = differences.ok() && *differences == 0 && num_entries == rows.size();
    fmt::print(
        "\nscored pairs from integers in memory, {} threads, DuckDB {}, medians of {} runs:\n",
        kThreads, session->library_version(), repetitions);
    const auto print = [&](const char* what, const Timing& timing) {
        fmt::print(
            "  {:<28} {:>7.3f} s cpu (kernel {:.3f}) {:>7.3f} s wall {:>6.1f} times less cpu\n",
            what, timing.cpu, timing.kernel, timing.wall, theirs.cpu / timing.cpu);
    };
    print("DuckDB, seven columns", theirs);
    print("ours, matrix of c * PMI", matrix);
    print("ours, seven columns", all_columns);
    fmt::print("  {} rows, all equal: {}; target {} times: {}\n", rows.size(), same ? "yes" : "NO",
               kTargetRatio, theirs.cpu / matrix.cpu >= kTargetRatio ? "met" : "MISSED");
    return same;
}

int run(bool quick) {
    const int repetitions = quick ? 3 : 5;
    fmt::print("co-occurrence counting; {}; median of {} runs\n", cpu_model(), repetitions);
    bool good = true;
    for (const PlaylistShape& shape : kShapes) {
        const SparseMatrix table = synthetic_playlists(shape, 1);
        good = time_counting(shape, table, repetitions) && good;
        if (&shape == kShapes.data()) {
            good = race_duckdb(table, repetitions) && good;
        }
        if (quick) {
            break;
        }
    }
    return good ? 0 : 1;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
    return segue::bench::run(argc > 1 && std::strcmp(argv[1], "--quick") == 0);
}
