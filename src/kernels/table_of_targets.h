#pragma once

#include "kernels/kernels.h"

namespace segue::kernels {

/// Plain loops: the reference the other tables are tested against.
const KernelTable& scalar_table();

/// Null where this build or this machine does not have the instructions.
const KernelTable* avx2_table();
const KernelTable* avx512_table();

}  // namespace segue::kernels
