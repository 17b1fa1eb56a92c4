#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace segue {

/// The target of a request line taken apart. Used again for the next, for its memory; views are
/// into the target or into `decoded`.
struct TargetParts {
    std::string_view path;
    std::vector<HttpField> parameters;
    std::string decoded;
};

/// "/path?name=value&..." or the same behind "http://host". False where it is neither, has bytes a
/// URI has not, a "%" without two hexadecimal digits, or more than `max_parameters`.
bool read_target(std::string_view target, std::size_t max_parameters, TargetParts& parts);

}  // namespace segue
