// serve_soak PROGRAM FOLDER [--short] [--json FILE] [--swaps N] [--only PART]: what the service
// promises while models are replaced and clients misbehave, as a table with a verdict a row. Exit
// code 1 when a row fails. `./dev soak` starts it.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "serve_data.h"
#include "soak_checks.h"

namespace segue::bench {
namespace {

struct SoakPart {
    std::string_view name;
    Result<std::vector<SoakRow>> (*soak)(const SoakPlan& plan);
};

constexpr SoakPart kParts[] = {
    {"swaps", soak_swaps},
    {"bad-versions", soak_bad_versions},
    {"slow-clients", soak_slow_clients},
    {"floods", soak_floods},
    {"overload", soak_overload},
    {"pause", soak_pause},
    {"drain", soak_drain},
};

struct SoakArguments {
    SoakPlan plan;
    std::string json_file;
    std::string only;  // a part, or all of them
};

bool is_part(std::string_view name) {
    return std::any_of(std::begin(kParts), std::end(kParts),
                       [name](const SoakPart& part) { return part.name == name; });
}

Result<SoakArguments> read_arguments(const std::vector<std::string>& words) {
    if (words.size() < 2) {
        return invalid_argument(
            "usage: serve_soak PROGRAM FOLDER [--short] [--swaps N] [--json FILE] [--only PART]");
    }
    SoakArguments arguments;
    arguments.plan.program = words[0];
    arguments.plan.folder = words[1];
    for (std::size_t place = 2; place < words.size(); ++place) {
        const std::string& word = words[place];
        if (word == "--short") {
            arguments.plan.num_items = 50'000;
            arguments.plan.num_swaps = 10;
            arguments.plan.cycle_seconds = 2;
            arguments.plan.window_seconds = 3;
            arguments.plan.num_slow_rounds = 3;
            continue;
        }
        if (place + 1 == words.size()) {
            return invalid_argument(fmt::format("'{}' is no flag, or needs a value", word));
        }
        const std::string& value = words[++place];
        const std::optional<std::uint64_t> number = parse_unsigned(value);
        if (word == "--json") {
            arguments.json_file = value;
        } else if (word == "--only" && is_part(value)) {
            arguments.only = value;
        } else if (word == "--swaps" && number && *number >= 1 && *number <= 10'000) {
            arguments.plan.num_swaps = static_cast<std::size_t>(*number);
        } else {
            return invalid_argument(fmt::format("'{} {}' is not understood", word, value));
        }
    }
    return arguments;
}

void print_row(const SoakRow& row) {
    const char* const verdict = row.rule.empty() ? "" : row.passed ? "ok" : "MISSED";
    fmt::print("{:<72} {:>14}  {:<7} {}\n", row.name, row.rule, verdict, row.found);
    std::fflush(stdout);
}

std::string to_json(const SoakPlan& plan, const std::vector<SoakRow>& rows) {
    JsonWriter json;
    json.begin_object().key("items").value(static_cast<std::uint64_t>(plan.num_items));
    json.key("swaps").value(static_cast<std::uint64_t>(plan.num_swaps)).key("rows").begin_array();
    for (const SoakRow& row : rows) {
        json.begin_object().key("name").value(row.name).key("rule").value(row.rule);
        json.key("found").value(row.found).key("passed").value(row.passed);
        if (!row.details.empty()) {
            json.key("details").raw(row.details);
        }
        json.end_object();
    }
    return json.end_array().end_object().take();
}

int run(const std::vector<std::string>& words) {
    const Result<SoakArguments> arguments = read_arguments(words);
    if (!arguments.ok()) {
        fmt::print(stderr, "serve_soak: {}\n", arguments.status().message());
        return 2;
    }
    const SoakPlan& plan = arguments->plan;
    fmt::print(stderr, "serve_soak: making {} items unless they are there\n", plan.num_items);
    Status failed = make_serve_data(plan.folder, {plan.num_items, plan.list_length});
    std::vector<SoakRow> rows;
    for (const SoakPart& part : kParts) {
        if (!failed.ok() || (!arguments->only.empty() && arguments->only != part.name)) {
            continue;
        }
        const Result<std::vector<SoakRow>> more = part.soak(plan);
        failed = more.ok() ? Status() : more.status();
        for (const SoakRow& row : more.ok() ? *more : std::vector<SoakRow>()) {
            print_row(row);
            rows.push_back(row);
        }
    }
    if (!failed.ok()) {
        fmt::print(stderr, "serve_soak: {}\n", failed.message());
        return 1;
    }
    if (!arguments->json_file.empty() &&
        !(std::ofstream(arguments->json_file) << to_json(plan, rows) << '\n').flush()) {
        fmt::print(stderr, "serve_soak: cannot write '{}'\n", arguments->json_file);
        return 1;
    }
    return std::all_of(rows.begin(), rows.end(), [](const SoakRow& row) { return row.passed; }) ? 0
                                                                                                : 1;
}

}  // namespace
}  // namespace segue::bench

int main(int num_arguments, char** arguments) {
    return segue::bench::run(std::vector<std::string>(arguments + 1, arguments + num_arguments));
}
