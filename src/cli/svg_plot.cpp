#include "cli/svg_plot.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/wording.h"

namespace segue::cli {
namespace {

constexpr double kWidth = 560;
constexpr double kHeight = 340;
constexpr double kLeft = 62;
constexpr double kRight = 20;
constexpr double kTop = 16;
constexpr double kBottom = 46;
/// Of a name beside a point: its height, and about the width of a letter.
constexpr double kNameHeight = 14;
constexpr double kLetterWidth = 6.4;
constexpr double kNameGap = 9;
constexpr double kSmallestLogarithmic = 1e-3;

struct Axis {
    double low = 0;
    double high = 1;
    bool is_logarithmic = false;
    std::vector<double> ticks;

    double share(double value) const {
        if (is_logarithmic) {
            value = std::log10(std::max(value, low));
            return (value - std::log10(low)) / (std::log10(high) - std::log10(low));
        }
        return (value - low) / (high - low);
    }
};

struct Extent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

Extent extent_of(const Plot& plot, double PlotPoint::*value) {
    Extent extent;
    for (const PlotSeries& series : plot.series) {
        for (const PlotPoint& point : series.points) {
            extent.low = std::min(extent.low, point.*value);
            extent.high = std::max(extent.high, point.*value);
        }
    }
    return extent.low <= extent.high ? extent : Extent{0, 1};
}

/// From 0, or from near the least value, to above the greatest, in steps of 1, 2 or 5.
Axis linear_axis(Extent extent) {
    constexpr double kSteps = 5;
    if (extent.low > 0 && extent.low < 0.7 * extent.high) {
        extent.low = 0;
    }
    const double span = std::max(extent.high - extent.low, 1e-9 + 0.02 * std::abs(extent.high));
    const double raw = span / kSteps;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double lead = raw / power;
    const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    Axis axis;
    axis.low = std::floor(extent.low / step) * step;
    axis.high = std::ceil((extent.high + 0.02 * span) / step) * step;
    // Nothing of a share lies beyond 1.
    axis.high = extent.high <= 1 ? std::min(axis.high, 1.0) : axis.high;
    for (double tick = axis.low; tick < axis.high + step / 2; tick += step) {
        if (tick <= axis.high + step * 1e-6) {
            axis.ticks.push_back(std::abs(tick) < step / 2 ? 0 : tick);
        }
    }
    return axis;
}

/// Whole decades.
Axis logarithmic_axis(Extent extent) {
    Axis axis;
    axis.is_logarithmic = true;
    axis.low = std::pow(10, std::floor(std::log10(std::max(extent.low, kSmallestLogarithmic))));
    axis.high = std::max(axis.low * 10,
                         std::pow(10, std::ceil(std::log10(std::max(extent.high, axis.low)))));
    for (double tick = axis.low; tick < axis.high * 1.5; tick *= 10) {
        axis.ticks.push_back(tick);
    }
    return axis;
}

struct Frame {
    Axis x;
    Axis y;

    double at_x(double value) const { return kLeft + x.share(value) * (kWidth - kLeft - kRight); }
    double at_y(double value) const {
        return kHeight - kBottom - y.share(value) * (kHeight - kTop - kBottom);
    }
};

std::string axes_svg(const Plot& plot, const Frame& frame) {
    std::string svg;
    for (const double tick : frame.y.ticks) {
        const double y = frame.at_y(tick);
        svg +=
            fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                        kLeft, kWidth - kRight, y, y);
        svg +=
            fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{:g}</text>)",
                        kLeft - 7, y + 4, tick);
    }
    for (const double tick : frame.x.ticks) {
        svg += fmt::format(
            R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:g}</text>)",
            frame.at_x(tick), kHeight - kBottom + 17, tick);
    }
    svg += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                       kLeft, kWidth - kRight, kHeight - kBottom, kHeight - kBottom);
    svg +=
        fmt::format(R"(<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                    (kLeft + kWidth - kRight) / 2, kHeight - 8, html_escaped(plot.x_label));
    svg += fmt::format(
        R"svg(<text class="label" transform="translate(14 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
        (kTop + kHeight - kBottom) / 2, html_escaped(plot.y_label));
    return svg;
}

std::string series_svg(const PlotSeries& series, const Frame& frame) {
    std::string svg;
    const std::size_t colour = series.colour % kNumPlotColours;
    if (series.points.size() > 1) {
        svg += fmt::format(R"(<polyline class="line s{}" points=")", colour);
        for (const PlotPoint& point : series.points) {
            svg += fmt::format("{:.1f},{:.1f} ", frame.at_x(point.x), frame.at_y(point.y));
        }
        svg += R"("/>)";
    }
    const double radius = series.points.size() > 1 ? 3 : 5;
    for (const PlotPoint& point : series.points) {
        const double x = frame.at_x(point.x);
        const double y = frame.at_y(point.y);
        if (point.is_emphasised) {
            svg += fmt::format(R"(<circle class="ring s{}" cx="{:.1f}" cy="{:.1f}" r="7"/>)",
                               colour, x, y);
        }
        svg += fmt::format(
            R"(<circle class="mark s{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>)",
            colour, x, y, radius, html_escaped(point.tooltip));
    }
    return svg;
}

/// The name of a series beside its last point.
struct Name {
    const PlotSeries* series = nullptr;
    double x = 0;
    double y = 0;
    double width = 0;
    bool is_left = false;

    double begin() const { return is_left ? x - kNameGap - width : x + kNameGap; }
};

bool overlap(const Name& left, const Name& right) {
    return std::abs(left.y - right.y) < kNameHeight && left.begin() < right.begin() + right.width &&
           right.begin() < left.begin() + left.width;
}

/// Names go beside their points; one that would cover another moves down, or up at the bottom.
std::string names_svg(const Plot& plot, const Frame& frame) {
    std::vector<Name> names;
    for (const PlotSeries& series : plot.series) {
        if (!series.points.empty()) {
            Name name{&series, frame.at_x(series.points.back().x),
                      frame.at_y(series.points.back().y),
                      kLetterWidth * static_cast<double>(display_width(series.name)), false};
            name.is_left = name.x + kNameGap + name.width > kWidth - 2;
            names.push_back(name);
        }
    }
    std::ranges::stable_sort(names, {}, &Name::y);
    std::string svg;
    for (std::size_t at = 0; at < names.size(); ++at) {
        double step = kNameHeight / 2;
        for (std::size_t before = 0; before < at; ++before) {
            if (overlap(names[at], names[before])) {
                if (names[at].y + step > kHeight - kBottom - 2) {
                    step = -step;
                }
                names[at].y += step;
                before = static_cast<std::size_t>(-1);  // from the first again
            }
        }
        svg += fmt::format(R"(<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
                           names[at].is_left ? names[at].x - kNameGap : names[at].x + kNameGap,
                           names[at].y + 4, names[at].is_left ? "end" : "start",
                           html_escaped(names[at].series->name));
    }
    return svg;
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string escaped;
    for (const char c : printable(text)) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string to_svg(const Plot& plot) {
    const Extent x = extent_of(plot, &PlotPoint::x);
    const Frame frame = {plot.is_logarithmic_x ? logarithmic_axis(x) : linear_axis(x),
                         linear_axis(extent_of(plot, &PlotPoint::y))};
    std::string svg = fmt::format(R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">)",
                                  kWidth, kHeight, html_escaped(plot.title));
    svg += axes_svg(plot, frame);
    for (const PlotSeries& series : plot.series) {
        svg += series_svg(series, frame);
    }
    return svg + names_svg(plot, frame) + "</svg>";
}

}  // namespace segue::cli
