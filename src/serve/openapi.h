#pragma once

#include <string_view>

namespace segue::serve {

/// The text of openapi.json beside this file, put into the program when it is built.
std::string_view openapi_json();

}  // namespace segue::serve
