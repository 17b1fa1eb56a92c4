#pragma once

#include <cstddef>

namespace segue {

/// More than the text of any float takes.
inline constexpr std::size_t kMostFloatChars = 32;

/// Writes the fewest digits that read back to the same number, as std::to_chars does, and returns
/// where they end. Requires: the number is finite, and there is room for kMostFloatChars.
char* write_decimal(float number, char* place);

}  // namespace segue
