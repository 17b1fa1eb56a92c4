#include "pipeline/fit.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <utility>

#include "base/checksum.h"
#include "base/file.h"
#include "base/text.h"
#include "cooc/pair_counter.h"
#include "pipeline/choose_recipe.h"
#include "pipeline/neighbour_table.h"
#include "pipeline/recipes.h"
#include "pipeline/stage_clock.h"

namespace segue {

namespace {

/// Chains a hash over the next stretch of bytes.
std::uint64_t hash_on(std::uint64_t hash, std::span<const std::byte> bytes) {
    const std::uint64_t pair[2] = {hash, xxh3_64(bytes)};
    return xxh3_64(std::as_bytes(std::span(pair)));
}

/// Of all that was read and kept, so that equal inputs are known by it.
std::string input_hash(const Dataset& dataset) {
    std::uint64_t hash = 0;
    const auto add = [&](const auto& values) {
        hash = hash_on(hash, std::as_bytes(std::span(values.data(), values.size())));
    };
    for (const StringTableView keys : {dataset.groups.keys(), dataset.items.keys()}) {
        add(keys.offsets());
        add(keys.bytes());
    }
    add(dataset.interactions.offsets);
    add(dataset.interactions.columns);
    add(dataset.interactions.values);
    return to_hex(hash);
}

/// What every recipe has: keys, attributes, frequencies, histories.
Status store_common_parts(const Dataset& dataset, const RecipeParams& params, ModelParts& parts) {
    Result<std::vector<std::uint32_t>> frequencies =
        item_frequencies(dataset.interactions.view(), dataset.values_are_counts);
    if (!frequencies.ok()) {
        return frequencies.status();
    }
    parts.info.recipe = name_of(params.recipe);
    parts.info.seed = params.seed;
    parts.info.num_groups = dataset.groups.size();
    for (const std::uint32_t frequency : *frequencies) {
        parts.info.total_frequency += frequency;
    }
    parts.info.input_hash = input_hash(dataset);
    parts.item_frequencies = std::move(frequencies).value();
    parts.items = dataset.items;
    parts.groups = dataset.groups;
    parts.attributes = dataset.attributes;
    parts.interactions = dataset.interactions;
    return Status();
}

Status run_recipe(const RecipeRun& run) {
    switch (run.params.recipe) {
        case Recipe::kIals:
            return run_ials(run);
        case Recipe::kCooc:
            return run_cooc(run);
        case Recipe::kEase:
            return run_ease(run);
        case Recipe::kGraphFilter:
            return run_graph_filter(run);
        case Recipe::kBlueprint:
            return run_blueprint(run);
    }
    return internal_error("unknown recipe");
}

/// "tree of 1,024 leaves, recall@10 0.957"
std::string index_note(const IndexReport& index) {
    return fmt::format("{}, recall@10 {:.4f}",
                       index.num_leaves > 1 ? fmt::format("{} of {} leaves", name_of(index.path),
                                                          with_commas(index.num_leaves))
                                            : std::string(name_of(index.path)),
                       index.recall.mean);
}

void index_stage(const IndexModelOptions& options, ThreadPool& pool,
                 const ProgressListener& progress, ModelParts& parts, FitReport& report) {
    const StageClock clock("index");
    std::string warning;
    report.index = add_index(parts, options, pool, progress, warning);
    if (report.index) {
        clock.end(report.stages, index_note(*report.index));
    }
    if (!warning.empty()) {
        report.warnings.push_back(std::move(warning));
    }
}

/// The recipe to fit: chosen where that was asked for, with a stage of its own.
Result<std::shared_ptr<const RecipeChoice>> choice_stage(const Dataset& dataset,
                                                         const FitOptions& options,
                                                         ThreadPool& pool,
                                                         const ProgressListener& progress,
                                                         std::vector<FitStage>& stages) {
    if (!options.choose_seconds) {
        return std::shared_ptr<const RecipeChoice>();
    }
    const StageClock clock("choose");
    Result<RecipeChoice> choice = choose_recipe(
        dataset, options.recipe, {.max_seconds = *options.choose_seconds}, pool, progress);
    if (!choice.ok()) {
        return choice.status().with_context("choosing a recipe");
    }
    clock.end(stages, std::string(name_of(choice->winner)));
    return std::shared_ptr<const RecipeChoice>(
        std::make_shared<RecipeChoice>(std::move(choice).value()));
}

/// The parameters of a model, how its recipe was chosen in front of them.
std::string with_choice(const std::string& parameters_json, const RecipeChoice& choice) {
    JsonWriter json;
    write_choice(choice, json);
    SEGUE_ASSERT(parameters_json.starts_with('{'));
    return "{\"chosen_from\":" + json.take() + (parameters_json == "{}" ? "" : ",") +
           parameters_json.substr(1);
}

}  // namespace

Result<FittedRecipe> fit_recipe(const Dataset& dataset, const RecipeParams& params,
                                ThreadPool& pool, const ProgressListener& progress) {
    if (Status status = params.validate(); !status.ok()) {
        return status;
    }
    if (dataset.interactions.num_entries() == 0) {
        return invalid_argument(
            "no (group, item) rows are left to learn from; see the counts of dropped rows");
    }
    FittedRecipe result;
    result.report.num_groups = dataset.groups.size();
    result.report.num_items = dataset.items.size();
    result.report.num_interactions = dataset.interactions.num_entries();
    if (Status status = store_common_parts(dataset, params, result.parts); !status.ok()) {
        return status;
    }
    if (Status status = run_recipe({dataset, params, pool, progress, result}); !status.ok()) {
        return status.with_context(name_of(params.recipe));
    }
    return result;
}

Result<FitReport> fit(const FitOptions& options, const ProgressListener& progress,
                      IngestReport* ingest_report) {
    if (options.out.empty()) {
        return invalid_argument("no file to write was named; say --out FILE.segue");
    }
    if (Status status = check_writable(options.out, options.overwrite); !status.ok()) {
        return status;
    }
    const StageClock read_clock("read");
    IngestOptions ingest_options = options.ingest;
    ingest_options.want_positions |= options.recipe.window != 0;
    Result<IngestedData> read = ingest(ingest_options, progress);
    if (!read.ok()) {
        return read.status();
    }
    if (ingest_report != nullptr) {
        *ingest_report = read->report;
    }
    std::vector<FitStage> stages;
    read_clock.end(stages, with_commas(read->report.rows_read) + " rows");
    ThreadPool pool(options.num_threads);
    const Result<std::shared_ptr<const RecipeChoice>> choice =
        choice_stage(read->dataset, options, pool, progress, stages);
    if (!choice.ok()) {
        return choice.status();
    }
    RecipeParams params = options.recipe;
    if (*choice != nullptr) {
        params = (*choice)->params;
    }
    Result<FittedRecipe> fitted = fit_recipe(read->dataset, params, pool, progress);
    if (!fitted.ok()) {
        return fitted.status();
    }
    FitReport report = std::move(fitted->report);
    report.stages.insert(report.stages.begin(), stages.begin(), stages.end());
    if (*choice != nullptr) {
        report.choice = *choice;
        report.warnings.insert(report.warnings.begin(), (*choice)->warnings.begin(),
                               (*choice)->warnings.end());
        fitted->parts.info.parameters_json =
            with_choice(fitted->parts.info.parameters_json, **choice);
    }
    if (options.index) {
        index_stage(*options.index, pool, progress, fitted->parts, report);
    }
    if (lacks_neighbours(fitted->parts)) {
        if (Status status = neighbours_stage(fitted->parts, params.num_neighbours, pool, progress,
                                             report.stages);
            !status.ok()) {
            return status;
        }
    }
    const StageClock write_clock("write");
    if (Status status = write_bundle(fitted->parts, options.out, options.overwrite); !status.ok()) {
        return status;
    }
    struct stat info {};
    if (::stat(options.out.c_str(), &info) == 0) {
        report.bundle_bytes = static_cast<std::uint64_t>(info.st_size);
    }
    write_clock.end(report.stages, with_commas(report.bundle_bytes) + " bytes");
    return report;
}

}  // namespace segue
