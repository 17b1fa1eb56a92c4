#include "index/exact_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/random.h"

namespace segue {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Matrix random_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    Random random(seed);
    for (std::size_t r = 0; r < num_rows; ++r) {
        for (float& value : rows.row(r)) {
            value = static_cast<float>(random.normal());
        }
    }
    return rows;
}

/// Small whole numbers: all products and sums are exact, and many scores are equal.
Matrix whole_rows(std::size_t num_rows, std::size_t dim, std::uint64_t seed) {
    Matrix rows(num_rows, dim);
    Random random(seed);
    for (std::size_t r = 0; r < num_rows; ++r) {
        for (float& value : rows.row(r)) {
            value = static_cast<float>(random.below(7)) - 3;
        }
    }
    return rows;
}

double exact_score(std::span<const float> query, std::span<const float> item, Measure measure,
                   double exponent) {
    double product = 0;
    double query_squared = 0;
    double item_squared = 0;
    double distance = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double q = static_cast<double>(query[i]);
        const double j = static_cast<double>(item[i]);
        product += q * j;
        query_squared += q * q;
        item_squared += j * j;
        distance += (q - j) * (q - j);
    }
    if (measure == Measure::kSquaredL2) {
        return -distance;
    }
    if (measure == Measure::kCosine) {
        const double lengths = std::sqrt(query_squared) * std::sqrt(item_squared);
        return lengths > 0 ? product / lengths : 0;
    }
    if (exponent == 0) {
        return product;
    }
    return item_squared > 0 ? product * std::pow(item_squared, -exponent / 2) : 0;
}

/// Scores every item in double precision and sorts them.
std::vector<ScoredRow> full_sort(const Matrix& items, std::span<const float> query, Measure measure,
                                 const SearchOptions& options) {
    const std::set<std::uint32_t> excluded(options.excluded.begin(), options.excluded.end());
    std::vector<ScoredRow> all;
    for (std::uint32_t row = 0; row < items.num_rows(); ++row) {
        const auto score = static_cast<float>(
            exact_score(query, items.row(row), measure, options.popularity_exponent));
        const bool allowed =
            options.allowed.empty() || (options.allowed[row / 64] >> (row % 64) & 1) != 0;
        if (allowed && !excluded.contains(row) &&
            (!options.min_score || score >= *options.min_score)) {
            all.push_back({row, score});
        }
    }
    std::sort(all.begin(), all.end(), comes_before);
    all.resize(std::min(all.size(), options.k));
    return all;
}

void expect_same(std::span<const ScoredRow> found, std::span<const ScoredRow> expected,
                 float bound) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].item_row, expected[i].item_row) << "place " << i;
        ASSERT_NEAR(found[i].score, expected[i].score, bound) << "place " << i;
    }
}

std::vector<ScoredRow> list_of(const Neighbours& lists, std::size_t query) {
    std::vector<ScoredRow> list;
    for (std::size_t at = lists.offsets[query]; at < lists.offsets[query + 1]; ++at) {
        list.push_back({lists.item_rows[at], lists.scores[at]});
    }
    return list;
}

struct Setting {
    Measure measure;
    double exponent;
};

const std::vector<Setting> kSettings = {{Measure::kDot, 0},    {Measure::kDot, 1},
                                        {Measure::kDot, 0.4},  {Measure::kDot, -0.3},
                                        {Measure::kCosine, 0}, {Measure::kSquaredL2, 0}};

TEST(ExactIndex, finds_what_a_full_sort_finds_in_every_measure) {
    for (const std::size_t dim : {1U, 7U, 16U, 50U}) {
        const Matrix items = random_rows(3000, dim, dim);
        const Matrix queries = random_rows(3, dim, 100 + dim);
        for (const Setting& setting : kSettings) {
            const ExactIndex index(items.view(), setting.measure, setting.exponent == 1 ? 1 : 0);
            for (const std::size_t k : {0U, 1U, 10U, 200U}) {
                const SearchOptions options = {.k = k, .popularity_exponent = setting.exponent};
                for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                    const auto found = index.search(queries.row(q), options);
                    ASSERT_TRUE(found.ok());
                    const auto expected =
                        full_sort(items, queries.row(q), setting.measure, options);
                    if (dim > 1) {
                        expect_same(*found, expected, 1e-3F);
                    } else {
                        ASSERT_EQ(found->size(),
                                  expected.size());  // one dimension: many equal cosines
                    }
                }
            }
        }
    }
}

TEST(ExactIndex, orders_equal_scores_by_row) {
    const Matrix items = whole_rows(5000, 3, 1);
    const Matrix queries = whole_rows(70, 3, 2);
    ThreadPool pool(2);
    for (const Measure measure : {Measure::kDot, Measure::kSquaredL2}) {
        const ExactIndex index(items.view(), measure);
        const auto batch = index.search_batch(queries.view(), {.k = 50}, pool);
        ASSERT_TRUE(batch.ok());
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            const auto expected = full_sort(items, queries.row(q), measure, {.k = 50});
            const auto found = index.search(queries.row(q), {.k = 50});
            ASSERT_TRUE(found.ok());
            expect_same(*found, expected, 0);
            expect_same(list_of(*batch, q), expected, 0);
        }
    }
}

TEST(ExactIndex, gives_k_results_where_k_exist_whatever_is_excluded) {
    const Matrix items = random_rows(300, 8, 3);
    const Matrix queries = random_rows(1, 8, 4);
    const ExactIndex index(items.view(), Measure::kDot);
    std::vector<std::uint32_t> excluded = {299, 5, 5, 4000000000U};
    const auto best = index.search(queries.row(0), {.k = 200});
    ASSERT_TRUE(best.ok());
    for (const ScoredRow& scored : *best) {
        excluded.push_back(scored.item_row);
    }
    const SearchOptions options = {.k = 300, .excluded = excluded};
    const auto found = index.search(queries.row(0), options);
    ASSERT_TRUE(found.ok());
    EXPECT_GE(found->size(), 98U);
    expect_same(*found, full_sort(items, queries.row(0), Measure::kDot, options), 1e-4F);
}

TEST(ExactIndex, offers_only_allowed_rows) {
    const Matrix items = random_rows(130, 8, 5);
    const Matrix queries = random_rows(2, 8, 6);
    ThreadPool pool(1);
    const std::vector<std::uint64_t> allowed = {0x8000000000000001U, 0, 2};
    const ExactIndex index(items.view(), Measure::kDot);
    const SearchOptions options = {.k = 10, .allowed = allowed};
    const auto found = index.search(queries.row(1), options);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->size(), 3U);
    expect_same(*found, full_sort(items, queries.row(1), Measure::kDot, options), 1e-4F);
    const auto batch = index.search_batch(queries.view(), {.k = 10, .allowed = allowed}, pool);
    ASSERT_TRUE(batch.ok());
    expect_same(list_of(*batch, 1), *found, 1e-4F);
}

TEST(ExactIndex, leaves_out_what_scores_below_the_least_score) {
    const Matrix items = whole_rows(1000, 4, 7);
    const Matrix queries = whole_rows(1, 4, 8);
    ThreadPool pool(1);
    for (const Measure measure : {Measure::kDot, Measure::kSquaredL2}) {
        const ExactIndex index(items.view(), measure);
        for (const float least : {-10.0F, 0.0F, 9.0F, 1e9F}) {
            const SearchOptions options = {.k = 1000, .min_score = least};
            const auto found = index.search(queries.row(0), options);
            ASSERT_TRUE(found.ok());
            expect_same(*found, full_sort(items, queries.row(0), measure, options), 0);
            const auto batch =
                index.search_batch(queries.view(), {.k = 1000, .min_score = least}, pool);
            ASSERT_TRUE(batch.ok());
            expect_same(list_of(*batch, 0), *found, 0);
        }
    }
}

TEST(ExactIndex, knows_its_corner_cases) {
    const Matrix items = random_rows(5, 3, 9);
    const Matrix zero(1, 3);
    const ExactIndex index(items.view(), Measure::kCosine);
    const auto many = index.search(items.row(0), {.k = std::numeric_limits<std::size_t>::max()});
    ASSERT_TRUE(many.ok());
    EXPECT_EQ(many->size(), 5U);
    EXPECT_EQ(many->front().item_row, 0U);
    EXPECT_NEAR(many->front().score, 1, 1e-6);

    const auto none = index.search(items.row(0), {.k = 0});
    ASSERT_TRUE(none.ok());
    EXPECT_TRUE(none->empty());

    const auto of_zero = index.search(zero.row(0), {.k = 2});
    ASSERT_TRUE(of_zero.ok());
    expect_same(*of_zero, std::vector<ScoredRow>{{0, 0}, {1, 0}}, 0);

    const Matrix nothing(0, 3);
    const ExactIndex empty(nothing.view(), Measure::kDot);
    ThreadPool pool(1);
    EXPECT_TRUE(empty.search(items.row(0), {}).value().empty());
    const auto lists = empty.search_batch(items.view(), {}, pool);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(lists->offsets, std::vector<std::uint64_t>(6, 0));
    const auto no_queries = index.search_batch(nothing.view(), {}, pool);
    ASSERT_TRUE(no_queries.ok());
    EXPECT_EQ(no_queries->view().num_items(), 0U);
}

TEST(ExactIndex, scores_items_of_length_zero_as_zero) {
    Matrix items = random_rows(4, 3, 10);
    std::fill(items.row(2).begin(), items.row(2).end(), 0.0F);
    for (const Setting& setting : {Setting{Measure::kDot, 0.5}, Setting{Measure::kCosine, 0}}) {
        const ExactIndex index(items.view(), setting.measure);
        const auto found =
            index.search(items.row(0), {.k = 4, .popularity_exponent = setting.exponent});
        ASSERT_TRUE(found.ok());
        ASSERT_EQ(found->size(), 4U);
        for (const ScoredRow& scored : *found) {
            if (scored.item_row == 2) {
                EXPECT_EQ(scored.score, 0);
            }
        }
    }
}

TEST(ExactIndex, never_offers_an_item_whose_score_is_not_finite) {
    Matrix items = random_rows(200, 4, 11);
    items.row(3)[1] = kNan;
    items.row(4)[1] = kInfinity;
    items.row(5)[1] = -kInfinity;
    items.row(6)[1] = std::numeric_limits<float>::max();
    ThreadPool pool(1);
    const Matrix queries = random_rows(2, 4, 12);
    for (const Setting& setting : kSettings) {
        const ExactIndex index(items.view(), setting.measure);
        const auto found =
            index.search(queries.row(0), {.k = 200, .popularity_exponent = setting.exponent});
        const auto batch = index.search_batch(
            queries.view(), {.k = 200, .popularity_exponent = setting.exponent}, pool);
        ASSERT_TRUE(found.ok());
        ASSERT_TRUE(batch.ok());
        EXPECT_GE(found->size(), 196U);
        EXPECT_GE(batch->offsets[1], 196U);
        for (const ScoredRow& scored : *found) {
            EXPECT_TRUE(std::isfinite(scored.score));
        }
        for (const float score : batch->scores) {
            EXPECT_TRUE(std::isfinite(score));
        }
    }
}

TEST(ExactIndex, says_what_is_wrong_with_a_question) {
    const Matrix items = random_rows(100, 3, 13);
    const ExactIndex dot(items.view(), Measure::kDot);
    const ExactIndex cosine(items.view(), Measure::kCosine);
    ThreadPool pool(1);
    const std::vector<float> query = {1, 2, 3};
    const std::vector<float> odd = {1, kNan, 3};
    const std::vector<float> infinite = {kInfinity, 2, 3};
    const std::vector<float> shorter = {1, 2};
    const std::vector<std::uint64_t> bitmap = {1};
    EXPECT_EQ(dot.search(odd, {}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dot.search(infinite, {}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dot.search(shorter, {}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dot.search(query, {.allowed = bitmap}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dot.search(query, {.min_score = kNan}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dot.search(query, {.popularity_exponent = NAN}).status().code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(cosine.search(query, {.popularity_exponent = 1}).status().code(),
              StatusCode::kInvalidArgument);

    Matrix queries = random_rows(70, 3, 14);
    queries.row(65)[2] = kNan;
    const auto batch = dot.search_batch(queries.view(), {}, pool);
    ASSERT_FALSE(batch.ok());
    EXPECT_NE(batch.status().message().find("query 65"), std::string::npos)
        << batch.status().message();
    SparseMatrix excluded;
    excluded.num_rows = 2;
    excluded.num_columns = 100;
    excluded.offsets = {0, 0, 0};
    EXPECT_EQ(dot.search_batch(items.view(), {.excluded = excluded.view()}, pool).status().code(),
              StatusCode::kInvalidArgument);
}

TEST(ExactIndex, answers_a_batch_as_it_answers_single_queries) {
    for (const std::size_t dim : {7U, 64U}) {
        const Matrix items = random_rows(20000, dim, 15);
        const Matrix queries = random_rows(131, dim, 16);
        SparseMatrix excluded;
        excluded.num_rows = 131;
        excluded.num_columns = 20000;
        Random random(17);
        for (std::size_t q = 0; q < 131; ++q) {
            std::set<std::uint32_t> rows;
            for (std::size_t i = 0; i < q % 40; ++i) {
                rows.insert(static_cast<std::uint32_t>(random.below(20000)));
            }
            excluded.columns.insert(excluded.columns.end(), rows.begin(), rows.end());
            excluded.offsets.push_back(excluded.columns.size());
        }
        ThreadPool pool(2);
        for (const Setting& setting : kSettings) {
            const ExactIndex index(items.view(), setting.measure);
            const auto batch = index.search_batch(
                queries.view(),
                {.k = 20, .popularity_exponent = setting.exponent, .excluded = excluded.view()},
                pool);
            ASSERT_TRUE(batch.ok());
            for (std::size_t q = 0; q < queries.num_rows(); q += 13) {
                const auto single =
                    index.search(queries.row(q), {.k = 20,
                                                  .popularity_exponent = setting.exponent,
                                                  .excluded = excluded.view().row_columns(q)});
                ASSERT_TRUE(single.ok());
                expect_same(list_of(*batch, q), *single, 1e-4F);
            }
        }
    }
}

TEST(ExactIndex, gives_the_same_bytes_for_any_number_of_threads) {
    const Matrix items = random_rows(30000, 10, 18);
    const Matrix queries = random_rows(200, 10, 19);
    const ExactIndex index(items.view(), Measure::kDot);
    ThreadPool one(1);
    const auto expected = index.search_batch(queries.view(), {.k = 30}, one);
    ASSERT_TRUE(expected.ok());
    for (const unsigned num_threads : {2U, 5U}) {
        ThreadPool pool(num_threads);
        const auto found = index.search_batch(queries.view(), {.k = 30}, pool);
        ASSERT_TRUE(found.ok());
        EXPECT_EQ(found->item_rows, expected->item_rows);
        EXPECT_EQ(found->scores, expected->scores);
    }
}

TEST(NeighbourTable, lists_the_best_of_every_item_but_itself) {
    const Matrix items = random_rows(500, 12, 20);
    ThreadPool pool(2);
    std::size_t reported = 0;
    const auto table = build_neighbour_table(
        items.view(), 15, 0.5, pool, [&](const Progress& progress) { reported = progress.done; });
    ASSERT_TRUE(table.ok());
    EXPECT_EQ(reported, 500U);
    ASSERT_EQ(table->view().num_items(), 500U);
    for (std::uint32_t row = 0; row < 500; ++row) {
        const std::vector<std::uint32_t> self = {row};
        const SearchOptions options = {.k = 15, .popularity_exponent = 0.5, .excluded = self};
        expect_same(list_of(*table, row), full_sort(items, items.row(row), Measure::kDot, options),
                    1e-4F);
    }
}

}  // namespace
}  // namespace segue
