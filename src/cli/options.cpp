#include "cli/options.h"

#include <fmt/core.h>

#include <limits>
#include <type_traits>

#include "base/text.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

/// The number a target holds, optional or not.
template <typename Target>
struct NumberOf {
    using Type = Target;
};
template <typename Inner>
struct NumberOf<std::optional<Inner>> {
    using Type = Inner;
};

std::string range_text(Range range, bool whole) {
    const auto show = [whole](double number) {
        return whole && number >= 0 ? with_commas(number >= kSeedRange.high
                                                      ? std::numeric_limits<std::uint64_t>::max()
                                                      : static_cast<std::uint64_t>(number))
                                    : fmt::format("{:g}", number);
    };
    return fmt::format("a {}number from {} to {}", whole ? "whole " : "", show(range.low),
                       show(range.high));
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text, Range range) {
    if constexpr (std::is_integral_v<Number>) {
        const std::optional<std::uint64_t> number = parse_unsigned(text);
        if (!number || static_cast<double>(*number) < range.low ||
            static_cast<double>(*number) > range.high ||
            *number > std::numeric_limits<Number>::max()) {
            return std::nullopt;
        }
        return static_cast<Number>(*number);
    } else {
        const std::optional<double> number = parse_double(text);
        if (!number || !(*number >= range.low && *number <= range.high)) {
            return std::nullopt;
        }
        return *number;
    }
}

/// "0.5" of the JSON 0.5 and "ials" of "ials"; empty for what says nothing (null, false, "", []).
std::string default_of(const Option& option) {
    JsonWriter json;
    option.write(json);
    std::string text = json.take();
    if (text == "null" || text == "false" || text == "\"\"" || text == "[]") {
        return {};
    }
    std::erase_if(text, [](char c) { return c == '"' || c == '[' || c == ']'; });
    return text;
}

}  // namespace

Options::Options(std::string_view verb, std::string_view summary)
    : verb_(verb), summary_(summary) {}

Option& Options::add(std::string_view name, std::string_view value_name, std::string_view help) {
    SEGUE_ASSERT(find(name) == nullptr);
    Option& option = options_.emplace_back();
    option.name = name;
    option.value_name = value_name;
    option.help = help;
    return option;
}

void Options::add_texts(Option& option, std::vector<std::string>& target) {
    option.repeated = true;
    option.assign = [&target](std::span<const std::string> values) {
        target.assign(values.begin(), values.end());
        return Status();
    };
    option.write = [&target](JsonWriter& json) {
        json.begin_array();
        for (const std::string& value : target) {
            json.value(value);
        }
        json.end_array();
    };
    option.default_text = default_of(option);
}

void Options::positional(std::string_view value_name, std::string& target, std::string_view help) {
    text(to_lower_ascii(value_name), target, value_name, help);
    options_.back().positional = true;
    options_.back().required = true;
}

void Options::positionals(std::string_view value_name, std::vector<std::string>& target,
                          std::string_view help, bool required) {
    Option& option = add(to_lower_ascii(value_name), value_name, help);
    add_texts(option, target);
    option.positional = true;
    option.required = required;
}

void Options::flag(std::string_view name, bool& target, std::string_view help) {
    Option& option = add(name, "", help);
    option.assign = [&target](std::span<const std::string> values) {
        if (values.back() != "true" && values.back() != "false") {
            return invalid_argument(
                fmt::format("expected true or false, found \"{}\"", shortened(values.back())));
        }
        target = values.back() == "true";
        return Status();
    };
    option.write = [&target](JsonWriter& json) { json.value(target); };
}

void Options::text(std::string_view name, std::string& target, std::string_view value_name,
                   std::string_view help) {
    Option& option = add(name, value_name, help);
    option.assign = [&target](std::span<const std::string> values) {
        target = values.front();
        return Status();
    };
    option.write = [&target](JsonWriter& json) { json.value(target); };
    option.default_text = default_of(option);
}

void Options::text(std::string_view name, std::optional<std::string>& target,
                   std::string_view value_name, std::string_view help) {
    Option& option = add(name, value_name, help);
    option.assign = [&target](std::span<const std::string> values) {
        target = values.front();
        return Status();
    };
    option.write = [&target](JsonWriter& json) {
        if (target) {
            json.value(*target);
        } else {
            json.null();
        }
    };
    option.default_text = default_of(option);
}

void Options::required_text(std::string_view name, std::string& target, std::string_view value_name,
                            std::string_view help) {
    text(name, target, value_name, help);
    options_.back().required = true;
}

void Options::list(std::string_view name, std::vector<std::string>& target,
                   std::string_view value_name, std::string_view help) {
    add_texts(add(name, value_name, help), target);
}

void Options::greedy_list(std::string_view name, std::vector<std::string>& target,
                          std::string_view value_name, std::string_view help) {
    Option& option = add(name, value_name, help);
    add_texts(option, target);
    option.greedy = true;
}

void Options::comma_list(std::string_view name, std::vector<std::string>& target,
                         std::string_view value_name, std::string_view help) {
    Option& option = add(name, value_name, help);
    add_texts(option, target);
    option.assign = [&target](std::span<const std::string> values) {
        target.clear();
        for (const std::string& value : values) {
            for (const std::string_view piece : split(value, ',')) {
                if (piece.empty()) {
                    return invalid_argument(
                        fmt::format("an empty name in \"{}\"", shortened(value)));
                }
                target.emplace_back(piece);
            }
        }
        return Status();
    };
}

template <typename Text>
void Options::add_choice(std::string_view name, Text& target, std::vector<std::string> choices,
                         std::string_view help) {
    text(name, target, join(choices, "|"), help);
    options_.back().assign = [&target, choices](std::span<const std::string> values) {
        for (const std::string& choice : choices) {
            if (choice == values.front()) {
                target = choice;
                return Status();
            }
        }
        return invalid_argument(fmt::format("expected one of {}, found \"{}\"", join(choices, ", "),
                                            shortened(values.front())));
    };
}

void Options::choice(std::string_view name, std::string& target, std::vector<std::string> choices,
                     std::string_view help) {
    add_choice(name, target, std::move(choices), help);
}

void Options::choice(std::string_view name, std::optional<std::string>& target,
                     std::vector<std::string> choices, std::string_view help) {
    add_choice(name, target, std::move(choices), help);
}

template <typename Number>
void Options::add_number(std::string_view name, Number& target, Range range,
                         std::string_view help) {
    using Value = typename NumberOf<Number>::Type;
    Option& option = add(name, std::is_integral_v<Value> ? "N" : "X", help);
    option.assign = [&target, range](std::span<const std::string> values) {
        const std::optional<Value> value = parse_number<Value>(values.front(), range);
        if (!value) {
            return invalid_argument(fmt::format("expected {}, found \"{}\"",
                                                range_text(range, std::is_integral_v<Value>),
                                                shortened(values.front())));
        }
        target = *value;
        return Status();
    };
    option.write = [&target](JsonWriter& json) {
        if constexpr (std::is_same_v<Number, Value>) {
            json.value(target);
        } else if (target) {
            json.value(*target);
        } else {
            json.null();
        }
    };
    option.default_text = default_of(option);
}

void Options::number(std::string_view name, std::uint64_t& target, Range range,
                     std::string_view help) {
    add_number(name, target, range, help);
}
void Options::number(std::string_view name, std::uint32_t& target, Range range,
                     std::string_view help) {
    add_number(name, target, range, help);
}
void Options::number(std::string_view name, std::optional<std::uint64_t>& target, Range range,
                     std::string_view help) {
    add_number(name, target, range, help);
}
void Options::number(std::string_view name, std::optional<std::uint32_t>& target, Range range,
                     std::string_view help) {
    add_number(name, target, range, help);
}
void Options::number(std::string_view name, double& target, Range range, std::string_view help) {
    add_number(name, target, range, help);
}
void Options::number(std::string_view name, std::optional<double>& target, Range range,
                     std::string_view help) {
    add_number(name, target, range, help);
}

void Options::example(std::string_view what, std::string_view command) {
    examples_.push_back({std::string(what), std::string(command)});
}

Option* Options::find(std::string_view name) {
    for (Option& option : options_) {
        if (option.name == name) {
            return &option;
        }
    }
    return nullptr;
}

bool Options::was_set(std::string_view name) const {
    const Option* option = const_cast<Options*>(this)->find(name);
    SEGUE_ASSERT(option != nullptr);
    return option->was_set;
}

std::string Options::nearest_name(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const Option& option : options_) {
        names.push_back(option.name);
    }
    return nearest_word(name, names);
}

Status Options::check_required() const {
    for (const Option& option : options_) {
        if (option.required && !option.was_set) {
            return invalid_argument(
                option.positional
                    ? fmt::format("{} is missing", option.value_name)
                    : fmt::format("--{} {} is missing", option.name, option.value_name));
        }
    }
    return {};
}

std::string Options::values_json() const {
    JsonWriter json;
    json.begin_object();
    for (const Option& option : options_) {
        JsonWriter value;
        option.write(value);
        const std::string_view text = value.text();
        const bool about_this_call =
            option.name == "help" || option.name == "config" || option.name == "print-config";
        if (!about_this_call && text != "null" && text != "[]" && text != "\"\"") {
            json.key(option.name).raw(text);
        }
    }
    json.end_object();
    return json.take();
}

std::string Options::help_text() const {
    std::string usage = fmt::format("usage: segue {}", verb_);
    std::string required_flags;
    std::vector<std::pair<std::string, std::string>> lines;
    for (const Option& option : options_) {
        std::string head = option.positional ? option.value_name
                           : option.value_name.empty()
                               ? "--" + option.name
                               : "--" + option.name + " " + option.value_name;
        const bool one_by_one = option.repeated && !option.positional && !option.greedy &&
                                option.value_name.find(',') == std::string::npos;
        if (option.greedy || (option.positional && option.repeated)) {
            head += "...";
        }
        if (option.positional || option.required) {
            std::string& part = option.positional ? usage : required_flags;
            part += option.required ? fmt::format(" {}", head) : fmt::format(" [{}]", head);
        }
        std::string body = option.help + (one_by_one ? " (repeatable)" : "");
        if (!option.default_text.empty()) {
            body += fmt::format(" [{}]", option.default_text);
        }
        lines.emplace_back(std::move(head), std::move(body));
    }
    std::string text = fmt::format("{}\n\n{}{} [flags]\n\n", summary_, usage, required_flags);
    for (const auto& [head, body] : lines) {
        text += indented_entry(head, body);
    }
    for (const Example& example : examples_) {
        text += fmt::format("\n{}:\n    {}\n", example.what, example.command);
    }
    return text;
}

}  // namespace segue::cli
