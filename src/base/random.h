#pragma once

#include <cstdint>

namespace segue {

/// The next value of the SplitMix64 sequence (Steele, Lea, Flood 2014); advances `state`.
constexpr std::uint64_t split_mix64(std::uint64_t& state) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t value = state;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/// Seeded random numbers, the same on every machine and compiler (the distributions of <random> are
/// not). SplitMix64; a (seed, stream) pair names an independent sequence, so that row r may draw
/// from stream r whatever thread it is on. Not thread-safe.
class Random {
public:
    explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

    std::uint64_t next() { return split_mix64(state_); }
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    /// Uniform in [0, bound), without bias. Requires: bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// Mean 0, variance 1 (Box and Muller).
    double normal();

private:
    std::uint64_t state_;
    bool has_spare_ = false;
    double spare_ = 0;
};

}  // namespace segue
