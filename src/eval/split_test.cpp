#include "eval/split.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace segue {
namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

/// Groups of 1 to 12 items out of 40; every entry has a weight, a time and a position of its own.
Dataset random_dataset(std::size_t num_groups, std::uint64_t seed) {
    Dataset dataset;
    Random random(seed);
    for (std::size_t item = 0; item < 40; ++item) {
        dataset.items.insert("item" + std::to_string(item));
    }
    dataset.interactions.num_rows = num_groups;
    dataset.interactions.num_columns = 40;
    for (std::size_t group = 0; group < num_groups; ++group) {
        dataset.groups.insert("group" + std::to_string(group));
        std::set<std::uint32_t> items;
        const std::size_t size = 1 + random.below(12);
        while (items.size() < size) {
            // Squared, so that some items are rare.
            items.insert(static_cast<std::uint32_t>(40 * std::pow(random.uniform(), 3)));
        }
        std::uint32_t position = 0;
        for (const std::uint32_t item : items) {
            dataset.interactions.columns.push_back(item);
            dataset.interactions.values.push_back(static_cast<float>(2 + random.below(5)));
            dataset.times.push_back(static_cast<double>(random.below(1000)));
            dataset.positions.push_back((position++ * 5) % static_cast<std::uint32_t>(size));
        }
        dataset.interactions.offsets.push_back(dataset.interactions.columns.size());
    }
    dataset.attributes.names = {"title"};
    dataset.attributes.columns.resize(1);
    for (std::size_t item = 0; item < 40; ++item) {
        dataset.attributes.columns[0].append("Title of item" + std::to_string(item));
    }
    return dataset;
}

Pairs pairs_of(const Dataset& keys, const SparseMatrix& matrix) {
    Pairs pairs;
    for (std::size_t group = 0; group < matrix.num_rows; ++group) {
        for (const std::uint32_t item : matrix.view().row_columns(group)) {
            pairs.emplace(keys.groups[group], keys.items[item]);
        }
    }
    return pairs;
}

bool equal(const SparseMatrix& left, const SparseMatrix& right) {
    return left.offsets == right.offsets && left.columns == right.columns &&
           left.values == right.values;
}

SplitSpec spec_of(std::string_view text) {
    Result<SplitSpec> spec = parse_split(text);
    EXPECT_TRUE(spec.ok()) << spec.status().message();
    return *spec;
}

/// A group's items and times, as maps from keys.
std::map<std::string, double> times_of_group(const Dataset& dataset, std::size_t group) {
    std::map<std::string, double> times;
    const SparseMatrix& matrix = dataset.interactions;
    for (std::uint64_t entry = matrix.offsets[group]; entry < matrix.offsets[group + 1]; ++entry) {
        times.emplace(dataset.items[matrix.columns[entry]], dataset.times[entry]);
    }
    return times;
}

TEST(ParseSplit, reads_every_kind) {
    EXPECT_EQ(spec_of("holdout:0.3").kind, SplitKind::kHoldout);
    EXPECT_DOUBLE_EQ(spec_of("holdout:0.3").fraction, 0.3);
    EXPECT_DOUBLE_EQ(spec_of("holdout").fraction, 0.2);
    EXPECT_EQ(spec_of("leave-one-out").kind, SplitKind::kLeaveOneOut);
    EXPECT_EQ(spec_of("time:12.5").kind, SplitKind::kTime);
    EXPECT_DOUBLE_EQ(spec_of("time:12.5").first_test_time, 12.5);
}

TEST(ParseSplit, turns_dates_into_seconds_since_1970) {
    EXPECT_DOUBLE_EQ(spec_of("time:1970-01-01").first_test_time, 0);
    EXPECT_DOUBLE_EQ(spec_of("time:1969-12-31").first_test_time, -86400);
    EXPECT_DOUBLE_EQ(spec_of("time:2024-03-01").first_test_time, 1709251200);
    EXPECT_DOUBLE_EQ(spec_of("time:2024-03-01T18:30").first_test_time, 1709251200 + 66600);
    EXPECT_DOUBLE_EQ(spec_of("time:2024-03-01 18:30:05Z").first_test_time, 1709251200 + 66605);
}

TEST(ParseSplit, refuses_everything_else_and_says_what_it_expects) {
    for (const char* text : {"",
                             "holdout:",
                             "holdout:x",
                             "holdout:0",
                             "holdout:1",
                             "holdout:nan",
                             "holdout:-0.2",
                             "leave-one-out:",
                             "leave",
                             "time",
                             "time:",
                             "time:inf",
                             "time:2024-02-30",
                             "time:2024-3-1",
                             "time:2024-03-01T",
                             "time:2024-03-01T25:00",
                             "time:2024-03-01T10:61",
                             "time:2024-03-01T10:00:00:00",
                             "time:2024-03-01x",
                             "random:0.2"}) {
        const Result<SplitSpec> spec = parse_split(text);
        ASSERT_FALSE(spec.ok()) << text;
        EXPECT_EQ(spec.status().code(), StatusCode::kInvalidArgument);
        EXPECT_NE(spec.status().message().find("split '"), std::string::npos);
    }
}

TEST(SplitInteractions, holds_out_the_floor_of_a_share_of_groups_that_are_large_enough) {
    const Dataset dataset = random_dataset(300, 1);
    const SparseView whole = dataset.interactions.view();
    SplitSpec spec;
    spec.fraction = 0.3;
    const Result<MatrixSplit> split = split_interactions(whole, {}, spec);
    ASSERT_TRUE(split.ok());
    std::uint64_t held_out = 0;
    std::uint64_t whole_groups = 0;
    for (std::size_t group = 0; group < whole.num_rows; ++group) {
        const std::size_t size = whole.row_size(group);
        const std::size_t expected = size < 5 ? 0 : size * 3 / 10;
        EXPECT_EQ(split->train.view().row_size(group), size - expected);
        EXPECT_LE(split->test.view().row_size(group), expected);
        held_out += expected;
        whole_groups += expected == 0 ? 1 : 0;
    }
    const SplitCounts& counts = split->counts;
    EXPECT_GT(counts.test_entries, 0u);
    EXPECT_EQ(counts.test_entries + counts.dropped_unseen_items, held_out);
    EXPECT_EQ(counts.test_entries, split->test.num_entries());
    EXPECT_EQ(counts.train_entries, split->train.num_entries());
    EXPECT_EQ(counts.whole_groups, whole_groups);
    EXPECT_EQ(counts.dropped_unseen_groups, 0u);
    EXPECT_TRUE(validate(split->train.view()).ok());
    EXPECT_TRUE(validate(split->test.view()).ok());
}

TEST(SplitInteractions, rounds_shares_that_binary_fractions_miss_to_the_number_meant) {
    SparseMatrix matrix;
    matrix.num_rows = 1;
    matrix.num_columns = 100;
    for (std::uint32_t item = 0; item < 100; ++item) {
        matrix.columns.push_back(item);
    }
    matrix.offsets = {0, 100};
    SplitSpec spec;
    spec.fraction = 0.29;
    const Result<MatrixSplit> split = split_interactions(matrix.view(), {}, spec);
    ASSERT_TRUE(split.ok());
    EXPECT_EQ(split->train.num_entries(), 71u);
}

TEST(SplitInteractions, draws_every_item_of_a_group_equally_often) {
    SparseMatrix matrix;
    matrix.num_rows = 6000;
    matrix.num_columns = 5;
    for (std::size_t group = 0; group < matrix.num_rows; ++group) {
        matrix.columns.insert(matrix.columns.end(), {0, 1, 2, 3, 4});
        matrix.offsets.push_back(matrix.columns.size());
    }
    const Result<MatrixSplit> split = split_interactions(matrix.view(), {}, SplitSpec{});
    ASSERT_TRUE(split.ok());
    for (const std::uint32_t count : column_counts(split->test.view())) {
        EXPECT_NEAR(count, 1200, 5 * std::sqrt(6000 * 0.2 * 0.8));
    }
}

TEST(SplitDataset, parts_are_disjoint_and_drop_items_unseen_in_training_only) {
    const Dataset dataset = random_dataset(60, 2);
    const Result<DatasetSplit> split = split_dataset(dataset, SplitSpec{});
    ASSERT_TRUE(split.ok());
    const Dataset& train = split->train;
    const Pairs all = pairs_of(dataset, dataset.interactions);
    const Pairs train_pairs = pairs_of(train, train.interactions);
    const Pairs test_pairs = pairs_of(train, split->test);
    EXPECT_EQ(train_pairs.size(), split->counts.train_entries);
    EXPECT_EQ(test_pairs.size(), split->counts.test_entries);
    EXPECT_EQ(train_pairs.size() + test_pairs.size() + split->counts.dropped_unseen_items,
              all.size());
    for (const auto& pair : test_pairs) {
        EXPECT_EQ(train_pairs.count(pair), 0u);
        EXPECT_EQ(all.count(pair), 1u);
    }
    for (const std::uint32_t frequency : column_counts(train.interactions.view())) {
        EXPECT_GT(frequency, 0u);
    }
}

TEST(SplitDataset, carries_titles_weights_times_and_positions_along) {
    const Dataset dataset = random_dataset(60, 3);
    const Result<DatasetSplit> split = split_dataset(dataset, spec_of("time:600"));
    ASSERT_TRUE(split.ok());
    const Dataset& train = split->train;
    ASSERT_LT(train.groups.size(), dataset.groups.size());
    EXPECT_GT(split->counts.dropped_unseen_groups, 0u);
    ASSERT_EQ(train.times.size(), train.interactions.num_entries());
    ASSERT_EQ(train.interactions.values.size(), train.interactions.num_entries());
    for (std::size_t item = 0; item < train.items.size(); ++item) {
        EXPECT_EQ(train.attributes.columns[0][item], "Title of " + std::string(train.items[item]));
    }
    for (std::size_t group = 0; group < train.groups.size(); ++group) {
        const std::map<std::string, double> expected =
            times_of_group(dataset, *dataset.groups.find(train.groups[group]));
        std::set<std::uint32_t> positions;
        for (const auto& [item, time] : times_of_group(train, group)) {
            EXPECT_LT(time, 600);
            EXPECT_EQ(expected.at(item), time);
        }
        const std::uint64_t begin = train.interactions.offsets[group];
        const std::uint64_t end = train.interactions.offsets[group + 1];
        positions.insert(train.positions.begin() + begin, train.positions.begin() + end);
        EXPECT_EQ(positions.size(), end - begin);
        EXPECT_EQ(*positions.rbegin(), end - begin - 1);
    }
}

TEST(SplitDataset, by_time_tests_what_comes_from_that_moment_on) {
    const Dataset dataset = random_dataset(200, 4);
    const Result<DatasetSplit> split = split_dataset(dataset, spec_of("time:800"));
    ASSERT_TRUE(split.ok());
    for (std::size_t group = 0; group < split->train.groups.size(); ++group) {
        const auto times =
            times_of_group(dataset, *dataset.groups.find(split->train.groups[group]));
        for (const std::uint32_t item : split->test.view().row_columns(group)) {
            EXPECT_GE(times.at(std::string(split->train.items[item])), 800);
        }
    }
    const SplitCounts& counts = split->counts;
    EXPECT_EQ(counts.train_entries + counts.test_entries + counts.dropped_unseen_items +
                  counts.dropped_unseen_groups,
              dataset.interactions.num_entries());
}

TEST(SplitDataset, leave_one_out_takes_the_latest_item_of_groups_of_two_or_more) {
    const Dataset dataset = random_dataset(200, 5);
    const Result<MatrixSplit> split =
        split_interactions(dataset.interactions.view(), dataset.times, spec_of("leave-one-out"));
    ASSERT_TRUE(split.ok());
    for (std::size_t group = 0; group < dataset.groups.size(); ++group) {
        const auto times = times_of_group(dataset, group);
        const auto held_out = split->test.view().row_columns(group);
        EXPECT_LE(held_out.size(), times.size() < 2 ? 0u : 1u);
        for (const std::uint32_t item : held_out) {
            for (const auto& [other, time] : times) {
                EXPECT_LE(time, times.at(std::string(dataset.items[item])));
            }
        }
    }
    EXPECT_GT(split->counts.test_groups, 150u);
}

TEST(SplitDataset, leave_one_out_without_times_depends_on_the_seed) {
    Dataset dataset = random_dataset(200, 6);
    dataset.times.clear();
    SplitSpec spec = spec_of("leave-one-out");
    const Result<DatasetSplit> first = split_dataset(dataset, spec);
    const Result<DatasetSplit> again = split_dataset(dataset, spec);
    spec.seed = 2;
    const Result<DatasetSplit> other = split_dataset(dataset, spec);
    ASSERT_TRUE(first.ok() && again.ok() && other.ok());
    EXPECT_TRUE(equal(first->test, again->test));
    EXPECT_FALSE(equal(first->test, other->test));
}

TEST(SplitDataset, gives_the_same_parts_for_one_seed_and_others_for_another) {
    const Dataset dataset = random_dataset(100, 7);
    SplitSpec spec;
    const Result<DatasetSplit> first = split_dataset(dataset, spec);
    const Result<DatasetSplit> again = split_dataset(dataset, spec);
    spec.seed = 2;
    const Result<DatasetSplit> other = split_dataset(dataset, spec);
    ASSERT_TRUE(first.ok() && again.ok() && other.ok());
    EXPECT_TRUE(equal(first->train.interactions, again->train.interactions));
    EXPECT_TRUE(equal(first->test, again->test));
    EXPECT_FALSE(equal(first->test, other->test));
}

TEST(SplitDataset, refuses_what_cannot_be_split) {
    Dataset dataset = random_dataset(20, 8);
    EXPECT_FALSE(split_dataset(dataset, spec_of("time:5000")).ok());
    EXPECT_FALSE(split_dataset(dataset, spec_of("time:-1")).ok());
    dataset.times.clear();
    EXPECT_FALSE(split_dataset(dataset, spec_of("time:500")).ok());
    SplitSpec spec;
    spec.min_group_size = 100;
    EXPECT_FALSE(split_dataset(dataset, spec).ok());
    spec.fraction = 1;
    EXPECT_FALSE(split_dataset(dataset, spec).ok());
    EXPECT_FALSE(split_dataset(Dataset{}, SplitSpec{}).ok());
}

TEST(WithoutEntriesOf, drops_and_counts_what_is_in_both) {
    const std::vector<Triplet> train = {{0, 1, 1}, {1, 2, 1}};
    const std::vector<Triplet> test = {{0, 0, 1}, {0, 1, 1}, {1, 1, 1}, {1, 2, 1}};
    std::uint64_t dropped = 0;
    const SparseMatrix left = without_entries_of(sparse_from_triplets(2, 3, train).view(),
                                                 sparse_from_triplets(2, 3, test).view(), &dropped);
    EXPECT_EQ(dropped, 2u);
    EXPECT_EQ(left.columns, (std::vector<std::uint32_t>{0, 1}));
    EXPECT_EQ(left.offsets, (std::vector<std::uint64_t>{0, 1, 2}));
}

TEST(SampleGroups, keeps_whole_groups_and_those_of_smaller_shares) {
    const Dataset whole = random_dataset(500, 4);
    const Dataset half = sample_groups(whole, 0.5, 7);
    const Dataset quarter = sample_groups(whole, 0.25, 7);
    EXPECT_NEAR(static_cast<double>(half.groups.size()), 250, 50);
    EXPECT_NEAR(static_cast<double>(quarter.groups.size()), 125, 40);
    const Pairs pairs = pairs_of(whole, whole.interactions);
    const Pairs of_half = pairs_of(half, half.interactions);
    for (const auto& pair : pairs_of(quarter, quarter.interactions)) {
        EXPECT_TRUE(of_half.contains(pair));
    }
    std::set<std::string> kept;
    for (std::size_t group = 0; group < half.groups.size(); ++group) {
        kept.emplace(half.groups[group]);
    }
    for (const auto& pair : pairs) {
        EXPECT_EQ(of_half.contains(pair), kept.contains(pair.first));
    }
    EXPECT_EQ(half.times.size(), half.interactions.num_entries());
    EXPECT_EQ(half.positions.size(), half.interactions.num_entries());
    EXPECT_EQ(pairs_of(sample_groups(whole, 1, 7), sample_groups(whole, 1, 7).interactions), pairs);
}

}  // namespace
}  // namespace segue
