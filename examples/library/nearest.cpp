// Builds an index over random vectors, keeps it in a file and searches it.

#include <segue/vector_index.h>

#include <cstdio>
#include <random>
#include <vector>

int main() {
    constexpr std::size_t kRows = 20000;
    constexpr std::size_t kDim = 32;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> vectors(kRows * kDim);
    for (float& value : vectors) {
        value = normal(random);
    }
    auto built = segue::VectorIndex::build(vectors, kDim, {.measure = segue::Measure::kCosine});
    if (!built.ok() || !built->save("nearest.segue", true).ok()) {
        return 1;
    }
    const auto index = segue::VectorIndex::open("nearest.segue");
    const auto query = std::span(vectors).subspan(7 * kDim, kDim);
    segue::VectorScratch scratch;
    std::vector<segue::ScoredRow> results;
    if (!index.ok() || !index->search(query, {.k = 5}, scratch, results).ok()) {
        return 1;
    }
    for (const auto& [row, score] : results) {
        std::printf("row %u, cosine %.3f\n", row, static_cast<double>(score));
    }
    return results.size() == 5 && results[0].item_row == 7 ? 0 : 1;
}
