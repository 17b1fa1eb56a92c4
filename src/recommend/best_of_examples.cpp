#include "recommend/best_of_examples.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"
#include "recommend/query_vector.h"

namespace segue {
namespace {

void keep_best(std::vector<ScoredRow>& rows, std::size_t count) {
    const std::size_t kept = std::min(count, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(),
                      comes_before);
    rows.resize(kept);
}

}  // namespace

Result<BestOfExamples> BestOfExamples::make(const Model& model, const Recommender& recommender,
                                            const Query& query) {
    if (model.info().answer_by == AnswerBy::kLists ||
        model.item_vectors().num_rows != model.num_items()) {
        return invalid_argument("best_score needs item vectors, which this model does not have");
    }
    if (query.group_key || !query.history.empty()) {
        return invalid_argument("best_score is for items and a vector, not for users or histories");
    }
    Query check = query;
    check.k = 0;
    Result<Answer> checked = recommender.answer(check);
    if (!checked.ok()) {
        return checked.status();
    }
    BestOfExamples best(model, recommender);
    best.unknown_ = std::move(checked->unknown);
    best.exponent_ = query.popularity_exponent.value_or(model.info().popularity_exponent);
    best.min_score_ = query.min_score;
    for (const std::string& key : query.exclude) {
        if (const std::optional<std::uint32_t> row = model.find_item(key)) {
            best.excluded_.push_back(*row);
        }
    }
    for (const Query::Item& item : query.items) {
        if (const std::optional<std::uint32_t> row = model.find_item(item.key)) {
            best.add_example(query, model.item_vectors().row(*row), &item);
            if (!query.offer_query_items) {
                best.excluded_.push_back(*row);
            }
        }
    }
    if (!query.vector.empty()) {
        best.add_example(query, query.vector, nullptr);
    }
    if (best.examples_.size() > kMaxExamples) {
        return invalid_argument(fmt::format("best_score takes up to {} examples, found {}",
                                            kMaxExamples, best.examples_.size()));
    }
    std::sort(best.excluded_.begin(), best.excluded_.end());
    return best;
}

void BestOfExamples::add_example(const Query& query, std::span<const float> vector,
                                 const Query::Item* item) {
    const double norm = vector_norm(vector);
    const float weight = item == nullptr ? 1.0F : item->weight;
    if (!(norm > 0) || weight == 0) {
        return;  // nothing is like it
    }
    Example& example = examples_.emplace_back();
    example.is_wanted = weight > 0;
    example.weight = std::fabs(weight);
    for (const float number : vector) {
        example.vector.push_back(static_cast<float>(static_cast<double>(number) / norm *
                                                    static_cast<double>(example.weight)));
    }
    Query& one = example.query;
    one.popularity_exponent = query.popularity_exponent;
    one.search = query.search;
    one.offer_query_items = query.offer_query_items;
    one.exclude = query.exclude;
    if (item == nullptr) {
        one.vector = query.vector;
    } else {
        one.items.push_back({item->key, 1});
    }
    if (!query.offer_query_items) {
        for (const Query::Item& other : query.items) {
            one.exclude.push_back(other.key);
        }
    }
}

float BestOfExamples::score(std::uint32_t item_row) const {
    constexpr float kNone = -std::numeric_limits<float>::infinity();
    const std::span<const float> item = model_.item_vectors().row(item_row);
    const double norm = exponent_ == 0 ? 1 : vector_norm(item);
    const double divisor = norm > 0 ? std::pow(norm, exponent_) : 0;
    float best = kNone;
    float worst = kNone;
    for (const Example& example : examples_) {
        const float product =
            kernels::active_kernels().dot(example.vector.data(), item.data(), item.size());
        const float similarity =
            divisor > 0 ? static_cast<float>(static_cast<double>(product) / divisor) : 0;
        float& place = example.is_wanted ? best : worst;
        place = std::max(place, similarity);
    }
    return best > worst ? best : -worst * worst;
}

bool BestOfExamples::may_offer(std::uint32_t item_row) const {
    return !std::binary_search(excluded_.begin(), excluded_.end(), item_row);
}

Result<float> BestOfExamples::collect(std::size_t length, std::vector<ScoredRow>& candidates) {
    float bound = 0;  // of items that are more like an unwanted example
    candidates.clear();
    for (Example& example : examples_) {
        if (!example.is_wanted) {
            continue;
        }
        example.query.k = length;
        const Result<Answer> list = recommender_.answer(example.query);
        if (!list.ok()) {
            return list.status();
        }
        source_ = list->source;
        candidates.insert(candidates.end(), list->results.begin(), list->results.end());
        if (list->results.size() == length && length < model_.num_items()) {
            bound = std::max(bound, example.weight * list->results.back().score);
        }
    }
    std::sort(candidates.begin(), candidates.end(),
              [](const ScoredRow& left, const ScoredRow& right) {
                  return left.item_row < right.item_row;
              });
    const auto same = [](const ScoredRow& left, const ScoredRow& right) {
        return left.item_row == right.item_row;
    };
    candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
    for (ScoredRow& candidate : candidates) {
        candidate.score = score(candidate.item_row);
    }
    return bound;
}

std::vector<ScoredRow> BestOfExamples::scan(
    std::optional<std::chrono::steady_clock::time_point> deadline) {
    constexpr std::uint32_t kRowsBetweenLooks = 4096;
    std::vector<ScoredRow> rows;
    source_ = AnswerSource::kExact;
    for (std::uint32_t row = 0; row < model_.num_items(); ++row) {
        if (deadline && row % kRowsBetweenLooks == 0 && row > 0 &&
            std::chrono::steady_clock::now() > *deadline) {
            is_cut_short_ = true;
            break;
        }
        if (may_offer(row)) {
            rows.push_back({row, score(row)});
        }
    }
    return rows;
}

Result<std::vector<ScoredRow>> BestOfExamples::best(
    std::size_t count, std::optional<std::chrono::steady_clock::time_point> deadline) {
    if (examples_.empty() || count == 0) {
        return std::vector<ScoredRow>();
    }
    count = std::min(count, model_.num_items());
    std::vector<ScoredRow> rows;
    bool is_complete = false;
    // Longer lists once; then looking at every item is cheaper than ever longer ones.
    for (const std::size_t length : {count, count * 8}) {
        const Result<float> bound = collect(std::min(length, model_.num_items()), rows);
        if (!bound.ok()) {
            return bound.status();
        }
        keep_best(rows, count);
        // Lists and scores here are rounded differently.
        constexpr float kRounding = 1e-6F;
        is_complete =
            rows.size() == count && rows.back().score >= *bound - kRounding * std::fabs(*bound);
        is_cut_short_ = !is_complete && deadline && std::chrono::steady_clock::now() > *deadline;
        if (is_complete || is_cut_short_) {
            break;
        }
    }
    if (!is_complete && !is_cut_short_) {
        rows = scan(deadline);
        keep_best(rows, count);
    }
    std::erase_if(rows, [&](const ScoredRow& row) {
        return !std::isfinite(row.score) || (min_score_ && row.score < *min_score_);
    });
    return rows;
}

}  // namespace segue
