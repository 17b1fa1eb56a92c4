#include "ingest/clean.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace segue {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// New numbers, ascending, of the rows that are used; kNone for the others.
std::vector<std::uint32_t> renumber(const std::vector<bool>& is_used) {
    std::vector<std::uint32_t> numbers(is_used.size(), kNone);
    std::uint32_t next = 0;
    for (std::size_t row = 0; row < is_used.size(); ++row) {
        if (is_used[row]) {
            numbers[row] = next++;
        }
    }
    return numbers;
}

/// The keys with a new number, in their order.
Vocabulary keep_keys(Vocabulary keys, const std::vector<std::uint32_t>& numbers) {
    if (std::find(numbers.begin(), numbers.end(), kNone) == numbers.end()) {
        return keys;
    }
    Vocabulary kept;
    for (std::size_t row = 0; row < numbers.size(); ++row) {
        if (numbers[row] != kNone) {
            kept.insert(keys[row]);
        }
    }
    return kept;
}

/// Places among the rows of a group become places among its entries.
void rank_places(std::span<std::uint32_t> places, std::vector<std::uint32_t>& order) {
    order.resize(places.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
        return places[left] < places[right];
    });
    for (std::uint32_t rank = 0; rank < order.size(); ++rank) {
        places[order[rank]] = rank;
    }
}

Attributes build_attributes(const RawRows& rows, const std::vector<std::uint32_t>& item_numbers) {
    Attributes attributes;
    attributes.names = rows.attribute_names;
    for (const ItemTexts& texts : rows.attributes) {
        StringTable& column = attributes.columns.emplace_back();
        for (std::uint32_t item = 0; item < item_numbers.size(); ++item) {
            if (item_numbers[item] != kNone) {
                column.append(texts.of(item));
            }
        }
    }
    return attributes;
}

/// Moves the entries that stay to the front of each array of `entries`; `item_numbers` are the new
/// ones. The used groups are marked.
void compact(Entries& entries, const KeptRows& kept, const std::vector<std::uint32_t>& item_numbers,
             std::vector<std::uint64_t>& offsets, std::vector<bool>& is_group_used) {
    std::size_t end = 0;
    offsets.assign(1, 0);
    for (std::size_t group = 0; group < entries.num_groups(); ++group) {
        if (!kept.groups[group]) {
            continue;
        }
        for (std::uint64_t entry = entries.offsets[group]; entry < entries.offsets[group + 1];
             ++entry) {
            if (!kept.items[entries.item_rows[entry]]) {
                continue;
            }
            const auto move_up = [&](auto& values) {
                if (!values.empty()) {
                    values[end] = values[entry];
                }
            };
            entries.item_rows[end] = item_numbers[entries.item_rows[entry]];
            move_up(entries.row_counts);
            move_up(entries.weights);
            move_up(entries.times);
            move_up(entries.first_places);
            ++end;
        }
        if (end > offsets.back()) {
            is_group_used[group] = true;
            offsets.push_back(end);
        }
    }
    const auto cut = [&](auto& values) { values.resize(std::min(values.size(), end)); };
    cut(entries.item_rows);
    cut(entries.row_counts);
    cut(entries.weights);
    cut(entries.times);
    cut(entries.first_places);
}

}  // namespace

void drop_untitled_rows(const IngestOptions& options, RawRows& rows, IngestReport& report) {
    if (!options.drop_null_titles || options.items_table.empty()) {
        return;
    }
    std::size_t end = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (rows.attributes[0].of(rows.item_rows[row]).empty()) {
            ++report.dropped.null_title;
            continue;
        }
        const auto move_up = [&](auto& values) {
            if (!values.empty()) {
                values[end] = values[row];
            }
        };
        move_up(rows.group_rows);
        move_up(rows.item_rows);
        move_up(rows.weights);
        move_up(rows.times);
        for (std::vector<std::uint32_t>& numbers : rows.row_text_numbers) {
            move_up(numbers);
        }
        ++end;
    }
    const auto cut = [&](auto& values) { values.resize(std::min(values.size(), end)); };
    cut(rows.group_rows);
    cut(rows.item_rows);
    cut(rows.weights);
    cut(rows.times);
    for (std::vector<std::uint32_t>& numbers : rows.row_text_numbers) {
        cut(numbers);
    }
}

KeptRows filter_entries(const Entries& entries, std::size_t num_items, const IngestOptions& options,
                        IngestReport& report) {
    std::vector<std::uint64_t> frequencies(num_items, 0);
    for (std::uint64_t entry = 0; entry < entries.item_rows.size(); ++entry) {
        frequencies[entries.item_rows[entry]] += entries.rows_of(entry);
    }
    KeptRows kept{std::vector<bool>(num_items), std::vector<bool>(entries.num_groups())};
    for (std::size_t item = 0; item < num_items; ++item) {
        kept.items[item] = frequencies[item] >= options.min_item_frequency;
        if (!kept.items[item] && frequencies[item] > 0) {
            ++report.num_rare_items;
            report.dropped.rare_item += frequencies[item];
        }
    }
    for (std::size_t group = 0; group < entries.num_groups(); ++group) {
        std::uint64_t size = 0;
        for (std::uint64_t entry = entries.offsets[group]; entry < entries.offsets[group + 1];
             ++entry) {
            size += kept.items[entries.item_rows[entry]] ? entries.rows_of(entry) : 0;
        }
        const bool is_small = size < options.min_group_size;
        const bool is_large = options.max_group_size != 0 && size > options.max_group_size;
        kept.groups[group] = !is_small && !is_large;
        report.dropped.group_too_small += is_small ? size : 0;
        report.dropped.group_too_large += is_large ? size : 0;
        report.num_small_groups += is_small ? 1 : 0;
        report.num_large_groups += is_large ? 1 : 0;
        report.rows_kept += kept.groups[group] ? size : 0;
    }
    return kept;
}

Dataset build_dataset(RawRows rows, Entries entries, const KeptRows& kept,
                      const IngestOptions& options, IngestReport& report) {
    std::vector<bool> is_item_used(kept.items.size(), false);
    for (std::size_t group = 0; group < entries.num_groups(); ++group) {
        for (std::uint64_t entry = entries.offsets[group];
             kept.groups[group] && entry < entries.offsets[group + 1]; ++entry) {
            const std::uint32_t item = entries.item_rows[entry];
            is_item_used[item] = is_item_used[item] || kept.items[item];
        }
    }
    const std::vector<std::uint32_t> item_numbers = renumber(is_item_used);
    Dataset dataset;
    std::vector<bool> is_group_used(entries.num_groups(), false);
    compact(entries, kept, item_numbers, dataset.interactions.offsets, is_group_used);
    dataset.attributes = build_attributes(rows, item_numbers);
    dataset.items = keep_keys(rows.items.take(), item_numbers);
    dataset.groups = keep_keys(rows.groups.take(), renumber(is_group_used));

    SparseMatrix& matrix = dataset.interactions;
    matrix.num_rows = dataset.groups.size();
    matrix.num_columns = dataset.items.size();
    matrix.columns = std::move(entries.item_rows);
    dataset.values_are_counts =
        options.duplicates != Duplicates::kPair && options.weight_column.empty();
    matrix.values = std::move(entries.weights);
    if (dataset.values_are_counts) {
        matrix.values.assign(entries.row_counts.begin(), entries.row_counts.end());
    }
    if (std::all_of(matrix.values.begin(), matrix.values.end(), [](float v) { return v == 1; })) {
        matrix.values = {};
    }
    dataset.times = std::move(entries.times);
    dataset.positions = std::move(entries.first_places);
    std::vector<std::uint32_t> order;
    for (std::size_t group = 0; group < matrix.num_rows && !dataset.positions.empty(); ++group) {
        rank_places(
            {dataset.positions.data() + matrix.offsets[group], matrix.view().row_size(group)},
            order);
    }
    report.num_groups = matrix.num_rows;
    report.num_items = matrix.num_columns;
    report.num_entries = matrix.num_entries();
    return dataset;
}

}  // namespace segue
