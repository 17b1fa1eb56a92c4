#pragma once

namespace segue::kernels {

struct CodesKernels;

/// Sets what codes_vnni.cpp has: the scans. Only where avx512vnni_codes is not null.
void add_avx512vnni_scans(CodesKernels& kernels);

/// Sets what codes_vnni_select.cpp has: all that comes behind a scan. Only where avx512vnni_codes
/// is not null.
void add_avx512vnni_selection(CodesKernels& kernels);

}  // namespace segue::kernels
