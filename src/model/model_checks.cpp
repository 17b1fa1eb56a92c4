#include <fmt/core.h>

#include <algorithm>
#include <bit>
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

/// Runs check(begin, end) over [0, size) on all threads; the error of the lowest chunk that has
/// one.
template <typename Check>
Status check_chunks(std::size_t size, ThreadPool& pool, const Check& check) {
    constexpr std::size_t kChunk = 16384;
    const Chunks chunks{size, kChunk};
    std::vector<Status> statuses(chunks.count());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        statuses[chunk] = check(chunks.begin(chunk), chunks.end(chunk));
    });
    for (Status& status : statuses) {
        if (!status.ok()) {
            return std::move(status);
        }
    }
    return Status();
}

/// Whether a character begins at this byte (or the text ends).
bool is_boundary(std::span<const char> bytes, std::uint64_t offset) {
    return offset == bytes.size() || (static_cast<unsigned char>(bytes[offset]) & 0xC0) != 0x80;
}

Status check_strings(StringTableView strings, std::size_t count, const std::string& name,
                     ThreadPool& pool) {
    const std::span<const std::uint64_t> offsets = strings.offsets();
    const std::span<const char> bytes = strings.bytes();
    if (offsets.size() != count + 1 || offsets.front() != 0 || offsets.back() != bytes.size()) {
        return corrupt(fmt::format("{}: {} offsets do not span {} texts in {} bytes", name,
                                   offsets.size(), count, bytes.size()));
    }
    return check_chunks(count, pool, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            if (offsets[row] > offsets[row + 1] || offsets[row + 1] > bytes.size()) {
                return corrupt(fmt::format("{}: offsets do not ascend at row {}", name, row));
            }
        }
        // Many texts at once are UTF-8 when they are as a whole and each begins with a character.
        bool is_utf8 =
            is_valid_utf8({bytes.data() + offsets[begin], offsets[end] - offsets[begin]});
        for (std::size_t row = begin; row < end; ++row) {
            is_utf8 &= is_boundary(bytes, offsets[row]);
        }
        for (std::size_t row = begin; row < end && !is_utf8; ++row) {
            if (!is_valid_utf8(strings[row])) {
                return corrupt(fmt::format("{}: row {} is not UTF-8", name, row));
            }
        }
        return Status();
    });
}

Status check_attributes(const TableViews& tables, std::size_t num_items, ThreadPool& pool) {
    std::set<std::string_view> names;
    for (std::size_t index = 0; index < tables.attribute_names.size(); ++index) {
        const std::string& name = tables.attribute_names[index];
        if (!is_valid_utf8(name) || !names.insert(name).second) {
            return corrupt(
                fmt::format("attribute {}: its name is not UTF-8 or occurs twice", index));
        }
        if (Status status = check_strings(tables.attributes[index], num_items,
                                          "attribute '" + name + "'", pool);
            !status.ok()) {
            return status;
        }
    }
    return Status();
}

/// Whether the magnitudes of all are at most `limit`; not for NaN. Bits of floats that are not
/// negative ascend with them, NaN above all, and integers are compared without branches: as fast as
/// memory is.
bool all_within(std::span<const float> values, float limit) {
    constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
    const auto greatest = std::bit_cast<std::int32_t>(limit);
    std::int32_t beyond = 0;
    for (const float value : values) {
        const auto magnitude =
            static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(value) & kMagnitude);
        beyond |= magnitude > greatest ? 1 : 0;
    }
    return beyond == 0;
}

bool is_vector(const float* values, std::size_t dim, std::size_t stride) {
    return all_within({values, dim}, kMaxVectorValue) &&
           all_within({values + dim, stride - dim}, 0);
}

Status check_vectors(const MatrixView& vectors, std::size_t num_items, ThreadPool& pool) {
    if (vectors.num_rows == 0) {
        return Status();
    }
    if (vectors.num_rows != num_items || vectors.dim == 0 || vectors.stride < vectors.dim) {
        return corrupt(fmt::format("vectors: {} rows of {} in {} floats for {} items",
                                   vectors.num_rows, vectors.dim, vectors.stride, num_items));
    }
    return check_chunks(num_items, pool, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            if (!is_vector(vectors.data + row * vectors.stride, vectors.dim, vectors.stride)) {
                return corrupt(
                    fmt::format("vectors: row {} has a value that is not finite, beyond "
                                "{}, or behind its dimension",
                                row, kMaxVectorValue));
            }
        }
        return Status();
    });
}

/// Tells whether lists have an item twice: a table of stamps that fits the first cache remembers,
/// by the last bits of the row, in which list a row was last seen; rows that seem to come again are
/// looked for. Not thread-safe.
class RepeatFinder {
public:
    bool has_repeat(std::span<const std::uint32_t> rows) {
        return seems_to_repeat(rows) && repeats(rows);
    }

private:
    static constexpr std::size_t kStamps = 32768;

    bool seems_to_repeat(std::span<const std::uint32_t> rows) {
        if (++stamp_ == 0) {
            std::fill(last_list_.begin(), last_list_.end(), std::uint8_t{0});
            stamp_ = 1;
        }
        std::uint8_t* const last_list = last_list_.data();
        const std::uint8_t stamp = stamp_;
        unsigned seems = 0;
        for (const std::uint32_t row : rows) {
            seems |= last_list[row % kStamps] == stamp ? 1U : 0U;
            last_list[row % kStamps] = stamp;
        }
        return seems != 0;
    }
    bool repeats(std::span<const std::uint32_t> rows) {
        seems_to_repeat({});  // forget the list
        for (std::size_t place = 0; place < rows.size(); ++place) {
            std::uint8_t& last = last_list_[rows[place] % kStamps];
            const auto before = rows.first(place);
            if (last == stamp_ &&
                std::find(before.begin(), before.end(), rows[place]) != before.end()) {
                return true;
            }
            last = stamp_;
        }
        return false;
    }

    std::vector<std::uint8_t> last_list_ = std::vector<std::uint8_t>(kStamps, 0);
    std::uint8_t stamp_ = 0;
};

/// Whether the list of `item` has known items, never itself and each once, in order, with scores
/// that can be added up. All but the last without branches.
bool is_neighbour_list(std::span<const std::uint32_t> rows, std::span<const float> scores,
                       std::uint32_t item, std::uint32_t num_items, RepeatFinder& repeats) {
    if (rows.empty()) {
        return true;
    }
    const auto is_wrong = [&](std::uint32_t row) {
        return (row >= num_items ? 1U : 0U) | (row == item ? 1U : 0U);
    };
    unsigned wrong = is_wrong(rows[0]);
    for (std::size_t place = 1; place < rows.size(); ++place) {
        wrong |= is_wrong(rows[place]);
        const unsigned falls = scores[place - 1] > scores[place] ? 1U : 0U;
        const unsigned ties = scores[place - 1] == scores[place] ? 1U : 0U;
        const unsigned ascends = rows[place - 1] < rows[place] ? 1U : 0U;
        wrong |= 1U ^ (falls | (ties & ascends));
    }
    // In order, so no score is NaN, and the first and the last are the extremes.
    return wrong == 0 && scores.front() <= kMaxScore && scores.back() >= -kMaxScore &&
           !repeats.has_repeat(rows);
}

Status check_neighbours(const NeighboursView& neighbours, std::size_t num_items, ThreadPool& pool) {
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
    return check_chunks(num_items, pool, [&](std::size_t begin, std::size_t end) {
        RepeatFinder repeats;
        for (std::size_t item = begin; item < end; ++item) {
            const std::uint64_t first = offsets[item];
            if (first > offsets[item + 1] || offsets[item + 1] > num_entries) {
                return corrupt(fmt::format("neighbours: offsets do not ascend at item {}", item));
            }
            const std::size_t size = offsets[item + 1] - first;
            if (!is_neighbour_list(neighbours.item_rows.subspan(first, size),
                                   neighbours.scores.subspan(first, size),
                                   static_cast<std::uint32_t>(item),
                                   static_cast<std::uint32_t>(num_items), repeats)) {
                return corrupt(
                    fmt::format("neighbours: the list of item {} has an item that is unknown, its "
                                "own, double or out of order, or a score that is not finite",
                                item));
            }
        }
        return Status();
    });
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
    if (info.item_popularity_exponent && info.answer_by != AnswerBy::kLists) {
        return corrupt("it has an exponent of single items but no lists to answer by");
    }
    const PairScoreSettings& pair = info.pair_score;
    const FoldInSettings& fold_in = info.fold_in;
    if (!is_exponent(info.popularity_exponent) || !is_exponent(info.exponent_of_one_item()) ||
        !is_exponent(pair.group_exponent) || !is_exponent(pair.own_exponent) ||
        !is_exponent(pair.other_exponent) || !is_exponent(fold_in.l2_exponent)) {
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

Status check_tables(const ModelInfo& info, const TableViews& tables, ThreadPool& pool) {
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
    then([&] { return check_strings(tables.item_keys, num_items, "item keys", pool); });
    then([&] { return check_attributes(tables, num_items, pool); });
    then([&] { return check_frequencies(tables.item_frequencies, num_items); });
    then([&] { return check_vectors(tables.item_vectors, num_items, pool); });
    then([&] { return check_neighbours(tables.neighbours, num_items, pool); });
    then([&] { return check_answerable(info, tables); });
    if (num_groups > 0 || tables.interactions.num_rows > 0) {
        then([&] { return check_strings(tables.group_keys, num_groups, "group keys", pool); });
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
