#include "kernels/kernels.h"

#include <fmt/core.h>

#include <array>
#include <cstdlib>

#include "kernels/codes_kernels.h"
#include "kernels/dense_kernels.h"
#include "kernels/int8_kernels.h"
#include "kernels/partition_kernels.h"
#include "kernels/table_of_targets.h"

namespace segue::kernels {
namespace {

/// VNNI and the byte permutations of VBMI, beside what the table "avx512" needs.
bool has_vnni_and_vbmi() {
    return __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
}

/// The tables of this machine. Not copied: pointers point into it.
class SupportedTables {
public:
    SupportedTables() {
        KernelTable scalar = scalar_table();
        scalar.codes = &scalar_codes();
        scalar.dense = &scalar_dense();
        scalar.int8 = &scalar_int8();
        scalar.partition = &scalar_partition();
        add(scalar);
        if (const KernelTable* found = avx2_table()) {
            KernelTable avx2 = *found;
            avx2.codes = avx2_codes();
            avx2.dense = avx2_dense();
            avx2.int8 = avx2_int8();
            avx2.partition = avx2_partition();
            add(avx2);
        }
        if (const KernelTable* found = avx512_table()) {
            KernelTable avx512 = *found;
            avx512.codes = avx512_codes();
            avx512.dense = avx512_dense();
            avx512.int8 = avx512_int8();
            avx512.partition = avx512_partition();
            add(avx512);
            if (has_vnni_and_vbmi() && avx512vnni_codes() != nullptr) {
                KernelTable vnni = avx512;  // the functions of f32 gain nothing from either
                vnni.name = "avx512vnni";
                vnni.codes = avx512vnni_codes();
                vnni.int8 = avx512vnni_int8();
                vnni_partition_ = *avx512.partition;
                vnni_partition_.find_nearest_int8 = avx512vnni_find_nearest();
                vnni.partition = &vnni_partition_;
                add(vnni);
            }
        }
    }
    SupportedTables(const SupportedTables&) = delete;
    SupportedTables& operator=(const SupportedTables&) = delete;

    std::span<const KernelTable* const> span() const { return {pointers_.data(), count_}; }

private:
    void add(const KernelTable& table) {
        tables_[count_] = table;
        pointers_[count_] = &tables_[count_];
        ++count_;
    }

    std::array<KernelTable, 4> tables_ = {};
    std::array<const KernelTable*, 4> pointers_ = {};
    std::size_t count_ = 0;
    PartitionKernels vnni_partition_ = {};
};

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
    static const SupportedTables kSupported;
    return kSupported.span();
}

Result<const KernelTable*> kernels_by_name(std::string_view name) {
    for (const KernelTable* table : supported_kernels()) {
        if (name == table->name) {
            return table;
        }
    }
    if (name == "avx2" || name == "avx512" || name == "avx512vnni") {
        return invalid_argument(
            fmt::format("kernels '{}' need a processor (and build) that has them; "
                        "the best here are '{}'",
                        name, supported_kernels().back()->name));
    }
    return invalid_argument(fmt::format(
        "kernels '{}' are unknown; there are scalar, avx2, avx512 and avx512vnni", name));
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
