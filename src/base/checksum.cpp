#include "base/checksum.h"

#include <xxhash.h>

namespace segue {

std::uint64_t xxh3_64(std::span<const std::byte> bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t xxh3_64(std::string_view text) {
    return XXH3_64bits(text.data(), text.size());
}

std::string to_hex(std::uint64_t value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t digit = 0; digit < text.size(); ++digit) {
        text[digit] = kDigits[(value >> (60 - 4 * digit)) & 15];
    }
    return text;
}

}  // namespace segue
