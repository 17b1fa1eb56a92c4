#pragma once

#include <cstddef>

namespace segue {

/// Calls of operator new by this thread, in a test program that links allocation_counter.cpp.
std::size_t num_allocations();

}  // namespace segue
