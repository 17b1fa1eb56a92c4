#pragma once

// The verbs, each in its own file verb_NAME.cpp.

#include "cli/verb.h"

namespace segue::cli {}  // namespace segue::cli
