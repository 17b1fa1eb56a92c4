#include "kernels/kernels.h"

#include <fmt/core.h>

#include <array>
#include <cstdlib>

#include "kernels/table_of_targets.h"

namespace segue::kernels {
namespace {

struct SupportedTables {
    std::array<const KernelTable*, 3> tables = {};
    std::size_t count = 0;
};

SupportedTables find_supported() {
    SupportedTables supported;
    supported.tables[supported.count++] = &scalar_table();
    for (const KernelTable* table : {avx2_table(), avx512_table()}) {
        if (table != nullptr) {
            supported.tables[supported.count++] = table;
        }
    }
    return supported;
}

const KernelTable* choose_table() {
    if (const char* wanted = std::getenv("SEGUE_KERNELS")) {
        const Result<const KernelTable*> table = kernels_by_name(wanted);
        if (table.ok()) {
            return *table;
        }
    }
    return supported_kernels().back();
}

}  // namespace

std::span<const KernelTable* const> supported_kernels() {
    static const SupportedTables kSupported = find_supported();
    return {kSupported.tables.data(), kSupported.count};
}

Result<const KernelTable*> kernels_by_name(std::string_view name) {
    for (const KernelTable* table : supported_kernels()) {
        if (name == table->name) {
            return table;
        }
    }
    if (name == "avx2" || name == "avx512") {
        return invalid_argument(
            fmt::format("kernels '{}' need a processor (and build) that has them; "
                        "the best here are '{}'",
                        name, supported_kernels().back()->name));
    }
    return invalid_argument(
        fmt::format("kernels '{}' are unknown; there are scalar, avx2 and avx512", name));
}

const KernelTable& active_kernels() {
    static const KernelTable* const kChosen = choose_table();
    return *kChosen;
}

void pack_queries(const float* queries, std::size_t query_stride, std::size_t num_queries,
                  std::size_t dim, float* packed) {
    for (std::size_t element = 0; element < dim; ++element) {
        float* row = packed + element * kQueryBlock;
        for (std::size_t query = 0; query < num_queries; ++query) {
            row[query] = queries[query * query_stride + element];
        }
        for (std::size_t query = num_queries; query < kQueryBlock; ++query) {
            row[query] = 0;
        }
    }
}

}  // namespace segue::kernels
