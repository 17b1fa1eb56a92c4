#include "library/vector_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "base/temporary_folder.h"

namespace segue {
namespace {

constexpr std::size_t kDim = 12;

std::vector<float> random_vectors(std::size_t num_rows, std::uint64_t seed) {
    Random random(seed);
    std::vector<float> vectors(num_rows * kDim);
    for (float& value : vectors) {
        value = static_cast<float>(random.normal());
    }
    return vectors;
}

std::vector<ScoredRow> best_by_dot(const std::vector<float>& vectors, std::span<const float> query,
                                   std::size_t k) {
    std::vector<ScoredRow> all;
    for (std::uint32_t row = 0; row < vectors.size() / kDim; ++row) {
        double sum = 0;
        for (std::size_t i = 0; i < kDim; ++i) {
            sum += static_cast<double>(query[i]) * static_cast<double>(vectors[row * kDim + i]);
        }
        all.push_back({row, static_cast<float>(sum)});
    }
    std::sort(all.begin(), all.end(), comes_before);
    all.resize(std::min(k, all.size()));
    return all;
}

std::vector<std::uint32_t> rows_of(const std::vector<ScoredRow>& results) {
    std::vector<std::uint32_t> rows;
    for (const ScoredRow& result : results) {
        rows.push_back(result.item_row);
    }
    return rows;
}

TEST(VectorIndex, finds_what_a_scan_finds_before_and_after_a_file) {
    const std::vector<float> vectors = random_vectors(500, 1);
    const std::vector<float> queries = random_vectors(20, 2);
    Result<VectorIndex> built = VectorIndex::build(vectors, kDim, {.num_threads = 1});
    ASSERT_TRUE(built.ok()) << built.status().message();
    const testing::TemporaryFolder folder;
    const std::string path = folder.path() + "/vectors.segue";
    ASSERT_TRUE(built->save(path).ok());
    Result<VectorIndex> opened = VectorIndex::open(path);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_EQ(opened->num_rows(), 500);
    EXPECT_EQ(opened->dim(), kDim);
    EXPECT_EQ(opened->key(499), "499");

    for (const VectorIndex* index : {&*built, &*opened}) {
        VectorScratch scratch;
        std::vector<ScoredRow> results;
        const auto lists = index->search_batch(queries, {.k = 7, .path = VectorPath::kExact}, 2);
        ASSERT_TRUE(lists.ok());
        for (std::size_t query = 0; query < 20; ++query) {
            const auto vector = std::span(queries).subspan(query * kDim, kDim);
            ASSERT_TRUE(
                index->search(vector, {.k = 7, .path = VectorPath::kExact}, scratch, results).ok());
            EXPECT_EQ(rows_of(results), rows_of(best_by_dot(vectors, vector, 7)));
            EXPECT_EQ(rows_of((*lists)[query]), rows_of(results));
        }
    }
}

TEST(VectorIndex, leaves_out_what_is_excluded_or_not_in_the_filter) {
    const std::vector<float> vectors = random_vectors(100, 3);
    const Result<VectorIndex> index = VectorIndex::build(vectors, kDim, {.num_threads = 1});
    ASSERT_TRUE(index.ok());
    const Result<VectorFilter> filter =
        index->make_filter(std::vector<std::uint64_t>{0b1111'0000, 0});
    ASSERT_TRUE(filter.ok());
    EXPECT_EQ(filter->count(), 4);
    VectorScratch scratch;
    std::vector<ScoredRow> results;
    const std::vector<std::uint32_t> excluded = {5, 1000};
    ASSERT_TRUE(index
                    ->search(std::span(vectors).first(kDim), {.k = 10, .excluded = excluded},
                             scratch, results, &*filter)
                    .ok());
    std::vector<std::uint32_t> rows = rows_of(results);
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(rows, (std::vector<std::uint32_t>{4, 6, 7}));
    const auto lists = index->search_batch(std::span(vectors).first(2 * kDim),
                                           {.k = 10, .excluded = excluded}, 1, &*filter);
    ASSERT_TRUE(lists.ok());
    EXPECT_EQ(rows_of((*lists)[0]), rows_of(results));
    EXPECT_EQ((*lists)[1].size(), 3);
}

TEST(VectorIndex, says_what_is_wrong_with_its_arguments) {
    const std::vector<float> vectors(25);
    EXPECT_EQ(VectorIndex::build(vectors, kDim).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(VectorIndex::build(vectors, 0).status().code(), StatusCode::kInvalidArgument);
    const Result<VectorIndex> index =
        VectorIndex::build(std::span(vectors).first(24), kDim, {.num_threads = 1});
    ASSERT_TRUE(index.ok());
    VectorScratch scratch;
    std::vector<ScoredRow> results;
    EXPECT_EQ(index->search(std::span(vectors).first(3), {}, scratch, results).code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(index->search_batch(vectors, {}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(index->make_filter(std::vector<std::uint64_t>(2)).status().code(),
              StatusCode::kInvalidArgument);
}

TEST(VectorIndex, a_file_that_exists_is_kept_unless_told_otherwise) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.path() + "/vectors.segue";
    const Result<VectorIndex> index =
        VectorIndex::build(random_vectors(30, 4), kDim, {.num_threads = 1});
    ASSERT_TRUE(index.ok());
    ASSERT_TRUE(index->save(path).ok());
    EXPECT_FALSE(index->save(path).ok());
    EXPECT_TRUE(index->save(path, true).ok());
    const Result<VectorIndex> opened = VectorIndex::open(path);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(opened->save(folder.path() + "/copy.segue").ok());
    EXPECT_TRUE(VectorIndex::open(folder.path() + "/copy.segue").ok());
    EXPECT_EQ(VectorIndex::open(folder.path() + "/missing.segue").status().code(),
              StatusCode::kNotFound);
}

}  // namespace
}  // namespace segue
