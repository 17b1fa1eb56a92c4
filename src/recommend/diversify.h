#pragma once

// A list in which the best items do not crowd out everything else: a cap on items that share a
// value (one brand, one artist; Vertex calls it crowding), and maximal marginal relevance
// (Carbonell and Goldstein, 1998), which gives up some relevance to differ from what is already in
// the list.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "data/matrix.h"
#include "data/neighbours.h"
#include "data/string_table.h"

namespace segue {

/// At most `max_per_value` results with the same text in `column`. Items without a text are not
/// limited.
struct ValueCap {
    StringTableView column;  // [num_items]
    std::size_t max_per_value = 1;
};

struct Diversity {
    std::size_t k = 10;
    std::optional<ValueCap> cap = {};
    /// 0: by score alone; 1: by difference alone, after the best.
    double mmr = 0;
    /// [num_items x dim]; differences are 1 - cosine. Needed where mmr > 0.
    MatrixView vectors = {};
};

/// At most k of the candidates. Without mmr the first ones that the cap lets through, in their
/// order. With it, one after the other, the candidate of the greatest
///     (1 - mmr) * score / |best score| - mmr * (greatest cosine to one chosen before),
/// the earlier of equals; the results are then in the order chosen, with the scores they came with.
/// Takes candidates x k cosines. Requires: candidates are in the order of comes_before.
std::vector<ScoredRow> choose_diverse(std::span<const ScoredRow> candidates,
                                      const Diversity& diversity);

}  // namespace segue
