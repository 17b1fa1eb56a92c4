#include "eval/split.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace segue {

namespace {

enum class Part : std::uint8_t { kTrain, kTest, kDropped };

constexpr std::uint32_t kAbsent = std::numeric_limits<std::uint32_t>::max();

/// Puts `count` of the `size` entries behind `begin` into the test part, all subsets equally
/// likely.
void hold_out(std::uint64_t begin, std::size_t size, std::size_t count, Random& random,
              std::vector<std::size_t>& order, std::vector<Part>& parts) {
    order.resize(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t drawn = 0; drawn < count; ++drawn) {
        std::swap(order[drawn], order[drawn + random.below(size - drawn)]);
        parts[begin + order[drawn]] = Part::kTest;
    }
}

/// The place of the latest of `times`, one of several at random; a time that is no number is before
/// all others.
std::size_t latest_of(std::span<const double> times, Random& random) {
    std::size_t latest = 0;
    std::uint64_t num_equal = 1;
    for (std::size_t place = 1; place < times.size(); ++place) {
        if (times[place] > times[latest] ||
            (std::isnan(times[latest]) && !std::isnan(times[place]))) {
            latest = place;
            num_equal = 1;
        } else if (times[place] == times[latest] && random.below(++num_equal) == 0) {
            latest = place;
        }
    }
    return latest;
}

std::size_t holdout_count(double fraction, std::size_t group_size) {
    // The small term keeps shares such as 0.29 * 100 from falling just short of a whole number.
    const double count = std::floor(fraction * static_cast<double>(group_size) + 1e-9);
    return std::min(static_cast<std::size_t>(count), group_size - 1);
}

/// The part of each entry, before test entries that nothing was learnt about are dropped.
std::vector<Part> choose_parts(const SparseView& interactions, std::span<const double> times,
                               const SplitSpec& spec) {
    std::vector<Part> parts(interactions.num_entries(), Part::kTrain);
    if (spec.kind == SplitKind::kTime) {
        std::transform(times.begin(), times.end(), parts.begin(), [&](double time) {
            return time >= spec.first_test_time ? Part::kTest : Part::kTrain;
        });
        return parts;
    }
    std::vector<std::size_t> order;
    const std::size_t min_size = std::max<std::size_t>(spec.min_group_size, 2);
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const std::size_t size = interactions.row_size(group);
        if (size < min_size) {
            continue;
        }
        const std::uint64_t begin = interactions.offsets[group];
        Random random(spec.seed, group);
        if (spec.kind == SplitKind::kHoldout) {
            hold_out(begin, size, holdout_count(spec.fraction, size), random, order, parts);
        } else if (times.empty()) {
            hold_out(begin, size, 1, random, order, parts);
        } else {
            const std::size_t latest = latest_of(times.subspan(begin, size), random);
            parts[begin + latest] = Part::kTest;
        }
    }
    return parts;
}

/// Drops the test entries of groups and items without training entries, and counts everything.
SplitCounts drop_unseen(const SparseView& interactions, std::vector<Part>& parts) {
    SplitCounts counts;
    std::vector<std::uint8_t> item_seen(interactions.num_columns, 0);
    for (std::size_t entry = 0; entry < parts.size(); ++entry) {
        if (parts[entry] == Part::kTrain) {
            item_seen[interactions.columns[entry]] = 1;
            ++counts.train_entries;
        }
    }
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        const std::span<Part> row(parts.data() + interactions.offsets[group],
                                  interactions.row_size(group));
        const std::span<const std::uint32_t> items = interactions.row_columns(group);
        const auto in_train =
            static_cast<std::size_t>(std::count(row.begin(), row.end(), Part::kTrain));
        std::uint64_t tested = 0;
        for (std::size_t place = 0; place < row.size(); ++place) {
            if (row[place] == Part::kTrain) {
                continue;
            }
            if (item_seen[items[place]] == 0) {
                row[place] = Part::kDropped;
                ++counts.dropped_unseen_items;
            } else if (in_train == 0) {
                row[place] = Part::kDropped;
                ++counts.dropped_unseen_groups;
            } else {
                ++tested;
            }
        }
        counts.test_entries += tested;
        counts.test_groups += tested > 0 ? 1 : 0;
        counts.whole_groups += in_train == row.size() && !row.empty() ? 1 : 0;
    }
    return counts;
}

/// Rows and columns of the whole table as rows and columns of a part of it; kAbsent where it has
/// none.
struct Renumbering {
    std::vector<std::uint32_t> new_rows;
    std::vector<std::uint32_t> new_columns;
    std::size_t num_rows = 0;
    std::size_t num_columns = 0;
};

std::size_t number_the_used(std::vector<std::uint32_t>& rows) {
    std::uint32_t next = 0;
    for (std::uint32_t& row : rows) {
        row = row == kAbsent ? kAbsent : next++;
    }
    return next;
}

Renumbering keep_all(const SparseView& whole) {
    Renumbering numbers{std::vector<std::uint32_t>(whole.num_rows, 0),
                        std::vector<std::uint32_t>(whole.num_columns, 0)};
    numbers.num_rows = number_the_used(numbers.new_rows);
    numbers.num_columns = number_the_used(numbers.new_columns);
    return numbers;
}

Renumbering keep_trained(const SparseView& whole, const std::vector<Part>& parts) {
    Renumbering numbers{std::vector<std::uint32_t>(whole.num_rows, kAbsent),
                        std::vector<std::uint32_t>(whole.num_columns, kAbsent)};
    for (std::size_t group = 0; group < whole.num_rows; ++group) {
        for (std::uint64_t entry = whole.offsets[group]; entry < whole.offsets[group + 1];
             ++entry) {
            if (parts[entry] == Part::kTrain) {
                numbers.new_rows[group] = 0;
                numbers.new_columns[whole.columns[entry]] = 0;
            }
        }
    }
    numbers.num_rows = number_the_used(numbers.new_rows);
    numbers.num_columns = number_the_used(numbers.new_columns);
    return numbers;
}

/// The entries of one part. Requires: their rows and columns are in `numbers`.
SparseMatrix extract(const SparseView& whole, const std::vector<Part>& parts, Part part,
                     const Renumbering& numbers) {
    SparseMatrix result;
    result.num_rows = numbers.num_rows;
    result.num_columns = numbers.num_columns;
    result.offsets.reserve(result.num_rows + 1);
    for (std::size_t group = 0; group < whole.num_rows; ++group) {
        if (numbers.new_rows[group] == kAbsent) {
            continue;
        }
        for (std::uint64_t entry = whole.offsets[group]; entry < whole.offsets[group + 1];
             ++entry) {
            if (parts[entry] != part) {
                continue;
            }
            result.columns.push_back(numbers.new_columns[whole.columns[entry]]);
            if (!whole.values.empty()) {
                result.values.push_back(whole.values[entry]);
            }
        }
        result.offsets.push_back(result.columns.size());
    }
    if (std::all_of(result.values.begin(), result.values.end(), [](float v) { return v == 1; })) {
        result.values.clear();
    }
    return result;
}

Vocabulary keys_of(const Vocabulary& whole, const std::vector<std::uint32_t>& new_rows) {
    Vocabulary keys;
    for (std::size_t row = 0; row < new_rows.size(); ++row) {
        if (new_rows[row] != kAbsent) {
            keys.insert(whole[row]);
        }
    }
    return keys;
}

Attributes attributes_of(const Attributes& whole, const std::vector<std::uint32_t>& new_rows) {
    Attributes attributes{whole.names, std::vector<StringTable>(whole.columns.size())};
    for (std::size_t column = 0; column < whole.columns.size(); ++column) {
        for (std::size_t row = 0; row < new_rows.size(); ++row) {
            if (new_rows[row] != kAbsent) {
                attributes.columns[column].append(whole.columns[column][row]);
            }
        }
    }
    return attributes;
}

template <typename Value>
std::vector<Value> values_of(const std::vector<Value>& whole, const std::vector<Part>& parts,
                             Part part) {
    std::vector<Value> values;
    for (std::size_t entry = 0; entry < whole.size(); ++entry) {
        if (parts[entry] == part) {
            values.push_back(whole[entry]);
        }
    }
    return values;
}

/// Makes the places of each group's entries consecutive again, from 0.
void close_gaps(const SparseView& interactions, std::vector<std::uint32_t>& positions) {
    std::vector<std::size_t> order;
    for (std::size_t group = 0; group < interactions.num_rows && !positions.empty(); ++group) {
        const std::span<std::uint32_t> row(positions.data() + interactions.offsets[group],
                                           interactions.row_size(group));
        order.resize(row.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t left, std::size_t right) { return row[left] < row[right]; });
        for (std::size_t place = 0; place < order.size(); ++place) {
            row[order[place]] = static_cast<std::uint32_t>(place);
        }
    }
}

/// As if only the entries of the training part had been read.
Dataset train_part(const Dataset& dataset, const std::vector<Part>& parts,
                   const Renumbering& numbers) {
    Dataset train;
    train.groups = keys_of(dataset.groups, numbers.new_rows);
    train.items = keys_of(dataset.items, numbers.new_columns);
    train.interactions = extract(dataset.interactions.view(), parts, Part::kTrain, numbers);
    train.values_are_counts = dataset.values_are_counts;
    train.times = values_of(dataset.times, parts, Part::kTrain);
    train.positions = values_of(dataset.positions, parts, Part::kTrain);
    close_gaps(train.interactions.view(), train.positions);
    train.attributes = attributes_of(dataset.attributes, numbers.new_columns);
    return train;
}

Status check(const SparseView& interactions, std::span<const double> times, const SplitSpec& spec) {
    SEGUE_ASSERT(times.empty() || times.size() == interactions.num_entries());
    if (spec.kind == SplitKind::kTime && times.empty() && interactions.num_entries() > 0) {
        return invalid_argument("a split by time needs a time column; name it with --time");
    }
    return spec.validate();
}

}  // namespace

Result<MatrixSplit> split_interactions(const SparseView& interactions,
                                       std::span<const double> times, const SplitSpec& spec) {
    const Status status = check(interactions, times, spec);
    if (!status.ok()) {
        return status;
    }
    std::vector<Part> parts = choose_parts(interactions, times, spec);
    const Renumbering numbers = keep_all(interactions);
    MatrixSplit result;
    result.counts = drop_unseen(interactions, parts);
    result.train = extract(interactions, parts, Part::kTrain, numbers);
    result.test = extract(interactions, parts, Part::kTest, numbers);
    return result;
}

Result<DatasetSplit> split_dataset(const Dataset& dataset, const SplitSpec& spec) {
    const SparseView interactions = dataset.interactions.view();
    const Status status = check(interactions, dataset.times, spec);
    if (!status.ok()) {
        return status;
    }
    std::vector<Part> parts = choose_parts(interactions, dataset.times, spec);
    DatasetSplit result;
    result.counts = drop_unseen(interactions, parts);
    if (result.counts.train_entries == 0) {
        return invalid_argument("the split leaves nothing to learn from");
    }
    if (result.counts.test_entries == 0) {
        return invalid_argument(
            "the split leaves nothing to judge by: no group is large enough, or none comes late "
            "enough, to be tested on items of the training part");
    }
    const Renumbering numbers = keep_trained(interactions, parts);
    result.train = train_part(dataset, parts, numbers);
    result.test = extract(interactions, parts, Part::kTest, numbers);
    return result;
}

Dataset sample_groups(const Dataset& dataset, double share, std::uint64_t seed) {
    const SparseView interactions = dataset.interactions.view();
    std::vector<Part> parts(interactions.num_entries(), Part::kDropped);
    for (std::size_t group = 0; group < interactions.num_rows; ++group) {
        if (Random(seed, group).uniform() < share) {
            std::fill(parts.begin() + static_cast<std::ptrdiff_t>(interactions.offsets[group]),
                      parts.begin() + static_cast<std::ptrdiff_t>(interactions.offsets[group + 1]),
                      Part::kTrain);
        }
    }
    return train_part(dataset, parts, keep_trained(interactions, parts));
}

SparseMatrix without_entries_of(const SparseView& train, const SparseView& test,
                                std::uint64_t* num_dropped) {
    SEGUE_ASSERT(train.num_rows == test.num_rows && train.num_columns == test.num_columns);
    std::vector<Part> parts(test.num_entries(), Part::kTest);
    for (std::size_t group = 0; group < test.num_rows; ++group) {
        const std::span<const std::uint32_t> known = train.row_columns(group);
        for (std::uint64_t entry = test.offsets[group]; entry < test.offsets[group + 1]; ++entry) {
            if (std::binary_search(known.begin(), known.end(), test.columns[entry])) {
                parts[entry] = Part::kDropped;
            }
        }
    }
    if (num_dropped != nullptr) {
        *num_dropped =
            static_cast<std::uint64_t>(std::count(parts.begin(), parts.end(), Part::kDropped));
    }
    return extract(test, parts, Part::kTest, keep_all(test));
}

}  // namespace segue
