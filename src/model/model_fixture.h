#pragma once

// For tests: a model small enough to draw.

#include <string>

#include "model/model.h"

namespace segue::testing {

/// Four songs in three playlists, with titles, vectors of two numbers, neighbours and histories:
///
///     x = {a, b}   y = {a, b, c}   z = {d, a} with weights 2 and 0.5
inline ModelParts small_parts(AnswerBy answer_by = AnswerBy::kFoldIn) {
    ModelParts parts;
    parts.info.recipe = "ials";
    parts.info.answer_by = answer_by;
    parts.info.popularity_exponent = 0.25;
    parts.info.seed = 7;
    parts.info.num_groups = 3;
    parts.info.total_frequency = 7;
    parts.info.parameters_json = R"({"dim":2,"note":"a \"quoted\" word","nested":{"x":[1]}})";
    parts.info.input_hash = "0123456789abcdef";
    if (answer_by == AnswerBy::kLists) {
        parts.info.recipe = "cooc";
        parts.info.pair_score = {"conditional", 0.5, 0.75, 0.4, 3, 1.5, true, false};
    }
    if (answer_by == AnswerBy::kFoldIn) {
        parts.info.fold_in = {0.1, 0.003, 1, 40, true};
    }
    parts.attributes.names = {"title", "artist"};
    parts.attributes.columns.resize(2);
    for (const char* const key : {"a", "b", "c", "d"}) {
        parts.items.insert(key);
        parts.attributes.columns[0].append("Song " + std::string(key));
        parts.attributes.columns[1].append(*key == 'c' ? "" : "Björk");
    }
    parts.item_frequencies = {3, 2, 1, 1};
    parts.item_vectors = Matrix(4, 2);
    for (std::size_t row = 0; row < 4; ++row) {
        parts.item_vectors.row(row)[0] = static_cast<float>(row) + 0.5f;
        parts.item_vectors.row(row)[1] = -1.0f / static_cast<float>(row + 1);
    }
    parts.neighbours.offsets = {0, 3, 5, 7, 8};
    parts.neighbours.item_rows = {1, 2, 3, 0, 2, 0, 1, 0};
    parts.neighbours.scores = {0.9f, 0.5f, 0.5f, 0.9f, 0.25f, 0.5f, 0.25f, 0.5f};
    parts.neighbours.together = {2, 1, 1, 2, 1, 1, 1, 1};
    for (const char* const key : {"x", "y", "z"}) {
        parts.groups.insert(key);
    }
    parts.interactions = {3, 4, {0, 2, 5, 7}, {0, 1, 0, 1, 2, 0, 3}, {1, 1, 1, 1, 1, 0.5f, 2}};
    return parts;
}

}  // namespace segue::testing
