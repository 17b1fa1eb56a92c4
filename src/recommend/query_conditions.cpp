#include "recommend/query_conditions.h"

#include <fmt/core.h>

#include <utility>

namespace segue {

namespace {

/// Candidates of a list that mmr chooses from.
std::size_t mmr_pool(std::size_t k) {
    constexpr std::size_t kCandidatesPerResult = 4;
    constexpr std::size_t kLeastCandidates = 100;
    return std::max(kCandidatesPerResult * k, kLeastCandidates);
}

Status check_mmr(const Model& model, const RefinedQuery& query) {
    if (!(query.mmr >= 0 && query.mmr <= 1)) {
        return invalid_argument(fmt::format("mmr {}: expected a number from 0 to 1", query.mmr));
    }
    if (query.mmr > 0 && model.item_vectors().num_rows != model.num_items()) {
        return invalid_argument("mmr needs item vectors, which this model does not have");
    }
    if (query.mmr > 0 && query.query.k > kMaxMmrResults) {
        return invalid_argument(fmt::format("mmr is for up to {} results, {} were asked for",
                                            kMaxMmrResults, query.query.k));
    }
    return Status();
}

}  // namespace

std::vector<std::uint32_t> known_rows(const Model& model, const std::vector<std::string>& keys) {
    std::vector<std::uint32_t> rows;
    for (const std::string& key : keys) {
        if (const std::optional<std::uint32_t> row = model.find_item(key)) {
            rows.push_back(*row);
        }
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

std::size_t Conditions::num_candidates() const {
    return diversity.mmr > 0 ? mmr_pool(diversity.k) : diversity.k;
}

Result<Conditions> bind_conditions(const Model& model, const RefinedQuery& query) {
    if (Status status = check_mmr(model, query); !status.ok()) {
        return status;
    }
    Result<AttributeFilter> filter = AttributeFilter::compile(model, query.filter);
    if (!filter.ok()) {
        return filter.status().with_context("filter");
    }
    Conditions conditions = {std::move(*filter), !query.filter.empty(), {}, {}};
    if (query.within) {
        conditions.within = known_rows(model, *query.within);
    }
    conditions.diversity.k = query.query.k;
    conditions.diversity.mmr = query.mmr;
    conditions.diversity.vectors = model.item_vectors();
    if (query.cap) {
        if (query.cap->max_per_value == 0) {
            return invalid_argument("diversity: max_per_value must be at least 1");
        }
        const Result<StringTableView> column = find_attribute(model, query.cap->attribute);
        if (!column.ok()) {
            return column.status().with_context("diversity");
        }
        conditions.diversity.cap = ValueCap{*column, query.cap->max_per_value};
    }
    return conditions;
}

}  // namespace segue
