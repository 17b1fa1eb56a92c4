#include "recommend/refined_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/text.h"
#include "recommend/answer_scratch.h"
#include "recommend/best_of_examples.h"
#include "recommend/diversify.h"
#include "recommend/offered_items.h"
#include "recommend/popular.h"
#include "recommend/query_conditions.h"

namespace segue {

namespace {

/// The best `count` candidates, best first; fewer only where there are no more.
using FetchBest = std::function<Result<std::vector<ScoredRow>>(std::size_t count)>;

/// Keys that are asked about and that the model does not know, each once.
class UnknownKeys {
public:
    explicit UnknownKeys(const Model& model) : model_(model) {}

    /// Whether the key is known.
    bool look_up(const std::string& key) {
        if (const std::optional<std::uint32_t> row = model_.find_item(key)) {
            // Where its list begins is on its way while the query is resolved.
            const NeighboursView table = model_.neighbours();
            if (table.num_items() > 0) {
                __builtin_prefetch(table.offsets.data() + *row);
            }
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

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

bool has_passed(const Deadline& deadline) {
    return deadline && std::chrono::steady_clock::now() > *deadline;
}

/// Whether candidates fulfil the conditions when they are fetched.
enum class Fetched { kAnyItems, kOfferedItems };

/// Asks for more and more candidates until k are left of them, there are no more, or it is too late
/// for more, which is said then.
Result<std::vector<ScoredRow>> choose(const FetchBest& fetch, Fetched fetched,
                                      const Conditions& conditions, std::size_t num_items,
                                      const Deadline& deadline, bool& is_cut_short) {
    const Diversity& diversity = conditions.diversity;
    if (conditions.are_none()) {
        return fetch(diversity.k);
    }
    constexpr std::size_t kGrowth = 8;
    const std::size_t wanted = conditions.num_candidates();
    const bool loses_some = diversity.cap || fetched == Fetched::kAnyItems;
    std::size_t count = std::min(num_items, loses_some ? wanted * 2 : wanted);
    for (;;) {
        Result<std::vector<ScoredRow>> found = fetch(count);
        if (!found.ok()) {
            return found;
        }
        const bool is_all = found->size() < count || count >= num_items;
        const bool is_late = !is_all && has_passed(deadline);
        std::vector<ScoredRow>& candidates = *found;
        if (conditions.narrow() && fetched == Fetched::kAnyItems) {
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

/// One list of candidates; it is enough where k are left of it, or it has all there are.
Result<std::vector<ScoredRow>> try_once(const FetchBest& fetch, const Conditions& conditions,
                                        std::size_t count, std::size_t num_items, bool& is_enough) {
    count = std::min(count, num_items);
    Result<std::vector<ScoredRow>> found = fetch(count);
    if (!found.ok()) {
        return found;
    }
    const bool is_all = found->size() < count || count == num_items;
    std::erase_if(*found, [&](const ScoredRow& row) { return !conditions.allows(row.item_row); });
    const bool are_many = found->size() >= conditions.num_candidates();
    std::vector<ScoredRow> chosen = choose_diverse(*found, conditions.diversity);
    is_enough = is_all || (are_many && chosen.size() == conditions.diversity.k);
    return chosen;
}

}  // namespace

struct RefinedAnswers::State {
    State(const Model& the_model, const Recommender& the_recommender)
        : model(the_model), recommender(the_recommender), popular(the_model) {}

    std::shared_ptr<const OfferedItems> offered_items(const RefinedQuery& query,
                                                      const Conditions& conditions,
                                                      bool only_cheaply) const;
    Status answer_similar(const RefinedQuery& refined_query, const Query& query,
                          const Conditions& conditions, const Deadline& deadline,
                          AnswerScratch& scratch, RefinedAnswer& refined) const;
    Status answer_by_examples(const Query& query, const Conditions& conditions,
                              const Deadline& deadline, RefinedAnswer& refined) const;
    Status answer_popular(const Query& query, const Conditions& conditions,
                          RefinedAnswer& refined) const;

    const Model& model;
    const Recommender& recommender;
    PopularItems popular;
    mutable OfferedCache offered_sets;
};

/// What fulfils the conditions; null where making it would be dear and is to be cheap.
std::shared_ptr<const OfferedItems> RefinedAnswers::State::offered_items(
    const RefinedQuery& query, const Conditions& conditions, bool only_cheaply) const {
    if (conditions.within) {
        std::vector<std::uint32_t> rows = conditions.rows_within();
        return only_cheaply && rows.size() > OfferedItems::kFewItems
                   ? nullptr
                   : std::make_shared<OfferedItems>(OfferedItems::of_rows(model, std::move(rows)));
    }
    std::string key = key_of(query.filter);
    std::shared_ptr<const OfferedItems> offered = offered_sets.find(key);
    if (offered == nullptr && !only_cheaply) {
        offered = std::make_shared<OfferedItems>(OfferedItems::of_condition(
            model, [&](std::uint32_t row) { return conditions.filter.allows(row); }));
        offered_sets.insert(std::move(key), offered);
    }
    return offered;
}

/// Swaps with the answer in the scratch, so that the memory of both is kept.
Status RefinedAnswers::State::answer_similar(const RefinedQuery& refined_query, const Query& query,
                                             const Conditions& conditions, const Deadline& deadline,
                                             AnswerScratch& scratch, RefinedAnswer& refined) const {
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
    const bool by_vectors = model.info().answer_by != AnswerBy::kLists;
    std::shared_ptr<const OfferedItems> offered;
    if (conditions.narrow() && by_vectors) {
        offered = offered_items(refined_query, conditions, true);
        if (offered == nullptr) {
            // Many items fulfil most conditions: a somewhat longer list has enough of them.
            constexpr std::size_t kTried = 4;
            bool is_enough = false;
            Result<std::vector<ScoredRow>> chosen =
                try_once(fetch, conditions, kTried * conditions.num_candidates(), model.num_items(),
                         is_enough);
            if (!chosen.ok() || is_enough) {
                refined.results = chosen.ok() ? std::move(*chosen) : std::vector<ScoredRow>();
                return chosen.status();
            }
            offered = offered_items(refined_query, conditions, false);
        }
        wider.offered = offered.get();
    }
    Result<std::vector<ScoredRow>> chosen =
        choose(fetch, offered != nullptr ? Fetched::kOfferedItems : Fetched::kAnyItems, conditions,
               model.num_items(), deadline, refined.is_cut_short);
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
    Result<std::vector<ScoredRow>> chosen = choose(
        fetch, Fetched::kAnyItems, conditions, model.num_items(), deadline, refined.is_cut_short);
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
        choose(fetch, Fetched::kAnyItems, conditions, model.num_items(), {}, refined.is_cut_short);
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
    return answer_once<RefinedAnswer>([&](AnswerScratch& scratch, RefinedAnswer& answer) {
        return this->answer(query, scratch, answer);
    });
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
                   : state_->answer_similar(query, asked, *conditions, query.deadline, scratch,
                                            answer);
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
