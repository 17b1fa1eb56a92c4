#include "base/random.h"

#include <cmath>
#include <numbers>

namespace segue {

Random::Random(std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t mixed = seed;
    const std::uint64_t first = split_mix64(mixed);
    mixed = first ^ (stream * 0xD1342543DE82EF95u);
    state_ = split_mix64(mixed);
}

std::uint64_t Random::below(std::uint64_t bound) {
    // Values under this remainder would make the small results likelier.
    const std::uint64_t remainder = (0 - bound) % bound;
    for (;;) {
        const std::uint64_t value = next();
        if (value >= remainder) {
            return value % bound;
        }
    }
}

double Random::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

}  // namespace segue
