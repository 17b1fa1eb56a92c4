// Exact search beside the limits of the machine, measured in turns with it: one query against the
// rate memory is read at, batches of 64 against the peak of multiply-adds; selection of the best k
// included in both. Answers are checked against plain loops after timing.
//     exact_bench [num_items] [dim] [k]

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "data/matrix.h"
#include "index/exact_index.h"
#include "kernels/kernels.h"
#include "machine_limits.h"
#include "repetitions.h"

namespace segue::bench {
namespace {

constexpr std::size_t kRepetitions = 15;
constexpr std::size_t kBatch = 64;

Matrix random_vectors(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    Random random(seed);
    for (std::size_t r = 0; r < num_rows; ++r) {
        for (float& value : rows.row(r)) {
            value = static_cast<float>(random.uniform() + random.uniform() - 1);
        }
    }
    return rows;
}

/// The best k by a plain loop in double precision, rows only.
std::vector<std::uint32_t> best_rows(const Matrix& items, std::span<const float> query,
                                     std::size_t k) {
    std::vector<ScoredRow> all;
    for (std::uint32_t row = 0; row < items.num_rows(); ++row) {
        double sum = 0;
        for (std::size_t i = 0; i < query.size(); ++i) {
            sum += static_cast<double>(query[i]) * static_cast<double>(items.row(row)[i]);
        }
        all.push_back({row, static_cast<float>(sum)});
    }
    k = std::min(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(),
                      comes_before);
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < k; ++i) {
        rows.push_back(all[i].item_row);
    }
    return rows;
}

/// How many of `rows` are missing from the list at [begin, end) of the batch.
std::size_t count_missing(std::vector<std::uint32_t> rows, std::span<const std::uint32_t> found) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](std::uint32_t row) {
        return std::find(found.begin(), found.end(), row) == found.end();
    }));
}

int run(std::size_t num_items, std::size_t dim, std::size_t k) {
    const std::string kernels = kernels::active_kernels().name;
    const Matrix items = random_vectors(num_items, dim, 1);
    const Matrix queries = random_vectors(kBatch, dim, 2);
    const ExactIndex index(items.view(), Measure::kDot);
    ThreadPool one_thread(1);
    fmt::print(
        "exact search: {}, kernels {}, {} x {} f32, k = {}, 1 thread, CPU time, median of {}\n",
        processor_name(), kernels, num_items, dim, k, kRepetitions);

    std::vector<double> read, single, peak, batch;
    std::vector<ScoredRow> single_results;
    Neighbours batch_results;
    for (std::size_t repetition = 0; repetition < kRepetitions; ++repetition) {
        read.push_back(seconds_to_read({items.data(), num_items * items.stride()}));
        single.push_back(seconds_of([&] {
            single_results = index.search(queries.row(repetition % kBatch), {.k = k}).value();
        }));
        peak.push_back(peak_flops(kernels));
        batch.push_back(seconds_of([&] {
            batch_results = index.search_batch(queries.view(), {.k = k}, one_thread).value();
        }));
    }
    const double gigabytes = static_cast<double>(num_items * items.stride() * sizeof(float)) * 1e-9;
    const double gigaflops = 2e-9 * static_cast<double>(num_items * dim * kBatch);
    const double batch_rate = gigaflops / median(batch);
    fmt::print("{:24}{:>14}{:>14}{:>14}{:>10}\n", "", "ms", "rate", "limit", "of limit");
    fmt::print("{:24}{:14.2f}{:9.1f} GB/s{:9.1f} GB/s{:9.0f}%\n", "one query", median(single) * 1e3,
               gigabytes / median(single), gigabytes / median(read),
               100 * median(read) / median(single));
    fmt::print("{:24}{:14.2f}{:7.1f} Gflop/s{:6.1f} Gflop/s{:8.0f}%\n", "batch of 64",
               median(batch) * 1e3, batch_rate, median(peak) * 1e-9,
               100e9 * batch_rate / median(peak));
    fmt::print("{:24}{:14.3f}\n", "batch, ms a query", median(batch) * 1e3 / kBatch);

    std::size_t missing = 0;
    for (const std::size_t query : {std::size_t{0}, std::size_t{31}, kBatch - 1}) {
        const std::size_t begin = batch_results.offsets[query];
        const std::size_t size = batch_results.offsets[query + 1] - begin;
        missing += count_missing(best_rows(items, queries.row(query), k),
                                 std::span(batch_results.item_rows).subspan(begin, size));
    }
    std::vector<std::uint32_t> single_rows;
    for (const ScoredRow& scored : single_results) {
        single_rows.push_back(scored.item_row);
    }
    missing +=
        count_missing(best_rows(items, queries.row((kRepetitions - 1) % kBatch), k), single_rows);
    fmt::print("answers checked: {} of {} missing\n", missing, 4 * std::min(k, num_items));
    // Two items may change places at the end of a list where their scores differ by rounding.
    return missing <= 4 ? 0 : 1;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
    using segue::bench::number_at;
    return segue::bench::run(number_at(argc, argv, 1, 1'000'000), number_at(argc, argv, 2, 64),
                             number_at(argc, argv, 3, 10));
}
