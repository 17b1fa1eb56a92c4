#include "cli/evaluate_text.h"

#include <fmt/core.h>

#include <string_view>
#include <vector>

#include "cli/text_table.h"

namespace segue::cli {
namespace {

constexpr std::string_view kItemPrefix = "item_";
/// The share of items shown that the popularity knob is looked at for beside accuracy.
constexpr double kWideCoverage = 0.9;

/// The metrics a table has room for: recall, NDCG and hit rate at every k, the others at the
/// longest. All of them are in the JSON.
std::vector<std::string> metrics_shown(const std::vector<Metric>& metrics, bool of_items,
                                       std::size_t longest_k) {
    std::vector<std::string> shown;
    for (const Metric& metric : metrics) {
        std::string_view name = metric.name;
        if (name.starts_with(kItemPrefix) != of_items) {
            continue;
        }
        name.remove_prefix(of_items ? kItemPrefix.size() : 0);
        const bool at_every_k =
            name.starts_with("recall@") || name.starts_with("ndcg@") || name.starts_with("hr@");
        const bool at_longest =
            name.ends_with(fmt::format("@{}", longest_k)) && !name.starts_with("precision@");
        if (at_every_k || at_longest || name == "mrr") {
            shown.push_back(metric.name);
        }
    }
    return shown;
}

/// One line a recipe.
std::string metrics_text(const EvaluateReport& report, bool of_items) {
    const std::vector<std::string> shown =
        metrics_shown(report.models.front().metrics, of_items, report.longest_k);
    if (shown.empty()) {
        return {};
    }
    std::vector<TextTable::Column> columns = {{of_items ? "for single items" : "for groups"}};
    for (const std::string& name : shown) {
        columns.push_back(
            {name.substr(of_items ? kItemPrefix.size() : 0), TextTable::Align::kRight, 20});
    }
    columns.push_back({"train s", TextTable::Align::kRight, 20});
    columns.push_back({"judge s", TextTable::Align::kRight, 20});
    TextTable table(columns);
    for (const ModelReport& model : report.models) {
        std::vector<std::string> cells = {model.title()};
        for (const std::string& name : shown) {
            const double* value = model.metric(name);
            cells.push_back(
                value == nullptr ? "" : fmt::format("{:.{}f}", *value, *value >= 10 ? 1 : 4));
        }
        cells.push_back(fmt::format("{:.2f}", model.train_seconds));
        cells.push_back(fmt::format("{:.2f}", model.evaluate_seconds));
        table.add_row(cells);
    }
    return table.text();
}

/// "best", "tie, -0.0004 to +0.0011", "-0.0123 to -0.0101"
std::string difference_text(const Comparison& comparison, const std::string& recipe) {
    if (comparison.best == recipe) {
        return "best";
    }
    const PairedDifference& difference = comparison.difference;
    return fmt::format("{}{:+.4f} to {:+.4f}", difference.is_tie() ? "tie, " : "", difference.low,
                       difference.high);
}

std::string comparisons_text(const EvaluateReport& report) {
    if (report.models.size() < 2 || report.models.front().comparisons.empty()) {
        return {};
    }
    std::vector<TextTable::Column> columns = {
        {fmt::format("against the best, {:g} %", 100 * report.bootstrap.confidence)}};
    for (const Comparison& comparison : report.models.front().comparisons) {
        columns.push_back({comparison.metric, TextTable::Align::kRight, 30});
    }
    TextTable table(columns);
    for (const ModelReport& model : report.models) {
        std::vector<std::string> cells = {model.title()};
        for (const Comparison& column : report.models.front().comparisons) {
            const Comparison* comparison = model.comparison(column.metric);
            cells.push_back(comparison == nullptr ? ""
                                                  : difference_text(*comparison, model.recipe));
        }
        table.add_row(cells);
    }
    return table.text();
}

std::string curve_text(const ModelReport& model, std::size_t k) {
    if (model.popularity_curve.empty()) {
        return {};
    }
    const CurvePoint* best = best_point(model.popularity_curve);
    const CurvePoint* wide = best_point(model.popularity_curve, kWideCoverage);
    TextTable table({{model.title() + ", exponent", TextTable::Align::kRight},
                     {fmt::format("hr@{}", k), TextTable::Align::kRight},
                     {fmt::format("ndcg@{}", k), TextTable::Align::kRight},
                     {fmt::format("coverage@{}", k), TextTable::Align::kRight},
                     {fmt::format("popularity@{}", k), TextTable::Align::kRight},
                     {""}});
    for (const CurvePoint& point : model.popularity_curve) {
        std::string note = point.is_default ? "default" : "";
        const auto add = [&note](std::string_view what) {
            note += fmt::format("{}{}", note.empty() ? "" : ", ", what);
        };
        if (&point == best) {
            add("most accurate");
        }
        if (&point == wide) {
            add(fmt::format("most accurate of coverage {:g} or more", kWideCoverage));
        }
        table.add_row({fmt::format("{:g}", point.exponent), fmt::format("{:.4f}", point.hit_rate),
                       fmt::format("{:.4f}", point.ndcg), fmt::format("{:.4f}", point.coverage),
                       fmt::format("{:.1f}", point.popularity), note});
    }
    return table.text();
}

}  // namespace

std::string evaluation_text(const EvaluateReport& report) {
    std::string text = metrics_text(report, false) + metrics_text(report, true);
    text += comparisons_text(report);
    for (const ModelReport& model : report.models) {
        text += report.is_judged_by_name(model) ? "" : curve_text(model, report.longest_k);
    }
    return text;
}

}  // namespace segue::cli
