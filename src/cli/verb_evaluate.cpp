// segue evaluate: how good the answers are, popularity and co-occurrence always beside the model.

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/file.h"
#include "base/text.h"
#include "cli/evaluate_html.h"
#include "cli/evaluate_text.h"
#include "cli/ingest_arguments.h"
#include "cli/recipe_arguments.h"
#include "cli/text_file.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/choose_recipe.h"
#include "pipeline/evaluate_tables.h"

namespace segue::cli {
namespace {

constexpr std::size_t kExamplesOnPage = 12;

struct EvaluateArguments {
    static constexpr std::string_view kName = "evaluate";
    static constexpr std::string_view kSummary =
        "Measure recipes on held-out items, beside popularity and co-occurrence.";
    IngestArguments ingest;
    RecipeArguments learning;
    std::vector<std::string> recipes = {"auto"};
    double seconds = 60;
    std::optional<std::string> split;
    std::string train;
    std::string test;
    std::vector<std::string> ks = {"10", "20"};
    bool item_to_item = false;
    bool cut_lists = false;
    bool popularity_curve = false;
    std::vector<std::string> lists;
    std::vector<std::string> item_lists;
    std::string per_group_path;
    std::string report_path;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.text("split", split, "SPLIT",
                     "holdout:SHARE of each group, leave-one-out, or time:WHEN (holdout:0.2)");
        options.text("train", train, "TABLE", "instead of a split: the table to learn from");
        options.text("test", test, "TABLE", "and the table to be judged by, of the same columns");
        options.comma_list(
            "recipe", recipes, "NAME,NAME",
            "popularity, auto, " + names_of_recipes() + "; popularity and cooc are always there");
        options.number("seconds", seconds, kSecondsRange, "what auto may take to choose");
        options.comma_list("k", ks, "N,N", "lengths the lists are judged at");
        options.flag("cut-lists", cut_lists,
                     "judge ease and graph-filter by the lists that a bundle holds");
        options.flag("item-to-item", item_to_item, "judge the lists of single items too");
        options.flag("popularity-curve", popularity_curve,
                     "judge those lists over the exponents of popularity");
        options.list("lists", lists, "NAME=TABLE",
                     "judge lists made elsewhere too, as segue recommend writes them");
        options.list(
            "item-lists", item_lists, "NAME=TABLE",
            "and those of single items, as segue neighbours writes them, by the same name");
        options.text("report", report_path, "FILE.html",
                     "write a page with all of it, plots and neighbours of a dozen items");
        options.text("per-group", per_group_path, "FILE",
                     "write what every group came to, as .csv, .jsonl or .parquet");
        options.flag("force", force, "overwrite what is written");
        options.flag("json", json, "print one JSON object");
        ingest.declare(options, ItemTexts::kAll);
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
    Result<std::vector<GivenTables>> given_tables() const;
};

/// "als=lists.csv" as name and table.
Result<std::pair<std::string, std::string>> named_table(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
        return invalid_argument(fmt::format("expected NAME=TABLE, found \"{}\"", shortened(text)));
    }
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<std::vector<GivenTables>> EvaluateArguments::given_tables() const {
    std::vector<GivenTables> tables;
    for (const std::string& text : lists) {
        const auto named = named_table(text);
        if (!named.ok()) {
            return named.status().with_context("--lists");
        }
        tables.push_back({named->first, named->second, ""});
    }
    for (const std::string& text : item_lists) {
        const auto named = named_table(text);
        if (!named.ok()) {
            return named.status().with_context("--item-lists");
        }
        const auto found = std::ranges::find(tables, named->first, &GivenTables::name);
        if (found == tables.end()) {
            return invalid_argument(fmt::format("--item-lists {0}: there are no --lists of {0}",
                                                shortened(named->first)));
        }
        found->of_items = named->second;
    }
    return tables;
}

Result<EvaluateParams> EvaluateArguments::params() const {
    Result<RecipeParams> fit = learning.params(Recipe::kIals);
    if (!fit.ok()) {
        return fit.status();
    }
    EvaluateParams evaluate;
    evaluate.recipes = recipes;
    evaluate.fit = std::move(fit).value();
    const bool has_page = !report_path.empty();
    evaluate.cut_lists = cut_lists;
    evaluate.item_to_item = item_to_item || popularity_curve || has_page;
    evaluate.popularity_curve = popularity_curve || has_page;
    evaluate.num_examples = has_page ? kExamplesOnPage : 0;
    evaluate.choose_seconds = seconds;
    evaluate.judge.seed = learning.seed;
    evaluate.bootstrap.seed = learning.seed;
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
    if (!per_group_path.empty() && per_group_path == report_path) {
        return invalid_argument("--per-group and --report name one file");
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
    options.ingest.guess_title = !report_path.empty();
    options.params = std::move(evaluate).value();
    options.per_group_path = per_group_path;
    options.overwrite = force;
    options.num_threads = ingest.threads;
    Result<std::vector<GivenTables>> given = given_tables();
    if (!given.ok()) {
        return given.status();
    }
    options.given = std::move(given).value();
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

Status EvaluateArguments::run(Console& console) const {
    const Result<EvaluateOptions> options = evaluate_options();
    if (!options.ok()) {
        return options.status();
    }
    // Co-occurrence is always judged, so its flags are never without use.
    std::vector<std::string> judged = recipes;
    if (std::ranges::find(recipes, kAutoRecipe) != recipes.end()) {
        std::ranges::copy(names_of_candidates(), std::back_inserter(judged));
    }
    if (std::find(judged.begin(), judged.end(), "cooc") == judged.end()) {
        judged.emplace_back("cooc");
    }
    learning.warn_of_unused(judged, console);
    if (!report_path.empty()) {
        if (Status status = check_writable(report_path, force); !status.ok()) {
            return status.with_context("--report");
        }
    }
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
    if (!report_path.empty()) {
        const std::string named = train.empty() ? join(ingest.tables, ", ") : train;
        const std::string page = evaluation_html(*report, named.empty() ? "a query" : named);
        if (Status status = write_text_file(report_path, page, force); !status.ok()) {
            return status.with_context("--report");
        }
    }
    if (json) {
        console.print_line(to_json(*report));
    } else {
        console.print(evaluation_text(*report));
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
