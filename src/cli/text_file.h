#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace segue::cli {

/// Writes a whole file. Returns an error if: it exists and `overwrite` is false, or it cannot be
/// written; what was there before is untouched then.
Status write_text_file(const std::string& path, std::string_view text, bool overwrite);

}  // namespace segue::cli
