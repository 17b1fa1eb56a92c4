#pragma once

// For tests: a model small enough to draw.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
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

/// An index over the vectors of small_parts: leaves {b, d}, {} and {a, c}, where b is a second time
/// in the last. Codes are made up.
inline IndexParts small_index(const Matrix& vectors) {
    IndexParts index;
    index.num_items = 4;
    index.dim = 2;
    index.leaf_offsets = {0, 2, 2, 4};
    index.item_rows = {1, 3, 0, 2};
    index.leaf_centres = Matrix(3, 2);
    const std::size_t row_bytes = int8_row_bytes(2);
    index.rows = AlignedBuffer<std::uint8_t>(4 * row_bytes);
    std::ranges::fill(index.rows.span(), std::uint8_t{128});
    for (std::size_t position = 0; position < 4; ++position) {
        const std::span<const float> item = vectors.row(index.item_rows[position]);
        const float scale = std::max(std::fabs(item[0]), std::fabs(item[1])) / 127;
        index.row_scales.push_back(scale);
        for (std::size_t i = 0; i < 2; ++i) {
            index.rows[position * row_bytes + i] =
                static_cast<std::uint8_t>(std::lround(item[i] / scale) + 128);
            index.leaf_centres.row(position < 2 ? 0 : 2)[i] += item[i] / 2;
        }
        index.norms.push_back(std::sqrt(item[0] * item[0] + item[1] * item[1]));
    }
    index.block_errors = {0.03F};
    index.norm_levels = {0, 1, 0, 1};
    index.norm_low = 1;
    index.norm_ratio = 2;
    index.code_offsets = {0, 1, 1, 2};
    index.codes = AlignedBuffer<std::uint8_t>(2 * code_block_bytes(2));
    index.codes[0] = 3;
    index.codes[4] = 12;
    index.codes[64] = 7;
    index.code_positions.assign(2 * kBlockPositions, 0xFFFFFFFF);
    index.code_positions[0] = 0;
    index.code_positions[1] = 1;
    for (std::uint32_t entry = 0; entry < 3; ++entry) {
        index.code_positions[kBlockPositions + entry] = (entry + 2) % 4;
    }
    for (int word = 0; word < 32; ++word) {
        index.codebook.push_back(0.125F * static_cast<float>(word % 16 - 8));
    }
    return index;
}

inline ModelParts small_indexed_parts(AnswerBy answer_by = AnswerBy::kFoldIn) {
    ModelParts parts = small_parts(answer_by);
    parts.index = small_index(parts.item_vectors);
    parts.index_facts.settings.path = SearchPath::kTree;
    parts.index_facts.settings.target_recall = 0.9;
    parts.index_facts.settings.exact_share = 0.25;
    parts.index_facts.settings.calibrated = {{0, {2, 3}}, {0.5, {3, 4}}, {1, {1, 2}}};
    parts.index_facts.blessed = true;
    parts.index_facts.report_json = R"({"target_recall":0.95,"kinds":[{"kind":"sums"}]})";
    return parts;
}

}  // namespace segue::testing
