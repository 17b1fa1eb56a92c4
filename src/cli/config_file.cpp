#include <fmt/core.h>

#include <map>

#include "base/file.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "cli/options.h"

namespace segue::cli {
namespace {

// A settings file is typed by hand; what is larger is some other file.
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

}  // namespace

Status apply_config_file(const std::string& path, Options& options) {
    const std::string where = fmt::format("--config {}", path);
    const Result<std::string> text = read_text_file(path, kMaxConfigBytes);
    if (!text.ok()) {
        return text.status().with_context("--config");
    }
    const auto pairs = read_flat_json(*text);
    if (!pairs.ok()) {
        return pairs.status().with_context(where);
    }
    // An array comes as one pair for each element; the elements belong together.
    std::map<std::string, std::vector<std::string>> values_by_name;
    for (const auto& [name, value] : *pairs) {
        values_by_name[name].push_back(value);
    }
    for (const auto& [name, values] : values_by_name) {
        Option* option = options.find(name);
        if (option == nullptr || name == "config" || name == "help") {
            const std::string nearest = options.nearest_name(name);
            return invalid_argument(
                fmt::format("{}: unknown flag \"{}\"{}", where, shortened(name),
                            nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest)));
        }
        if (option->was_set) {
            continue;
        }
        if (values.size() > 1 && !option->repeated) {
            return invalid_argument(fmt::format("{}: \"{}\" takes one value", where, name));
        }
        if (Status status = option->assign(values); !status.ok()) {
            return status.with_context(fmt::format("{}: \"{}\"", where, name));
        }
        option->was_set = true;
    }
    return {};
}

}  // namespace segue::cli
