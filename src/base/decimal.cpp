#include "base/decimal.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace segue {
namespace {

// Numbers from 2^-9 to 2^16 are written by whole numbers alone: a float is c * 2^-p there, with
// p <= kMostShift, and c * 10^n fits 64 bits for every n that is needed. No exponent is shorter
// than none in that range.
constexpr std::uint32_t kExponentBias = 150;  // of c * 2^(exponent - bias), c a whole number
constexpr std::uint32_t kLeastShift = 8;
constexpr std::uint32_t kMostShift = 32;

constexpr std::array<std::uint64_t, 11> kPowersOfTen = [] {
    std::array<std::uint64_t, 11> powers{};
    std::uint64_t power = 1;
    for (std::uint64_t& one : powers) {
        one = power;
        power *= 10;
    }
    return powers;
}();

/// "00", "01", ... "99".
constexpr std::array<char, 200> kPairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t number = 0; number < 100; ++number) {
        pairs[2 * number] = static_cast<char>('0' + number / 10);
        pairs[2 * number + 1] = static_cast<char>('0' + number % 10);
    }
    return pairs;
}();

/// digits * 10^-num_decimals
struct Decimal {
    std::uint64_t digits;
    std::uint32_t num_decimals;
};

/// The shortest decimal that is nearer to significand * 2^-shift than to any other float, and of
/// those the nearest (Giulietti, "The Schubfach way to render doubles"). Requires: the significand
/// has 24 bits and is no power of two, below which floats lie closer.
Decimal shortest_decimal(std::uint64_t significand, std::uint32_t shift) {
    // 10^-num_decimals is the greatest power of ten below the distance of two floats, 2^-shift:
    // one multiple of it at least reads back, of ten times it one at most.
    const std::uint32_t num_decimals = (shift * 1233 >> 12U) + 1;
    const std::uint64_t power = kPowersOfTen[num_decimals];
    // In units of 2^-(shift + 1) * 10^-num_decimals; to either end it is half a float's distance.
    const std::uint64_t value = 2 * significand * power;
    const std::uint64_t is_odd = significand & 1U;  // the ends belong to the even neighbour
    const std::uint64_t least = value - power + is_odd;
    const std::uint64_t most = value + power - is_odd;
    const std::uint64_t unit = std::uint64_t{2} << shift;
    const std::uint64_t below = value >> (shift + 1);

    const std::uint64_t tens_below = below / 10;
    const bool tens_fit = tens_below * 10 * unit >= least;
    const bool next_tens_fit = (tens_below + 1) * 10 * unit <= most;
    if (tens_fit || next_tens_fit) {
        Decimal found = {tens_below + (next_tens_fit ? 1U : 0U), num_decimals - 1};
        while (found.num_decimals > 0 && found.digits % 10 == 0) {
            found.digits /= 10;
            --found.num_decimals;
        }
        return found;
    }
    const bool fits = below * unit >= least;
    const bool next_fits = (below + 1) * unit <= most;
    const std::uint64_t middle = below * unit + unit / 2;
    const bool rounds_up =
        fits != next_fits ? next_fits : value > middle || (value == middle && below % 2 == 1);
    return {below + (rounds_up ? 1U : 0U), num_decimals};
}

/// Writes `number` with zeros in front, `width` digits in all.
char* write_digits(std::uint64_t number, std::uint32_t width, char* place) {
    char* const end = place + width;
    for (; width >= 2; width -= 2) {
        std::memcpy(place + width - 2, &kPairs[2 * (number % 100)], 2);
        number /= 100;
    }
    if (width == 1) {
        *place = static_cast<char>('0' + number);
    }
    return end;
}

}  // namespace

char* write_decimal(float number, char* place) {
    constexpr std::uint32_t kFractionBits = 23;
    const auto bits = std::bit_cast<std::uint32_t>(number);
    const std::uint32_t fraction = bits & ((1U << kFractionBits) - 1);
    const std::uint32_t shift = kExponentBias - (bits >> kFractionBits & 0xFFU);  // wraps around
    if (shift < kLeastShift || shift > kMostShift || fraction == 0) {
        return std::to_chars(place, place + kMostFloatChars, number).ptr;
    }
    if (bits >> 31U != 0) {
        *place++ = '-';
    }
    const Decimal decimal = shortest_decimal(fraction | 1U << kFractionBits, shift);
    const std::uint64_t power = kPowersOfTen[decimal.num_decimals];
    std::uint64_t decimals = decimal.digits;
    if (decimals < power) {
        *place++ = '0';
    } else {
        const std::uint64_t whole = decimals / power;
        decimals -= whole * power;
        place = std::to_chars(place, place + kMostFloatChars, whole).ptr;
    }
    if (decimal.num_decimals == 0) {
        return place;
    }
    *place++ = '.';
    return write_digits(decimals, decimal.num_decimals, place);
}

}  // namespace segue
