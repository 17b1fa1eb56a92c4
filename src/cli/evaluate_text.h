#pragma once

// The tables of `segue evaluate` as text.

#include <string>

#include "pipeline/evaluate.h"

namespace segue::cli {

/// Metrics for groups and for single items, how far each recipe is from the best one, and the
/// curves of the popularity knob; what was not judged is left out.
std::string evaluation_text(const EvaluateReport& report);

}  // namespace segue::cli
