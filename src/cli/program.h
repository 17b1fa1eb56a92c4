#pragma once

#include <span>
#include <string>

#include "cli/console.h"
#include "cli/verb.h"

namespace segue::cli {

/// All verbs, in the order of the overview.
std::span<const Verb> all_verbs();

/// Runs `segue ARGUMENTS...`: finds the verb and runs it, with every failure, exceptions included,
/// turned into one line on stderr and an exit code.
ExitCode run_program(std::span<const std::string> arguments, Console& console);

}  // namespace segue::cli
