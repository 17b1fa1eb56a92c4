#pragma once

// The flags of one verb. A verb binds its arguments to names once; the command line, --config
// files, --help and the list of effective values (--print-config) all come from that.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"

namespace segue::cli {

/// Smallest and largest number a flag takes.
struct Range {
    double low = 0;
    double high = 0;
};

// Limits above which an argument is a slip of the hand, the same for every verb.
inline constexpr Range kDimRange = {1, 1024};
inline constexpr Range kResultsRange = {1, 1'000'000};
inline constexpr Range kThreadsRange = {0, 1024};
inline constexpr Range kSeedRange = {0, 18446744073709551615.0};
/// What a search or a choice may take.
inline constexpr Range kSecondsRange = {0.001, 1e7};
inline constexpr Range kCountRange = {0, 4'294'967'295.0};
/// What a bundle may hold.
inline constexpr Range kExponentRange = {-2, 2};

/// One flag or positional argument. What it is bound to belongs to the verb.
struct Option {
    std::string name;        // without dashes
    std::string value_name;  // what --help calls the value; empty for a flag without one
    std::string help;
    std::string default_text;
    bool positional = false;
    bool repeated = false;  // may be given more than once
    bool greedy = false;    // takes all values up to the next flag
    bool required = false;
    bool was_set = false;
    /// Reads all values given. Returns an error if: one is no value of this option; names the
    /// expected ones.
    std::function<Status(std::span<const std::string>)> assign;
    /// Writes the present value.
    std::function<void(JsonWriter&)> write;
};

/// The options of a verb, in the order of --help. Targets must outlive it. Not thread-safe.
class Options {
public:
    Options(std::string_view verb, std::string_view summary);
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    /// A required argument without a name on the command line.
    void positional(std::string_view value_name, std::string& target, std::string_view help);
    /// One or more of them; at most one of these, and last. `required` false allows none.
    void positionals(std::string_view value_name, std::vector<std::string>& target,
                     std::string_view help, bool required = true);
    /// --name, without a value.
    void flag(std::string_view name, bool& target, std::string_view help);
    /// --name VALUE.
    void text(std::string_view name, std::string& target, std::string_view value_name,
              std::string_view help);
    void text(std::string_view name, std::optional<std::string>& target,
              std::string_view value_name, std::string_view help);
    /// --name VALUE, which must be there.
    void required_text(std::string_view name, std::string& target, std::string_view value_name,
                       std::string_view help);
    /// --name VALUE --name VALUE.
    void list(std::string_view name, std::vector<std::string>& target, std::string_view value_name,
              std::string_view help);
    /// --name VALUE VALUE, and repeated.
    void greedy_list(std::string_view name, std::vector<std::string>& target,
                     std::string_view value_name, std::string_view help);
    /// --name VALUE,VALUE.
    void comma_list(std::string_view name, std::vector<std::string>& target,
                    std::string_view value_name, std::string_view help);
    /// --name ONE of `choices`.
    void choice(std::string_view name, std::string& target, std::vector<std::string> choices,
                std::string_view help);
    void choice(std::string_view name, std::optional<std::string>& target,
                std::vector<std::string> choices, std::string_view help);
    /// --name N within `range`.
    void number(std::string_view name, std::uint64_t& target, Range range, std::string_view help);
    void number(std::string_view name, std::uint32_t& target, Range range, std::string_view help);
    void number(std::string_view name, std::optional<std::uint64_t>& target, Range range,
                std::string_view help);
    void number(std::string_view name, std::optional<std::uint32_t>& target, Range range,
                std::string_view help);
    /// --name X within `range`.
    void number(std::string_view name, double& target, Range range, std::string_view help);
    void number(std::string_view name, std::optional<double>& target, Range range,
                std::string_view help);
    /// A line of "what it does" and a command, shown at the end of --help.
    void example(std::string_view what, std::string_view command);

    /// What every verb has.
    bool quiet = false;
    bool wants_help = false;
    bool print_config = false;
    std::string config_path;

    std::string_view verb() const { return verb_; }
    std::vector<Option>& all() { return options_; }
    Option* find(std::string_view name);
    /// The name of the option that is spelt most like `name`, or "".
    std::string nearest_name(std::string_view name) const;
    /// Whether the command line or the configuration file gave it.
    bool was_set(std::string_view name) const;
    /// Returns an error if: a required option has no value.
    Status check_required() const;

    /// The text of --help.
    std::string help_text() const;
    /// All present values as one flat object that --config reads back.
    std::string values_json() const;

private:
    struct Example {
        std::string what;
        std::string command;
    };

    Option& add(std::string_view name, std::string_view value_name, std::string_view help);
    template <typename Number>
    void add_number(std::string_view name, Number& target, Range range, std::string_view help);
    template <typename Text>
    void add_choice(std::string_view name, Text& target, std::vector<std::string> choices,
                    std::string_view help);
    void add_texts(Option& option, std::vector<std::string>& target);

    std::string verb_;
    std::string summary_;
    std::vector<Option> options_;
    std::vector<Example> examples_;
};

/// Reads the arguments after the verb into `options`, then those of its --config file that the
/// arguments left out. Required options are checked unless --help or --print-config was asked for.
/// Returns an error if: a flag is unknown (the nearest is named), a value is missing, out of range
/// or no value of that flag, or the configuration file cannot be read.
Status parse_arguments(std::span<const std::string> arguments, Options& options);

/// Sets options from a file with one JSON object {"flag-name": value, ...}; lists are arrays. What
/// was set before stays. Returns an error if: the file cannot be read or is no such object, or
/// names an unknown flag.
Status apply_config_file(const std::string& path, Options& options);

}  // namespace segue::cli
