#include "eval/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "eval/popularity.h"
#include "eval/split.h"

namespace segue {
namespace {

constexpr std::size_t kNumGroups = 700;
constexpr std::size_t kNumItems = 50;

MatrixSplit random_split(std::uint64_t seed) {
    Random random(seed);
    std::vector<Triplet> entries;
    for (std::uint32_t group = 0; group < kNumGroups; ++group) {
        for (std::uint32_t item = 0; item < kNumItems; ++item) {
            if (random.uniform() < 0.4 / (1 + 0.1 * item)) {
                entries.push_back({group, item, 1});
            }
        }
    }
    const SparseMatrix whole = sparse_from_triplets(kNumGroups, kNumItems, entries);
    SplitSpec spec;
    spec.fraction = 0.4;
    spec.min_group_size = 3;
    return *split_interactions(whole.view(), {}, spec);
}

/// What a group or an item thinks of an item: anything, but always the same.
float opinion(std::size_t asking, std::uint32_t item) {
    return static_cast<float>(Random(99, asking * 1000 + item).uniform());
}

std::vector<std::uint32_t> best_items(std::size_t asking, std::size_t k,
                                      std::span<const std::uint32_t> left_out) {
    std::vector<ScoredRow> rows;
    for (std::uint32_t item = 0; item < kNumItems; ++item) {
        if (std::find(left_out.begin(), left_out.end(), item) == left_out.end()) {
            rows.push_back({item, opinion(asking, item)});
        }
    }
    std::sort(rows.begin(), rows.end(), comes_before);
    std::vector<std::uint32_t> items;
    for (std::size_t place = 0; place < std::min(k, rows.size()); ++place) {
        items.push_back(rows[place].item_row);
    }
    return items;
}

void append(Neighbours& lists, const std::vector<std::uint32_t>& items) {
    lists.item_rows.insert(lists.item_rows.end(), items.begin(), items.end());
    lists.scores.resize(lists.item_rows.size(), 0);
    lists.offsets.push_back(lists.item_rows.size());
}

Result<Neighbours> group_lists(const GroupListRequest& request, ThreadPool&) {
    Neighbours lists;
    for (std::size_t row = 0; row < request.group_rows.size(); ++row) {
        append(lists,
               best_items(request.group_rows[row], request.k, request.histories.row_columns(row)));
    }
    return lists;
}

Result<Neighbours> item_lists(std::span<const std::uint32_t> item_rows, std::size_t k,
                              ThreadPool&) {
    Neighbours lists;
    for (const std::uint32_t item : item_rows) {
        append(lists, best_items(item, k, {&item, 1}));
    }
    return lists;
}

std::string at_cut(std::size_t k) {
    return std::string(1, '@').append(std::to_string(k));
}

/// Adds up lists the slow way: everything from its definition.
struct Oracle {
    std::map<std::string, double> sums;
    std::map<std::size_t, std::set<std::uint32_t>> shown;
    std::map<std::size_t, double> frequencies;
    std::map<std::size_t, double> num_shown;
    double num_groups = 0;

    void add(const std::vector<std::uint32_t>& list, const std::set<std::uint32_t>& relevant,
             const std::vector<std::size_t>& ks, const std::vector<std::uint32_t>& frequency) {
        ++num_groups;
        for (const std::size_t k : ks) {
            const std::string at = at_cut(k);
            double hits = 0;
            double gain = 0;
            double best = 0;
            double precisions = 0;
            for (std::size_t place = 1; place <= std::min(k, list.size()); ++place) {
                const std::uint32_t item = list[place - 1];
                shown[k].insert(item);
                frequencies[k] += frequency[item];
                num_shown[k] += 1;
                if (relevant.count(item) > 0) {
                    hits += 1;
                    gain += std::log(2.0) / std::log(static_cast<double>(place) + 1);
                    precisions += hits / static_cast<double>(place);
                    if (k == ks.back() && hits == 1) {
                        sums["mrr"] += 1.0 / static_cast<double>(place);
                    }
                }
            }
            const auto ideal = static_cast<double>(std::min(k, relevant.size()));
            for (double place = 1; place <= ideal; ++place) {
                best += std::log(2.0) / std::log(place + 1);
            }
            sums["recall" + at] += hits / static_cast<double>(relevant.size());
            sums["ndcg" + at] += gain / best;
            sums["hr" + at] += hits > 0 ? 1 : 0;
            sums["map" + at] += precisions / ideal;
            sums["precision" + at] += hits / static_cast<double>(k);
        }
    }

    void compare(const Judgement& judgement, const std::string& prefix) {
        std::map<std::string, double> expected;
        for (const auto& [name, sum] : sums) {
            expected[prefix + name] = sum / num_groups;
        }
        for (const auto& [k, items] : shown) {
            const std::string at = at_cut(k);
            expected[prefix + "coverage" + at] = static_cast<double>(items.size()) / kNumItems;
            expected[prefix + "popularity" + at] = frequencies[k] / num_shown[k];
        }
        EXPECT_EQ(judgement.num_groups, static_cast<std::size_t>(num_groups));
        EXPECT_EQ(judgement.metrics.size(), expected.size());
        for (const Metric& metric : judgement.metrics) {
            ASSERT_EQ(expected.count(metric.name), 1u) << metric.name;
            EXPECT_NEAR(metric.value, expected[metric.name], 1e-12) << metric.name;
        }
    }
};

std::set<std::uint32_t> row_set(const SparseMatrix& matrix, std::size_t row) {
    const auto columns = matrix.view().row_columns(row);
    return {columns.begin(), columns.end()};
}

TEST(JudgeGroupLists, agrees_with_the_definitions_on_random_data) {
    const MatrixSplit split = random_split(1);
    const std::vector<std::size_t> ks = {1, 5, 20};
    const std::vector<std::uint32_t> frequencies = column_counts(split.train.view());
    Oracle oracle;
    for (std::size_t group = 0; group < kNumGroups; ++group) {
        if (split.test.view().row_size(group) > 0) {
            oracle.add(best_items(group, 20, split.train.view().row_columns(group)),
                       row_set(split.test, group), ks, frequencies);
        }
    }
    ThreadPool pool(3);
    const Result<Judgement> judgement =
        judge_group_lists(group_lists, split.train.view(), split.test.view(), {.ks = ks}, pool);
    ASSERT_TRUE(judgement.ok()) << judgement.status().message();
    oracle.compare(*judgement, "");
    EXPECT_TRUE(judgement->group_values.empty());
}

TEST(JudgeItemLists, asks_with_one_item_of_each_history_and_leaves_out_only_that) {
    const MatrixSplit split = random_split(2);
    const std::vector<std::size_t> ks = {3, 20};
    const std::vector<std::uint32_t> frequencies = column_counts(split.train.view());
    Oracle oracle;
    for (std::size_t group = 0; group < kNumGroups; ++group) {
        const auto history = split.train.view().row_columns(group);
        if (split.test.view().row_size(group) > 0) {
            const std::uint32_t query = history[Random(7, group).below(history.size())];
            oracle.add(best_items(query, 20, {&query, 1}), row_set(split.test, group), ks,
                       frequencies);
        }
    }
    ThreadPool pool(2);
    const Result<Judgement> judgement = judge_item_lists(
        item_lists, split.train.view(), split.test.view(), {.ks = ks, .seed = 7}, pool);
    ASSERT_TRUE(judgement.ok()) << judgement.status().message();
    oracle.compare(*judgement, "item_");
}

TEST(JudgeGroupLists, gives_the_same_numbers_for_any_number_of_threads) {
    const MatrixSplit split = random_split(3);
    const JudgeOptions options = {.ks = {5, 20}, .keep_group_values = true};
    ThreadPool one(1);
    const Result<Judgement> expected =
        judge_group_lists(group_lists, split.train.view(), split.test.view(), options, one);
    for (const unsigned threads : {2u, 5u}) {
        ThreadPool pool(threads);
        const Result<Judgement> judgement =
            judge_group_lists(group_lists, split.train.view(), split.test.view(), options, pool);
        ASSERT_TRUE(expected.ok() && judgement.ok());
        for (std::size_t metric = 0; metric < expected->metrics.size(); ++metric) {
            EXPECT_EQ(judgement->metrics[metric].value, expected->metrics[metric].value);
        }
        EXPECT_EQ(judgement->group_values, expected->group_values);
    }
}

TEST(JudgeGroupLists, keeps_the_values_of_every_group_when_asked) {
    const MatrixSplit split = random_split(4);
    ThreadPool pool(2);
    const Result<Judgement> judgement =
        judge_group_lists(group_lists, split.train.view(), split.test.view(),
                          {.ks = {5, 20}, .keep_group_values = true}, pool);
    ASSERT_TRUE(judgement.ok());
    const std::size_t num_names = judgement->group_metric_names.size();
    EXPECT_EQ(judgement->group_rows.size(), judgement->num_groups);
    ASSERT_EQ(judgement->group_values.size(), judgement->num_groups * num_names);
    for (std::size_t column = 0; column < num_names; ++column) {
        double sum = 0;
        for (std::size_t group = 0; group < judgement->num_groups; ++group) {
            sum += judgement->group_values[group * num_names + column];
        }
        const auto metric = std::find_if(
            judgement->metrics.begin(), judgement->metrics.end(),
            [&](const Metric& m) { return m.name == judgement->group_metric_names[column]; });
        ASSERT_NE(metric, judgement->metrics.end());
        EXPECT_NEAR(metric->value, sum / static_cast<double>(judgement->num_groups), 1e-12);
    }
}

TEST(JudgeGroupLists, refuses_lists_that_would_flatter_their_maker) {
    const MatrixSplit split = random_split(5);
    const std::uint32_t group = 11;
    const auto own = split.train.view().row_columns(group);
    ASSERT_FALSE(own.empty());
    const std::map<std::string, std::vector<std::uint32_t>> bad_lists = {
        {"was to leave out", {own[0]}},
        {"twice", {49, 48, 49}},
        {"does not have", {kNumItems}},
        {"longer", std::vector<std::uint32_t>(21, 0)}};
    ThreadPool pool(2);
    for (const auto& bad : bad_lists) {
        const std::string& message = bad.first;
        const std::vector<std::uint32_t>& list = bad.second;
        const auto cheat = [&](const GroupListRequest& request, ThreadPool&) -> Result<Neighbours> {
            Neighbours lists;
            for (const std::uint32_t row : request.group_rows) {
                append(lists, row == group ? list : std::vector<std::uint32_t>{});
            }
            return lists;
        };
        const Result<Judgement> judgement =
            judge_group_lists(cheat, split.train.view(), split.test.view(), {}, pool);
        ASSERT_FALSE(judgement.ok()) << message;
        EXPECT_NE(judgement.status().message().find("group 11"), std::string::npos);
        EXPECT_NE(judgement.status().message().find(message), std::string::npos)
            << judgement.status().message();
    }
}

TEST(JudgeGroupLists, passes_on_failures_and_refuses_bad_options) {
    const MatrixSplit split = random_split(6);
    const SparseView train = split.train.view();
    const SparseView test = split.test.view();
    ThreadPool pool(1);
    const auto failing = [](const GroupListRequest&, ThreadPool&) -> Result<Neighbours> {
        return io_error("gone");
    };
    EXPECT_EQ(judge_group_lists(failing, train, test, {}, pool).status().message(), "gone");
    const auto too_few = [](const GroupListRequest&, ThreadPool&) -> Result<Neighbours> {
        return Neighbours{};
    };
    EXPECT_FALSE(judge_group_lists(too_few, train, test, {}, pool).ok());
    const std::vector<std::vector<std::size_t>> bad_ks = {{}, {0}, {20, 10}, {10, 10}, {2'000'000}};
    for (const std::vector<std::size_t>& ks : bad_ks) {
        EXPECT_FALSE(judge_group_lists(group_lists, train, test, {.ks = ks}, pool).ok());
    }
    const SparseMatrix nothing = sparse_from_triplets(kNumGroups, kNumItems, {});
    EXPECT_FALSE(judge_group_lists(group_lists, train, nothing.view(), {}, pool).ok());
    EXPECT_FALSE(judge_item_lists(item_lists, nothing.view(), test, {}, pool).ok());
}

TEST(ValidationRecall, is_the_recall_of_the_judge) {
    const MatrixSplit split = random_split(7);
    ThreadPool pool(2);
    const Result<double> recall =
        validation_recall(group_lists, split.train.view(), split.test.view(), 10, pool);
    const Result<Judgement> judgement =
        judge_group_lists(group_lists, split.train.view(), split.test.view(), {.ks = {10}}, pool);
    ASSERT_TRUE(recall.ok() && judgement.ok());
    EXPECT_EQ(judgement->metrics.front().name, "recall@10");
    EXPECT_EQ(*recall, judgement->metrics.front().value);
}

TEST(PopularityLists, offer_the_most_frequent_items_that_are_not_the_groups_own) {
    // Items 0 to 3 are in 3, 1, 2 and 2 groups; item 4 is in none.
    const std::vector<Triplet> entries = {{0, 0, 1}, {0, 2, 1}, {1, 0, 1}, {1, 1, 1},
                                          {1, 3, 1}, {2, 0, 1}, {2, 2, 1}, {2, 3, 1}};
    const SparseMatrix train = sparse_from_triplets(3, 5, entries);
    ThreadPool pool(1);
    const std::vector<std::uint32_t> groups = {0, 1, 2};
    const Result<Neighbours> lists =
        popularity_group_lists(train.view())({groups, train.view(), 2}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(lists->offsets, (std::vector<std::uint64_t>{0, 2, 3, 4}));
    EXPECT_EQ(lists->item_rows, (std::vector<std::uint32_t>{3, 1, 2, 1}));
    const std::vector<std::uint32_t> items = {2, 4};
    const Result<Neighbours> of_items = popularity_item_lists(train.view())(items, 3, pool);
    ASSERT_TRUE(of_items.ok());
    EXPECT_EQ(of_items->item_rows, (std::vector<std::uint32_t>{0, 3, 1, 0, 2, 3}));
}

}  // namespace
}  // namespace segue
