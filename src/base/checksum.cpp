#include "base/checksum.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <new>

#include "base/give_way.h"

namespace segue {

namespace {

std::uint64_t xxh3_64_gently(std::span<const std::byte> bytes) {
    constexpr std::size_t kPieceBytes = std::size_t{128} << 10;
    const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                         &XXH3_freeState);
    if (state == nullptr) {
        throw std::bad_alloc();
    }
    XXH3_64bits_reset(state.get());
    for (std::size_t begin = 0; begin < bytes.size(); begin += kPieceBytes) {
        const auto piece = bytes.subspan(begin, std::min(kPieceBytes, bytes.size() - begin));
        XXH3_64bits_update(state.get(), piece.data(), piece.size());
        give_way();
    }
    return XXH3_64bits_digest(state.get());
}

}  // namespace

std::uint64_t xxh3_64(std::span<const std::byte> bytes) {
    return works_gently() ? xxh3_64_gently(bytes) : XXH3_64bits(bytes.data(), bytes.size());
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
