// segue fit: tables in, one bundle out.

#include <fmt/core.h>

#include <algorithm>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/ingest_arguments.h"
#include "cli/list_output.h"
#include "cli/recipe_arguments.h"
#include "cli/text_file.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "model/model.h"
#include "pipeline/choose_recipe.h"
#include "pipeline/evaluate.h"
#include "pipeline/fit.h"

namespace segue::cli {
namespace {

struct FitArguments {
    static constexpr std::string_view kName = "fit";
    static constexpr std::string_view kSummary =
        "Learn from (group, item) rows and write one bundle file.";
    IngestArguments ingest;
    RecipeArguments learning;
    std::string recipe = "auto";
    double seconds = 60;
    std::string out;
    std::string report_path;
    bool no_index = false;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.required_text("out", out, "FILE.segue", "the bundle to write");
        options.choice("recipe", recipe, recipe_choices(),
                       "auto tries those that fit in memory and takes the best; by name: " +
                           recipe_summaries());
        options.number("seconds", seconds, kSecondsRange, "what auto may take to choose");
        options.flag("no-index", no_index, "build no index; segue index adds one later");
        options.flag("force", force, "overwrite the bundle and the report");
        options.flag("json", json, "print the report as one JSON object");
        options.text("report", report_path, "FILE.json", "write that object to a file too");
        ingest.declare(options, ItemTexts::kAll);
        learning.declare(options);
        options.example("Playlists in, one file out",
                        "segue fit plays.csv --group list --item track --title name --out "
                        "songs.segue");
        options.example("Lines of \"user item item ...\", counted",
                        "segue fit train.txt --format lists --recipe cooc --out checkins.segue");
    }
    Status check() const {
        if (Status status = ingest.check(); !status.ok()) {
            return status;
        }
        if (report_path == out) {
            return invalid_argument("--report and --out name one file");
        }
        return learning.params(named_recipe()).status();
    }
    bool is_auto() const { return recipe == kAutoRecipe; }
    /// Where it is to be chosen, the one whose defaults the flags stand on.
    Recipe named_recipe() const { return is_auto() ? Recipe::kIals : *recipe_by_name(recipe); }
    Status run(Console& console) const;
};

std::string report_json(const FitArguments& arguments, const FitReport& report,
                        const IngestReport& read) {
    JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("recipe");
    json.value(report.choice ? name_of(report.choice->winner) : arguments.recipe);
    if (report.choice) {
        json.key("chosen_from");
        write_choice(*report.choice, json);
    }
    json.key("groups").value(static_cast<std::uint64_t>(report.num_groups));
    json.key("items").value(static_cast<std::uint64_t>(report.num_items));
    json.key("interactions").value(report.num_interactions);
    json.key("bundle_bytes").value(report.bundle_bytes).key("index");
    report.index ? json.raw(to_json(*report.index)) : json.null();
    json.key("seconds").value(report.total_seconds());
    write_ingest(read, json);
    json.key("stages").begin_array();
    for (const FitStage& stage : report.stages) {
        json.begin_object().key("name").value(stage.name).key("seconds").value(stage.seconds);
        json.key("cpu_seconds").value(stage.cpu_seconds);
        json.key("note").value(stage.note).end_object();
    }
    json.end_array().key("epochs").begin_array();
    for (const AlsEpoch& epoch : report.epochs) {
        json.begin_object().key("seconds").value(epoch.seconds);
        json.key("cpu_seconds").value(epoch.cpu_seconds).key("loss").value(epoch.loss);
        json.key("validation").value(epoch.validation).end_object();
    }
    json.end_array().key("warnings").begin_array();
    for (const std::string& warning : report.warnings) {
        json.value(warning);
    }
    return json.end_array().end_object().take();
}

std::string loss_text(double loss) {
    return loss >= 1e5 && loss < 1e18 ? with_commas(static_cast<std::uint64_t>(loss))
                                      : fmt::format("{:.6g}", loss);
}

/// What the recipes came to where one was chosen.
std::string choice_text(const RecipeChoice& choice) {
    TextTable table({{"recipe"},
                     {fmt::format("recall@{}", kValidationK), TextTable::Align::kRight},
                     {fmt::format("ndcg@{}", kValidationK), TextTable::Align::kRight},
                     {"seconds", TextTable::Align::kRight},
                     {"", TextTable::Align::kLeft, 80}});
    for (const Candidate& candidate : choice.candidates) {
        const std::string name = title_of(candidate);
        const bool is_taken = &candidate == &choice.candidates.front();
        if (!candidate.left_out.empty()) {
            table.add_row({name, "", "", "", "left out: " + candidate.left_out});
            continue;
        }
        table.add_row({name, fmt::format("{:.4f}", candidate.score.recall),
                       fmt::format("{:.4f}", candidate.score.ndcg),
                       fmt::format("{:.2f}", candidate.score.seconds), is_taken ? "taken" : ""});
    }
    return table.text();
}

void print_report(const FitArguments& arguments, const FitReport& report, Console& console) {
    if (report.choice) {
        console.print(choice_text(*report.choice));
    }
    TextTable table({{"stage"},
                     {"seconds", TextTable::Align::kRight},
                     {"CPU", TextTable::Align::kRight},
                     {"", TextTable::Align::kLeft, 80}});
    for (const FitStage& stage : report.stages) {
        table.add_row({stage.name, fmt::format("{:.2f}", stage.seconds),
                       fmt::format("{:.2f}", stage.cpu_seconds), stage.note});
    }
    console.print(table.text());
    if (!report.epochs.empty()) {
        double seconds = 0;
        for (const AlsEpoch& epoch : report.epochs) {
            seconds += epoch.seconds;
        }
        console.print_line(
            fmt::format("loss {} after the first epoch, {} after the last of {}; {} an epoch",
                        loss_text(report.epochs.front().loss), loss_text(report.epochs.back().loss),
                        report.epochs.size(),
                        seconds_text(seconds / static_cast<double>(report.epochs.size()))));
    }
    console.print_line(fmt::format(
        "{}: {} items, {} groups, {} interactions, {} in {}", printable(arguments.out),
        with_commas(report.num_items), with_commas(report.num_groups),
        with_commas(report.num_interactions), bytes_text(static_cast<double>(report.bundle_bytes)),
        seconds_text(report.total_seconds())));
}

/// A question about the most frequent item, so that the next command has an answer.
std::string next_command(const std::string& path) {
    const Result<Model> model = Model::open(path, {.verify_checksums = false});
    if (!model.ok() || model->item_frequencies().empty()) {
        return fmt::format("segue describe {}", shell_quoted(path));
    }
    const std::span<const std::uint32_t> frequencies = model->item_frequencies();
    const auto item_row = static_cast<std::size_t>(
        std::max_element(frequencies.begin(), frequencies.end()) - frequencies.begin());
    const std::string_view title = model->titles() ? (*model->titles())[item_row] : "";
    return title.empty() ? fmt::format("segue similar {} --item {}", shell_quoted(path),
                                       shell_quoted(model->item_keys()[item_row]))
                         : fmt::format("segue similar {} --title {}", shell_quoted(path),
                                       shell_quoted(title));
}

Status FitArguments::run(Console& console) const {
    Result<RecipeParams> params = learning.params(named_recipe());
    if (!params.ok()) {
        return params.status();
    }
    if (!report_path.empty()) {
        if (Status status = check_writable(report_path, force); !status.ok()) {
            return status.with_context("--report");
        }
    }
    learning.warn_of_unused(is_auto() ? names_of_candidates() : std::vector{recipe}, console);
    FitOptions options;
    options.ingest = ingest.options(cleaning_of(named_recipe()));
    options.recipe = std::move(params).value();
    if (is_auto()) {
        options.choose_seconds = seconds;
    }
    options.out = out;
    options.overwrite = force;
    options.num_threads = ingest.threads;
    if (no_index) {
        options.index.reset();
    }
    IngestReport read;
    const Result<FitReport> done = segue::fit(options, console.progress(), &read);
    tell_ingest(read, console);
    if (!done.ok()) {
        return done.status();
    }
    const std::string report = report_json(*this, *done, read);
    if (!report_path.empty()) {
        if (Status status = write_text_file(report_path, report + "\n", force); !status.ok()) {
            return status;
        }
    }
    if (json) {
        console.print_line(report);
    } else {
        print_report(*this, *done, console);
    }
    for (const std::string& warning : done->warnings) {
        console.warn(printable(warning));
    }
    console.suggest_next(next_command(out));
    return {};
}

}  // namespace

Verb fit_verb() {
    return verb_of<FitArguments>();
}

}  // namespace segue::cli
