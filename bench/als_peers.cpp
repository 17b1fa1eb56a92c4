#include "als_peers.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace segue::bench {

namespace {

template <typename Value>
void write_values(const std::filesystem::path& path, std::span<const Value> values) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size_bytes()));
}

Matrix read_factors(const std::filesystem::path& path, std::size_t num_rows, std::size_t dim) {
    Matrix factors(num_rows, dim);
    std::ifstream file(path, std::ios::binary);
    for (std::size_t row = 0; row < num_rows; ++row) {
        file.read(reinterpret_cast<char*>(factors.row(row).data()),
                  static_cast<std::streamsize>(dim * sizeof(float)));
    }
    return factors;
}

}  // namespace

std::optional<PeerFit> fit_with_implicit(const SparseView& table, std::size_t dim, double alpha,
                                         double l2_reg, std::uint32_t iterations,
                                         unsigned num_threads) {
    const char* packages = std::getenv("SEGUE_BENCH_PYTHONPATH");
    if (packages == nullptr) {
        return std::nullopt;
    }
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / fmt::format("segue-als-bench-{}", dim);
    std::filesystem::create_directories(folder);
    write_values(folder / "offsets.u64", table.offsets);
    write_values(folder / "columns.u32", table.columns);
    std::ofstream(folder / "num_columns.txt") << table.num_columns;
    const std::string command = fmt::format(
        "PYTHONPATH='{}' OPENBLAS_NUM_THREADS=1 /usr/bin/python3 '{}/implicit_als.py' '{}' {} {} "
        "{} {} {}",
        packages, SEGUE_BENCH_PEERS, folder.string(), dim, alpha, l2_reg, iterations, num_threads);
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) {
        return std::nullopt;
    }
    PeerFit fit;
    const int read = std::fscanf(pipe, "%lf %lf", &fit.wall_seconds, &fit.cpu_seconds);
    const int status = pclose(pipe);
    if (read != 2 || status != 0) {
        std::filesystem::remove_all(folder);
        return std::nullopt;
    }
    fit.row_factors = read_factors(folder / "rows.f32", table.num_rows, dim);
    fit.column_factors = read_factors(folder / "columns.f32", table.num_columns, dim);
    std::filesystem::remove_all(folder);
    return fit;
}

}  // namespace segue::bench
