#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "eval/split.h"

namespace segue {

namespace {

/// The digits of `text` as a number; nothing for anything but exactly `width` digits.
std::optional<unsigned> parse_digits(std::string_view text, std::size_t width) {
    if (text.size() != width) {
        return std::nullopt;
    }
    unsigned value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<unsigned>(digit - '0');
    }
    return value;
}

/// Seconds after midnight of HH:MM or HH:MM:SS.
std::optional<double> parse_time_of_day(std::string_view text) {
    const std::vector<std::string_view> parts = split(text, ':');
    if (parts.size() != 2 && parts.size() != 3) {
        return std::nullopt;
    }
    constexpr std::array<unsigned, 3> kLimits = {24, 60, 60};
    constexpr std::array<double, 3> kSeconds = {3600, 60, 1};
    double seconds = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        const std::optional<unsigned> value = parse_digits(parts[part], 2);
        if (!value || *value >= kLimits[part]) {
            return std::nullopt;
        }
        seconds += *value * kSeconds[part];
    }
    return seconds;
}

/// Seconds since 1970 of a UTC date, with or without a time of day.
std::optional<double> parse_date(std::string_view text) {
    constexpr std::size_t kDateLength = 10;  // 2024-03-01
    if (text.size() < kDateLength || text[4] != '-' || text[7] != '-') {
        return std::nullopt;
    }
    const std::optional<unsigned> year = parse_digits(text.substr(0, 4), 4);
    const std::optional<unsigned> month = parse_digits(text.substr(5, 2), 2);
    const std::optional<unsigned> day = parse_digits(text.substr(8, 2), 2);
    if (!year || !month || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day)};
    if (!date.ok()) {
        return std::nullopt;
    }
    const auto days = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
    std::string_view rest = text.substr(kDateLength);
    if (rest.empty()) {
        return days * 86400;
    }
    if (rest.front() != 'T' && rest.front() != ' ') {
        return std::nullopt;
    }
    rest.remove_prefix(1);
    if (rest.ends_with('Z')) {
        rest.remove_suffix(1);
    }
    const std::optional<double> seconds = parse_time_of_day(rest);
    return seconds ? std::optional<double>(days * 86400 + *seconds) : std::nullopt;
}

}  // namespace

Status SplitSpec::validate() const {
    if (kind == SplitKind::kHoldout && !(fraction > 0 && fraction < 1)) {
        return invalid_argument(fmt::format(
            "the share held out is {}, expected more than 0 and less than 1", fraction));
    }
    if (kind == SplitKind::kTime && !std::isfinite(first_test_time)) {
        return invalid_argument("the time of the split is not a finite number");
    }
    return Status();
}

Result<SplitSpec> parse_split(std::string_view text) {
    SplitSpec spec;
    const std::size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    const bool has_argument = colon != std::string_view::npos;
    const std::string_view argument = has_argument ? text.substr(colon + 1) : std::string_view();
    if (kind == "holdout") {
        const std::optional<double> fraction =
            has_argument ? parse_double(argument) : spec.fraction;
        if (!fraction) {
            return invalid_argument(fmt::format(
                "split '{}': '{}' is not a number, expected holdout:0.2", text, argument));
        }
        spec.fraction = *fraction;
    } else if (kind == "leave-one-out" && !has_argument) {
        spec.kind = SplitKind::kLeaveOneOut;
        spec.min_group_size = 2;
    } else if (kind == "time" && has_argument) {
        spec.kind = SplitKind::kTime;
        const std::optional<double> number = parse_double(argument);
        const std::optional<double> when = number ? number : parse_date(argument);
        if (!when) {
            return invalid_argument(
                fmt::format("split '{}': '{}' is neither a number nor a date such as 2024-03-01",
                            text, argument));
        }
        spec.first_test_time = *when;
    } else {
        return invalid_argument(fmt::format(
            "split '{}' is unknown, expected holdout:SHARE, leave-one-out or time:WHEN", text));
    }
    const Status status = spec.validate();
    if (!status.ok()) {
        return status.with_context(fmt::format("split '{}'", text));
    }
    return spec;
}

}  // namespace segue
