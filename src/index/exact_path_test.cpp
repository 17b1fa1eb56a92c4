#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "index/leaf_index_test_support.h"

namespace segue {
namespace {

/// Searches beside ExactIndex: the same rows and the same scores.
class ExactPath : public testing::Test {
protected:
    void expect_same(const BuiltIndex& built, const Matrix& queries, IndexSearchOptions options,
                     std::span<const std::uint64_t> allowed = {}) {
        options.path = SearchPath::kExact;
        const IndexTables& tables = built.index.tables();
        const ExactIndex exact(built.items.view(), tables.measure, options.popularity_exponent);
        std::optional<LeafFilter> filter;
        if (!allowed.empty()) {
            filter = LeafFilter::from_bitmap(tables, allowed).value();
            options.filter = &*filter;
        }
        SearchScratch scratch;
        std::vector<std::vector<ScoredRow>> singles;
        for (std::size_t q = 0; q < queries.num_rows(); ++q) {
            const std::vector<ScoredRow> expected =
                exact
                    .search(queries.row(q), {.k = options.k,
                                             .popularity_exponent = options.popularity_exponent,
                                             .excluded = options.excluded,
                                             .allowed = allowed,
                                             .min_score = options.min_score})
                    .value();
            std::vector<ScoredRow> found;
            ASSERT_TRUE(built.index.search(queries.row(q), options, scratch, found).ok());
            ASSERT_TRUE(same_lists(found, expected)) << "query " << q;
            singles.push_back(expected);
        }
        expect_same_batch(built, queries, options, singles);
    }

    static void expect_same_batch(const BuiltIndex& built, const Matrix& queries,
                                  const IndexSearchOptions& options,
                                  const std::vector<std::vector<ScoredRow>>& singles) {
        std::vector<std::uint32_t> excluded(options.excluded.begin(), options.excluded.end());
        std::sort(excluded.begin(), excluded.end());
        excluded.erase(std::unique(excluded.begin(), excluded.end()), excluded.end());
        SparseMatrix each;
        each.num_rows = excluded.empty() ? 0 : queries.num_rows();
        each.num_columns = built.items.num_rows();
        for (std::size_t q = 0; q < each.num_rows; ++q) {
            each.columns.insert(each.columns.end(), excluded.begin(), excluded.end());
            each.offsets.push_back(each.columns.size());
        }
        for (const unsigned num_threads : {1U, 3U}) {
            ThreadPool pool(num_threads);
            const Result<Neighbours> lists =
                built.index.search_batch(queries.view(),
                                         {.k = options.k,
                                          .popularity_exponent = options.popularity_exponent,
                                          .excluded = each.view(),
                                          .filter = options.filter,
                                          .min_score = options.min_score,
                                          .path = SearchPath::kExact},
                                         pool);
            ASSERT_TRUE(lists.ok()) << lists.status().message();
            for (std::size_t q = 0; q < queries.num_rows(); ++q) {
                ASSERT_TRUE(same_lists(list_of(*lists, q), singles[q])) << "batched query " << q;
            }
        }
    }
};

std::vector<std::uint64_t> random_bitmap(std::size_t size, double part, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::uint64_t> bitmap((size + 63) / 64);
    for (std::size_t row = 0; row < size; ++row) {
        bitmap[row / 64] |= std::uint64_t{random.uniform() < part} << (row % 64);
    }
    return bitmap;
}

/// Queries like the items, some of them items, one zero, few long or short.
Matrix queries_for(const Matrix& items, std::size_t count, std::uint64_t seed) {
    Matrix queries = normal_rows(count, items.dim(), seed);
    Random random(seed);
    for (std::size_t q = 0; q < count; ++q) {
        const float factor = q % 10 == 6 ? 1e-20F : q % 10 == 7 ? 1e15F : 1;
        for (float& value : queries.row(q)) {
            value *= q % 10 == 8 ? 0 : factor;
        }
        if (q % 3 == 1 && items.num_rows() > 0) {
            const std::span<const float> item = items.row(random.below(items.num_rows()));
            if (std::all_of(item.begin(), item.end(), [](float v) { return std::isfinite(v); })) {
                std::copy(item.begin(), item.end(), queries.row(q).begin());
            }
        }
    }
    return queries;
}

TEST_F(ExactPath, finds_what_the_scan_of_f32_finds_at_any_dimension) {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        const BuiltIndex built(clustered_rows(301, dim, dim), {.num_leaves = 5});
        ASSERT_NO_FATAL_FAILURE(
            expect_same(built, queries_for(built.items, 11, dim), {.k = 1 + dim % 13}))
            << dim;
    }
    const BuiltIndex built(normal_rows(150, 4096, 1), {.num_leaves = 3});
    expect_same(built, queries_for(built.items, 9, 1), {.k = 5});
}

TEST_F(ExactPath, finds_the_same_for_every_measure_exponent_and_kind_of_item) {
    for (const Measure measure : {Measure::kDot, Measure::kCosine, Measure::kSquaredL2}) {
        for (int kind = 0; kind < 4; ++kind) {
            const std::size_t dim = 24;
            for (const double built_exponent : {0.0, 0.5, 1.0, -1.0}) {
                if (measure != Measure::kDot && built_exponent != 0) {
                    continue;
                }
                const BuiltIndex built(
                    kind == 0   ? normal_rows(700, dim, 1)
                    : kind == 1 ? clustered_rows(700, dim, 2)
                    : kind == 2 ? repeated_rows(700, dim, 11, 3)
                                : odd_rows(700, dim, 4),
                    {.measure = measure, .popularity_exponent = built_exponent, .num_leaves = 7});
                const Matrix queries = queries_for(built.items, 20, 5);
                for (const double exponent : {0.0, 0.5, 1.0, -1.0, 3.0}) {
                    if (measure == Measure::kDot || exponent == 0) {
                        ASSERT_NO_FATAL_FAILURE(
                            expect_same(built, queries, {.k = 10, .popularity_exponent = exponent}))
                            << "measure " << static_cast<int>(measure) << " kind " << kind
                            << " built " << built_exponent << " exponent " << exponent;
                    }
                }
            }
        }
    }
}

TEST_F(ExactPath, gives_k_results_where_k_exist_and_all_where_fewer_do) {
    for (const std::size_t num_items : {0, 1, 2, 31, 32, 33, 100, 1500}) {
        const BuiltIndex built(repeated_rows(num_items, 20, 3, 1),
                               {.num_leaves = num_items > 3 ? 4U : 0U});
        for (const std::size_t k : {0, 1, 7, 33, 1000, 5000}) {
            ASSERT_NO_FATAL_FAILURE(expect_same(built, queries_for(built.items, 70, 2), {.k = k}))
                << num_items << " items, k " << k;
        }
    }
}

TEST_F(ExactPath, leaves_out_what_is_filtered_excluded_or_scores_too_little) {
    const std::size_t num_items = 3000;
    for (const Measure measure : {Measure::kDot, Measure::kSquaredL2}) {
        const BuiltIndex built(clustered_rows(num_items, 40, 7),
                               {.measure = measure, .num_leaves = 12});
        const Matrix queries = queries_for(built.items, 13, 3);
        std::vector<std::uint32_t> excluded = {5, 4, 3, 5, 4000000000, 3000};
        for (std::uint32_t row = 100; row < 1000; row += 3) {
            excluded.push_back(row);
        }
        for (const double part : {0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 1.0}) {
            const std::vector<std::uint64_t> allowed = random_bitmap(num_items, part, 11);
            ASSERT_NO_FATAL_FAILURE(expect_same(built, queries, {.k = 20}, allowed)) << part;
            ASSERT_NO_FATAL_FAILURE(
                expect_same(built, queries, {.k = 20, .excluded = excluded}, allowed))
                << part;
            if (measure == Measure::kDot) {
                ASSERT_NO_FATAL_FAILURE(
                    expect_same(built, queries, {.k = 20, .popularity_exponent = 0.7}, allowed))
                    << part;
            }
        }
        for (const float min_score : {-1e30F, -100.0F, -1.0F, 0.0F, 0.5F, 30.0F, 1e30F}) {
            ASSERT_NO_FATAL_FAILURE(expect_same(
                built, queries, {.k = 50, .excluded = excluded, .min_score = min_score}))
                << min_score;
        }
    }
}

TEST_F(ExactPath, scores_again_by_f32_only_what_bounds_cannot_tell_apart) {
    const BuiltIndex built(normal_rows(20000, 64, 1), {.num_leaves = 40});
    const Matrix queries = normal_rows(4, 64, 2);
    for (std::size_t q = 0; q < 4; ++q) {
        SearchTrace trace;
        search(built.index, queries.row(q), {.k = 10, .path = SearchPath::kExact}, &trace);
        EXPECT_EQ(trace.path, SearchPath::kExact);
        EXPECT_LE(trace.scored, 20000U);
        EXPECT_GE(trace.rescored, 10U);
        EXPECT_LT(trace.rescored, 60U);
    }
}

}  // namespace
}  // namespace segue
