#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/json_reader.h"
#include "base/text.h"
#include "model/model_tables.h"

namespace segue {

namespace {

// Wide enough for any model that means something, narrow enough that a dot product of thousands of
// terms and a sum of thousands of scores stay finite in single precision.
constexpr float kMaxVectorValue = 1e12f;
constexpr float kMaxScore = 1e30f;
constexpr double kMaxExponent = 2;
constexpr double kMaxSetting = 1e12;

Status check_strings(StringTableView strings, std::size_t count, const std::string& name) {
    const std::span<const std::uint64_t> offsets = strings.offsets();
    const std::size_t bytes = strings.bytes().size();
    if (offsets.size() != count + 1 || offsets.front() != 0 || offsets.back() != bytes) {
        return corrupt(fmt::format("{}: {} offsets do not span {} texts in {} bytes", name,
                                   offsets.size(), count, bytes));
    }
    for (std::size_t row = 0; row < count; ++row) {
        if (offsets[row] > offsets[row + 1] || offsets[row + 1] > bytes) {
            return corrupt(fmt::format("{}: offsets do not ascend at row {}", name, row));
        }
        if (!is_valid_utf8(strings[row])) {
            return corrupt(fmt::format("{}: row {} is not UTF-8", name, row));
        }
    }
    return Status();
}

Status check_attributes(const TableViews& tables, std::size_t num_items) {
    std::set<std::string_view> names;
    for (std::size_t index = 0; index < tables.attribute_names.size(); ++index) {
        const std::string& name = tables.attribute_names[index];
        if (!is_valid_utf8(name) || !names.insert(name).second) {
            return corrupt(
                fmt::format("attribute {}: its name is not UTF-8 or occurs twice", index));
        }
        if (Status status =
                check_strings(tables.attributes[index], num_items, "attribute '" + name + "'");
            !status.ok()) {
            return status;
        }
    }
    return Status();
}

Status check_vectors(const MatrixView& vectors, std::size_t num_items) {
    if (vectors.num_rows == 0) {
        return Status();
    }
    if (vectors.num_rows != num_items || vectors.dim == 0 || vectors.stride < vectors.dim) {
        return corrupt(fmt::format("vectors: {} rows of {} in {} floats for {} items",
                                   vectors.num_rows, vectors.dim, vectors.stride, num_items));
    }
    for (std::size_t row = 0; row < vectors.num_rows; ++row) {
        const float* const values = vectors.data + row * vectors.stride;
        // The comparison is false for NaN also.
        const bool in_range = std::all_of(values, values + vectors.dim, [](float value) {
            return std::fabs(value) <= kMaxVectorValue;
        });
        const bool padded_with_zeros = std::all_of(values + vectors.dim, values + vectors.stride,
                                                   [](float value) { return value == 0; });
        if (!in_range || !padded_with_zeros) {
            return corrupt(
                fmt::format("vectors: row {} has a value that is not finite, beyond "
                            "{}, or behind its dimension",
                            row, kMaxVectorValue));
        }
    }
    return Status();
}

Status check_neighbours(const NeighboursView& neighbours, std::size_t num_items) {
    const std::span<const std::uint64_t> offsets = neighbours.offsets;
    if (offsets.empty()) {
        return Status();
    }
    const std::size_t num_entries = neighbours.item_rows.size();
    if (offsets.size() != num_items + 1 || offsets.front() != 0 || offsets.back() != num_entries ||
        neighbours.scores.size() != num_entries ||
        (!neighbours.together.empty() && neighbours.together.size() != num_entries)) {
        return corrupt(fmt::format("neighbours: tables do not agree on {} entries of {} items",
                                   num_entries, num_items));
    }
    // last_list[j] is one more than the last item in whose list j was seen.
    std::vector<std::uint32_t> last_list(num_items, 0);
    for (std::size_t item = 0; item < num_items; ++item) {
        if (offsets[item] > offsets[item + 1] || offsets[item + 1] > num_entries) {
            return corrupt(fmt::format("neighbours: offsets do not ascend at item {}", item));
        }
        for (std::uint64_t entry = offsets[item]; entry < offsets[item + 1]; ++entry) {
            const ScoredRow scored = {neighbours.item_rows[entry], neighbours.scores[entry]};
            const bool well_formed = scored.item_row < num_items && scored.item_row != item &&
                                     last_list[scored.item_row] != item + 1 &&
                                     std::fabs(scored.score) <= kMaxScore;
            const bool in_order =
                entry == offsets[item] ||
                comes_before({neighbours.item_rows[entry - 1], neighbours.scores[entry - 1]},
                             scored);
            if (!well_formed || !in_order) {
                return corrupt(
                    fmt::format("neighbours: the list of item {} has an item that is unknown, its "
                                "own, double or out of order, or a score that is not finite",
                                item));
            }
            last_list[scored.item_row] = static_cast<std::uint32_t>(item + 1);
        }
    }
    return Status();
}

bool is_setting(double value) {
    return value >= 0 && value <= kMaxSetting;
}
bool is_exponent(double value) {
    return std::fabs(value) <= kMaxExponent;
}

Status check_info(const ModelInfo& info) {
    if (Status status = check_json_object(info.parameters_json); !status.ok()) {
        return corrupt("parameters: " + status.message());
    }
    const PairScoreSettings& pair = info.pair_score;
    const FoldInSettings& fold_in = info.fold_in;
    if (!is_exponent(info.popularity_exponent) || !is_exponent(pair.group_exponent) ||
        !is_exponent(pair.own_exponent) || !is_exponent(pair.other_exponent) ||
        !is_exponent(fold_in.l2_exponent)) {
        return corrupt(
            fmt::format("an exponent is not within -{} and {}", kMaxExponent, kMaxExponent));
    }
    if (!is_setting(pair.shrinkage) || !is_setting(pair.sharpness) ||
        !is_setting(fold_in.unobserved_weight) || !is_setting(fold_in.l2_reg) ||
        !is_setting(fold_in.alpha)) {
        return corrupt(fmt::format("a setting is not within 0 and {}", kMaxSetting));
    }
    return Status();
}

Status check_answerable(const ModelInfo& info, const TableViews& tables) {
    const bool by_lists = info.answer_by == AnswerBy::kLists;
    const bool found =
        by_lists ? !tables.neighbours.offsets.empty() : tables.item_vectors.num_rows > 0;
    if (tables.item_keys.size() > 0 && !found) {
        return corrupt(fmt::format("it answers by {} but has no {}", name_of(info.answer_by),
                                   by_lists ? "neighbours" : "vectors"));
    }
    return Status();
}

Status check_frequencies(std::span<const std::uint32_t> frequencies, std::size_t num_items) {
    if (frequencies.empty()) {
        return Status();
    }
    if (frequencies.size() != num_items) {
        return corrupt(
            fmt::format("item frequencies: {} for {} items", frequencies.size(), num_items));
    }
    const auto zero = std::find(frequencies.begin(), frequencies.end(), 0u);
    if (zero != frequencies.end()) {
        return corrupt(fmt::format("item frequencies: that of row {} is 0, expected at least 1",
                                   zero - frequencies.begin()));
    }
    return Status();
}

}  // namespace

Status check_tables(const ModelInfo& info, const TableViews& tables) {
    const std::size_t num_items = tables.item_keys.size();
    const std::size_t num_groups = tables.group_keys.size();
    if (num_items >= UINT32_MAX - 1 || num_groups >= UINT32_MAX - 1) {
        return resource_limit(fmt::format(
            "{} items and {} groups, at most 4,294,967,293 of each fit", num_items, num_groups));
    }
    Status status = check_info(info);
    const auto then = [&](auto&& check) {
        if (status.ok()) {
            status = check();
        }
    };
    then([&] { return check_strings(tables.item_keys, num_items, "item keys"); });
    then([&] { return check_attributes(tables, num_items); });
    then([&] { return check_frequencies(tables.item_frequencies, num_items); });
    then([&] { return check_vectors(tables.item_vectors, num_items); });
    then([&] { return check_neighbours(tables.neighbours, num_items); });
    then([&] { return check_answerable(info, tables); });
    if (num_groups > 0 || tables.interactions.num_rows > 0) {
        then([&] { return check_strings(tables.group_keys, num_groups, "group keys"); });
        then([&] {
            return tables.interactions.num_rows == num_groups &&
                           tables.interactions.num_columns == num_items
                       ? validate(tables.interactions).with_context("interactions")
                       : corrupt(fmt::format("interactions: {} x {} for {} groups and {} items",
                                             tables.interactions.num_rows,
                                             tables.interactions.num_columns, num_groups,
                                             num_items));
        });
    }
    return status;
}

}  // namespace segue
