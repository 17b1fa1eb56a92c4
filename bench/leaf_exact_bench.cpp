// Exact search of a LeafIndex beside the limits of the machine, measured in turns with it: one
// query against the rate memory is read at, batches against the peak of int8 multiply-adds;
// selection and f32 rescoring included in both. Every answer timed is compared with the scan of f32
// vectors.
//     leaf_exact_bench [num_items] [dim] [k] [num_queries] [copies | mf]
// "copies": vectors repeated a thousand times, each element times uniform noise (the catalogue of
// the TensorFlow Recommenders tutorial); "mf": decaying spectrum and spread norms, as factors have.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/matrix.h"
#include "index/exact_index.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "kernels/kernels.h"
#include "machine_limits.h"
#include "repetitions.h"

namespace segue::bench {
namespace {

constexpr std::size_t kRepetitions = 11;
constexpr std::size_t kCopies = 1000;

/// Vectors as matrix factorisation gives: variances fall, some items are known far better.
Matrix factor_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    for (std::size_t r = 0; r < num_rows; ++r) {
        Random random(seed, r);
        const double length = std::exp(0.5 * random.normal());
        for (std::size_t i = 0; i < dim; ++i) {
            const double deviation = 1 / std::sqrt(1 + static_cast<double>(i));
            rows.row(r)[i] = static_cast<float>(length * deviation * random.normal());
        }
    }
    return rows;
}

Matrix noisy_copies(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    const Matrix originals = factor_rows(num_rows / kCopies + 1, dim, seed);
    Matrix rows(num_rows, dim);
    for (std::size_t r = 0; r < num_rows; ++r) {
        Random random(seed + 1, r);
        const std::span<const float> original = originals.row(r / kCopies);
        for (std::size_t i = 0; i < dim; ++i) {
            rows.row(r)[i] = original[i] * static_cast<float>(random.uniform());
        }
    }
    return rows;
}

/// Results that ExactIndex has and the list has not, or with another score.
std::size_t count_wrong(const std::vector<ScoredRow>& expected, std::span<const ScoredRow> found) {
    std::size_t wrong = expected.size() > found.size() ? expected.size() - found.size() : 0;
    for (std::size_t i = 0; i < std::min(expected.size(), found.size()); ++i) {
        wrong += expected[i].item_row != found[i].item_row || expected[i].score != found[i].score;
    }
    return wrong;
}

std::vector<ScoredRow> list_of(const Neighbours& lists, std::size_t query) {
    std::vector<ScoredRow> list;
    for (std::uint64_t i = lists.offsets[query]; i < lists.offsets[query + 1]; ++i) {
        list.push_back({lists.item_rows[i], lists.scores[i]});
    }
    return list;
}

struct Figures {
    std::vector<double> read, single, peak, batch;
};

void print(const Figures& figures, const LeafIndex& index, std::size_t num_queries) {
    const IndexTables& tables = index.tables();
    const double bytes = static_cast<double>(tables.rows.size() + tables.row_scales.size_bytes());
    const double multiply_adds =
        static_cast<double>(tables.num_items * tables.dim * num_queries) * 1e-9;
    const double rate = multiply_adds / median(figures.batch);
    fmt::print("{:24}{:>12}{:>14}{:>14}{:>10}\n", "", "ms", "rate", "limit", "of limit");
    fmt::print("{:24}{:12.3f}{:9.1f} GB/s{:9.1f} GB/s{:9.0f}%\n", "one query",
               median(figures.single) * 1e3, 1e-9 * bytes / median(figures.single),
               1e-9 * bytes / median(figures.read),
               100 * median(figures.read) / median(figures.single));
    fmt::print("{:24}{:12.1f}{:10.1f} G/s{:10.1f} G/s{:9.0f}%\n",
               fmt::format("batch of {}", num_queries), median(figures.batch) * 1e3, rate,
               median(figures.peak) * 1e-9, 100e9 * rate / median(figures.peak));
    fmt::print("{:24}{:12.4f}\n", "batch, ms a query",
               median(figures.batch) * 1e3 / static_cast<double>(num_queries));
}

/// What a search costs where only some items, chosen at random, may be offered.
void print_filters(const LeafIndex& index, const Matrix& queries, std::size_t k) {
    const std::size_t num_items = index.tables().num_items;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    for (const double part : {0.5, 0.2, 0.1, 0.02, 0.01, 0.001}) {
        Random random(3);
        std::vector<std::uint64_t> allowed((num_items + 63) / 64);
        for (std::size_t row = 0; row < num_items; ++row) {
            allowed[row / 64] |= std::uint64_t{random.uniform() < part} << (row % 64);
        }
        const LeafFilter filter = LeafFilter::from_bitmap(index.tables(), allowed).value();
        std::vector<double> exact, tree;
        for (std::size_t repetition = 0; repetition < kRepetitions; ++repetition) {
            const std::span<const float> query = queries.row(repetition % queries.num_rows());
            for (const SearchPath path : {SearchPath::kExact, SearchPath::kTree}) {
                (path == SearchPath::kExact ? exact : tree).push_back(seconds_of([&] {
                    const Status status = index.search(
                        query, {.k = k, .filter = &filter, .path = path}, scratch, results);
                    if (!status.ok()) {
                        fmt::print("{}\n", status.message());
                    }
                }));
            }
        }
        fmt::print("one query, {:5.1f} % of the items: exact {:9.1f} us, tree {:9.1f} us\n",
                   part * 100, median(exact) * 1e6, median(tree) * 1e6);
    }
}

int run(std::size_t num_items, std::size_t dim, std::size_t k, std::size_t num_queries,
        std::string_view kind) {
    const Matrix items =
        kind == "copies" ? noisy_copies(num_items, dim, 1) : factor_rows(num_items, dim, 1);
    const Matrix queries = factor_rows(num_queries, dim, 7);
    ThreadPool one_thread(1);
    const IndexParts parts = build_index(items.view(), {}, one_thread).value();
    const LeafIndex index = LeafIndex::open(parts.tables(), items.view()).value();
    const ExactIndex exact(items.view(), Measure::kDot);
    fmt::print(
        "exact search of an index: {}, kernels {}, {} x {} ({}), k = {}, 1 thread, CPU time, "
        "median of {}\n",
        processor_name(), kernels::active_kernels().name, num_items, dim, kind, k, kRepetitions);

    Figures figures;
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    Neighbours lists;
    SearchTrace trace;
    std::size_t wrong = 0;
    const std::size_t num_bytes = parts.rows.size() + parts.row_scales.size() * sizeof(float);
    const std::vector<float> as_many(num_bytes / sizeof(float), 1);
    for (std::size_t repetition = 0; repetition < kRepetitions; ++repetition) {
        const std::span<const float> query = queries.row(repetition % num_queries);
        figures.read.push_back(seconds_to_read(as_many));
        figures.single.push_back(seconds_of([&] {
            const Status status =
                index.search(query, {.k = k, .path = SearchPath::kExact}, scratch, results, &trace);
            wrong += status.ok() ? 0 : 1;
        }));
        wrong += count_wrong(exact.search(query, {.k = k}).value(), results);
        figures.peak.push_back(peak_byte_products(kernels::active_kernels().name));
        figures.batch.push_back(seconds_of([&] {
            lists =
                index.search_batch(queries.view(), {.k = k, .path = SearchPath::kExact}, one_thread)
                    .value();
        }));
    }
    print(figures, index, num_queries);
    fmt::print("last single query: {} admitted, {} scored by f32\n", trace.candidates,
               trace.rescored);
    print_filters(index, queries, k);
    const std::size_t checked = std::min<std::size_t>(num_queries, 20);
    for (std::size_t query = 0; query < checked; ++query) {
        wrong +=
            count_wrong(exact.search(queries.row(query), {.k = k}).value(), list_of(lists, query));
    }
    fmt::print("answers checked: {} queries, {} results wrong\n", checked + kRepetitions, wrong);
    return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
    using segue::bench::number_at;
    return segue::bench::run(number_at(argc, argv, 1, 1'000'000), number_at(argc, argv, 2, 64),
                             number_at(argc, argv, 3, 10),
                             std::max<std::size_t>(1, number_at(argc, argv, 4, 64)),
                             argc > 5 ? argv[5] : "mf");
}
