// segue describe: what is in a table before anything is fitted, or in a bundle.

#include <fmt/core.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/ingest_arguments.h"
#include "cli/open_model.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "cooc/counting_plan.h"
#include "data/sparse.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "pipeline/index_model.h"

namespace segue::cli {
namespace {

/// Below this many groups, what an item goes with is mostly chance (the blueprint's threshold).
constexpr std::uint32_t kFewGroups = 15;
/// Groups above this make most of the pairs and say little (the blueprint's threshold).
constexpr std::uint64_t kLongGroup = 100;

struct DescribeArguments {
    static constexpr std::string_view kName = "describe";
    static constexpr std::string_view kSummary = "Show what is in a table, or in a bundle.";
    IngestArguments ingest;
    bool json = false;

    void declare(Options& options) {
        ingest.declare(options, ItemTexts::kAll);
        options.flag("json", json, "print one JSON object");
        options.example("Before a fit", "segue describe plays.csv --group list --item track");
        options.example("After it", "segue describe songs.segue");
    }
    bool is_bundle() const {
        return ingest.tables.size() == 1 && to_lower_ascii(ingest.tables[0]).ends_with(".segue");
    }
    Status check() const { return is_bundle() ? Status() : ingest.check(); }
    Status run(Console& console) const {
        return is_bundle() ? describe_bundle(console) : describe_table(console);
    }
    Status describe_bundle(Console& console) const;
    Status describe_table(Console& console) const;
};

/// Numbers of one table, for people and machines alike.
struct TableFacts {
    std::uint64_t num_groups = 0;
    std::uint64_t num_items = 0;
    std::uint64_t num_entries = 0;
    std::uint64_t longest_group = 0;
    std::uint64_t median_group = 0;
    std::uint64_t median_frequency = 0;
    std::uint64_t largest_frequency = 0;
    std::uint64_t rare_items = 0;
    std::uint64_t long_groups = 0;
    std::uint64_t single_groups = 0;
    CountingPlan plan;
};

std::uint64_t median_of(std::vector<std::uint64_t> values) {
    if (values.empty()) {
        return 0;
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

TableFacts facts_of(const SparseView& interactions, unsigned num_threads) {
    TableFacts facts;
    facts.num_groups = interactions.num_rows;
    facts.num_items = interactions.num_columns;
    facts.num_entries = interactions.num_entries();
    std::vector<std::uint64_t> sizes;
    for (std::size_t row = 0; row < interactions.num_rows; ++row) {
        sizes.push_back(interactions.row_size(row));
        facts.longest_group = std::max(facts.longest_group, sizes.back());
        facts.long_groups += sizes.back() > kLongGroup ? 1 : 0;
        facts.single_groups += sizes.back() < 2 ? 1 : 0;
    }
    facts.median_group = median_of(std::move(sizes));
    std::vector<std::uint64_t> frequencies;
    for (const std::uint32_t frequency : column_counts(interactions)) {
        frequencies.push_back(frequency);
        facts.largest_frequency = std::max<std::uint64_t>(facts.largest_frequency, frequency);
        facts.rare_items += frequency < kFewGroups ? 1 : 0;
    }
    facts.median_frequency = median_of(std::move(frequencies));
    facts.plan = plan_counting(interactions, {}, num_threads);
    return facts;
}

std::vector<std::string> warnings_of(const TableFacts& facts) {
    std::vector<std::string> warnings;
    if (facts.rare_items > 0) {
        warnings.push_back(fmt::format("{} of {} items occur in fewer than {} groups",
                                       with_commas(facts.rare_items), with_commas(facts.num_items),
                                       kFewGroups));
    }
    if (facts.long_groups > 0) {
        warnings.push_back(fmt::format("{} of {} groups have more than {} items",
                                       with_commas(facts.long_groups),
                                       with_commas(facts.num_groups), kLongGroup));
    }
    if (facts.single_groups > 0) {
        warnings.push_back(fmt::format("{} of {} groups have a single item and teach nothing",
                                       with_commas(facts.single_groups),
                                       with_commas(facts.num_groups)));
    }
    return warnings;
}

std::string facts_json(const TableFacts& facts, const IngestReport& read) {
    JsonWriter json;
    json.begin_object().key("groups").value(facts.num_groups).key("items").value(facts.num_items);
    json.key("interactions").value(facts.num_entries);
    json.key("longest_group").value(facts.longest_group);
    json.key("median_group").value(facts.median_group);
    json.key("largest_frequency").value(facts.largest_frequency);
    json.key("median_frequency").value(facts.median_frequency);
    json.key("pairs").value(facts.plan.num_pairs);
    json.key("count_seconds").value(facts.plan.seconds);
    json.key("count_bytes").value(facts.plan.memory_bytes);
    write_ingest(read, json);
    json.key("warnings").begin_array();
    for (const std::string& warning : warnings_of(facts)) {
        json.value(warning);
    }
    return json.end_array().end_object().take();
}

std::string facts_text(const TableFacts& facts, const IngestReport& read) {
    TextTable table({{"", TextTable::Align::kLeft},
                     {"", TextTable::Align::kRight},
                     {"", TextTable::Align::kLeft, 80}});
    table.add_row({"rows", with_commas(read.rows_read),
                   fmt::format("{} kept, read in {}", with_commas(read.rows_kept),
                               seconds_text(read.read_seconds + read.clean_seconds))});
    table.add_row({"groups", with_commas(facts.num_groups),
                   fmt::format("of {} items in the middle, {} at most",
                               with_commas(facts.median_group), with_commas(facts.longest_group))});
    table.add_row(
        {"items", with_commas(facts.num_items),
         fmt::format("in {} groups in the middle, {} at most", with_commas(facts.median_frequency),
                     with_commas(facts.largest_frequency))});
    const double cells =
        static_cast<double>(facts.num_groups) * static_cast<double>(facts.num_items);
    table.add_row({"interactions", with_commas(facts.num_entries),
                   cells > 0 ? fmt::format("{:.3g} % of all cells",
                                           100 * static_cast<double>(facts.num_entries) / cells)
                             : ""});
    table.add_row({"pairs", with_commas(facts.plan.num_pairs), facts.plan.to_text()});
    return table.text();
}

Status DescribeArguments::describe_table(Console& console) const {
    const Result<IngestedData> read =
        segue::ingest(ingest.options(CleaningDefaults::kKeepAll), console.progress());
    if (!read.ok()) {
        return read.status();
    }
    const ThreadPool pool(ingest.threads);
    const TableFacts facts = facts_of(read->dataset.interactions.view(), pool.num_threads());
    tell_ingest(read->report, console);
    if (json) {
        console.print_line(facts_json(facts, read->report));
    } else {
        console.print(facts_text(facts, read->report));
    }
    for (const std::string& warning : warnings_of(facts)) {
        console.warn(warning);
    }
    console.suggest_next(fmt::format("segue fit {} --out model.segue", ingest.as_words()));
    return {};
}

/// "tree, 1,024 leaves, 9.1 MB, recall@10 as tuned 0.957, blessed"
std::string index_text(const Model& model) {
    const LeafIndex* const index = model.index();
    if (index == nullptr) {
        return "none";
    }
    std::uint64_t bytes = 0;
    for (const IndexTableBytes& table : bytes_of_tables(index->tables())) {
        bytes += table.bytes;
    }
    const std::size_t num_leaves = index->tables().num_leaves();
    return fmt::format("{}{}, {}, {}", name_of(index->settings().path),
                       num_leaves > 1 ? fmt::format(", {} leaves", with_commas(num_leaves)) : "",
                       bytes_text(static_cast<double>(bytes)),
                       model.index_facts().blessed ? "blessed" : "not blessed");
}

/// "0: 24 and 112; 1: 30 and 112": leaves and candidates by popularity exponent.
std::string knobs_text(const IndexSettings& settings) {
    std::string text;
    for (const CalibratedKnobs& setting : settings.calibrated) {
        text +=
            fmt::format("{}{}: {} and {}", text.empty() ? "" : "; ", setting.popularity_exponent,
                        setting.knobs.num_leaves_to_search, setting.knobs.reordering_num_neighbors);
    }
    return text;
}

void write_index(const Model& model, JsonWriter& json) {
    const LeafIndex* const index = model.index();
    json.key("index");
    if (index == nullptr) {
        json.null();
        return;
    }
    const IndexTables& tables = index->tables();
    json.begin_object().key("path").value(name_of(index->settings().path));
    json.key("blessed").value(model.index_facts().blessed);
    json.key("num_leaves").value(static_cast<std::uint64_t>(tables.num_leaves()));
    json.key("built_exponent").value(tables.built_exponent).key("settings").begin_array();
    for (const CalibratedKnobs& setting : index->settings().calibrated) {
        json.begin_object().key("popularity_exponent").value(setting.popularity_exponent);
        json.key("num_leaves_to_search").value(setting.knobs.num_leaves_to_search);
        json.key("reordering_num_neighbors").value(setting.knobs.reordering_num_neighbors);
        json.end_object();
    }
    json.end_array().key("tables").begin_object();
    for (const IndexTableBytes& table : bytes_of_tables(tables)) {
        json.key(table.name).value(table.bytes);
    }
    json.end_object().key("kernels").value(kernels::active_kernels().name);
    json.key("report").raw(model.index_facts().report_json).end_object();
}

/// "recipe" : "ials" and so on; the same lines for people and machines.
std::vector<std::pair<std::string, std::string>> bundle_facts(const Model& model) {
    const ModelInfo& info = model.info();
    std::string attributes;
    for (const std::string& name : model.attribute_names()) {
        attributes += attributes.empty() ? name : ", " + name;
    }
    return {{"recipe", info.recipe},
            {"items", with_commas(model.num_items())},
            {"groups", with_commas(info.num_groups)},
            {"dim", fmt::format("{}", model.item_vectors().dim)},
            {"stored histories", with_commas(model.interactions().num_entries())},
            {"stored neighbours", with_commas(model.neighbours().item_rows.size())},
            {"popularity exponent", fmt::format("{}", info.popularity_exponent)},
            {"of one item", fmt::format("{}", info.exponent_of_one_item())},
            {"index", index_text(model)},
            {"leaves and candidates by exponent",
             model.index() == nullptr ? "" : knobs_text(model.index()->settings())},
            {"attributes", attributes},
            {"seed", fmt::format("{}", info.seed)},
            {"parameters", info.parameters_json},
            {"input hash", info.input_hash}};
}

Status DescribeArguments::describe_bundle(Console& console) const {
    const std::string& path = ingest.tables.front();
    const Result<Model> model = Model::open(path);
    if (!model.ok()) {
        return model.status();
    }
    if (json) {
        const ModelInfo& info = model->info();
        JsonWriter writer;
        writer.begin_object().key("recipe").value(info.recipe);
        writer.key("items").value(static_cast<std::uint64_t>(model->num_items()));
        writer.key("groups").value(info.num_groups);
        writer.key("dim").value(static_cast<std::uint64_t>(model->item_vectors().dim));
        writer.key("popularity_exponent").value(info.popularity_exponent);
        writer.key("item_popularity_exponent").value(info.exponent_of_one_item());
        writer.key("attributes").begin_array();
        for (const std::string& name : model->attribute_names()) {
            writer.value(name);
        }
        writer.end_array().key("seed").value(info.seed);
        writer.key("parameters").raw(info.parameters_json);
        writer.key("input_hash").value(info.input_hash);
        write_index(*model, writer);
        writer.end_object();
        console.print_line(writer.text());
    } else {
        TextTable table({{"", TextTable::Align::kLeft}, {"", TextTable::Align::kLeft, 200}});
        for (const auto& [name, value] : bundle_facts(*model)) {
            table.add_row({name, value});
        }
        console.print(table.text());
    }
    console.suggest_next(fmt::format("segue inspect {}", shell_quoted(path)));
    return {};
}

}  // namespace

Verb describe_verb() {
    return verb_of<DescribeArguments>();
}

}  // namespace segue::cli
