#include "recommend/diversify.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "kernels/kernels.h"
#include "recommend/query_vector.h"

namespace segue {

namespace {

/// Counts what was taken of each value.
class ValueCounts {
public:
    explicit ValueCounts(const std::optional<ValueCap>& cap) : cap_(cap) {}

    bool has_room(std::uint32_t item_row) const {
        const std::string_view value = value_of(item_row);
        if (value.empty()) {
            return true;
        }
        const auto count = counts_.find(value);
        return (count == counts_.end() ? 0 : count->second) < cap_->max_per_value;
    }
    void add(std::uint32_t item_row) {
        const std::string_view value = value_of(item_row);
        if (!value.empty()) {
            ++counts_[value];
        }
    }

private:
    std::string_view value_of(std::uint32_t item_row) const {
        return cap_ ? cap_->column[item_row] : std::string_view();
    }

    const std::optional<ValueCap>& cap_;
    std::unordered_map<std::string_view, std::size_t> counts_;
};

/// A candidate that is not chosen yet.
struct Waiting {
    ScoredRow row;
    double relevance = 0;
    double norm = 0;
    double nearest = 0;  // greatest cosine to one chosen
};

std::vector<Waiting> waiting_list(std::span<const ScoredRow> candidates,
                                  const MatrixView& vectors) {
    std::vector<Waiting> waiting;
    waiting.reserve(candidates.size());
    const double best = candidates.empty() ? 0 : std::abs(static_cast<double>(candidates[0].score));
    for (const ScoredRow& row : candidates) {
        const double score = static_cast<double>(row.score);
        waiting.push_back(
            {row, best > 0 ? score / best : score, vector_norm(vectors.row(row.item_row)), 0});
    }
    return waiting;
}

/// Raises what is `nearest` to each that waits, now that `chosen` is in the list.
void take_in(const Waiting& chosen, const MatrixView& vectors, bool is_first,
             std::vector<Waiting>& waiting) {
    const std::span<const float> vector = vectors.row(chosen.row.item_row);
    const auto& kernels = kernels::active_kernels();
    for (Waiting& other : waiting) {
        const double norms = chosen.norm * other.norm;
        const double product = static_cast<double>(
            kernels.dot(vector.data(), vectors.row(other.row.item_row).data(), vector.size()));
        const double cosine = norms > 0 ? product / norms : 0;
        other.nearest = is_first ? cosine : std::max(other.nearest, cosine);
    }
}

}  // namespace

std::vector<ScoredRow> choose_diverse(std::span<const ScoredRow> candidates,
                                      const Diversity& diversity) {
    ValueCounts counts(diversity.cap);
    std::vector<ScoredRow> chosen;
    if (diversity.mmr <= 0) {
        for (std::size_t place = 0; place < candidates.size() && chosen.size() < diversity.k;
             ++place) {
            if (counts.has_room(candidates[place].item_row)) {
                counts.add(candidates[place].item_row);
                chosen.push_back(candidates[place]);
            }
        }
        return chosen;
    }
    std::vector<Waiting> waiting = waiting_list(candidates, diversity.vectors);
    while (chosen.size() < diversity.k) {
        std::erase_if(waiting,
                      [&](const Waiting& item) { return !counts.has_room(item.row.item_row); });
        if (waiting.empty()) {
            break;
        }
        // The first is chosen by relevance alone: candidates come best first.
        const auto value = [&](const Waiting& item) {
            return (1 - diversity.mmr) * item.relevance - diversity.mmr * item.nearest;
        };
        const auto best = chosen.empty()
                              ? waiting.begin()
                              : std::max_element(waiting.begin(), waiting.end(),
                                                 [&](const Waiting& left, const Waiting& right) {
                                                     return value(left) < value(right);
                                                 });
        const Waiting taken = *best;
        waiting.erase(best);
        take_in(taken, diversity.vectors, chosen.empty(), waiting);
        counts.add(taken.row.item_row);
        chosen.push_back(taken.row);
    }
    return chosen;
}

}  // namespace segue
