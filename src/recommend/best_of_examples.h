#pragma once

// Several examples that are not put together into one: an item is as good as the example it is most
// like, unless it is more like one that is not wanted (Qdrant calls it best_score).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/neighbours.h"
#include "model/model.h"
#include "recommend/recommend.h"

namespace segue {

/// Each example costs a search of its own, and a product for every candidate.
inline constexpr std::size_t kMaxExamples = 32;

/// The examples of one query: its items, those with weights below zero not wanted, and its vector.
/// With p the greatest weighted similarity of an item to one that is wanted and n that to one that
/// is not, its score is p where p > n, else -n^2. Views the model, recommender and query, which
/// must outlive it. Not thread-safe.
class BestOfExamples {
public:
    /// Returns an error if: the model has no item vectors; the query has a group, a history or more
    /// than kMaxExamples examples that are known; or Recommender::answer would refuse it.
    static Result<BestOfExamples> make(const Model& model, const Recommender& recommender,
                                       const Query& query);

    /// The best `count` items that may be offered, best first; fewer only where there are no more,
    /// or after `deadline`, when is_cut_short() is true then: what was found until it.
    Result<std::vector<ScoredRow>> best(
        std::size_t count, std::optional<std::chrono::steady_clock::time_point> deadline = {});
    bool is_cut_short() const { return is_cut_short_; }
    /// Where the answers of the examples come from; of the last one where they differ.
    AnswerSource source() const { return source_; }
    /// As in Answer.
    const std::vector<std::string>& unknown() const { return unknown_; }

private:
    struct Example {
        Query query;                // for its own list
        std::vector<float> vector;  // [dim], of length 1 times the weight
        bool is_wanted = true;
        float weight = 1;  // above 0
    };

    BestOfExamples(const Model& model, const Recommender& recommender)
        : model_(model), recommender_(recommender) {}
    void add_example(const Query& query, std::span<const float> vector, const Query::Item* item);
    float score(std::uint32_t item_row) const;
    bool may_offer(std::uint32_t item_row) const;
    /// Items in the lists of the wanted examples, each once; the score that none beyond them
    /// exceeds.
    Result<float> collect(std::size_t length, std::vector<ScoredRow>& candidates);
    std::vector<ScoredRow> scan(std::optional<std::chrono::steady_clock::time_point> deadline);

    const Model& model_;
    const Recommender& recommender_;
    std::vector<Example> examples_;
    std::vector<std::uint32_t> excluded_;  // ascending
    std::vector<std::string> unknown_;
    double exponent_ = 0;
    std::optional<float> min_score_;
    AnswerSource source_ = AnswerSource::kExact;
    bool is_cut_short_ = false;
};

}  // namespace segue
