#pragma once

// For tests: a checkerboard whose answers anybody can see, and random models to compare with slow
// oracles.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "cooc/neighbour_lists.h"
#include "data/sparse.h"
#include "model/model.h"

namespace segue::testing {

inline std::string numbered(std::string text, std::size_t number) {
    text += std::to_string(number);
    return text;
}

inline std::string item_key(std::size_t item_row) {
    return numbered("i", item_row);
}

inline std::string group_key(std::size_t group_row) {
    return numbered("g", group_row);
}

inline std::vector<std::uint32_t> rows_of(const std::vector<ScoredRow>& results) {
    std::vector<std::uint32_t> rows;
    for (const ScoredRow& result : results) {
        rows.push_back(result.item_row);
    }
    return rows;
}

/// What does not depend on the recipe: names "i0".. and "g0".., titles "Title 0".., counts.
inline ModelParts parts_of(SparseMatrix interactions, AnswerBy answer_by) {
    ModelParts parts;
    parts.info.recipe = answer_by == AnswerBy::kLists    ? "cooc"
                        : answer_by == AnswerBy::kFoldIn ? "ials"
                                                         : "blueprint";
    parts.info.answer_by = answer_by;
    parts.info.num_groups = interactions.num_rows;
    parts.info.total_frequency = interactions.num_entries();
    parts.attributes.names = {"title"};
    parts.attributes.columns.resize(1);
    for (std::size_t item = 0; item < interactions.num_columns; ++item) {
        parts.items.insert(item_key(item));
        parts.attributes.columns[0].append(numbered("Title ", item));
    }
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        parts.groups.insert(group_key(group));
    }
    parts.item_frequencies = column_counts(interactions.view());
    parts.interactions = std::move(interactions);
    parts.info.popularity_exponent = answer_by == AnswerBy::kLists     ? 0.4
                                     : answer_by == AnswerBy::kVectors ? 1
                                                                       : 0.25;
    parts.info.fold_in = {.unobserved_weight = 0.1, .l2_reg = 0.01, .l2_exponent = 1};
    return parts;
}

/// The lists `fit` would store for kLists.
inline Neighbours counted_lists(const ModelParts& parts, std::size_t list_length) {
    NeighbourListParams params;
    const PairScoreSettings& settings = parts.info.pair_score;
    params.score = {.score = pair_score_by_name(settings.name).value(),
                    .group_exponent = settings.group_exponent,
                    .own_exponent = settings.own_exponent,
                    .other_exponent = settings.other_exponent,
                    .shrinkage = settings.shrinkage,
                    .sharpness = settings.sharpness};
    params.values_are_counts = settings.values_are_counts;
    params.list_length = list_length;
    ThreadPool pool(1);
    return cooc_neighbours({parts.interactions.view(), {}}, params, pool).value();
}

/// Items 0, 2, 4 .. are in the even groups and 1, 3, 5 .. in the odd ones; each group lacks one
/// item of its colour: group g the item of its colour numbered g / 2.
inline ModelParts checkerboard(AnswerBy answer_by, std::size_t num_items = 8) {
    std::vector<Triplet> entries;
    for (std::uint32_t group = 0; group < num_items; ++group) {
        for (std::uint32_t item = group % 2; item < num_items; item += 2) {
            if (item / 2 != group / 2) {
                entries.push_back({group, item, 1});
            }
        }
    }
    ModelParts parts = parts_of(sparse_from_triplets(num_items, num_items, entries), answer_by);
    if (answer_by == AnswerBy::kLists) {
        parts.neighbours = counted_lists(parts, 100);
        return parts;
    }
    parts.item_vectors = Matrix(num_items, 2);
    for (std::size_t item = 0; item < num_items; ++item) {
        parts.item_vectors.row(item)[item % 2] = 1 + 0.125F * static_cast<float>(item);
    }
    return parts;
}

/// Groups of 1 to 12 items, low rows more often; vectors of `dim` numbers unless answered by lists.
inline ModelParts random_parts(AnswerBy answer_by, std::size_t num_items, std::size_t num_groups,
                               std::size_t dim, std::uint64_t seed) {
    Random random(seed);
    std::vector<Triplet> entries;
    for (std::uint32_t group = 0; group < num_groups; ++group) {
        std::vector<std::uint32_t> items;
        for (std::uint64_t left = 1 + random.below(12); left > 0; --left) {
            const double place = random.uniform() * random.uniform();
            items.push_back(static_cast<std::uint32_t>(place * static_cast<double>(num_items)));
        }
        std::sort(items.begin(), items.end());
        items.erase(std::unique(items.begin(), items.end()), items.end());
        for (const std::uint32_t item : items) {
            entries.push_back({group, item, 1});
        }
    }
    ModelParts parts = parts_of(sparse_from_triplets(num_groups, num_items, entries), answer_by);
    if (answer_by != AnswerBy::kLists) {
        parts.item_vectors = Matrix(num_items, dim);
        for (std::size_t item = 0; item < num_items; ++item) {
            for (float& value : parts.item_vectors.row(item)) {
                value = static_cast<float>(random.normal());
            }
        }
    }
    return parts;
}

}  // namespace segue::testing
