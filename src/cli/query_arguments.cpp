#include "cli/query_arguments.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "cli/open_model.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

// A vector of the largest dimension takes some 60 kB as text.
constexpr std::size_t kMaxVectorFileBytes = std::size_t{4} << 20;
constexpr std::size_t kNearTitles = 5;
// Many items may share one title.
constexpr std::size_t kNearItems = 50;

/// `near it: "Hello" (Adele), ...`: each title once, with the first other attribute of its most
/// frequent item; empty for no matches.
std::string near_titles(const std::vector<TitleMatch>& matches, const Model& model) {
    std::size_t other = 0;
    while (other < model.attribute_names().size() && model.attribute_names()[other] == "title") {
        ++other;
    }
    std::vector<std::string> seen;
    std::string near;
    for (const TitleMatch& match : matches) {
        const std::string_view title = (*model.titles())[match.item_row];
        std::string lowered = to_lower_ascii(title);
        if (seen.size() == kNearTitles ||
            std::find(seen.begin(), seen.end(), lowered) != seen.end()) {
            continue;
        }
        seen.push_back(std::move(lowered));
        near += fmt::format("{}\"{}\"", near.empty() ? "near it: " : ", ", shortened(title));
        const std::string_view detail = other < model.attribute_names().size()
                                            ? model.attribute(other)[match.item_row]
                                            : std::string_view();
        near += detail.empty() ? "" : fmt::format(" ({})", shortened(detail));
    }
    return near;
}

/// The item a title names. Titles need not be unique: the most frequent item wins and the others
/// are said.
Result<std::uint32_t> find_title(const std::string& title, const Model& model,
                                 const Recommender& recommender, Console& console) {
    if (!model.titles()) {
        console.set_hint("ask by --item, or fit with --title COLUMN to store titles");
        return invalid_argument("this model stores no titles");
    }
    const std::vector<TitleMatch> matches = recommender.find_titles(title, kNearItems);
    if (matches.empty() || matches.front().distance > 0) {
        const std::string near = near_titles(matches, model);
        console.set_hint(near.empty() ? "titles are compared whole, letter case apart" : near);
        return not_found(fmt::format("no item has the title \"{}\"", shortened(title)));
    }
    std::size_t num_equal = 0;
    while (num_equal < matches.size() && matches[num_equal].distance == 0) {
        ++num_equal;
    }
    const std::uint32_t item_row = matches.front().item_row;
    if (num_equal > 1) {
        console.remark(printable(fmt::format(
            "{} items have the title \"{}\"; taking the most frequent, --item {} ({})", num_equal,
            shortened(title), shell_quoted(shortened(model.item_keys()[item_row])),
            shortened(describe_item(model, item_row)))));
    }
    return item_row;
}

/// One group is folded in as stored; the items of several become one history.
Status resolve_groups(const std::vector<std::string>& groups, const Model& model, Query& query) {
    if (groups.size() <= 1) {
        if (!groups.empty()) {
            query.group_key = groups.front();
        }
        return {};
    }
    for (const std::string& group : groups) {
        const std::optional<std::uint32_t> row = model.find_group(group);
        if (!row) {
            return not_found(fmt::format("the model knows no group \"{}\"", shortened(group)));
        }
        for (const std::uint32_t item_row : model.interactions().row_columns(*row)) {
            query.history.emplace_back(model.item_keys()[item_row]);
        }
    }
    return {};
}

/// Several vectors are combined as the vectors of several items are.
Status resolve_vectors(const std::vector<std::string>& files, Query& query, Console& console) {
    for (const std::string& file : files) {
        const Result<std::vector<float>> vector = read_vector_file(file);
        if (!vector.ok()) {
            return vector.status();
        }
        if (!query.vector.empty() && query.vector.size() != vector->size()) {
            return invalid_argument(fmt::format("'{}' has {} numbers, the vectors before have {}",
                                                file, vector->size(), query.vector.size()));
        }
        query.vector.resize(vector->size());
        double squared_norm = 0;
        for (const float value : *vector) {
            squared_norm += static_cast<double>(value) * value;
        }
        if (squared_norm == 0) {
            console.remark(printable(
                fmt::format("'{}': all numbers are 0; nothing is similar to that", file)));
        }
        double divisor = static_cast<double>(files.size());
        if (files.size() > 1 && query.combine == Combine::kSumOfSimilarities) {
            divisor = squared_norm > 0 ? std::sqrt(squared_norm) : 1;
        }
        for (std::size_t i = 0; i < vector->size(); ++i) {
            query.vector[i] += static_cast<float>((*vector)[i] / divisor);
        }
    }
    return {};
}

}  // namespace

void QueryArguments::declare(Options& options) {
    options.list("item", items, "KEY", "an item to start from; may be mixed with the next three");
    options.list("title", titles, "TEXT", "the item with this title, letter case apart");
    options.list("group", groups, "KEY", "a group of the training data: what goes with its items");
    options.list("vector", vector_files, "FILE", "a vector of numbers, as text or a JSON array");
    options.list("exclude", exclude, "KEY", "an item to leave out of the answer");
    options.number("k", k, kResultsRange, "how many results");
    options.number("popularity-exponent", popularity_exponent, kExponentRange,
                   "how strongly popular items are held down, instead of the model's default");
    options.number("min-score", min_score, {-1e30, 1e30}, "leave out results below this score");
    options.choice("combine", combine, {"sum", "mean"},
                   "several items: the sum of similarities, or the mean of raw vectors");
    options.flag("exact", exact, "score every item, whatever the index was tuned to");
    options.number("leaves", leaves, {1, 16'777'216},
                   "leaves of the index to search, instead of what it was tuned to");
    options.number("candidates", candidates, kCountRange,
                   "candidates of the index to score again, instead of what it was tuned to");
}

Status QueryArguments::check() const {
    if (items.empty() && titles.empty() && groups.empty() && vector_files.empty()) {
        return invalid_argument("nothing is asked: give --item, --title, --group or --vector");
    }
    if (exact && (leaves || candidates)) {
        return invalid_argument("--exact reads everything; --leaves and --candidates read a part");
    }
    return {};
}

Result<std::vector<float>> read_vector_file(const std::string& path) {
    const Result<std::string> text = read_text_file(path, kMaxVectorFileBytes);
    if (!text.ok()) {
        return text.status();
    }
    std::string_view body = *text;
    const auto trim = [&body] {
        constexpr std::string_view kSpace = " \t\r\n";
        body.remove_prefix(std::min(body.size(), body.find_first_not_of(kSpace)));
        body = body.substr(0, body.find_last_not_of(kSpace) + 1);
    };
    trim();
    if (body.size() >= 2 && body.front() == '[' && body.back() == ']') {
        body = body.substr(1, body.size() - 2);
    }
    trim();
    const bool has_commas = body.find(',') != std::string_view::npos;
    std::vector<float> vector;
    for (const std::string_view piece : has_commas ? split(body, ',') : split_on_space(body)) {
        const std::vector<std::string_view> words = split_on_space(piece);
        const std::optional<double> number =
            words.size() == 1 ? parse_double(words.front()) : std::nullopt;
        if (number && std::isfinite(*number) &&
            std::abs(*number) > std::numeric_limits<float>::max()) {
            return invalid_argument(
                fmt::format("'{}': number {} is {}, out of the range of 32-bit floats", path,
                            vector.size() + 1, *number));
        }
        if (!number || !std::isfinite(*number)) {
            return invalid_argument(fmt::format("'{}': number {} is \"{}\", expected a number",
                                                path, vector.size() + 1, shortened(piece)));
        }
        vector.push_back(static_cast<float>(*number));
    }
    if (vector.empty()) {
        return invalid_argument(fmt::format("'{}' holds no numbers", path));
    }
    return vector;
}

Result<ResolvedQuery> resolve(const QueryArguments& arguments, const Model& model,
                              const Recommender& recommender, Console& console) {
    ResolvedQuery resolved;
    Query& query = resolved.query;
    query.k = arguments.k;
    query.exclude = arguments.exclude;
    query.popularity_exponent = arguments.popularity_exponent;
    if (arguments.min_score) {
        query.min_score = static_cast<float>(*arguments.min_score);
    }
    query.combine =
        arguments.combine == "mean" ? Combine::kMeanOfVectors : Combine::kSumOfSimilarities;
    query.search.path = arguments.exact                            ? SearchPath::kExact
                        : arguments.leaves || arguments.candidates ? SearchPath::kTree
                                                                   : SearchPath::kAuto;
    query.search.knobs = {arguments.leaves.value_or(0), arguments.candidates.value_or(0)};
    for (const std::string& key : arguments.items) {
        query.items.push_back({.key = key});
        if (const std::optional<std::uint32_t> row = model.find_item(key)) {
            resolved.item_rows.push_back(*row);
        }
    }
    for (const std::string& title : arguments.titles) {
        const Result<std::uint32_t> row = find_title(title, model, recommender, console);
        if (!row.ok()) {
            return row.status();
        }
        query.items.push_back({.key = std::string(model.item_keys()[*row])});
        resolved.item_rows.push_back(*row);
    }
    if (Status status = resolve_groups(arguments.groups, model, query); !status.ok()) {
        return status;
    }
    if (Status status = resolve_vectors(arguments.vector_files, query, console); !status.ok()) {
        return status;
    }
    return resolved;
}

}  // namespace segue::cli
