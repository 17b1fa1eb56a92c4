#include "pipeline/index_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/stopwatch.h"
#include "base/text.h"
#include "pipeline/calibration_queries.h"
#include "pipeline/index_report.h"

namespace segue {

namespace {

/// Enough for an interval of about one hundredth around .95.
constexpr std::size_t kQueriesAPart = 800;
/// Up to this many bytes of int8 rows an exact search takes as long as choosing leaves does.
constexpr std::size_t kBytesWithoutLeaves = std::size_t{1} << 19;
/// What is shown beside the target asked for.
constexpr double kShownTargets[] = {0.8, 0.9, 0.95, 0.99};
constexpr double kJudgedExponents[] = {0, 0.5, 1};
constexpr std::size_t kMaxIndexedDim = 4096;

/// What the model's searches use most: histories are folded in at 0, items compared at the model's.
double usual_exponent(const Model& model) {
    return model.info().answer_by == AnswerBy::kFoldIn ? 0 : model.info().popularity_exponent;
}

IndexBuildOptions build_options(const Model& model, const IndexModelOptions& options) {
    IndexBuildOptions build = options.build;
    build.measure = Measure::kDot;
    build.popularity_exponent = options.popularity_exponent.value_or(usual_exponent(model));
    const std::size_t bytes = model.num_items() * int8_row_bytes(model.item_vectors().dim);
    const bool needs_no_leaves =
        options.path == SearchPath::kExact ||
        (options.path == SearchPath::kAuto && bytes <= kBytesWithoutLeaves);
    if (build.num_leaves == 0 && needs_no_leaves) {
        build.num_leaves = 1;
    }
    build.num_leaves =
        static_cast<std::uint32_t>(std::min<std::size_t>(build.num_leaves, model.num_items()));
    return build;
}

/// Tunes and judges one index over one model.
class IndexJudge {
public:
    IndexJudge(const Model& model, const IndexModelOptions& options, const LeafIndex& index,
               std::span<const CalibrationQueries> queries, ThreadPool& pool,
               const ProgressListener& progress)
        : options_(options),
          index_(index),
          queries_(queries),
          pool_(pool),
          progress_(progress),
          finder_(index, queries, pool) {
        exponents_.insert(std::begin(kJudgedExponents), std::end(kJudgedExponents));
        exponents_.insert(model.info().popularity_exponent);
    }

    Status run(IndexReport& report);

private:
    Status choose(IndexReport& report);
    Status judge(IndexReport& report);
    Status add_points(IndexReport& report);
    Status measure_point(IndexPoint& point) const;
    SearchSetting setting(const IndexReport& report, double exponent) const;
    bool has_tree() const {
        return index_.tables().has_codes() && options_.path != SearchPath::kExact;
    }
    /// Says what comes next.
    void tell(std::string_view note) {
        const std::size_t points = options_.show_points ? std::size(kShownTargets) + 1 : 0;
        const std::size_t knobs = has_tree() ? exponents_.size() + points : 0;
        segue::report(progress_,
                      {"calibrate", num_told_++, knobs + queries_.size(), "steps", note});
    }

    const IndexModelOptions& options_;
    const LeafIndex& index_;
    std::span<const CalibrationQueries> queries_;
    ThreadPool& pool_;
    const ProgressListener& progress_;
    KnobFinder finder_;
    std::set<double> exponents_;
    std::size_t num_told_ = 0;
};

Status IndexJudge::run(IndexReport& report) {
    Status status = choose(report);
    if (status.ok()) {
        status = judge(report);
    }
    return status.ok() && options_.show_points ? add_points(report) : status;
}

/// The knobs of every exponent. Where no leaves and candidates are enough they say: all of them,
/// for which the planner takes the exact path.
Status IndexJudge::choose(IndexReport& report) {
    const IndexTables& tables = index_.tables();
    // The greatest: searches do not know of what kind their queries are.
    report.exact_share = queries_.empty() ? 1 : 0;
    for (const CalibrationQueries& queries : queries_) {
        const Result<double> share = measure_exact_share(index_, queries.tuning);
        if (!share.ok()) {
            return share.status();
        }
        report.exact_share = std::max(report.exact_share, *share);
    }
    const TreeKnobs everything = {static_cast<std::uint32_t>(tables.num_leaves()),
                                  static_cast<std::uint32_t>(tables.num_items)};
    for (const double exponent : has_tree() ? exponents_ : std::set<double>()) {
        tell(fmt::format("leaves and candidates at popularity exponent {}", exponent));
        const Result<std::optional<TreeKnobs>> knobs =
            finder_.find(exponent, options_.target_recall);
        if (!knobs.ok()) {
            return knobs.status();
        }
        report.settings.push_back({exponent, knobs->value_or(everything)});
    }
    report.path = setting(report, tables.built_exponent).path;
    return Status();
}

/// How the index is searched at an exponent: as LeafIndex does by these settings.
SearchSetting IndexJudge::setting(const IndexReport& report, double exponent) const {
    if (!has_tree()) {
        return {exponent, SearchPath::kExact, {}};
    }
    const auto nearest = std::min_element(
        report.settings.begin(), report.settings.end(), [&](const auto& left, const auto& right) {
            return std::fabs(left.popularity_exponent - exponent) <
                   std::fabs(right.popularity_exponent - exponent);
        });
    const SearchPath path =
        options_.path == SearchPath::kAuto
            ? planned_path(index_.tables(), nearest->knobs,
                           exponent == index_.tables().built_exponent ? report.exact_share : 1)
            : options_.path;
    return {exponent, path, nearest->knobs};
}

/// Recall at every exponent and latency at the usual ones, on queries nothing was chosen by.
Status IndexJudge::judge(IndexReport& report) {
    for (const CalibrationQueries& queries : queries_) {
        tell(fmt::format("recall of {}", name_of(queries.kind)));
        for (const double exponent : exponents_) {
            const Result<RecallEstimate> recall =
                measure_recall(index_, queries.held_out, setting(report, exponent), pool_);
            if (!recall.ok()) {
                return recall.status();
            }
            if (report.kinds.empty() || recall->mean < report.recall.mean ||
                (recall->mean == report.recall.mean && recall->low < report.recall.low)) {
                report.recall = *recall;
            }
            report.kinds.push_back({queries.kind, exponent, *recall});
        }
        const Result<Latency> latency =
            measure_latency(index_, queries.held_out, setting(report, queries.usual_exponent));
        if (!latency.ok()) {
            return latency.status();
        }
        report.latency.p50 = std::max(report.latency.p50, latency->p50);
        report.latency.p99 = std::max(report.latency.p99, latency->p99);
    }
    return Status();
}

Status IndexJudge::measure_point(IndexPoint& point) const {
    for (const CalibrationQueries& queries : queries_) {
        const SearchSetting setting = {queries.usual_exponent, point.path, point.knobs};
        const Result<RecallEstimate> recall =
            measure_recall(index_, queries.held_out, setting, pool_);
        if (!recall.ok()) {
            return recall.status();
        }
        const Result<Latency> latency = measure_latency(index_, queries.held_out, setting);
        if (!latency.ok()) {
            return latency.status();
        }
        point.kinds.push_back({queries.kind, *recall, *latency});
    }
    return Status();
}

Status IndexJudge::add_points(IndexReport& report) {
    std::set<double> targets;
    if (has_tree()) {
        targets.insert(std::begin(kShownTargets), std::end(kShownTargets));
        targets.insert(options_.target_recall);
    }
    for (const double target : targets) {
        tell(fmt::format("what recall {} costs", target));
        const Result<std::optional<TreeKnobs>> knobs = finder_.find(std::nullopt, target);
        if (!knobs.ok()) {
            return knobs.status();
        }
        if (*knobs) {
            report.points.push_back({SearchPath::kTree, target, **knobs, {}});
        }
    }
    report.points.push_back({});
    for (IndexPoint& point : report.points) {
        if (Status status = measure_point(point); !status.ok()) {
            return status;
        }
    }
    return Status();
}

/// "" where recall and latency are within the limits.
std::string verdict_on(const IndexReport& report, const IndexModelOptions& options) {
    std::string verdict;
    if (report.recall.mean < options.min_recall) {
        verdict = fmt::format("recall@{} is {:.4f}, below {}", kRecallAt, report.recall.mean,
                              options.min_recall);
    }
    if (report.latency.p99 > options.max_latency_ms * 1000) {
        verdict += fmt::format("{}p99 is {:.3g} ms, above {}", verdict.empty() ? "" : "; ",
                               report.latency.p99 / 1000, options.max_latency_ms);
    }
    return verdict;
}

}  // namespace

Status IndexModelOptions::validate() const {
    const std::pair<std::string_view, double> shares[] = {{"target recall", target_recall},
                                                          {"least recall", min_recall}};
    for (const auto& [what, value] : shares) {
        if (!(value >= 0 && value <= 1)) {
            return invalid_argument(fmt::format("{} is {}; expected 0 to 1", what, value));
        }
    }
    if (!(max_latency_ms > 0)) {
        return invalid_argument(
            fmt::format("longest latency is {} ms; expected more than 0", max_latency_ms));
    }
    return build.validate();
}

bool can_be_indexed(const Model& model) {
    return model.info().answer_by != AnswerBy::kLists && model.item_vectors().num_rows > 0 &&
           model.item_vectors().dim <= kMaxIndexedDim;
}

Result<IndexedModel> index_model(const Model& model, const IndexModelOptions& options,
                                 ThreadPool& pool, const ProgressListener& progress) {
    if (Status status = options.validate(); !status.ok()) {
        return status;
    }
    if (!can_be_indexed(model)) {
        return invalid_argument(fmt::format(
            "a model of recipe '{}' that answers by {} with {} vectors of {} numbers has nothing "
            "to index; expected vectors of 1 to {} numbers to search for",
            model.info().recipe, name_of(model.info().answer_by), model.item_vectors().num_rows,
            model.item_vectors().dim, kMaxIndexedDim));
    }
    const Stopwatch building;
    const IndexBuildOptions build = build_options(model, options);
    Result<IndexParts> parts = build_index(model.item_vectors(), build, pool, progress);
    if (!parts.ok()) {
        return parts.status();
    }
    IndexedModel indexed;
    indexed.parts = std::move(parts).value();
    const IndexTables tables = indexed.parts.tables();
    IndexReport& report = indexed.report;
    report.build_seconds = building.seconds();
    report.num_items = tables.num_items;
    report.dim = tables.dim;
    report.num_leaves = tables.num_leaves();
    report.tables = bytes_of_tables(tables);
    for (const IndexTableBytes& table : report.tables) {
        report.bytes += table.bytes;
    }
    const Stopwatch calibrating;
    const Result<LeafIndex> index = LeafIndex::open(tables, model.item_vectors());
    if (!index.ok()) {
        return index.status();
    }
    const Result<std::vector<CalibrationQueries>> queries =
        make_calibration_queries(model, *index, kQueriesAPart, build.seed);
    if (!queries.ok()) {
        return queries.status();
    }
    if (Status status = IndexJudge(model, options, *index, *queries, pool, progress).run(report);
        !status.ok()) {
        return status;
    }
    report.calibrate_seconds = calibrating.seconds();
    report.verdict = verdict_on(report, options);
    report.blessed = report.verdict.empty();
    // Tuned knobs cost what they cost: the planner chooses by them, at every exponent.
    indexed.facts.settings = {tables.has_codes() ? options.path : SearchPath::kExact,
                              report.settings, options.target_recall, report.exact_share};
    indexed.facts.blessed = report.blessed;
    indexed.facts.report_json = stored_report(report, options, build);
    return indexed;
}

std::optional<IndexReport> add_index(ModelParts& parts, const IndexModelOptions& options,
                                     ThreadPool& pool, const ProgressListener& progress,
                                     std::string& warning) {
    Model model = Model::from_parts(std::move(parts));
    const bool is_possible = can_be_indexed(model);
    Result<IndexedModel> indexed = is_possible ? index_model(model, options, pool, progress)
                                               : Result<IndexedModel>(not_found("no vectors"));
    parts = std::move(model).release_parts();
    if (!indexed.ok()) {
        warning = is_possible ? "no index was built: " + indexed.status().message() : "";
        return std::nullopt;
    }
    parts.index = std::move(indexed->parts);
    parts.index_facts = std::move(indexed->facts);
    if (!indexed->report.blessed) {
        warning = "the index is not blessed: " + indexed->report.verdict;
    }
    return std::move(indexed->report);
}

Result<IndexReport> index_bundle(const std::string& path, const IndexModelOptions& options,
                                 ThreadPool& pool, const ProgressListener& progress) {
    const Result<Model> model = Model::open(path, {.open_index = false});
    if (!model.ok()) {
        return model.status();
    }
    Result<IndexedModel> indexed = index_model(*model, options, pool, progress);
    if (!indexed.ok()) {
        return indexed.status().with_context(fmt::format("bundle '{}'", path));
    }
    const Status replaced = replace_index(path, indexed->parts.tables(), indexed->facts);
    return replaced.ok() ? Result<IndexReport>(std::move(indexed->report))
                         : Result<IndexReport>(replaced);
}

}  // namespace segue
