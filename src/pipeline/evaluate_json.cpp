#include "base/json_writer.h"
#include "pipeline/evaluate.h"

namespace segue {

namespace {

void write_comparison(const Comparison& comparison, JsonWriter& json) {
    json.key(comparison.metric).begin_object().key("best").value(comparison.best);
    json.key("difference").value(comparison.difference.mean);
    json.key("low").value(comparison.difference.low);
    json.key("high").value(comparison.difference.high);
    json.key("tie").value(comparison.difference.is_tie()).end_object();
}

void write_point(const CurvePoint& point, std::size_t k, JsonWriter& json) {
    const std::string at = "@" + std::to_string(k);
    json.begin_object().key("exponent").value(point.exponent);
    json.key("default").value(point.is_default);
    json.key("item_hr" + at).value(point.hit_rate).key("item_ndcg" + at).value(point.ndcg);
    json.key("item_coverage" + at).value(point.coverage);
    json.key("item_popularity" + at).value(point.popularity).end_object();
}

void write_model(const ModelReport& model, std::size_t longest_k, JsonWriter& json) {
    json.begin_object().key("recipe").value(model.recipe);
    if (!model.chosen.empty()) {
        json.key("chosen").value(model.chosen);
    }
    json.key("metrics").begin_object();
    for (const Metric& metric : model.metrics) {
        json.key(metric.name).value(metric.value);
    }
    json.end_object();
    if (!model.comparisons.empty()) {
        json.key("against_best").begin_object();
        for (const Comparison& comparison : model.comparisons) {
            write_comparison(comparison, json);
        }
        json.end_object();
    }
    if (!model.popularity_curve.empty()) {
        json.key("popularity_curve").begin_array();
        for (const CurvePoint& point : model.popularity_curve) {
            write_point(point, longest_k, json);
        }
        json.end_array();
    }
    json.key("train_seconds").value(model.train_seconds);
    json.key("evaluate_seconds").value(model.evaluate_seconds);
    json.key("judged_groups").value(static_cast<std::uint64_t>(model.group_lists.num_groups));
    if (!model.warnings.empty()) {
        json.key("warnings").begin_array();
        for (const std::string& warning : model.warnings) {
            json.value(warning);
        }
        json.end_array();
    }
    json.end_object();
}

}  // namespace

std::string to_json(const EvaluateReport& report) {
    JsonWriter json;
    json.begin_object().key("models").begin_array();
    for (const ModelReport& model : report.models) {
        write_model(model, report.longest_k, json);
    }
    json.end_array();
    json.key("train").begin_object();
    json.key("groups").value(static_cast<std::uint64_t>(report.num_groups));
    json.key("items").value(static_cast<std::uint64_t>(report.num_items));
    json.key("rows").value(report.counts.train_entries).end_object();
    json.key("test").begin_object();
    json.key("groups").value(report.counts.test_groups);
    json.key("rows").value(report.counts.test_entries);
    json.key("dropped_unseen_items").value(report.counts.dropped_unseen_items);
    json.key("dropped_unseen_groups").value(report.counts.dropped_unseen_groups);
    json.key("dropped_known_pairs").value(report.dropped_known_pairs).end_object();
    return json.end_object().take();
}

}  // namespace segue
