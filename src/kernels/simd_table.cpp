#include "kernels/table_of_targets.h"

namespace segue::kernels {

const KernelTable* avx2_table() {
    return nullptr;
}
const KernelTable* avx512_table() {
    return nullptr;
}

}  // namespace segue::kernels
