#include "recommend/refined_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/text.h"
#include "recommend/answer_scratch.h"
#include "recommend/best_of_examples.h"
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
    /// Whether the best candidates are the answer.
    bool are_none() const { return !narrow() && !diversity.cap && diversity.mmr == 0; }
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

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

bool has_passed(const Deadline& deadline) {
    return deadline && std::chrono::steady_clock::now() > *deadline;
}

/// Asks for more and more candidates until k are left of them, there are no more, or it is too late
/// for more, which is said then.
Result<std::vector<ScoredRow>> choose(const FetchBest& fetch, const Conditions& conditions,
                                      std::size_t num_items, const Deadline& deadline,
                                      bool& is_cut_short) {
    const Diversity& diversity = conditions.diversity;
    if (conditions.are_none()) {
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
        const bool is_late = !is_all && has_passed(deadline);
        std::vector<ScoredRow>& candidates = *found;
        if (conditions.narrow()) {
            std::erase_if(candidates,
                          [&](const ScoredRow& row) { return !conditions.allows(row.item_row); });
        }
        if (candidates.size() >= wanted || is_all || is_late) {
            std::vector<ScoredRow> chosen = choose_diverse(candidates, diversity);
            if (chosen.size() == diversity.k || is_all || is_late) {
                is_cut_short |= is_late && chosen.size() < diversity.k;
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

    Status answer_similar(const Query& query, const Conditions& conditions,
                          const Deadline& deadline, AnswerScratch& scratch,
                          RefinedAnswer& refined) const;
    Status answer_by_examples(const Query& query, const Conditions& conditions,
                              const Deadline& deadline, RefinedAnswer& refined) const;
    Status answer_popular(const Query& query, const Conditions& conditions,
                          RefinedAnswer& refined) const;

    const Model& model;
    const Recommender& recommender;
    PopularItems popular;
};

/// Swaps with the answer in the scratch, so that the memory of both is kept.
Status RefinedAnswers::State::answer_similar(const Query& query, const Conditions& conditions,
                                             const Deadline& deadline, AnswerScratch& scratch,
                                             RefinedAnswer& refined) const {
    Answer& found = scratch.buffers_->answer;
    const auto ask = [&](const Query& asked) {
        Status status = recommender.answer(asked, scratch, found);
        if (status.ok()) {
            std::swap(refined.unknown, found.unknown);
            refined.source = name_of(found.source);
        }
        return status;
    };
    if (conditions.are_none()) {
        Status status = ask(query);
        std::swap(refined.results, found.results);
        return status;
    }
    Query wider = query;
    const FetchBest fetch = [&](std::size_t count) -> Result<std::vector<ScoredRow>> {
        wider.k = count;
        Status status = ask(wider);
        if (!status.ok()) {
            return status;
        }
        return std::move(found.results);
    };
    Result<std::vector<ScoredRow>> chosen =
        choose(fetch, conditions, model.num_items(), deadline, refined.is_cut_short);
    if (!chosen.ok()) {
        return chosen.status();
    }
    refined.results = std::move(*chosen);
    return Status();
}

Status RefinedAnswers::State::answer_by_examples(const Query& query, const Conditions& conditions,
                                                 const Deadline& deadline,
                                                 RefinedAnswer& refined) const {
    Result<BestOfExamples> examples = BestOfExamples::make(model, recommender, query);
    if (!examples.ok()) {
        return examples.status();
    }
    const FetchBest fetch = [&](std::size_t count) { return examples->best(count, deadline); };
    Result<std::vector<ScoredRow>> chosen =
        choose(fetch, conditions, model.num_items(), deadline, refined.is_cut_short);
    if (!chosen.ok()) {
        return chosen.status();
    }
    refined.results = std::move(*chosen);
    refined.unknown = examples->unknown();
    refined.source = name_of(examples->source());
    refined.is_cut_short |= examples->is_cut_short();
    return Status();
}

Status RefinedAnswers::State::answer_popular(const Query& query, const Conditions& conditions,
                                             RefinedAnswer& refined) const {
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
    Result<std::vector<ScoredRow>> chosen =
        choose(fetch, conditions, model.num_items(), {}, refined.is_cut_short);
    if (!chosen.ok()) {
        return chosen.status();
    }
    refined.results = std::move(*chosen);
    refined.source = "popular";
    return Status();
}

RefinedAnswers::RefinedAnswers(const Model& model, const Recommender& recommender)
    : state_(std::make_unique<State>(model, recommender)) {}
RefinedAnswers::RefinedAnswers(RefinedAnswers&&) noexcept = default;
RefinedAnswers::~RefinedAnswers() = default;

Result<RefinedAnswer> RefinedAnswers::answer(const RefinedQuery& query) const {
    AnswerScratch scratch;
    RefinedAnswer answer;
    Status status = this->answer(query, scratch, answer);
    return status.ok() ? Result<RefinedAnswer>(std::move(answer))
                       : Result<RefinedAnswer>(std::move(status));
}

Status RefinedAnswers::answer(const RefinedQuery& query, AnswerScratch& scratch,
                              RefinedAnswer& answer) const {
    const Model& model = state_->model;
    answer.unknown_group.reset();
    answer.is_cut_short = false;
    if (has_passed(query.deadline)) {
        return Status(StatusCode::kDeadline,
                      "the time given for the answer was over before it began");
    }
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
        std::optional<Query> known;
        if (lacks_group && knows_some) {
            known = query.query;
            known->group_key.reset();
            answer.unknown_group = *group_key;
        }
        const Query& asked = known ? *known : query.query;
        return query.best_of_examples
                   ? state_->answer_by_examples(asked, *conditions, query.deadline, answer)
                   : state_->answer_similar(asked, *conditions, query.deadline, scratch, answer);
    }
    for (const std::string& key : query.query.exclude) {
        unknown.look_up(key);
    }
    answer.unknown = unknown.keys();
    if (lacks_group) {
        answer.unknown_group = *group_key;
    }
    return state_->answer_popular(query.query, *conditions, answer);
}

}  // namespace segue
