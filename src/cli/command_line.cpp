// The one file that includes CLI11, which splits arguments into flags and values; what the values
// mean is the business of Options.

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/options.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

// Many enough for any shell, few enough that CLI11 does not read "[a,b]" as a list.
constexpr int kMaxGreedyValues = 1 << 20;

bool looks_like_flag(std::string_view argument) {
    return argument.size() > 1 && argument[0] == '-' && !(argument[1] >= '0' && argument[1] <= '9');
}

Status unknown_flag(const Options& options, std::string_view argument) {
    const std::string name(argument.substr(0, argument.find('=')));
    const std::string nearest =
        options.nearest_name(name.substr(std::min(name.size(), name.find_first_not_of('-'))));
    return invalid_argument(nearest.empty() ? fmt::format("unknown flag {}", shortened(name))
                                            : fmt::format("unknown flag {}, did you mean --{}?",
                                                          shortened(name), nearest));
}

/// CLI11 takes whatever follows a flag as its value, also the next flag; that is a slip we refuse.
Status check_values_follow(std::span<const std::string> arguments, Options& options) {
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        const std::string_view argument = arguments[i];
        if (!argument.starts_with("--")) {
            continue;
        }
        const std::size_t equals = argument.find('=');
        const Option* option = options.find(argument.substr(2, equals - 2));
        if (option == nullptr || option->positional || option->value_name.empty()) {
            continue;
        }
        const bool follows = equals == std::string_view::npos && i + 1 < arguments.size();
        const std::string_view value = follows ? std::string_view(arguments[i + 1]) : "";
        const bool value_is_flag = value.starts_with("--") &&
                                   options.find(value.substr(2, value.find('=') - 2)) != nullptr;
        if (equals == argument.size() - 1 || value_is_flag ||
            (!follows && equals == std::string_view::npos)) {
            return invalid_argument(
                fmt::format("--{} needs a value: {}", option->name, option->value_name));
        }
        i += follows ? 1 : 0;
    }
    return {};
}

/// What CLI11 could not place: values of positional arguments, and flags nobody declared.
Status assign_positionals(const std::vector<std::string>& leftovers, Options& options) {
    std::vector<std::string> values;
    bool only_values = false;
    for (const std::string& leftover : leftovers) {
        if (!only_values && leftover == "--") {
            only_values = true;
        } else if (!only_values && looks_like_flag(leftover)) {
            return unknown_flag(options, leftover);
        } else {
            values.push_back(leftover);
        }
    }
    std::span<const std::string> rest = values;
    for (Option& option : options.all()) {
        if (!option.positional || rest.empty()) {
            continue;
        }
        const std::size_t taken = option.repeated ? rest.size() : 1;
        if (Status status = option.assign(rest.first(taken)); !status.ok()) {
            return status.with_context(option.value_name);
        }
        option.was_set = true;
        rest = rest.subspan(taken);
    }
    if (!rest.empty()) {
        return invalid_argument(fmt::format("unexpected argument \"{}\"", shortened(rest.front())));
    }
    return {};
}

Status assign_flag(const std::vector<std::string>& values, Option& option) {
    if (values.size() > 1 && !option.repeated && !option.value_name.empty()) {
        return invalid_argument(fmt::format("--{} is given more than once", option.name));
    }
    option.was_set = true;
    return option.assign(values).with_context("--" + option.name);
}

/// One line of CLI11's own complaint, for what the checks before did not see.
std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

Status parse_arguments(std::span<const std::string> arguments, Options& options) {
    options.flag("quiet", options.quiet, "no progress, remarks, warnings and hints");
    options.flag("help", options.wants_help, "this text");
    options.flag("print-config", options.print_config,
                 "print the values of all flags as JSON and stop");
    options.text("config", options.config_path, "FILE.json",
                 "values for flags that are not given, by name");
    if (Status status = check_values_follow(arguments, options); !status.ok()) {
        return status;
    }
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<CLI::Option*> parsed;
    for (const Option& option : options.all()) {
        if (option.positional) {
            parsed.push_back(nullptr);
        } else if (option.value_name.empty()) {
            const std::string names = option.name == "help" ? "-h,--help" : "--" + option.name;
            parsed.push_back(
                app.add_flag(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast));
        } else {
            parsed.push_back(app.add_option("--" + option.name)
                                 ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                                 ->expected(1, option.greedy ? kMaxGreedyValues : 1));
        }
    }
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        return invalid_argument(first_line(error.what()));
    }
    for (std::size_t i = 0; i < parsed.size(); ++i) {
        if (parsed[i] != nullptr && parsed[i]->count() > 0) {
            if (Status status = assign_flag(parsed[i]->results(), options.all()[i]); !status.ok()) {
                return status;
            }
        }
    }
    if (options.wants_help) {
        return {};
    }
    if (Status status = assign_positionals(app.remaining(), options); !status.ok()) {
        return status;
    }
    if (!options.config_path.empty()) {
        if (Status status = apply_config_file(options.config_path, options); !status.ok()) {
            return status;
        }
    }
    return options.print_config ? Status() : options.check_required();
}

}  // namespace segue::cli
