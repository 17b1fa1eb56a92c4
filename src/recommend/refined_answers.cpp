#include "recommend/refined_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/text.h"
#include "recommend/diversify.h"
#include "recommend/popular.h"

namespace segue {

namespace {

/// The best `count` candidates, best first; fewer only where there are no more.
using FetchBest = std::function<Result<std::vector<ScoredRow>>(std::size_t count)>;

/// Candidates of a list that mmr chooses from.
std::size_t mmr_pool(std::size_t k) {
    constexpr std::size_t kCandidatesPerResult = 4;
    constexpr std::size_t kLeastCandidates = 100;
    return std::max(kCandidatesPerResult * k, kLeastCandidates);
}

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

/// Keys that are asked about and that the model does not know, each once.
class UnknownKeys {
public:
    explicit UnknownKeys(const Model& model) : model_(model) {}

    /// Whether the key is known.
    bool look_up(const std::string& key) {
        if (model_.find_item(key)) {
            return true;
        }
        if (said_.insert(key).second) {
            keys_.push_back(key);
        }
        return false;
    }
    const std::vector<std::string>& keys() const { return keys_; }

private:
    const Model& model_;
    std::unordered_set<std::string_view> said_;
    std::vector<std::string> keys_;
};

/// Which items may be offered. Views what it is made of.
struct Conditions {
    AttributeFilter filter;
    bool has_filter = false;
    std::optional<std::vector<std::uint32_t>> within;  // ascending
    Diversity diversity;

    bool narrow() const { return has_filter || within.has_value(); }
    bool allows(std::uint32_t row) const {
        return (!within || std::binary_search(within->begin(), within->end(), row)) &&
               (!has_filter || filter.allows(row));
    }
};

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

/// Asks for more and more candidates until k are left of them, or there are no more.
Result<std::vector<ScoredRow>> choose(const FetchBest& fetch, const Conditions& conditions,
                                      std::size_t num_items) {
    const Diversity& diversity = conditions.diversity;
    const bool is_plain = !conditions.narrow() && !diversity.cap && diversity.mmr == 0;
    if (is_plain) {
        return fetch(diversity.k);
    }
    constexpr std::size_t kGrowth = 8;
    const std::size_t wanted = diversity.mmr > 0 ? mmr_pool(diversity.k) : diversity.k;
    std::size_t count = std::min(num_items, wanted * 2);
    for (;;) {
        Result<std::vector<ScoredRow>> found = fetch(count);
        if (!found.ok()) {
            return found;
        }
        const bool is_all = found->size() < count || count >= num_items;
        std::vector<ScoredRow>& candidates = *found;
        if (conditions.narrow()) {
            std::erase_if(candidates,
                          [&](const ScoredRow& row) { return !conditions.allows(row.item_row); });
        }
        if (candidates.size() >= wanted || is_all) {
            std::vector<ScoredRow> chosen = choose_diverse(candidates, diversity);
            if (chosen.size() == diversity.k || is_all) {
                return chosen;
            }
        }
        count = count > num_items / kGrowth ? num_items : count * kGrowth;
    }
}

}  // namespace

struct RefinedAnswers::State {
    State(const Model& the_model, const Recommender& the_recommender)
        : model(the_model), recommender(the_recommender), popular(the_model) {}

    Result<RefinedAnswer> answer_similar(const Query& query, const Conditions& conditions) const;
    Result<RefinedAnswer> answer_popular(const Query& query, const Conditions& conditions) const;

    const Model& model;
    const Recommender& recommender;
    PopularItems popular;
};

Result<RefinedAnswer> RefinedAnswers::State::answer_similar(const Query& query,
                                                            const Conditions& conditions) const {
    RefinedAnswer refined;
    Query wider = query;
    const FetchBest fetch = [&](std::size_t count) -> Result<std::vector<ScoredRow>> {
        wider.k = count;
        Result<Answer> found = recommender.answer(wider);
        if (!found.ok()) {
            return found.status();
        }
        refined.unknown = std::move(found->unknown);
        refined.source = name_of(found->source);
        return std::move(found->results);
    };
    Result<std::vector<ScoredRow>> chosen = choose(fetch, conditions, model.num_items());
    if (!chosen.ok()) {
        return chosen.status();
    }
    refined.results = std::move(*chosen);
    return refined;
}

Result<RefinedAnswer> RefinedAnswers::State::answer_popular(const Query& query,
                                                            const Conditions& conditions) const {
    const std::vector<std::uint32_t> excluded = known_rows(model, query.exclude);
    const std::span<const ScoredRow> all = popular.all();
    const FetchBest fetch = [&](std::size_t count) -> Result<std::vector<ScoredRow>> {
        std::vector<ScoredRow> best;
        for (std::size_t place = 0; place < all.size() && best.size() < count; ++place) {
            if (!std::binary_search(excluded.begin(), excluded.end(), all[place].item_row)) {
                best.push_back(all[place]);
            }
        }
        return best;
    };
    Result<std::vector<ScoredRow>> chosen = choose(fetch, conditions, model.num_items());
    if (!chosen.ok()) {
        return chosen.status();
    }
    return RefinedAnswer{std::move(*chosen), {}, {}, "popular"};
}

RefinedAnswers::RefinedAnswers(const Model& model, const Recommender& recommender)
    : state_(std::make_unique<State>(model, recommender)) {}
RefinedAnswers::RefinedAnswers(RefinedAnswers&&) noexcept = default;
RefinedAnswers::~RefinedAnswers() = default;

Result<RefinedAnswer> RefinedAnswers::answer(const RefinedQuery& query) const {
    const Model& model = state_->model;
    const Result<Conditions> conditions = bind_conditions(model, query);
    if (!conditions.ok()) {
        return conditions.status();
    }
    // A model without histories says so itself; it does not make its groups unknown.
    const std::optional<std::string>& group_key = query.query.group_key;
    const bool lacks_group =
        group_key && model.interactions().num_rows > 0 && !model.find_group(*group_key).has_value();
    UnknownKeys unknown(model);
    bool knows_some = !query.query.vector.empty() || (group_key && !lacks_group);
    for (const Query::Item& item : query.query.items) {
        knows_some = unknown.look_up(item.key) || knows_some;
    }
    for (const std::string& key : query.query.history) {
        knows_some = unknown.look_up(key) || knows_some;
    }
    const bool asks_nothing = query.query.items.empty() && query.query.history.empty() &&
                              query.query.vector.empty() && !group_key;
    if (query.refuse_unknown && (lacks_group || !unknown.keys().empty())) {
        return lacks_group
                   ? not_found(fmt::format("group '{}' is not in the model", shortened(*group_key)))
                   : not_found(fmt::format("{} of the items asked about are not in the model, "
                                           "the first of them '{}'",
                                           unknown.keys().size(), shortened(unknown.keys()[0])));
    }
    if (asks_nothing || knows_some || !query.offer_popular || model.item_frequencies().empty()) {
        Query known = query.query;
        if (lacks_group && knows_some) {
            known.group_key.reset();
        }
        Result<RefinedAnswer> answer = state_->answer_similar(known, *conditions);
        if (answer.ok() && lacks_group) {
            answer->unknown_group = *group_key;
        }
        return answer;
    }
    Result<RefinedAnswer> answer = state_->answer_popular(query.query, *conditions);
    if (answer.ok()) {
        for (const std::string& key : query.query.exclude) {
            unknown.look_up(key);
        }
        answer->unknown = unknown.keys();
        if (lacks_group) {
            answer->unknown_group = *group_key;
        }
    }
    return answer;
}

}  // namespace segue
