#pragma once

#include <string>

#include "pipeline/index_model.h"

namespace segue {

/// What of a report goes into the bundle: nothing that differs between two runs.
std::string stored_report(const IndexReport& report, const IndexModelOptions& options,
                          const IndexBuildOptions& build);

}  // namespace segue
