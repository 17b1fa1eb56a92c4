#pragma once

// `segue evaluate --report`: one page for people, with everything inside it.

#include <string>

#include "pipeline/evaluate.h"

namespace segue::cli {

/// A whole HTML document: tables, plots as inline SVG, and neighbours of some items under every
/// recipe side by side. Nothing is loaded from elsewhere and no script runs. `table` names what was
/// judged.
std::string evaluation_html(const EvaluateReport& report, const std::string& table);

}  // namespace segue::cli
