// segue index: builds, tunes and judges the search of a bundle, in place.

#include <fmt/core.h>

#include <optional>

#include "base/text.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/index_model.h"

namespace segue::cli {
namespace {

constexpr Range kShareRange = {0, 1};

struct IndexArguments {
    static constexpr std::string_view kName = "index";
    static constexpr std::string_view kSummary =
        "Build the search index of a bundle and tune it to a recall.";
    std::string file;
    double target_recall = 0.95;
    double min_recall = 0.8;
    double max_latency_ms = 10;
    std::string path = "auto";
    std::optional<double> popularity_exponent;
    std::uint32_t num_leaves = 0;
    double threshold = 0.2;
    double soar_lambda = 0;
    std::uint64_t training_sample_size = 0;
    std::uint32_t num_iterations = 10;
    std::uint64_t seed = 1;
    std::uint32_t threads = 0;
    bool json = false;

    void declare(Options& options) {
        options.positional("FILE.segue", file, "a bundle with vectors; its index is replaced");
        options.number("target-recall", target_recall, kShareRange,
                       "recall@10 that searches are tuned to");
        options.number("min-recall", min_recall, kShareRange,
                       "below this recall@10 the index is not blessed");
        options.number("max-latency-ms", max_latency_ms, {1e-6, 1e9},
                       "above this p99 of a single search the index is not blessed");
        options.choice("path", path, {"auto", "tree", "exact"},
                       "what single searches take; auto is the cheaper one");
        options.number("popularity-exponent", popularity_exponent, kExponentRange,
                       "the exponent to be fastest at, instead of the one used most");
        options.number("num-leaves", num_leaves, {0, 16'777'216},
                       "0 chooses by the number of items, 1 makes no tree");
        options.number("anisotropic-quantization-threshold", threshold, {0, 0.999},
                       "how much more errors along an item count than errors across it");
        options.number("soar-lambda", soar_lambda, {0, 1000},
                       "above 0: every item in a second leaf, which errs otherwise");
        options.number("training-sample-size", training_sample_size, kCountRange,
                       "items the leaves are learnt from; 0 takes some for each leaf");
        options.number("num-iterations", num_iterations, {1, 1000}, "rounds of k-means");
        options.number("seed", seed, kSeedRange, "of the sample, the leaves and the queries");
        options.number("threads", threads, kThreadsRange, "0 takes one for each core");
        options.flag("json", json, "print one JSON object");
        options.example("Tune to a higher recall", "segue index songs.segue --target-recall 0.99");
        options.example("Only take it into service when it is good",
                        "segue index songs.segue --min-recall 0.9 --max-latency-ms 1 && "
                        "deploy songs.segue");
    }
    Status check() const { return options().validate(); }
    IndexModelOptions options() const;
    Status run(Console& console) const;
};

IndexModelOptions IndexArguments::options() const {
    IndexModelOptions options;
    options.build = {.num_leaves = num_leaves,
                     .anisotropic_quantization_threshold = static_cast<float>(threshold),
                     .soar_lambda = static_cast<float>(soar_lambda),
                     .training_sample_size = training_sample_size,
                     .num_iterations = num_iterations,
                     .seed = seed};
    options.popularity_exponent = popularity_exponent;
    options.path = path == "tree"    ? SearchPath::kTree
                   : path == "exact" ? SearchPath::kExact
                                     : SearchPath::kAuto;
    options.target_recall = target_recall;
    options.min_recall = min_recall;
    options.max_latency_ms = max_latency_ms;
    return options;
}

std::string interval_text(const RecallEstimate& recall) {
    return fmt::format("{:.4f} to {:.4f}", recall.low, recall.high);
}

/// "45 us", "1.2 ms"
std::string latency_text(double microseconds) {
    return microseconds < 1000 ? fmt::format("{:.3g} us", microseconds)
                               : fmt::format("{:.3g} ms", microseconds / 1000);
}

/// Every way to search beside what it costs, kind by kind.
std::string points_text(const IndexReport& report) {
    constexpr auto kRight = TextTable::Align::kRight;
    TextTable table({{"search"},
                     {"leaves", kRight},
                     {"candidates", kRight},
                     {"queries"},
                     {"recall@10", kRight},
                     {"interval", kRight},
                     {"p50", kRight},
                     {"p99", kRight}});
    for (const IndexPoint& point : report.points) {
        const bool by_tree = point.path == SearchPath::kTree;
        const std::string search =
            by_tree ? fmt::format("tree for {}", point.target_recall) : "exact";
        for (std::size_t place = 0; place < point.kinds.size(); ++place) {
            const IndexPoint::Kind& kind = point.kinds[place];
            const bool first = place == 0;
            table.add_row(
                {first ? search : "",
                 first && by_tree ? with_commas(point.knobs.num_leaves_to_search) : "",
                 first && by_tree ? with_commas(point.knobs.reordering_num_neighbors) : "",
                 std::string(name_of(kind.kind)), fmt::format("{:.4f}", kind.recall.mean),
                 interval_text(kind.recall), latency_text(kind.latency.p50),
                 latency_text(kind.latency.p99)});
        }
    }
    return table.text();
}

std::string summary_text(const std::string& file, const IndexReport& report) {
    const std::string leaves =
        report.num_leaves > 1 ? fmt::format(" in {} leaves", with_commas(report.num_leaves)) : "";
    return fmt::format(
        "{}: {} items of {} numbers{}, {}, searched by {}, recall@10 {:.4f} ({}), p50 {}, p99 {}; "
        "built in {}, tuned in {}; {}",
        printable(file), with_commas(report.num_items), report.dim, leaves,
        bytes_text(static_cast<double>(report.bytes)), name_of(report.path), report.recall.mean,
        interval_text(report.recall), latency_text(report.latency.p50),
        latency_text(report.latency.p99), seconds_text(report.build_seconds),
        seconds_text(report.calibrate_seconds), report.blessed ? "blessed" : "not blessed");
}

Status IndexArguments::run(Console& console) const {
    ThreadPool pool(threads);
    const Result<IndexReport> report = index_bundle(file, options(), pool, console.progress());
    if (!report.ok()) {
        return report.status();
    }
    if (json) {
        console.print_line(to_json(*report));
    } else {
        console.print(points_text(*report));
        console.print_line(summary_text(file, *report));
    }
    if (!report->blessed) {
        // The index is written and its report a result, though the verb fails.
        if (Status status = console.finish(); !status.ok()) {
            return status;
        }
        console.set_hint(
            "a higher --target-recall reads more; --min-recall and --max-latency-ms "
            "are the limits");
        return invalid_argument("the index is not blessed: " + report->verdict);
    }
    console.suggest_next(fmt::format("segue describe {}", shell_quoted(file)));
    return {};
}

}  // namespace

Verb index_verb() {
    return verb_of<IndexArguments>();
}

}  // namespace segue::cli
