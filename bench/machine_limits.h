#pragma once

// What this machine can do at all, measured beside what is timed.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace segue::bench {

/// CPU seconds this thread has used: what others run on the machine does not count, though it still
/// takes its share of caches and memory.
double thread_cpu_seconds();

/// CPU seconds one core takes to read all of `values` once.
double seconds_to_read(std::span<const float> values);

/// Floating-point operations a second of one core (a fused multiply-add is two), with the vectors
/// of a kernel table: "avx512" and "avx512vnni", "avx2", else those of the baseline.
double peak_flops(std::string_view kernels);

/// Products of a byte with a byte, added up, a second of one core, with the widest instruction a
/// kernel table uses for them; 0 for "scalar".
double peak_byte_products(std::string_view kernels);

/// Lookups of a byte in a table in registers, a second of one core, with the widest instruction a
/// kernel table uses for them; 0 for "scalar".
double peak_lookups(std::string_view kernels);

/// The processor as the kernel names it.
std::string processor_name();

}  // namespace segue::bench
