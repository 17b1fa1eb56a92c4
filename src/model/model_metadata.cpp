#include "model/model_metadata.h"

#include <fmt/core.h>

#include <cmath>
#include <initializer_list>

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "bundle/reader.h"
#include "model/model_tables.h"

namespace segue {

namespace {

constexpr std::string_view kExponents = "popularity_exponent";
constexpr std::string_view kLeaves = "num_leaves_to_search";
constexpr std::string_view kCandidates = "reordering_num_neighbors";

std::string_view name_of(Measure measure) {
    switch (measure) {
        case Measure::kDot:
            return "dot";
        case Measure::kCosine:
            return "cosine";
        case Measure::kSquaredL2:
            return "squared_l2";
    }
    return "unknown";
}

std::string calibrated_json(const std::vector<CalibratedKnobs>& calibrated) {
    JsonWriter json;
    json.begin_object().key(kExponents).begin_array();
    for (const CalibratedKnobs& knobs : calibrated) {
        json.value(knobs.popularity_exponent);
    }
    json.end_array().key(kLeaves).begin_array();
    for (const CalibratedKnobs& knobs : calibrated) {
        json.value(knobs.knobs.num_leaves_to_search);
    }
    json.end_array().key(kCandidates).begin_array();
    for (const CalibratedKnobs& knobs : calibrated) {
        json.value(knobs.knobs.reordering_num_neighbors);
    }
    return json.end_array().end_object().take();
}

/// Three lists of one length, exponents ascending.
Status read_calibrated(std::string_view json, std::vector<CalibratedKnobs>& calibrated) {
    const auto members = read_flat_json(json);
    if (!members.ok()) {
        return members.status();
    }
    std::vector<double> exponents;
    std::vector<std::uint32_t> leaves;
    std::vector<std::uint32_t> candidates;
    for (const auto& [name, text] : *members) {
        const std::optional<double> number = parse_double(text);
        const std::optional<std::uint64_t> count = parse_unsigned(text);
        const bool is_exponent = name == kExponents;
        if (is_exponent ? !number : !count || *count > UINT32_MAX) {
            return invalid_argument(fmt::format("has no number in '{}'", name));
        }
        if (is_exponent) {
            exponents.push_back(*number);
        } else if (name == kLeaves || name == kCandidates) {
            (name == kLeaves ? leaves : candidates).push_back(static_cast<std::uint32_t>(*count));
        }
    }
    if (leaves.size() != exponents.size() || candidates.size() != exponents.size()) {
        return invalid_argument("has lists of different lengths");
    }
    for (std::size_t i = 0; i < exponents.size(); ++i) {
        if (i > 0 && !(exponents[i - 1] < exponents[i])) {
            return invalid_argument("has exponents that do not ascend");
        }
        calibrated.push_back({exponents[i], {leaves[i], candidates[i]}});
    }
    return Status();
}

/// Takes values out of metadata one by one and remembers the first that is missing or wrong.
class MetadataFields {
public:
    explicit MetadataFields(const Metadata& metadata) : metadata_(metadata) {}

    std::string text(std::string_view key) {
        const auto found = find_metadata(metadata_, key);
        if (!found) {
            fail(key, "is missing");
        }
        return std::string(found.value_or(""));
    }
    double number(std::string_view key) {
        return parsed(key, parse_double(text(key)), "is no finite number");
    }
    std::uint64_t count(std::string_view key) {
        return parsed(key, parse_unsigned(text(key)), "is no count");
    }
    bool flag(std::string_view key) {
        const std::uint64_t value = count(key);
        if (value > 1) {
            fail(key, "is neither 0 nor 1");
        }
        return value == 1;
    }
    /// Nothing where the key is missing.
    std::optional<double> optional_number(std::string_view key) {
        return find_metadata(metadata_, key) ? std::optional(number(key)) : std::nullopt;
    }
    /// False where the key is missing.
    bool optional_flag(std::string_view key) {
        return find_metadata(metadata_, key).has_value() && flag(key);
    }
    /// The one of `values` that has this name.
    template <typename Value>
    Value named(std::string_view key, std::initializer_list<Value> values) {
        const std::string name = text(key);
        std::string names;
        for (const Value value : values) {
            if (name == name_of(value)) {
                return value;
            }
            names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(value));
        }
        fail(key, fmt::format("is none of {}", names));
        return *values.begin();
    }
    /// A number from 0 to 1; `otherwise` where there is none.
    double share_or(std::string_view key, double otherwise) {
        if (!find_metadata(metadata_, key)) {
            return otherwise;
        }
        const double value = number(key);
        if (!(value >= 0 && value <= 1)) {
            fail(key, "is not within 0 and 1");
            return otherwise;
        }
        return value;
    }
    /// A finite number above 0 that a float holds.
    float positive_float(std::string_view key) {
        const auto value = static_cast<float>(number(key));
        if (!(value > 0 && std::isfinite(value))) {
            fail(key, "is no positive number");
        }
        return value;
    }
    std::vector<CalibratedKnobs> calibrated(std::string_view key) {
        std::vector<CalibratedKnobs> knobs;
        if (Status status = read_calibrated(text(key), knobs); !status.ok()) {
            fail(key, status.message());
        }
        return knobs;
    }
    std::vector<std::string> texts(std::string_view key) {
        Result<std::vector<std::string>> list = read_json_strings(text(key));
        if (!list.ok()) {
            fail(key, list.status().message());
            return {};
        }
        return std::move(*list);
    }
    const Status& status() const { return status_; }

private:
    template <typename Value>
    Value parsed(std::string_view key, std::optional<Value> value, std::string_view complaint) {
        if (!value) {
            fail(key, complaint);
        }
        return value.value_or(Value{});
    }
    void fail(std::string_view key, std::string_view complaint) {
        if (status_.ok()) {
            status_ = corrupt(fmt::format("metadata '{}' {}", key, complaint));
        }
    }

    const Metadata& metadata_;
    Status status_;
};

std::string names_as_json(const std::vector<std::string>& names) {
    JsonWriter json;
    json.begin_array();
    for (const std::string& name : names) {
        json.value(name);
    }
    return json.end_array().take();
}

}  // namespace

Result<StatedModel> read_stated_model(const Metadata& metadata) {
    MetadataFields fields(metadata);
    StatedModel stated;
    ModelInfo& info = stated.info;
    info.recipe = fields.text("segue.recipe");
    info.answer_by =
        fields.named("segue.answer_by", {AnswerBy::kLists, AnswerBy::kFoldIn, AnswerBy::kVectors});
    stated.num_items = fields.count("segue.num_items");
    info.num_groups = fields.count("segue.num_groups");
    stated.dim = fields.count("segue.dim");
    info.popularity_exponent = fields.number("segue.popularity_exponent");
    info.seed = fields.count("segue.seed");
    info.total_frequency = fields.count("segue.total_frequency");
    info.input_hash = fields.text("segue.input_hash");
    info.parameters_json = fields.text("segue.parameters");
    stated.attribute_names = fields.texts("segue.attributes");
    if (info.answer_by == AnswerBy::kLists) {
        info.item_popularity_exponent = fields.optional_number("segue.item_popularity_exponent");
        info.pair_score.name = fields.text("segue.pair_score.name");
        info.pair_score.group_exponent = fields.number("segue.pair_score.group_exponent");
        info.pair_score.own_exponent = fields.number("segue.pair_score.own_exponent");
        info.pair_score.other_exponent = fields.number("segue.pair_score.other_exponent");
        info.pair_score.shrinkage = fields.number("segue.pair_score.shrinkage");
        info.pair_score.sharpness = fields.number("segue.pair_score.sharpness");
        info.pair_score.values_are_counts = fields.flag("segue.pair_score.values_are_counts");
        info.pair_score.from_histories = fields.flag("segue.pair_score.from_histories");
        info.pair_score.takes_best = fields.optional_flag("segue.pair_score.takes_best");
    }
    if (info.answer_by == AnswerBy::kFoldIn) {
        info.fold_in.unobserved_weight = fields.number("segue.fold_in.unobserved_weight");
        info.fold_in.l2_reg = fields.number("segue.fold_in.l2_reg");
        info.fold_in.l2_exponent = fields.number("segue.fold_in.l2_exponent");
        info.fold_in.alpha = fields.number("segue.fold_in.alpha");
        info.fold_in.hu = fields.flag("segue.fold_in.hu");
    }
    if (!fields.status().ok()) {
        return fields.status();
    }
    return stated;
}

void add_stated_model(const ModelInfo& info, const TableViews& tables, BundleWriter& writer) {
    writer.add_metadata("segue.recipe", info.recipe);
    writer.add_metadata("segue.answer_by", name_of(info.answer_by));
    writer.add_metadata("segue.num_items", std::uint64_t{tables.item_keys.size()});
    writer.add_metadata("segue.num_groups", info.num_groups);
    writer.add_metadata("segue.dim", std::uint64_t{tables.item_vectors.dim});
    writer.add_metadata("segue.popularity_exponent", info.popularity_exponent);
    writer.add_metadata("segue.seed", info.seed);
    writer.add_metadata("segue.total_frequency", info.total_frequency);
    writer.add_metadata("segue.input_hash", info.input_hash);
    writer.add_metadata("segue.parameters", info.parameters_json);
    writer.add_metadata("segue.attributes", names_as_json(tables.attribute_names));
    if (info.answer_by == AnswerBy::kLists) {
        if (info.item_popularity_exponent) {
            writer.add_metadata("segue.item_popularity_exponent", *info.item_popularity_exponent);
        }
        writer.add_metadata("segue.pair_score.name", info.pair_score.name);
        writer.add_metadata("segue.pair_score.group_exponent", info.pair_score.group_exponent);
        writer.add_metadata("segue.pair_score.own_exponent", info.pair_score.own_exponent);
        writer.add_metadata("segue.pair_score.other_exponent", info.pair_score.other_exponent);
        writer.add_metadata("segue.pair_score.shrinkage", info.pair_score.shrinkage);
        writer.add_metadata("segue.pair_score.sharpness", info.pair_score.sharpness);
        writer.add_metadata("segue.pair_score.values_are_counts",
                            std::uint64_t{info.pair_score.values_are_counts ? 1u : 0u});
        writer.add_metadata("segue.pair_score.from_histories",
                            std::uint64_t{info.pair_score.from_histories ? 1u : 0u});
        if (info.pair_score.takes_best) {
            writer.add_metadata("segue.pair_score.takes_best", std::uint64_t{1});
        }
    }
    if (info.answer_by == AnswerBy::kFoldIn) {
        writer.add_metadata("segue.fold_in.unobserved_weight", info.fold_in.unobserved_weight);
        writer.add_metadata("segue.fold_in.l2_reg", info.fold_in.l2_reg);
        writer.add_metadata("segue.fold_in.l2_exponent", info.fold_in.l2_exponent);
        writer.add_metadata("segue.fold_in.alpha", info.fold_in.alpha);
        writer.add_metadata("segue.fold_in.hu", std::uint64_t{info.fold_in.hu ? 1u : 0u});
    }
}

Result<StatedIndex> read_stated_index(const Metadata& metadata) {
    MetadataFields fields(metadata);
    StatedIndex stated;
    stated.measure =
        fields.named("segue.index.measure", {Measure::kDot, Measure::kCosine, Measure::kSquaredL2});
    stated.built_exponent = fields.number("segue.index.built_exponent");
    stated.norm_low = fields.positive_float("segue.index.norm_low");
    stated.norm_ratio = fields.positive_float("segue.index.norm_ratio");
    stated.facts.settings.path = fields.named(
        "segue.index.path", {SearchPath::kAuto, SearchPath::kExact, SearchPath::kTree});
    stated.facts.settings.calibrated = fields.calibrated("segue.index.calibrated");
    stated.facts.settings.target_recall =
        fields.share_or("segue.index.target_recall", kUsualTargetRecall);
    stated.facts.settings.exact_share = fields.share_or("segue.index.exact_share", 1);
    stated.facts.blessed = fields.flag("segue.index.blessed");
    stated.facts.report_json = fields.text("segue.index.report");
    if (!fields.status().ok()) {
        return fields.status();
    }
    if (Status status = check_json_object(stated.facts.report_json); !status.ok()) {
        return corrupt("metadata 'segue.index.report': " + status.message());
    }
    return stated;
}

void add_stated_index(const IndexTables& index, const IndexFacts& facts, BundleWriter& writer) {
    writer.add_metadata("segue.index.measure", name_of(index.measure));
    writer.add_metadata("segue.index.built_exponent", index.built_exponent);
    writer.add_metadata("segue.index.norm_low", static_cast<double>(index.norm_low));
    writer.add_metadata("segue.index.norm_ratio", static_cast<double>(index.norm_ratio));
    writer.add_metadata("segue.index.path", name_of(facts.settings.path));
    writer.add_metadata("segue.index.calibrated", calibrated_json(facts.settings.calibrated));
    writer.add_metadata("segue.index.target_recall", facts.settings.target_recall);
    writer.add_metadata("segue.index.exact_share", facts.settings.exact_share);
    writer.add_metadata("segue.index.blessed", std::uint64_t{facts.blessed ? 1u : 0u});
    writer.add_metadata("segue.index.report", facts.report_json);
}

}  // namespace segue
