#include "cli/evaluate_html.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/evaluate_html_style.h"
#include "cli/svg_plot.h"

namespace segue::cli {
namespace {

constexpr double kWideCoverage = 0.9;

/// A recipe keeps its colour all over the page.
std::size_t colour_of(const EvaluateReport& report, const ModelReport& model) {
    return static_cast<std::size_t>(&model - report.models.data()) % kNumPlotColours;
}

std::string name_cell(const EvaluateReport& report, const ModelReport& model) {
    return fmt::format(R"x(<td><span class="swatch" style="background:var(--c{})"></span>{}</td>)x",
                       colour_of(report, model), html_escaped(model.title()));
}

struct MetricColumn {
    std::string heading;
    std::string metric;
    int decimals = 4;
    bool is_better_higher = true;  // the best is set in bold
};

std::vector<MetricColumn> metric_columns(std::size_t k, const std::string& prefix) {
    const auto at_k = [&](std::string_view name) {
        return fmt::format("{}{}@{}", prefix, name, k);
    };
    return {{fmt::format("recall@{}", k), at_k("recall")},
            {fmt::format("NDCG@{}", k), at_k("ndcg")},
            {fmt::format("hit rate@{}", k), at_k("hr")},
            {fmt::format("MAP@{}", k), at_k("map")},
            {"MRR", prefix + "mrr"},
            {"coverage", at_k("coverage"), 3},
            {"mean popularity", at_k("popularity"), 1, false}};
}

std::string metric_cell(const EvaluateReport& report, const ModelReport& model,
                        const MetricColumn& column) {
    const double* value = model.metric(column.metric);
    if (value == nullptr) {
        return "<td></td>";
    }
    const bool is_best = column.is_better_higher &&
                         std::ranges::all_of(report.models, [&](const ModelReport& other) {
                             const double* theirs = other.metric(column.metric);
                             return theirs == nullptr || *theirs <= *value;
                         });
    const Comparison* comparison = model.comparison(column.metric);
    const bool is_tie = !is_best && comparison != nullptr && comparison->difference.is_tie();
    return fmt::format(R"(<td{}>{:.{}f}{}</td>)", is_best ? R"( class="best")" : "", *value,
                       column.decimals, is_tie ? R"( <span class="tie">≈</span>)" : "");
}

std::string metrics_table(const EvaluateReport& report, const std::string& prefix) {
    const std::vector<MetricColumn> columns = metric_columns(report.longest_k, prefix);
    std::string html = R"(<div class="scroll"><table><thead><tr><th>recipe</th>)";
    for (const MetricColumn& column : columns) {
        html += "<th>" + column.heading + "</th>";
    }
    html += "<th>train s</th><th>judge s</th></tr></thead><tbody>\n";
    for (const ModelReport& model : report.models) {
        html += "<tr>" + name_cell(report, model);
        for (const MetricColumn& column : columns) {
            html += metric_cell(report, model, column);
        }
        html += fmt::format("<td>{:.2f}</td><td>{:.2f}</td></tr>\n", model.train_seconds,
                            model.evaluate_seconds);
    }
    return html + "</tbody></table></div>\n";
}

std::string comparisons_table(const EvaluateReport& report) {
    std::string html = R"(<div class="scroll"><table><thead><tr><th>recipe</th>)";
    for (const Comparison& comparison : report.models.front().comparisons) {
        html += "<th>" + html_escaped(comparison.metric) + "</th>";
    }
    html += "</tr></thead><tbody>\n";
    for (const ModelReport& model : report.models) {
        html += "<tr>" + name_cell(report, model);
        for (const Comparison& column : report.models.front().comparisons) {
            const Comparison* comparison = model.comparison(column.metric);
            if (comparison == nullptr) {
                html += "<td></td>";
                continue;
            }
            const PairedDifference& difference = comparison->difference;
            if (comparison->best == model.recipe) {
                html += R"(<td class="best">best</td>)";
            } else {
                html += fmt::format("<td>{}{:+.4f} to {:+.4f}</td>",
                                    difference.is_tie() ? R"(<span class="tie">≈ tie</span> )" : "",
                                    difference.low, difference.high);
            }
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

std::string figure(const Plot& plot, std::string_view what) {
    return fmt::format("<figure><figcaption>{} <span>{}</span></figcaption>{}</figure>\n",
                       html_escaped(plot.title), html_escaped(what), to_svg(plot));
}

/// One point a recipe.
Plot scatter(const EvaluateReport& report, std::string title, std::string x_label,
             const std::function<double(const ModelReport&)>& x) {
    const std::string accuracy = fmt::format("recall@{}", report.longest_k);
    Plot plot{std::move(title), std::move(x_label), accuracy, false, {}};
    for (const ModelReport& model : report.models) {
        const double* y = model.metric(accuracy);
        if (y != nullptr) {
            plot.series.push_back(
                {model.title(),
                 colour_of(report, model),
                 {{x(model), *y, fmt::format("{}: {:.4f}, {:.4g}", model.title(), *y, x(model)),
                   false}}});
        }
    }
    return plot;
}

/// One line a recipe, a point for each setting of the popularity knob.
Plot curve_plot(const EvaluateReport& report, std::string title, std::string x_label,
                double CurvePoint::*x) {
    Plot plot{
        std::move(title), std::move(x_label), fmt::format("NDCG@{}", report.longest_k), false, {}};
    for (const ModelReport& model : report.models) {
        if (model.popularity_curve.empty() || report.is_judged_by_name(model)) {
            continue;
        }
        PlotSeries series{model.title(), colour_of(report, model), {}};
        for (const CurvePoint& point : model.popularity_curve) {
            series.points.push_back(
                {point.*x, point.ndcg,
                 fmt::format("{}, exponent {:g}: NDCG {:.4f}, coverage {:.3f}, popularity {:.1f}",
                             model.title(), point.exponent, point.ndcg, point.coverage,
                             point.popularity),
                 point.is_default});
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

std::string curve_rows(const EvaluateReport& report, const ModelReport& model) {
    const CurvePoint* best = best_point(model.popularity_curve);
    const CurvePoint* wide = best_point(model.popularity_curve, kWideCoverage);
    std::string html;
    for (const CurvePoint& point : model.popularity_curve) {
        std::vector<std::string> notes;
        if (point.is_default) {
            notes.emplace_back("default");
        }
        if (&point == best) {
            notes.emplace_back("most accurate");
        }
        if (&point == wide) {
            notes.push_back(fmt::format("most accurate of coverage {:g} or more", kWideCoverage));
        }
        std::string note;
        for (const std::string& part : notes) {
            note += (note.empty() ? "" : ", ") + part;
        }
        html += fmt::format(
            "<tr>{}<td>{:g}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.3f}</td><td>{:.1f}</td>"
            R"(<td class="note">{}</td></tr>)"
            "\n",
            name_cell(report, model), point.exponent, point.hit_rate, point.ndcg, point.coverage,
            point.popularity, note);
    }
    return html;
}

std::string curve_section(const EvaluateReport& report) {
    if (std::ranges::all_of(report.models,
                            [](const ModelReport& m) { return m.popularity_curve.empty(); })) {
        return {};
    }
    std::string html =
        "<h2>The popularity knob</h2>\n<p>Lists of single items as popular items are held down "
        "more (a greater exponent) or less. The ring marks what a recipe does when nothing is "
        "said.</p>\n<div class=\"plots\">\n";
    html += figure(curve_plot(report, "Accuracy against coverage of the lists",
                              "share of the items that somebody is shown", &CurvePoint::coverage),
                   "single items, over the knob");
    html += figure(curve_plot(report, "Accuracy against popularity of what is shown",
                              "mean groups of an item shown", &CurvePoint::popularity),
                   "single items, over the knob");
    html += "</div>\n<div class=\"scroll\"><table><thead><tr><th>recipe</th><th>exponent</th>";
    html += fmt::format(
        "<th>hit rate@{0}</th><th>NDCG@{0}</th><th>coverage</th><th>mean popularity</th>"
        "<th class=\"note\"></th></tr></thead><tbody>\n",
        report.longest_k);
    for (const ModelReport& model : report.models) {
        html += report.is_judged_by_name(model) ? "" : curve_rows(report, model);
    }
    return html + "</tbody></table></div>\n";
}

std::string example_list(const EvaluateReport& report, const ModelReport& model,
                         const ItemExample& example) {
    std::string html = fmt::format(R"x(<div><h4 style="border-color:var(--c{})">{}</h4><ol>)x",
                                   colour_of(report, model), html_escaped(model.title()));
    for (const ItemExample::Neighbour& neighbour : example.neighbours) {
        html += fmt::format("<li>{}<span>together in {} of its {}</span></li>",
                            html_escaped(shortened(neighbour.label)),
                            with_commas(neighbour.together), with_commas(neighbour.frequency));
    }
    return html + "</ol></div>\n";
}

std::string examples_section(const EvaluateReport& report) {
    if (report.models.front().examples.empty()) {
        return {};
    }
    std::string html =
        "<h2>Neighbours of a dozen items</h2>\n<p>From well known to rare, under every recipe. "
        "Behind each neighbour: in how many of its groups of the training part the item asked "
        "about is too.</p>\n";
    for (std::size_t at = 0; at < report.models.front().examples.size(); ++at) {
        const ItemExample& item = report.models.front().examples[at];
        html += fmt::format(
            "<div class=\"item\"><h3>{} <span class=\"soft\">in {} groups</span></h3>\n"
            "<div class=\"examples\">\n",
            html_escaped(shortened(item.label)), with_commas(item.frequency));
        for (const ModelReport& model : report.models) {
            html +=
                at < model.examples.size() ? example_list(report, model, model.examples[at]) : "";
        }
        html += "</div></div>\n";
    }
    return html;
}

constexpr std::string_view kLimits =
    "<h2>What these numbers cannot tell</h2>\n<p>Held-out items were found without Segue's help: a "
    "good item that nobody had found yet counts as a miss, and what is popular is found more "
    "often. "
    "How people take to a list, whether it tires them, and what it does to the items never shown "
    "is "
    "seen in use alone. Figures of tables of other people, of other splits or other lengths of "
    "lists cannot be set beside these.</p>\n";

}  // namespace

std::string evaluation_html(const EvaluateReport& report, const std::string& table) {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
        "name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">\n<title>Segue: {0}</title>\n<style>{1}"
        "</style></head><body>\n<h1>How good are the answers?</h1>\n<p class=\"soft\">{0}: {2} "
        "rows "
        "of {3} groups and {4} items to learn from, {5} held-out rows of {6} groups to be judged "
        "by. "
        "Every item is a candidate but the group's own.</p>\n",
        html_escaped(table), kReportStyle, with_commas(report.counts.train_entries),
        with_commas(report.num_groups), with_commas(report.num_items),
        with_commas(report.counts.test_entries), with_commas(report.counts.test_groups));
    html += "<h2>For groups</h2>\n" + metrics_table(report, "");
    html += fmt::format(
        "<p class=\"soft\">Bold: the best. ≈: the groups judged by do not tell it from the best "
        "(the {:g} % interval of the paired bootstrap has 0 in it).</p>\n",
        100 * report.bootstrap.confidence);
    html += "<div class=\"plots\">\n";
    const std::string coverage = fmt::format("coverage@{}", report.longest_k);
    html += figure(
        scatter(report, "Accuracy against coverage", "share of the items that somebody is shown",
                [&](const ModelReport& model) { return *model.metric(coverage); }),
        "lists of groups");
    Plot seconds = scatter(report, "Accuracy against training", "seconds to train",
                           [](const ModelReport& model) { return model.train_seconds; });
    seconds.is_logarithmic_x = true;
    html += figure(seconds, "lists of groups") + "</div>\n";
    if (report.models.front().metric(fmt::format("item_hr@{}", report.longest_k)) != nullptr) {
        html +=
            "<h2>For single items</h2>\n<p>One item of each group asks; its held-out items are "
            "right.</p>\n" +
            metrics_table(report, "item_");
    }
    html +=
        "<h2>Against the best</h2>\n<p>How far from the best recipe, as an interval over the "
        "groups.</p>\n" +
        comparisons_table(report);
    html += curve_section(report) + examples_section(report);
    return html + std::string(kLimits) + "</body></html>\n";
}

}  // namespace segue::cli
