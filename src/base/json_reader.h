#pragma once

// The little JSON that settings are written in. Large JSON input goes through the ingest folder
// instead.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace segue {

/// The members of a JSON object in their order, values as text: numbers in their shortest form,
/// true and false by name. An array of such values becomes one pair for each. Returns an error if:
/// the text is no JSON object (RFC 8259, UTF-8), a key occurs twice, or a value is null or an
/// object.
Result<std::vector<std::pair<std::string, std::string>>> read_flat_json(std::string_view json);

/// The elements of a JSON array of strings. Returns an error if: the text is anything else.
Result<std::vector<std::string>> read_json_strings(std::string_view json);

/// Returns an error if: the text is no JSON object.
Status check_json_object(std::string_view json);

}  // namespace segue
