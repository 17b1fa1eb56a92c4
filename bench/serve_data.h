#pragma once

// What the service is measured with: vectors as factorisation leaves them, with an index, a table
// of neighbours and an attribute to filter by.
//     FOLDER/items.segue    keys item-0, item-1, ... in the order of the rows
//     FOLDER/moved.segue    the same, but the keys are half a turn further: every answer differs
//     FOLDER/items.f32      [num_items x dim] without padding, little-endian: what others index
//     FOLDER/items.json     {"num_items":..,"dim":..,"list_length":..}

#include <cstdint>
#include <string>

#include "base/status.h"

namespace segue::bench {

inline constexpr std::size_t kServeDim = 64;
/// Values of the attribute "color", c0, c1, ...: each has one item in so many.
inline constexpr std::size_t kNumColors = 10;

struct ServeDataShape {
    std::size_t num_items = 0;
    std::size_t list_length = 100;
};

std::string item_key(std::size_t number);

/// Makes the files unless they are there in that shape. Returns an error if: a file cannot be
/// written.
Status make_serve_data(const std::string& folder, const ServeDataShape& shape);

}  // namespace segue::bench
