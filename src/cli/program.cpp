#include "cli/program.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <new>

#include "base/text.h"
#include "cli/verbs.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

std::string overview() {
    std::string text =
        "Segue turns groups of items (playlists, baskets, histories) into recommendations.\n\n"
        "usage: segue VERB [arguments]\n\n";
    for (const Verb& verb : all_verbs()) {
        text += indented_entry(verb.name, verb.summary);
    }
    text += "\nsegue VERB --help explains a verb and shows an example.\n";
    return text;
}

const Verb* find_verb(std::string_view name) {
    for (const Verb& verb : all_verbs()) {
        if (verb.name == name) {
            return &verb;
        }
    }
    return nullptr;
}

/// Also of arguments that cannot be parsed.
bool ask_for_quiet(std::span<const std::string> arguments) {
    return std::find(arguments.begin(), arguments.end(), "--quiet") != arguments.end();
}

ExitCode unknown_verb(std::string_view name, Console& console) {
    std::vector<std::string_view> names;
    for (const Verb& verb : all_verbs()) {
        names.push_back(verb.name);
    }
    const std::string nearest = nearest_word(name, names);
    console.set_hint(nearest.empty() ? "segue --help lists the verbs"
                                     : fmt::format("did you mean segue {}?", nearest));
    console.print_error("", fmt::format("unknown verb \"{}\"", shortened(name)));
    return kWrongUsage;
}

ExitCode finish(std::string_view verb, Console& console) {
    if (const Status status = console.finish(); !status.ok()) {
        console.print_error(verb, status.message());
        return kFailed;
    }
    return kDone;
}

ExitCode print_and_finish(std::string_view verb, std::string_view text, Console& console) {
    console.print(text);
    return finish(verb, console);
}

}  // namespace

ExitCode run_declared(std::span<const std::string> arguments, Options& options,
                      const std::function<Status()>& check, const std::function<Status()>& run,
                      Console& console) {
    const auto wrong_usage = [&](const Status& status) {
        console.set_quiet(options.quiet || ask_for_quiet(arguments));
        console.set_hint(fmt::format("see segue {} --help", options.verb()));
        console.print_error(options.verb(), status.message());
        return kWrongUsage;
    };
    if (const Status status = parse_arguments(arguments, options); !status.ok()) {
        return wrong_usage(status);
    }
    if (options.wants_help) {
        return print_and_finish(options.verb(), options.help_text(), console);
    }
    if (options.print_config) {
        return print_and_finish(options.verb(), options.values_json() + "\n", console);
    }
    if (const Status status = check(); !status.ok()) {
        return wrong_usage(status);
    }
    console.set_quiet(options.quiet);
    if (const Status status = run(); !status.ok()) {
        console.discard();
        console.print_error(options.verb(), status.message());
        return kFailed;
    }
    return finish(options.verb(), console);
}

ExitCode run_program(std::span<const std::string> arguments, Console& console) {
    if (arguments.empty()) {
        console.set_hint("segue --help lists the verbs");
        console.print_error("", "a verb is missing");
        return kWrongUsage;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") {
        return print_and_finish("", overview(), console);
    }
    if (name == "--version") {
        return print_and_finish("", "segue " SEGUE_VERSION "\n", console);
    }
    const Verb* verb = find_verb(name);
    if (verb == nullptr) {
        console.set_quiet(ask_for_quiet(arguments));
        return unknown_verb(name, console);
    }
    std::string failure;
    try {
        return verb->run(arguments.subspan(1), console);
    } catch (const std::bad_alloc&) {
        failure = "out of memory";
    } catch (const std::exception& error) {
        failure = fmt::format("internal error: {}", error.what());
    }
    console.discard();
    console.print_error(name, failure);
    return kFailed;
}

}  // namespace segue::cli
