// segue evaluate: how good the answers are, popularity and co-occurrence always beside the model.

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/ingest_arguments.h"
#include "cli/recipe_arguments.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/evaluate_tables.h"

namespace segue::cli {
namespace {

struct EvaluateArguments {
    static constexpr std::string_view kName = "evaluate";
    static constexpr std::string_view kSummary =
        "Measure recipes on held-out items, beside popularity and co-occurrence.";
    IngestArguments ingest;
    RecipeArguments learning;
    std::vector<std::string> recipes = {"ials"};
    std::optional<std::string> split;
    std::string train;
    std::string test;
    std::vector<std::string> ks = {"10", "20"};
    bool item_to_item = false;
    bool cut_lists = false;
    bool json = false;

    void declare(Options& options) {
        options.text("split", split, "SPLIT",
                     "holdout:SHARE of each group, leave-one-out, or time:WHEN (holdout:0.2)");
        options.text("train", train, "TABLE", "instead of a split: the table to learn from");
        options.text("test", test, "TABLE", "and the table to be judged by, of the same columns");
        options.comma_list(
            "recipe", recipes, "NAME,NAME",
            "popularity, cooc, ials, ease, graph-filter, blueprint; the first two are "
            "always there");
        options.comma_list("k", ks, "N,N", "lengths the lists are judged at");
        options.flag("cut-lists", cut_lists,
                     "judge ease and graph-filter by the lists that a bundle holds");
        options.flag("item-to-item", item_to_item, "judge the lists of single items too");
        options.flag("json", json, "print one JSON object");
        ingest.declare(options, ItemTexts::kNone);
        learning.declare(options);
        options.example("How much better than popularity?",
                        "segue evaluate plays.csv --group list --item track --split holdout:0.2");
        options.example("On a published split",
                        "segue evaluate --train train.csv --test test.csv --group user --item "
                        "item --recipe ials --dim 128 --k 20 --json");
    }
    Status check() const;
    Status run(Console& console) const;
    Result<EvaluateParams> params() const;
    Result<EvaluateOptions> evaluate_options() const;
};

Result<EvaluateParams> EvaluateArguments::params() const {
    Result<RecipeParams> fit = learning.params(Recipe::kIals);
    if (!fit.ok()) {
        return fit.status();
    }
    EvaluateParams evaluate;
    evaluate.recipes = recipes;
    evaluate.fit = std::move(fit).value();
    evaluate.cut_lists = cut_lists;
    evaluate.item_to_item = item_to_item;
    evaluate.judge.seed = learning.seed;
    evaluate.judge.ks.clear();
    for (const std::string& text : ks) {
        const std::optional<std::uint64_t> k = parse_unsigned(text);
        if (!k || *k == 0 || static_cast<double>(*k) > kResultsRange.high) {
            return invalid_argument(fmt::format(
                "--k: expected whole numbers from 1 to 1,000,000, found \"{}\"", shortened(text)));
        }
        evaluate.judge.ks.push_back(*k);
    }
    std::sort(evaluate.judge.ks.begin(), evaluate.judge.ks.end());
    if (Status status = evaluate.validate(); !status.ok()) {
        return status;
    }
    return evaluate;
}

Status EvaluateArguments::check() const {
    if (train.empty() != test.empty()) {
        return invalid_argument("--train and --test belong together");
    }
    if (!train.empty() && (!ingest.tables.empty() || !ingest.sql.empty())) {
        return invalid_argument("a TABLE to split, or --train and --test, not both");
    }
    if (!train.empty() && split) {
        return invalid_argument("--split is for one TABLE; --train and --test are split already");
    }
    IngestArguments read = ingest;
    if (!train.empty()) {
        read.tables = {train};
    }
    if (Status status = read.check(); !status.ok()) {
        return status;
    }
    return evaluate_options().status();
}

Result<EvaluateOptions> EvaluateArguments::evaluate_options() const {
    Result<EvaluateParams> evaluate = params();
    if (!evaluate.ok()) {
        return evaluate.status();
    }
    EvaluateOptions options;
    options.ingest = ingest.options(CleaningDefaults::kKeepAll);
    options.params = std::move(evaluate).value();
    options.num_threads = ingest.threads;
    if (!train.empty()) {
        options.ingest.tables = {train};
        options.test_tables = {test};
        return options;
    }
    const Result<SplitSpec> spec = parse_split(split.value_or("holdout:0.2"));
    if (!spec.ok()) {
        return spec.status().with_context("--split");
    }
    if (spec->kind == SplitKind::kTime && ingest.time.empty()) {
        return invalid_argument("--split time:WHEN needs --time COL");
    }
    options.split = *spec;
    options.split.seed = learning.seed;
    return options;
}

constexpr std::string_view kItemPrefix = "item_";

/// The metrics a table has room for: recall, NDCG and hit rate at every k, the others at the
/// longest. All of them are in the JSON.
std::vector<std::size_t> columns_shown(const std::vector<Metric>& metrics, bool of_items,
                                       std::size_t longest_k) {
    std::vector<std::size_t> shown;
    for (std::size_t index = 0; index < metrics.size(); ++index) {
        std::string_view name = metrics[index].name;
        if (name.starts_with(kItemPrefix) != of_items) {
            continue;
        }
        name.remove_prefix(of_items ? kItemPrefix.size() : 0);
        const bool at_every_k =
            name.starts_with("recall@") || name.starts_with("ndcg@") || name.starts_with("hr@");
        const bool at_longest =
            name.ends_with(fmt::format("@{}", longest_k)) && !name.starts_with("precision@");
        if (at_every_k || at_longest || name == "mrr") {
            shown.push_back(index);
        }
    }
    return shown;
}

/// One line a recipe.
std::string metrics_text(const EvaluateReport& report, bool of_items, std::size_t longest_k) {
    const std::vector<std::size_t> shown =
        columns_shown(report.models.front().metrics, of_items, longest_k);
    if (shown.empty()) {
        return {};
    }
    std::vector<TextTable::Column> columns = {{of_items ? "for single items" : "for groups"}};
    for (const std::size_t index : shown) {
        std::string name = report.models.front().metrics[index].name;
        columns.push_back(
            {name.substr(of_items ? kItemPrefix.size() : 0), TextTable::Align::kRight, 20});
    }
    columns.push_back({"train s", TextTable::Align::kRight, 20});
    columns.push_back({"judge s", TextTable::Align::kRight, 20});
    TextTable table(columns);
    for (const ModelReport& model : report.models) {
        std::vector<std::string> cells = {model.recipe};
        for (const std::size_t index : shown) {
            const double value = model.metrics[index].value;
            cells.push_back(fmt::format("{:.{}f}", value, value >= 10 ? 1 : 4));
        }
        cells.push_back(fmt::format("{:.2f}", model.train_seconds));
        cells.push_back(fmt::format("{:.2f}", model.evaluate_seconds));
        table.add_row(cells);
    }
    return table.text();
}

Status EvaluateArguments::run(Console& console) const {
    const Result<EvaluateOptions> options = evaluate_options();
    if (!options.ok()) {
        return options.status();
    }
    // Co-occurrence is always judged, so its flags are never without use.
    std::vector<std::string> judged = recipes;
    if (std::find(judged.begin(), judged.end(), "cooc") == judged.end()) {
        judged.emplace_back("cooc");
    }
    learning.warn_of_unused(judged, console);
    EvaluateInput input;
    const Result<EvaluateReport> report =
        segue::evaluate_tables(*options, console.progress(), &input);
    tell_ingest(input.table, console);
    if (input.test) {
        tell_ingest(*input.test, console);
    }
    if (!report.ok()) {
        return report.status();
    }
    const SplitCounts& counts = report->counts;
    console.remark(fmt::format(
        "{} interactions to learn from, {} of {} groups to be judged by; left out: {} of items and "
        "{} of groups that were not learnt, {} known already",
        with_commas(counts.train_entries), with_commas(counts.test_entries),
        with_commas(counts.test_groups), with_commas(counts.dropped_unseen_items),
        with_commas(counts.dropped_unseen_groups), with_commas(report->dropped_known_pairs)));
    if (json) {
        console.print_line(to_json(*report));
    } else {
        const std::size_t longest_k = options->params.judge.ks.back();
        console.print(metrics_text(*report, false, longest_k));
        console.print(metrics_text(*report, true, longest_k));
    }
    for (const ModelReport& model : report->models) {
        for (const std::string& warning : model.warnings) {
            console.warn(printable(fmt::format("{}: {}", model.recipe, warning)));
        }
    }
    IngestArguments whole = ingest;
    if (!train.empty()) {
        whole.tables = {train};
    }
    console.suggest_next(fmt::format("segue fit {} --out model.segue", whole.as_words()));
    return {};
}

}  // namespace

Verb evaluate_verb() {
    return verb_of<EvaluateArguments>();
}

}  // namespace segue::cli
