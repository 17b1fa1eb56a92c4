#include <cstdio>
#include <cstdlib>

#include "targets.h"

namespace segue::fuzz {

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

}  // namespace segue::fuzz
