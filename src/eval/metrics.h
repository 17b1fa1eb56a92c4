#pragma once

// How good one ranked list is, judged by the items that were held out. Gains are 0 or 1. Sources:
// Herlocker et al., "Evaluating collaborative filtering recommender systems", 2004; the conventions
// where papers differ are those of the LightGCN and Mult-VAE evaluations and are said at each
// value.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segue {

/// The first k places of one list.
struct ListMetrics {
    /// hits / number of held-out items. Some papers divide by min(k, held-out items) instead, which
    /// flatters groups with more held-out items than places; that form is not used here.
    double recall = 0;
    /// Sum over hits of 1 / log2(place + 1), places from 1, over the same sum of the best possible
    /// list: one that begins with min(k, held-out items) hits.
    double ndcg = 0;
    /// 1 when there is any hit.
    double hit_rate = 0;
    /// hits / k, also where the list is shorter than k.
    double precision = 0;
    /// Sum over hits of the precision at their places, over min(k, held-out items).
    double average_precision = 0;
    /// 1 / place of the first hit; 0 without one.
    double reciprocal_rank = 0;
};

/// One mark for each place of `list` [length]: 1 where the item is in `relevant` (ascending), else
/// 0.
void mark_hits(std::span<const std::uint32_t> list, std::span<const std::uint32_t> relevant,
               std::vector<std::uint8_t>& hits);

/// `hits` has a mark for each place; places behind k do not count. Requires: k > 0, num_relevant >
/// 0, and no more hits than num_relevant.
ListMetrics list_metrics(std::span<const std::uint8_t> hits, std::size_t num_relevant,
                         std::size_t k);

}  // namespace segue
