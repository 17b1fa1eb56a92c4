#include "machine_limits.h"

#include <cstring>
#include <ctime>
#include <fstream>

namespace segue::bench {
namespace {

/// Registers whose chains of dependent operations hide each other's latency.
constexpr std::size_t kChains = 12;
constexpr std::size_t kRounds = 2'000'000;

/// Every round is kChains multiply-adds of a vector; the result is used so that none is left out.
template <typename Vector>
[[gnu::always_inline]] inline float run_chains(float start) {
    Vector chains[kChains] = {};
    for (std::size_t i = 0; i < kChains; ++i) {
        chains[i] += start * static_cast<float>(i);  // equal chains would be computed once
    }
    const Vector factor = Vector{} + start;
    for (std::size_t round = 0; round < kRounds; ++round) {
        for (Vector& chain : chains) {
            chain = chain * factor + factor;
        }
    }
    Vector sum = {};
    for (const Vector& chain : chains) {
        sum += chain;
    }
    return sum[0];
}

using Vector4 [[gnu::vector_size(16)]] = float;
using Vector8 [[gnu::vector_size(32)]] = float;
using Vector16 [[gnu::vector_size(64)]] = float;

[[gnu::target("avx512f")]] float run_avx512(float start) {
    return run_chains<Vector16>(start);
}
[[gnu::target("avx2,fma")]] float run_avx2(float start) {
    return run_chains<Vector8>(start);
}
float run_baseline(float start) {
    return run_chains<Vector4>(start);
}

/// Calls of a function below; each is kStepsPerCall steps of kChains chains.
constexpr std::size_t kStepsPerCall = 8;
constexpr std::size_t kCalls = kRounds / kStepsPerCall;

// Chains of one instruction, each dependent on itself only, with a constant in register 15. In
// assembler, so that what is measured is that instruction whatever a compiler makes of the loop;
// the registers may hold any integers.

void multiply_bytes_vnni() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

void multiply_bytes_avx512() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpmaddubsw %%zmm15, %%zmm\\n, %%zmm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

void multiply_bytes_avx2() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpmaddubsw %%ymm15, %%ymm\\n, %%ymm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

void look_up_vbmi() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpermb %%zmm15, %%zmm\\n, %%zmm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

void look_up_avx512() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpshufb %%zmm15, %%zmm\\n, %%zmm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

void look_up_avx2() {
    asm volatile(
        ".rept 8\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpshufb %%ymm15, %%ymm\\n, %%ymm\\n\n\t.endr\n\t.endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm15");
}

/// Operations a second where each step of a chain is `lanes` of them.
double rate_of(void (*run)(), std::size_t lanes) {
    const double start_seconds = thread_cpu_seconds();
    for (std::size_t call = 0; call < kCalls; ++call) {
        run();
    }
    const double seconds = thread_cpu_seconds() - start_seconds;
    asm volatile("vzeroupper" ::: "memory");
    return static_cast<double>(kCalls * kStepsPerCall * kChains * lanes) / seconds;
}

}  // namespace

double thread_cpu_seconds() {
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_to_read(std::span<const float> values) {
    const double start_seconds = thread_cpu_seconds();
    constexpr std::size_t kStep = 32;
    Vector4 sums[8] = {};
    for (std::size_t i = 0; i + kStep <= values.size(); i += kStep) {
        for (std::size_t part = 0; part < 8; ++part) {
            Vector4 loaded;
            std::memcpy(&loaded, values.data() + i + part * 4, sizeof(loaded));
            sums[part] += loaded;
        }
    }
    for (const Vector4& sum : sums) {
        sums[0] += sum;
    }
    volatile float used = sums[0][0];
    static_cast<void>(used);
    return thread_cpu_seconds() - start_seconds;
}

double peak_flops(std::string_view kernels) {
    const bool avx512 = kernels.starts_with("avx512");
    const bool avx2 = kernels == "avx2";
    const double start_seconds = thread_cpu_seconds();
    volatile float start = 0.5F;
    volatile float used = avx512 ? run_avx512(start) : avx2 ? run_avx2(start) : run_baseline(start);
    static_cast<void>(used);
    const std::size_t lanes = avx512 ? 16 : avx2 ? 8 : 4;
    return static_cast<double>(kRounds * kChains * lanes * 2) /
           (thread_cpu_seconds() - start_seconds);
}

double peak_byte_products(std::string_view kernels) {
    return kernels == "avx512vnni" ? rate_of(multiply_bytes_vnni, 64)
           : kernels == "avx512"   ? rate_of(multiply_bytes_avx512, 64)
           : kernels == "avx2"     ? rate_of(multiply_bytes_avx2, 32)
                                   : 0;
}

double peak_lookups(std::string_view kernels) {
    return kernels == "avx512vnni" ? rate_of(look_up_vbmi, 64)
           : kernels == "avx512"   ? rate_of(look_up_avx512, 64)
           : kernels == "avx2"     ? rate_of(look_up_avx2, 32)
                                   : 0;
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown processor";
}

}  // namespace segue::bench
