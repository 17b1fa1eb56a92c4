#pragma once

// What a service is asked beyond a Query: only items of some kind, or out of a given set; a list
// that is not all of one brand; what to say about somebody unknown. Conditions never cost results:
// where k items fulfil them, k are returned.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/model.h"
#include "recommend/attribute_filter.h"
#include "recommend/recommend.h"

namespace segue {

/// mmr compares every candidate with every result: longer lists are refused.
inline constexpr std::size_t kMaxMmrResults = 200;

struct RefinedQuery {
    struct Cap {
        std::string attribute;
        std::size_t max_per_value = 1;  // at least 1
    };

    Query query;
    AttributeConditions filter;
    /// Only these items may be offered; those the model does not know are left out silently.
    std::optional<std::vector<std::string>> within;
    std::optional<Cap> cap;
    /// 0 to 1, see choose_diverse. Only for models with vectors.
    double mmr = 0;
    /// An unknown group or item (of the query or its history) is an error.
    bool refuse_unknown = false;
    /// Where nothing that was asked about is known: popular items, or an error.
    bool offer_popular = true;
    /// Items and vector are examples that are not put together into one query: see BestOfExamples.
    bool best_of_examples = false;
    /// When the answer is of no use any more. Looked at between the rounds of a search, not in one.
    std::optional<std::chrono::steady_clock::time_point> deadline = {};
};

struct RefinedAnswer {
    /// At most k: best first, or with mmr in the order chosen.
    std::vector<ScoredRow> results;
    /// As in Answer.
    std::vector<std::string> unknown;
    std::optional<std::string> unknown_group;
    /// name_of(AnswerSource), or "popular": the items most groups have, with their frequencies as
    /// scores (min_score is about similarity and does not apply).
    std::string_view source;
    /// Whether the deadline ended the search before there were as many results as there could be.
    bool is_cut_short = false;
};

/// Answers refined queries from one model and its recommender, which must outlive it. Immutable
/// from outside, thread-safe.
class RefinedAnswers {
public:
    RefinedAnswers(const Model& model, const Recommender& recommender);
    RefinedAnswers(RefinedAnswers&&) noexcept;
    ~RefinedAnswers();

    /// Returns an error as Recommender::answer does; not_found also where something is unknown that
    /// must not be; a deadline that has passed already; invalid_argument also if: an attribute is
    /// unknown, a condition is malformed, mmr is out of range, asked of a model without vectors or
    /// with a k above kMaxMmrResults.
    Result<RefinedAnswer> answer(const RefinedQuery& query) const;
    /// Likewise, in place of what was in `answer`, whose memory is kept.
    Status answer(const RefinedQuery& query, AnswerScratch& scratch, RefinedAnswer& answer) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
