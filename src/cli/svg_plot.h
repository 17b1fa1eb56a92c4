#pragma once

// Plots as inline SVG: points with their names beside them, or lines with a legend. Colours are the
// page's: class "sN" of the mark, N from 0 to kNumPlotColours - 1.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

inline constexpr std::size_t kNumPlotColours = 8;

struct PlotPoint {
    double x = 0;
    double y = 0;
    std::string tooltip;
    bool is_emphasised = false;  // a ring around it
};

struct PlotSeries {
    std::string name;
    std::size_t colour = 0;
    std::vector<PlotPoint> points;  // joined in this order where there are several
};

struct Plot {
    std::string title;
    std::string x_label;
    std::string y_label;
    bool is_logarithmic_x = false;  // values of 0 and less sit at the left edge
    std::vector<PlotSeries> series;
};

/// One <svg> element; texts are escaped.
std::string to_svg(const Plot& plot);

/// The text as it may stand in HTML: & < > " ' escaped, control characters and broken UTF-8
/// replaced.
std::string html_escaped(std::string_view text);

}  // namespace segue::cli
