#include "cli/evaluate_html.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cli/svg_plot.h"

namespace segue::cli {
namespace {

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

ModelReport model_named(const std::string& name, double recall) {
    ModelReport model;
    model.recipe = name;
    for (const char* metric :
         {"recall@20", "ndcg@20", "coverage@20", "item_hr@20", "item_ndcg@20"}) {
        model.metrics.push_back({metric, recall});
    }
    model.comparisons = {{"recall@20", "a<b", {recall - 0.5, recall - 0.6, recall - 0.4}}};
    model.popularity_curve = {{.exponent = 0, .ndcg = recall, .coverage = 0.4},
                              {.exponent = 0.5, .is_default = true, .ndcg = 0.1, .coverage = 0.95}};
    model.examples = {{7, "Tom & \"Jerry\"", 12, {{3, "<script>alert(1)</script>", 0.5F, 4, 9}}}};
    return model;
}

EvaluateReport small_report() {
    EvaluateReport report;
    report.models = {model_named("a<b", 0.5), model_named("other", 0.25)};
    report.longest_k = 20;
    return report;
}

TEST(EvaluationHtml, has_everything_in_itself_and_escapes_what_files_say) {
    const std::string html = evaluation_html(small_report(), "plays<1>.csv");
    EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
    EXPECT_EQ(count_of(html, "<svg "), 4u);
    for (const char* never : {"<script", "src=", "href=", "@import", "url(", "http"}) {
        EXPECT_EQ(count_of(html, never), 0u) << never;
    }
    EXPECT_EQ(count_of(html, "&lt;script&gt;alert(1)&lt;/script&gt;"), 2u);
    EXPECT_NE(html.find("Tom &amp; &quot;Jerry&quot;"), std::string::npos);
    EXPECT_NE(html.find("plays&lt;1&gt;.csv"), std::string::npos);
    EXPECT_NE(html.find("together in 4 of its 9"), std::string::npos);
    EXPECT_NE(html.find("-0.3500 to -0.1500"), std::string::npos);
    EXPECT_NE(html.find("default, most accurate of coverage 0.9 or more"), std::string::npos);
}

TEST(EvaluationHtml, leaves_out_what_was_not_judged) {
    EvaluateReport report = small_report();
    for (ModelReport& model : report.models) {
        model.popularity_curve.clear();
        model.examples.clear();
        std::erase_if(model.metrics, [](const Metric& m) { return m.name.starts_with("item_"); });
    }
    const std::string html = evaluation_html(report, "plays.csv");
    EXPECT_EQ(count_of(html, "<svg "), 2u);
    EXPECT_EQ(html.find("For single items"), std::string::npos);
    EXPECT_EQ(html.find("popularity knob"), std::string::npos);
}

TEST(SvgPlot, puts_points_where_their_values_are) {
    Plot plot{"t", "x", "y", false, {}};
    plot.series = {{"first", 0, {{0, 0, "low", false}}}, {"second", 1, {{1, 1, "high", true}}}};
    const std::string svg = to_svg(plot);
    EXPECT_EQ(count_of(svg, "<circle class=\"mark"), 2u);
    EXPECT_EQ(count_of(svg, "<circle class=\"ring"), 1u);
    EXPECT_EQ(count_of(svg, "<polyline"), 0u);
    EXPECT_NE(svg.find("<title>low</title>"), std::string::npos);
    // 0 is at the foot and the left edge of the frame.
    EXPECT_NE(svg.find("cx=\"62.0\" cy=\"294.0\""), std::string::npos) << svg;
    EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(SvgPlot, stands_no_points_equal_points_and_zeros_on_a_logarithmic_axis) {
    EXPECT_TRUE(to_svg({"t", "x", "y", false, {}}).ends_with("</svg>"));
    Plot plot{"t", "x", "y", true, {}};
    plot.series = {{"a", 0, {{0, 0.2, "", false}}}, {"b", 9, {{0, 0.2, "", false}}}};
    const std::string svg = to_svg(plot);
    EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
}

}  // namespace
}  // namespace segue::cli
