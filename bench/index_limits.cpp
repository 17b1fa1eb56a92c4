#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "index_commands.h"
#include "index_measure.h"
#include "index_synthetic.h"
#include "kernels/codes_kernels.h"
#include "kernels/kernels.h"
#include "machine_limits.h"

namespace segue::bench {
namespace {

constexpr std::size_t kRepetitions = 9;
constexpr std::size_t kDim = 64;

struct LimitRow {
    std::string_view name;
    double target = 0;  // share of the peak
    double rate = 0;    // operations a second
    double peak = 0;
};

double best_of(const std::vector<double>& rates) {
    return *std::max_element(rates.begin(), rates.end());
}

/// Lookups a second of scanning codes that stay in the second cache: 8,192 entries of 64 dimensions
/// are 128 KB of codes and 16 KB of scores.
double scan_rate(const kernels::CodesKernels& codes) {
    constexpr std::size_t kEntries = 8192;
    constexpr std::size_t kScans = 400;
    const std::size_t num_lines = num_subspaces(kDim) / kSubspacesPerLine;
    AlignedBuffer<std::uint8_t> blocks(kEntries / kernels::kCodeBlock * code_block_bytes(kDim));
    AlignedBuffer<std::uint8_t> tables(num_lines * kernels::kCodeLineBytes);
    AlignedBuffer<std::int16_t> scores(kEntries);
    Random random(1);
    for (std::uint8_t& byte : blocks.span()) {
        byte = static_cast<std::uint8_t>(random.next());
    }
    for (std::uint8_t& byte : tables.span()) {
        byte = static_cast<std::uint8_t>(random.next());
    }
    const kernels::CodeSegment segment{blocks.data(), kEntries, -4096};
    const double start = thread_cpu_seconds();
    for (std::size_t i = 0; i < kScans; ++i) {
        codes.scan(tables.data(), num_lines, &segment, 1, scores.data());
    }
    return static_cast<double>(kScans * kEntries * num_subspaces(kDim)) /
           (thread_cpu_seconds() - start);
}

/// Multiply-adds a second of exact search for batches, selection of the best ten included.
Result<double> exact_batch_rate(const LeafIndex& index, const Matrix& queries,
                                ThreadPool& one_thread) {
    const double start = thread_cpu_seconds();
    const auto found =
        index.search_batch(queries.view(), {.k = 10, .path = SearchPath::kExact}, one_thread);
    const double seconds = thread_cpu_seconds() - start;
    if (!found.ok()) {
        return found.status();
    }
    return static_cast<double>(index.tables().num_items * queries.num_rows() * kDim) / seconds;
}

Result<std::vector<LimitRow>> measure(std::string_view kernel_name) {
    ThreadPool one_thread(1);
    const SyntheticShape shape = {.num_items = 500'000,
                                  .num_queries = 512,
                                  .dim = kDim,
                                  .spectrum_decay = 0.5,
                                  .num_genres = 300,
                                  .num_niches = 20'000,
                                  .niche_spread = 0.6,
                                  .local_dims = 24,
                                  .local_spread = 0.6,
                                  .isotropic_spread = 0.4,
                                  .seed = 3};
    const VectorSet set = make_synthetic(shape, one_thread);
    const auto parts = build_index(set.items.view(), {.num_leaves = 700}, one_thread);
    if (!parts.ok()) {
        return parts.status();
    }
    const auto index = LeafIndex::open(parts->tables(), set.items.view());
    if (!index.ok()) {
        return index.status();
    }
    const kernels::KernelTable& active = kernels::active_kernels();
    std::vector<double> scans, batches, products, lookups;
    for (std::size_t repetition = 0; repetition < kRepetitions; ++repetition) {
        lookups.push_back(peak_lookups(kernel_name));
        scans.push_back(active.codes == nullptr ? 0 : scan_rate(*active.codes));
        products.push_back(peak_byte_products(kernel_name));
        const auto rate = exact_batch_rate(*index, set.queries, one_thread);
        if (!rate.ok()) {
            return rate.status();
        }
        batches.push_back(*rate);
    }
    return std::vector<LimitRow>{
        {"scan of 4-bit codes in cache, lookups", 0.40, best_of(scans), best_of(lookups)},
        {"exact int8 batch with its top 10, multiply-adds", 0.50, best_of(batches),
         best_of(products)}};
}

}  // namespace

Status measure_limits(Arguments arguments) {
    if (arguments.size() != 1) {
        return invalid_argument("usage: index_bench limits OUT.json");
    }
    const std::string_view kernel_name = kernels::active_kernels().name;
    const auto rows = measure(kernel_name);
    if (!rows.ok()) {
        return rows.status();
    }
    JsonWriter json;
    json.begin_object().key("kernels").value(kernel_name).key("rows").begin_array();
    for (const LimitRow& row : rows.value()) {
        fmt::print("{:50} {:7.1f} G/s of {:7.1f} G/s\n", row.name, row.rate * 1e-9,
                   row.peak * 1e-9);
        json.begin_object().key("name").value(row.name).key("target").value(row.target);
        json.key("rate").value(row.rate).key("peak").value(row.peak).end_object();
    }
    json.end_array().end_object();
    return write_json(json.text(), arguments[0]);
}

}  // namespace segue::bench
