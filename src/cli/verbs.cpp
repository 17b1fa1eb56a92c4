#include "cli/verbs.h"

#include "cli/program.h"

namespace segue::cli {

std::span<const Verb> all_verbs() {
    return {};
}

}  // namespace segue::cli
