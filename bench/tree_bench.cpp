// The tree path of the index: recall of the best 10 against CPU time of one query, and of batches,
// over a grid of leaves and candidates. Times are the least of several rounds, for each query alone
// and for each batch of 4,000, so that other work on the machine shows little.
//     tree_bench SET_FOLDER [num_leaves] [anisotropic_threshold] [soar_lambda] [num_queries]
// SET_FOLDER is one that `index_bench data` made. The grid is that of the environment variables
// LEAVES and CANDIDATES (48,96), if they are set; ONLY=single or ONLY=batch leaves the other out.

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "base/quantile.h"
#include "base/stopwatch.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "index_truth.h"
#include "kernels/kernels.h"
#include "vector_sets.h"

namespace segue::bench {
namespace {

constexpr std::size_t kResults = 10;
constexpr int kRepetitions = 5;

double thread_seconds() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Measured {
    double recall = 0;
    double mean_us = 0;
    double median_us = 0;
    double p99_us = 0;
    double scored = 0;
    double rescored = 0;
};

/// Queries one at a time; the time of each is the least of several rounds, since the machine may
/// have other work.
Measured measure_single(const LeafIndex& index, const VectorSet& set, const SetTruth& truth,
                        const TreeKnobs& knobs) {
    Measured one;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    std::vector<std::uint32_t> answers(set.queries.num_rows() * kResults, 0xFFFFFFFFU);
    std::vector<double> times(set.queries.num_rows(), 1e9);
    const auto queries = static_cast<double>(times.size());
    for (int round = 0; round < kRepetitions; ++round) {
        for (std::size_t q = 0; q < times.size(); ++q) {
            SearchTrace trace;
            const double start = thread_seconds();
            const Status status = index.search(
                set.queries.row(q), {.k = kResults, .path = SearchPath::kTree, .knobs = knobs},
                scratch, results, &trace);
            times[q] = std::min(times[q], (thread_seconds() - start) * 1e6);
            if (!status.ok()) {
                fmt::print(stderr, "{}\n", status.message());
                std::exit(1);
            }
            if (round == 0) {
                one.scored += static_cast<double>(trace.scored) / queries;
                one.rescored += static_cast<double>(trace.rescored) / queries;
            }
            for (std::size_t i = 0; i < results.size(); ++i) {
                answers[q * kResults + i] = results[i].item_row;
            }
        }
    }
    one.mean_us = std::accumulate(times.begin(), times.end(), 0.0) / queries;
    std::sort(times.begin(), times.end());
    one.median_us = quantile(times, 0.5);
    one.p99_us = quantile(times, 0.99);
    one.recall = recall_by_row(truth, answers, kResults);
    return one;
}

/// Microseconds a query of one thread's CPU, in batches: the least of several rounds for each.
double measure_batch(const LeafIndex& index, const VectorSet& set, const TreeKnobs& knobs) {
    constexpr std::size_t kBatchQueries = 4000;
    ThreadPool one_thread(1);
    const Chunks batches = {set.queries.num_rows(), kBatchQueries};
    double total = 0;
    for (std::size_t batch = 0; batch < batches.count(); ++batch) {
        const Matrix queries = copy_rows(set.queries, batches.begin(batch), batches.end(batch));
        double best = 1e9;
        for (int round = 0; round < kRepetitions; ++round) {
            const double start = thread_seconds();
            const Result<Neighbours> lists = index.search_batch(
                queries.view(), {.k = kResults, .path = SearchPath::kTree, .knobs = knobs},
                one_thread);
            best = std::min(best, thread_seconds() - start);
            if (!lists.ok()) {
                std::exit(1);
            }
        }
        total += best;
    }
    return total * 1e6 / static_cast<double>(set.queries.num_rows());
}

std::vector<std::uint32_t> list_from(const char* name, std::vector<std::uint32_t> otherwise) {
    const char* text = std::getenv(name);
    if (text == nullptr) {
        return otherwise;
    }
    std::vector<std::uint32_t> values;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        values.push_back(static_cast<std::uint32_t>(std::atoi(word.c_str())));
    }
    return values;
}

int run(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "tree_bench SET_FOLDER [num_leaves] [threshold] [soar] [queries]\n");
        return 2;
    }
    Result<VectorSet> set = read_set(argv[1]);
    if (!set.ok()) {
        fmt::print(stderr, "{}\n", set.status().message());
        return 1;
    }
    const Result<SetTruth> truth = read_truth(argv[1], set.value().queries.num_rows());
    if (!truth.ok()) {
        fmt::print(stderr, "{}\n", truth.status().message());
        return 1;
    }
    if (argc > 5) {
        const auto wanted = static_cast<std::size_t>(std::atol(argv[5]));
        VectorSet& all = set.value();
        all.queries = copy_rows(all.queries, 0, std::min(wanted, all.queries.num_rows()));
    }
    IndexBuildOptions options;
    options.num_leaves = argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 0;
    options.anisotropic_quantization_threshold =
        argc > 3 ? static_cast<float>(std::atof(argv[3])) : 0.2F;
    options.soar_lambda = argc > 4 ? static_cast<float>(std::atof(argv[4])) : 0;
    ThreadPool pool(0);
    Stopwatch watch;
    const double cpu = process_cpu_seconds();
    const Result<IndexParts> parts = build_index(set.value().items.view(), options, pool);
    if (!parts.ok()) {
        fmt::print(stderr, "{}\n", parts.status().message());
        return 1;
    }
    const IndexTables tables = parts.value().tables();
    fmt::print("{}: {} x {}, {} leaves, {} MB of codes, built in {:.1f} s ({:.1f} CPU s), {}\n",
               set.value().name, tables.num_items, tables.dim, tables.num_leaves(),
               tables.codes.size() / 1000000, watch.seconds(), process_cpu_seconds() - cpu,
               kernels::active_kernels().name);
    watch.restart();
    const Result<LeafIndex> index = LeafIndex::open(tables, set.value().items.view());
    if (!index.ok()) {
        fmt::print(stderr, "{}\n", index.status().message());
        return 1;
    }
    fmt::print("opened in {:.1f} ms\n", watch.seconds() * 1e3);
    fmt::print("{:>7}{:>7}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>7}{:>9}{:>9}\n", "leaves", "cands",
               "recall", "QPS", "mean us", "p50 us", "p99 us", "scored", "f32", "batch us",
               "batch/s");
    for (const std::uint32_t leaves :
         list_from("LEAVES", {8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400})) {
        for (const std::uint32_t candidates : list_from("CANDIDATES", {40, 80, 120, 200, 320})) {
            const TreeKnobs knobs = {leaves, candidates};
            const char* only = std::getenv("ONLY");
            const bool single = only == nullptr || std::string(only) == "single";
            const bool batched = only == nullptr || std::string(only) == "batch";
            const Measured one =
                single ? measure_single(index.value(), set.value(), truth.value(), knobs)
                       : Measured();
            const double batch = batched ? measure_batch(index.value(), set.value(), knobs) : 0;
            fmt::print("{:7}{:7}{:9.4f}{:9.0f}{:9.1f}{:9.1f}{:9.1f}{:9.0f}{:7.1f}{:9.1f}{:9.0f}\n",
                       leaves, candidates, one.recall, 1e6 / one.mean_us, one.mean_us,
                       one.median_us, one.p99_us, one.scored, one.rescored, batch, 1e6 / batch);
            std::fflush(stdout);
        }
    }
    return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
    return segue::bench::run(argc, argv);
}
