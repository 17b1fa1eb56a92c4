// segue tune: searches the parameters of a recipe and writes what fit takes.

#include <fmt/core.h>

#include <algorithm>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/ingest_arguments.h"
#include "cli/recipe_arguments.h"
#include "cli/text_file.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/tune.h"

namespace segue::cli {
namespace {

struct TuneArguments {
    static constexpr std::string_view kName = "tune";
    static constexpr std::string_view kSummary =
        "Search a recipe's parameters and write a configuration that fit takes.";
    IngestArguments ingest;
    RecipeArguments learning;
    std::string recipe;
    std::uint64_t trials = 20;
    double seconds = 60;
    std::string out;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.required_text("out", out, "FILE.json", "the configuration to write");
        options.required_text("recipe", recipe, "NAME", "whose parameters: " + names_of_recipes());
        options.number("trials", trials, {1, 10'000}, "settings to try, the defaults among them");
        options.number("seconds", seconds, kSecondsRange,
                       "no fit begins later; what was found by then is written");
        options.flag("force", force, "overwrite the configuration");
        options.flag("json", json, "print the trials as one JSON object");
        ingest.declare(options, ItemTexts::kNone);
        learning.declare(options);
        options.example("The best settings of a recipe, then a model with them",
                        "segue tune plays.csv --group list --item track --recipe ials --out "
                        "ials.json && segue fit plays.csv --group list --item track --config "
                        "ials.json --out songs.segue");
    }
    Status check() const {
        if (Status status = ingest.check(); !status.ok()) {
            return status;
        }
        const Result<TuneParams> tuning = params();
        return tuning.status();
    }
    Status run(Console& console) const;
    /// Flags that were told stay as they are.
    Result<TuneParams> params() const;
};

Result<TuneParams> TuneArguments::params() const {
    const Result<Recipe> named = recipe_by_name(recipe);
    if (!named.ok()) {
        return named.status();
    }
    Result<RecipeParams> told = learning.params(*named);
    if (!told.ok()) {
        return told.status();
    }
    TuneParams tuning;
    tuning.recipe = std::move(told).value();
    for (const std::string& flag : learning.changed(recipe)) {
        if (find_option(*named, flag) != nullptr) {
            tuning.fixed.push_back(flag);
        }
    }
    tuning.num_trials = trials;
    tuning.max_seconds = seconds;
    tuning.seed = learning.seed;
    if (Status status = tuning.validate(); !status.ok()) {
        return status;
    }
    return tuning;
}

/// What --config reads: the recipe, what was told, and the best values.
std::string config_json(const TuneArguments& arguments, const TuneTrial& best) {
    JsonWriter json;
    json.begin_object().key("recipe").value(arguments.recipe);
    arguments.learning.write_changed(arguments.recipe, json);
    // The defaults need no saying.
    for (const auto& [name, value] : best.values) {
        if (best.number != 0) {
            json.key(name).value(value);
        }
    }
    return json.end_object().take();
}

/// "50 %", or "100 % x 3" where so many parts were cut from them.
std::string share_text(const TuneTrial& trial) {
    return trial.num_parts == 0 ? "not tried"
           : trial.num_parts == 1
               ? fmt::format("{:.0f} %", 100 * trial.share_of_groups)
               : fmt::format("{:.0f} % x {}", 100 * trial.share_of_groups, trial.num_parts);
}

std::string trials_text(const TuneReport& report) {
    std::vector<TextTable::Column> columns = {
        {"trial", TextTable::Align::kRight},
        {"groups", TextTable::Align::kRight},
        {fmt::format("recall@{}", kValidationK), TextTable::Align::kRight},
        {fmt::format("ndcg@{}", kValidationK), TextTable::Align::kRight},
        {"seconds", TextTable::Align::kRight}};
    for (const auto& [name, value] : report.best().values) {
        columns.push_back({name, TextTable::Align::kRight});
    }
    columns.push_back({""});
    TextTable table(columns);
    for (const TuneTrial& trial : report.trials) {
        const bool is_tried = trial.share_of_groups > 0;
        std::vector<std::string> cells = {
            std::to_string(trial.number), share_text(trial),
            is_tried ? fmt::format("{:.4f}", trial.score.recall) : "",
            is_tried ? fmt::format("{:.4f}", trial.score.ndcg) : "",
            is_tried ? fmt::format("{:.2f}", trial.score.seconds) : ""};
        for (const auto& [name, value] : trial.values) {
            cells.push_back(fmt::format("{:.4g}", value));
        }
        cells.emplace_back(trial.number == 0 ? "defaults" : "");
        table.add_row(cells);
    }
    return table.text();
}

std::string report_json(const TuneArguments& arguments, const TuneReport& report) {
    JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("recipe").value(arguments.recipe);
    json.key("best").raw(config_json(arguments, report.best()));
    json.key("fits").value(static_cast<std::uint64_t>(report.num_fits));
    json.key("seconds").value(report.seconds).key("time_was_up").value(report.time_was_up);
    json.key("trials").begin_array();
    for (const TuneTrial& trial : report.trials) {
        json.begin_object().key("trial").value(static_cast<std::uint64_t>(trial.number));
        json.key("values").begin_object();
        for (const auto& [name, value] : trial.values) {
            json.key(name).value(value);
        }
        json.end_object().key("share_of_groups").value(trial.share_of_groups);
        json.key("parts").value(static_cast<std::uint64_t>(trial.num_parts));
        json.key(fmt::format("recall@{}", kValidationK)).value(trial.score.recall);
        json.key(fmt::format("ndcg@{}", kValidationK)).value(trial.score.ndcg);
        json.key("seconds").value(trial.score.seconds).end_object();
    }
    return json.end_array().end_object().take();
}

void tell_outcome(const TuneReport& report, double seconds, Console& console) {
    const TuneTrial& best = report.best();
    if (report.time_was_up) {
        console.warn(fmt::format(
            "the {:g} s were up after {} fits; the best so far was judged on {:.0f} % of the "
            "groups",
            seconds, report.num_fits, 100 * best.share_of_groups));
    }
    if (best.number == 0) {
        console.remark("no setting was better than the defaults");
        return;
    }
    const TuneTrial& defaults = report.defaults();
    if (defaults.share_of_groups == best.share_of_groups && defaults.num_parts == best.num_parts) {
        console.remark(fmt::format(
            "recall@{} {:.4f} and ndcg@{} {:.4f} on the validation part, {:.4f} and {:.4f} with "
            "the defaults; judge both on other groups with segue evaluate",
            kValidationK, best.score.recall, kValidationK, best.score.ndcg, defaults.score.recall,
            defaults.score.ndcg));
    }
}

Status TuneArguments::run(Console& console) const {
    const Result<TuneParams> tuning = params();
    if (!tuning.ok()) {
        return tuning.status();
    }
    if (Status status = check_writable(out, force); !status.ok()) {
        return status.with_context("--out");
    }
    learning.warn_of_unused({&recipe, 1}, console);
    IngestOptions reading = ingest.options(cleaning_of(tuning->recipe.recipe));
    reading.want_positions |= tuning->recipe.window != 0;
    const Result<IngestedData> read = segue::ingest(reading, console.progress());
    if (!read.ok()) {
        return read.status();
    }
    tell_ingest(read->report, console);
    console.remark(fmt::format("{} trials of {}, for {:g} s at most (--trials, --seconds)", trials,
                               recipe, seconds));
    ThreadPool pool(ingest.threads);
    const Result<TuneReport> report = tune_recipe(read->dataset, *tuning, pool, console.progress());
    if (!report.ok()) {
        return report.status();
    }
    if (Status status = write_text_file(out, config_json(*this, report->best()) + "\n", force);
        !status.ok()) {
        return status;
    }
    if (json) {
        console.print_line(report_json(*this, *report));
    } else {
        console.print(trials_text(*report));
        console.print_line(
            fmt::format("{}: {}", printable(out), config_json(*this, report->best())));
    }
    tell_outcome(*report, seconds, console);
    console.suggest_next(fmt::format("segue fit {} --config {} --out model.segue",
                                     ingest.as_words(), shell_quoted(out)));
    return {};
}

}  // namespace

Verb tune_verb() {
    return verb_of<TuneArguments>();
}

}  // namespace segue::cli
