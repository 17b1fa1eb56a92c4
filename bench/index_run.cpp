#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/stopwatch.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "index_commands.h"
#include "index_measure.h"
#include "index_truth.h"
#include "kernels/kernels.h"

namespace segue::bench {
namespace {

constexpr std::size_t kResults = 10;
constexpr std::size_t kBatch = 64;
constexpr double kEnoughRecall = 0.997;
constexpr std::uint32_t kNoRow = 0xFFFFFFFF;

struct RunOptions {
    std::string name = "default";
    std::uint32_t num_leaves = 0;
    float soar_lambda = 0;
    double seconds = 1;
    int core = 0;
};

struct Knobs {
    std::uint32_t num_leaves_to_search = 0;
    std::uint32_t reordering = 0;
};

/// Leaves in steps of a third or so, each with few, some and many candidates.
std::vector<Knobs> knob_grid(std::size_t num_leaves) {
    std::vector<Knobs> grid;
    std::set<std::uint32_t> tried;
    for (double leaves = 1; leaves <= static_cast<double>(num_leaves) / 2; leaves *= 1.35) {
        const auto count = static_cast<std::uint32_t>(std::ceil(leaves));
        if (!tried.insert(count).second) {
            continue;
        }
        for (const double spread : {4.0, 9.0, 20.0}) {
            grid.push_back({count, static_cast<std::uint32_t>(14 + spread * std::sqrt(leaves))});
        }
    }
    return grid;
}

Result<RunOptions> parse_options(Arguments words) {
    RunOptions options;
    if (words.size() % 2 != 0) {
        return invalid_argument("every flag of index_bench run has a value");
    }
    for (std::size_t i = 0; i < words.size(); i += 2) {
        const std::string& value = words[i + 1];
        const char* end = value.data() + value.size();
        std::from_chars_result read{end, std::errc()};
        if (words[i] == "--name") {
            options.name = value;
        } else if (words[i] == "--leaves") {
            read = std::from_chars(value.data(), end, options.num_leaves);
        } else if (words[i] == "--soar") {
            read = std::from_chars(value.data(), end, options.soar_lambda);
        } else if (words[i] == "--seconds") {
            read = std::from_chars(value.data(), end, options.seconds);
        } else if (words[i] == "--core") {
            read = std::from_chars(value.data(), end, options.core);
        } else {
            return invalid_argument(fmt::format("index_bench run has no flag '{}'", words[i]));
        }
        if (read.ec != std::errc() || read.ptr != end) {
            return invalid_argument(fmt::format("'{}' is no value of {}", value, words[i]));
        }
    }
    return options;
}

/// Searches one index of one set at one point of the grid. Not thread-safe.
class PointRunner {
public:
    PointRunner(const VectorSet& set, const SetTruth& truth, const LeafIndex& index, double seconds)
        : set_(set), truth_(truth), index_(index), seconds_(seconds), one_thread_(1) {
        offsets_.resize(set.queries.num_rows() + 1);
        for (std::size_t i = 0; i < offsets_.size(); ++i) {
            offsets_[i] = i;
        }
    }

    /// Writes the point and gives its recall.
    Result<double> run(const Knobs& knobs, SearchPath path, JsonWriter& json) {
        json.begin_object().key("knob").begin_object();
        json.key("path").value(name_of(path));
        json.key("num_leaves_to_search").value(knobs.num_leaves_to_search);
        json.key("reordering_num_neighbors").value(knobs.reordering).end_object();
        const auto recall = run_single(knobs, path, json);
        if (!recall.ok()) {
            return recall;
        }
        if (Status status = run_batches(knobs, path, json); !status.ok()) {
            return status;
        }
        json.end_object();
        return recall;
    }

private:
    Result<double> run_single(const Knobs& knobs, SearchPath path, JsonWriter& json) {
        const std::size_t num_queries = set_.queries.num_rows();
        std::vector<std::uint32_t> answers(num_queries * kResults, kNoRow);
        std::vector<ScoredRow> results;
        Status failure;
        IndexSearchOptions options{
            .k = kResults, .path = path, .knobs = {knobs.num_leaves_to_search, knobs.reordering}};
        const auto search = [&](std::size_t query) {
            if (!set_.self.empty()) {
                options.excluded = std::span(set_.self).subspan(query, 1);
            }
            const Status status =
                index_.search(set_.queries.row(query), options, scratch_, results);
            if (!status.ok()) {
                failure = status;
            }
            for (std::size_t i = 0; i < results.size(); ++i) {
                answers[query * kResults + i] = results[i].item_row;
            }
        };
        for (std::size_t query = 0; query < std::min<std::size_t>(50, num_queries); ++query) {
            search(query);
        }
        const SingleTimes times = time_calls(num_queries, seconds_, search);
        if (!failure.ok()) {
            return failure;
        }
        answers.resize(times.cpu_ns.size() * kResults);
        const double recall = recall_by_score(set_, truth_, answers, kResults);
        json.key("recall").value(recall);
        json.key("recall_by_row").value(recall_by_row(truth_, answers, kResults));
        json.key("single");
        write_times(times, json);
        return recall;
    }

    Status run_batches(const Knobs& knobs, SearchPath path, JsonWriter& json) {
        const std::size_t num_queries = set_.queries.num_rows();
        Status failure;
        Neighbours all;
        const auto search = [&](std::size_t begin, std::size_t end) {
            const MatrixView queries{set_.queries.data() + begin * set_.queries.stride(),
                                     end - begin, set_.queries.dim(), set_.queries.stride()};
            IndexBatchOptions options{.k = kResults,
                                      .path = path,
                                      .knobs = {knobs.num_leaves_to_search, knobs.reordering}};
            if (!set_.self.empty()) {
                options.excluded = {.num_rows = end - begin,
                                    .num_columns = set_.items.num_rows(),
                                    .offsets = std::span(offsets_).first(end - begin + 1),
                                    .columns = std::span(set_.self).subspan(begin, end - begin),
                                    .values = {}};
            }
            auto found = index_.search_batch(queries, options, one_thread_);
            if (!found.ok()) {
                failure = found.status();
            } else if (end - begin == num_queries) {
                all = std::move(found).value();
            }
        };
        const std::size_t in_batches = std::min<std::size_t>(num_queries, 1024);
        const BatchTimes small = time_batch(in_batches, seconds_ / 2, [&] {
            for (std::size_t begin = 0; begin < in_batches; begin += kBatch) {
                search(begin, std::min(begin + kBatch, in_batches));
            }
        });
        const BatchTimes large =
            time_batch(num_queries, seconds_ / 2, [&] { search(0, num_queries); });
        if (!failure.ok()) {
            return failure;
        }
        std::vector<std::uint32_t> answers(num_queries * kResults, kNoRow);
        for (std::size_t query = 0; query < num_queries; ++query) {
            const auto begin = all.offsets[query];
            for (auto i = begin; i < all.offsets[query + 1]; ++i) {
                answers[query * kResults + (i - begin)] = all.item_rows[i];
            }
        }
        json.key("batch_recall").value(recall_by_score(set_, truth_, answers, kResults));
        json.key("batch64");
        write_times(small, json);
        json.key("batch_all");
        write_times(large, json);
        return {};
    }

    const VectorSet& set_;
    const SetTruth& truth_;
    const LeafIndex& index_;
    double seconds_;
    ThreadPool one_thread_;
    SearchScratch scratch_;
    std::vector<std::uint64_t> offsets_;
};

template <typename Values>
std::uint64_t bytes_of(const Values& values) {
    return values.size() * sizeof(*values.data());
}

/// Bytes of each table of the index, f32 rows apart.
void write_sizes(const IndexTables& tables, std::size_t f32_bytes, JsonWriter& json) {
    const std::uint64_t codes = bytes_of(tables.codes) + bytes_of(tables.code_positions);
    const std::uint64_t rows = bytes_of(tables.rows) + bytes_of(tables.row_scales);
    const std::uint64_t leaves = bytes_of(tables.leaf_offsets) + bytes_of(tables.code_offsets) +
                                 tables.leaf_centres.num_rows * tables.leaf_centres.stride * 4 +
                                 bytes_of(tables.codebook);
    const std::uint64_t rest = bytes_of(tables.item_rows) + bytes_of(tables.block_errors) +
                               bytes_of(tables.norms) + bytes_of(tables.norm_levels);
    json.key("code_bytes").value(codes).key("int8_row_bytes").value(rows);
    json.key("leaf_bytes").value(leaves).key("other_bytes").value(rest);
    json.key("file_bytes").value(codes + rows + leaves + rest);
    json.key("f32_bytes").value(static_cast<std::uint64_t>(f32_bytes));
}

Status run_set(const VectorSet& set, const SetTruth& truth, const RunOptions& options,
               JsonWriter& json) {
    json.key("peer").value("segue").key("build").value(options.name);
    json.key("set").value(set.name).key("kernels").value(kernels::active_kernels().name);
    const std::size_t resident = resident_bytes();
    const Stopwatch watch;
    const std::int64_t before = process_cpu_ns();
    auto pool = std::make_unique<ThreadPool>(2);
    const auto parts =
        build_index(set.items.view(),
                    {.num_leaves = options.num_leaves, .soar_lambda = options.soar_lambda}, *pool);
    pool.reset();
    if (!parts.ok()) {
        return parts.status();
    }
    json.key("build_wall_s").value(watch.seconds());
    json.key("build_cpu_s").value(1e-9 * static_cast<double>(process_cpu_ns() - before));
    json.key("resident_bytes").value(static_cast<std::uint64_t>(resident_bytes() - resident));
    json.key("grown_bytes").value(static_cast<std::uint64_t>(resident_bytes() - resident));
    const IndexTables tables = parts->tables();
    const auto index = LeafIndex::open(tables, set.items.view());
    if (!index.ok()) {
        return index.status();
    }
    write_sizes(tables, set.items.num_rows() * set.items.dim() * sizeof(float), json);
    json.key("num_leaves").value(static_cast<std::uint64_t>(tables.num_leaves()));
    pin_to_core(options.core);
    json.key("empty_call").begin_object().key("mean_us").value(clock_cost_us()).end_object();
    PointRunner runner(set, truth, *index, options.seconds);
    json.key("points").begin_array();
    for (const Knobs& knobs : knob_grid(tables.num_leaves())) {
        const auto recall = runner.run(knobs, SearchPath::kTree, json);
        if (!recall.ok()) {
            return recall.status();
        }
        if (*recall > kEnoughRecall) {
            break;
        }
    }
    json.end_array().key("exact");
    return runner.run({}, SearchPath::kExact, json).status();
}

}  // namespace

Status run_segue(Arguments arguments) {
    if (arguments.size() < 2) {
        return invalid_argument(
            "usage: index_bench run FOLDER OUT.json [--name TEXT] [--leaves N] [--soar X] "
            "[--seconds X] [--core N]");
    }
    const auto options = parse_options(arguments.subspan(2));
    if (!options.ok()) {
        return options.status();
    }
    const auto measured = read_set_with_truth(arguments[0]);
    if (!measured.ok()) {
        return measured.status();
    }
    JsonWriter json;
    json.begin_object();
    if (Status status = run_set(measured->set, measured->truth, options.value(), json);
        !status.ok()) {
        return status;
    }
    json.end_object();
    return write_json(json.text(), arguments[1]);
}

}  // namespace segue::bench
