#include "recommend/resolve_query.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "recommend/text_search.h"

namespace segue {

namespace {

/// Sums of weighted vectors stay finite below this.
constexpr float kMaxItemWeight = 1e6F;

/// Finds rows of keys and remembers, each once, those the model does not have.
class KeyResolver {
public:
    KeyResolver(const Model& model, std::vector<std::string>& unknown)
        : model_(model), unknown_(unknown) {}

    std::optional<std::uint32_t> find(const std::string& item_key) {
        const std::optional<std::uint32_t> row = model_.find_item(item_key);
        if (!row && said_.insert(item_key).second) {
            unknown_.push_back(item_key);
        }
        return row;
    }

private:
    const Model& model_;
    std::vector<std::string>& unknown_;
    std::unordered_set<std::string_view> said_;
};

/// Finds where an item of a query stands already. Few are compared one by one: a table would have
/// to be allocated.
class ItemPlaces {
public:
    /// The place of the row; that of the next item where it is new, which it then is no more.
    std::size_t place_of(std::uint32_t row, const std::vector<WeightedItem>& items) {
        constexpr std::size_t kFew = 32;
        if (items.size() < kFew) {
            const auto found =
                std::find_if(items.begin(), items.end(),
                             [row](const WeightedItem& item) { return item.item_row == row; });
            return static_cast<std::size_t>(found - items.begin());
        }
        for (; num_known_ < items.size(); ++num_known_) {
            places_.emplace(items[num_known_].item_row, num_known_);
        }
        const auto found = places_.find(row);
        return found == places_.end() ? items.size() : found->second;
    }

private:
    std::unordered_map<std::uint32_t, std::size_t> places_;
    std::size_t num_known_ = 0;
};

/// The stored list of an item, which most answers begin with, is on its way while the rest of the
/// query is read.
void prefetch_list(const NeighboursView& table, std::uint32_t item_row) {
    if (table.num_items() > 0) {
        __builtin_prefetch(table.item_rows.data() + table.offsets[item_row]);
    }
}

/// Known items in the order asked; the weights of an item named twice are added.
void resolve_items(const std::vector<Query::Item>& items, KeyResolver& keys,
                   std::vector<WeightedItem>& resolved) {
    ItemPlaces places;
    for (const Query::Item& item : items) {
        const std::optional<std::uint32_t> row = keys.find(item.key);
        if (!row) {
            continue;
        }
        const std::size_t place = places.place_of(*row, resolved);
        if (place == resolved.size()) {
            resolved.push_back({*row, item.weight});
        } else {
            resolved[place].weight += item.weight;
        }
    }
}

void sort_distinct(std::vector<std::uint32_t>& rows) {
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
}

/// ", near: 'a', 'b'" or nothing.
std::string suggestion(StringTableView keys, const std::string& key) {
    constexpr std::size_t kSuggestions = 3;
    std::string text;
    for (const TextMatch& match : find_near_texts(keys, key, {}, kSuggestions)) {
        text +=
            fmt::format("{}'{}'", text.empty() ? "; near it: " : ", ", shortened(keys[match.row]));
    }
    return text;
}

Status check_numbers(const Model& model, const Query& query) {
    for (const Query::Item& item : query.items) {
        if (!(std::abs(item.weight) <= kMaxItemWeight)) {
            return invalid_argument(
                fmt::format("weight of item '{}': expected a number up to {}, found {}",
                            shortened(item.key), kMaxItemWeight, item.weight));
        }
    }
    if (query.min_score && std::isnan(*query.min_score)) {
        return invalid_argument("the least score asked for is not a number");
    }
    Status status = check_popularity_exponent(query.popularity_exponent);
    if (status.ok()) {
        status = check_search_choice(model, query.search);
    }
    if (!status.ok()) {
        return status;
    }
    if (query.vector.empty()) {
        return Status();
    }
    const std::size_t dim = model.item_vectors().dim;
    if (dim == 0 || model.info().answer_by == AnswerBy::kLists) {
        return invalid_argument(fmt::format(
            "a model of recipe '{}' answers from neighbour lists, not from a vector; ask for items",
            model.info().recipe));
    }
    if (query.vector.size() != dim) {
        return invalid_argument(fmt::format("the query vector has {} numbers, the model's have {}",
                                            query.vector.size(), dim));
    }
    const auto broken = std::find_if_not(query.vector.begin(), query.vector.end(),
                                         [](float value) { return std::isfinite(value); });
    if (broken != query.vector.end()) {
        return invalid_argument(fmt::format("number {} of the query vector is not finite",
                                            broken - query.vector.begin() + 1));
    }
    return Status();
}

Result<std::uint32_t> resolve_group(const Model& model, const std::string& group_key) {
    if (model.interactions().num_rows == 0) {
        return invalid_argument(
            fmt::format("group '{}': the model stores no histories; ask for the items of the group",
                        shortened(group_key)));
    }
    const std::optional<std::uint32_t> row = model.find_group(group_key);
    if (!row) {
        return not_found(fmt::format("group '{}' is not in the model{}", shortened(group_key),
                                     suggestion(model.group_keys(), group_key)));
    }
    return *row;
}

void exclude_own_items(const Model& model, ResolvedQuery& query) {
    for (const WeightedItem& item : query.items) {
        query.excluded.push_back(item.item_row);
    }
    query.excluded.insert(query.excluded.end(), query.history.begin(), query.history.end());
    if (query.group_row) {
        const auto own = model.interactions().row_columns(*query.group_row);
        query.excluded.insert(query.excluded.end(), own.begin(), own.end());
    }
}

Status nothing_known(const Model& model, const std::vector<std::string>& unknown) {
    constexpr std::size_t kNamed = 5;
    std::string names;
    for (std::size_t place = 0; place < std::min(kNamed, unknown.size()); ++place) {
        names += fmt::format("{}'{}'", place == 0 ? "" : ", ", shortened(unknown[place]));
    }
    if (unknown.size() > kNamed) {
        names += fmt::format(" and {} more", unknown.size() - kNamed);
    }
    return not_found(fmt::format("no item of the query is in the model: {}{}", names,
                                 suggestion(model.item_keys(), unknown.front())));
}

}  // namespace

Status check_popularity_exponent(const std::optional<double>& exponent) {
    if (exponent && !(std::abs(*exponent) <= kMaxPopularityExponent)) {
        return invalid_argument(
            fmt::format("popularity exponent {}: expected a number from -{} to {}", *exponent,
                        kMaxPopularityExponent, kMaxPopularityExponent));
    }
    return Status();
}

Status check_search_choice(const Model& model, const SearchChoice& choice) {
    if (choice.is_default()) {
        return Status();
    }
    if (model.info().answer_by == AnswerBy::kLists) {
        return invalid_argument(
            fmt::format("a model of recipe '{}' answers from neighbour lists; no vector is "
                        "searched for that a path, leaves or candidates could be chosen for",
                        model.info().recipe));
    }
    const bool has_tree = model.index() != nullptr && model.index()->tables().has_codes();
    if (choice.path != SearchPath::kExact && !has_tree) {
        return invalid_argument(
            "the model has no index with leaves to choose; segue index builds one");
    }
    return Status();
}

Status resolve_query(const Model& model, const Query& query, ResolvedQuery& resolved) {
    if (query.items.empty() && !query.group_key && query.history.empty() && query.vector.empty()) {
        return invalid_argument("nothing was asked: give an item, a group, a history or a vector");
    }
    if (Status status = check_numbers(model, query); !status.ok()) {
        return status;
    }
    resolved.items.clear();
    resolved.group_row.reset();
    resolved.history.clear();
    resolved.vector = query.vector;
    resolved.excluded.clear();
    resolved.unknown.clear();
    resolved.k = std::min(query.k, model.num_items());
    resolved.popularity_exponent = query.popularity_exponent;
    resolved.offer_query_items = query.offer_query_items;
    resolved.search = query.search;
    resolved.offered = query.offered;
    if (query.group_key) {
        const Result<std::uint32_t> row = resolve_group(model, *query.group_key);
        if (!row.ok()) {
            return row.status();
        }
        resolved.group_row = *row;
    }
    KeyResolver keys(model, resolved.unknown);
    resolve_items(query.items, keys, resolved.items);
    if (resolved.items.size() == 1) {
        prefetch_list(model.neighbours(), resolved.items[0].item_row);
    }
    for (const std::string& key : query.history) {
        if (const auto row = keys.find(key)) {
            resolved.history.push_back(*row);
        }
    }
    sort_distinct(resolved.history);
    if (resolved.items.empty() && resolved.history.empty() && !resolved.group_row &&
        resolved.vector.empty()) {
        return nothing_known(model, resolved.unknown);
    }
    for (const std::string& key : query.exclude) {
        if (const auto row = keys.find(key)) {
            resolved.excluded.push_back(*row);
        }
    }
    if (!query.offer_query_items) {
        exclude_own_items(model, resolved);
    }
    sort_distinct(resolved.excluded);
    return Status();
}

Result<ResolvedQuery> resolve_query(const Model& model, const Query& query) {
    ResolvedQuery resolved;
    Status status = resolve_query(model, query, resolved);
    return status.ok() ? Result<ResolvedQuery>(std::move(resolved))
                       : Result<ResolvedQuery>(std::move(status));
}

}  // namespace segue
