#include "model/model_metadata.h"

#include <fmt/core.h>

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "bundle/reader.h"

namespace segue {

namespace {

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
    AnswerBy answer_by(std::string_view key) {
        const std::string name = text(key);
        for (const AnswerBy way : {AnswerBy::kLists, AnswerBy::kFoldIn, AnswerBy::kVectors}) {
            if (name == name_of(way)) {
                return way;
            }
        }
        fail(key, "is none of lists, fold_in, vectors");
        return AnswerBy::kVectors;
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
    info.answer_by = fields.answer_by("segue.answer_by");
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
        info.pair_score.name = fields.text("segue.pair_score.name");
        info.pair_score.group_exponent = fields.number("segue.pair_score.group_exponent");
        info.pair_score.own_exponent = fields.number("segue.pair_score.own_exponent");
        info.pair_score.other_exponent = fields.number("segue.pair_score.other_exponent");
        info.pair_score.shrinkage = fields.number("segue.pair_score.shrinkage");
        info.pair_score.sharpness = fields.number("segue.pair_score.sharpness");
        info.pair_score.values_are_counts = fields.flag("segue.pair_score.values_are_counts");
        info.pair_score.from_histories = fields.flag("segue.pair_score.from_histories");
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
    }
    if (info.answer_by == AnswerBy::kFoldIn) {
        writer.add_metadata("segue.fold_in.unobserved_weight", info.fold_in.unobserved_weight);
        writer.add_metadata("segue.fold_in.l2_reg", info.fold_in.l2_reg);
        writer.add_metadata("segue.fold_in.l2_exponent", info.fold_in.l2_exponent);
        writer.add_metadata("segue.fold_in.alpha", info.fold_in.alpha);
        writer.add_metadata("segue.fold_in.hu", std::uint64_t{info.fold_in.hu ? 1u : 0u});
    }
}

}  // namespace segue
