#pragma once

// A verb of the program: a struct of arguments that declares its flags, checks them together, and
// runs.

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/console.h"
#include "cli/options.h"

namespace segue::cli {

enum ExitCode : int {
    kDone = 0,
    kFailed = 1,
    kWrongUsage = 2,
};

/// kName and kSummary say what it is; declare() binds members to flags; check() says what is wrong
/// about the flags taken together (wrong usage, before anything is touched); run() does the work.
template <typename Arguments>
concept VerbArguments = requires(Arguments arguments, const Arguments& ready, Options& options,
                                 Console& console) {
    { Arguments::kName } -> std::convertible_to<std::string_view>;
    { Arguments::kSummary } -> std::convertible_to<std::string_view>;
    arguments.declare(options);
    { ready.check() } -> std::same_as<Status>;
    { ready.run(console) } -> std::same_as<Status>;
};

struct Verb {
    std::string_view name;
    std::string_view summary;
    ExitCode (*run)(std::span<const std::string> arguments, Console& console) = nullptr;
};

/// The steps every verb takes once its flags are declared: parse, --help and --print-config, check,
/// run.
ExitCode run_declared(std::span<const std::string> arguments, Options& options,
                      const std::function<Status()>& check, const std::function<Status()>& run,
                      Console& console);

template <VerbArguments Arguments>
Verb verb_of() {
    return {Arguments::kName, Arguments::kSummary,
            [](std::span<const std::string> given, Console& console) {
                Arguments arguments;
                Options options(Arguments::kName, Arguments::kSummary);
                arguments.declare(options);
                return run_declared(
                    given, options, [&] { return arguments.check(); },
                    [&] { return arguments.run(console); }, console);
            }};
}

}  // namespace segue::cli
