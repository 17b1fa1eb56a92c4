#include "recommend/diversify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::rows_of;

/// Candidates 0.. with falling scores.
std::vector<ScoredRow> candidates_of(std::size_t num_items) {
    std::vector<ScoredRow> candidates;
    for (std::uint32_t row = 0; row < num_items; ++row) {
        candidates.push_back({row, 1 - 0.01F * static_cast<float>(row)});
    }
    return candidates;
}

StringTable column_of(const std::vector<std::string>& texts) {
    StringTable column;
    for (const std::string& text : texts) {
        column.append(text);
    }
    return column;
}

double cosine(std::span<const float> left, std::span<const float> right) {
    double product = 0;
    double left_squares = 0;
    double right_squares = 0;
    for (std::size_t place = 0; place < left.size(); ++place) {
        product += static_cast<double>(left[place]) * static_cast<double>(right[place]);
        left_squares += static_cast<double>(left[place]) * static_cast<double>(left[place]);
        right_squares += static_cast<double>(right[place]) * static_cast<double>(right[place]);
    }
    const double norms = std::sqrt(left_squares * right_squares);
    return norms > 0 ? product / norms : 0;
}

/// The definition, read aloud: every round looks at every candidate and everything chosen.
std::vector<std::uint32_t> slow_choice(const std::vector<ScoredRow>& candidates,
                                       const Diversity& diversity) {
    std::vector<std::uint32_t> chosen;
    std::map<std::string, std::size_t> counts;
    std::vector<bool> is_taken(candidates.size());
    while (chosen.size() < diversity.k) {
        std::ptrdiff_t best = -1;
        double best_value = 0;
        for (std::size_t place = 0; place < candidates.size(); ++place) {
            const std::uint32_t row = candidates[place].item_row;
            const std::string value =
                diversity.cap ? std::string(diversity.cap->column[row]) : std::string();
            if (is_taken[place] ||
                (!value.empty() && counts[value] == diversity.cap->max_per_value)) {
                continue;
            }
            double nearest = chosen.empty() ? 0 : -1;
            for (const std::uint32_t other : chosen) {
                nearest = std::max(
                    nearest, cosine(diversity.vectors.row(row), diversity.vectors.row(other)));
            }
            const double relevance = static_cast<double>(candidates[place].score) /
                                     static_cast<double>(std::abs(candidates[0].score));
            const double worth = chosen.empty()
                                     ? relevance
                                     : (1 - diversity.mmr) * relevance - diversity.mmr * nearest;
            if (best < 0 || worth > best_value + 1e-6) {
                best = static_cast<std::ptrdiff_t>(place);
                best_value = worth;
            }
        }
        if (best < 0) {
            break;
        }
        const auto place = static_cast<std::size_t>(best);
        is_taken[place] = true;
        chosen.push_back(candidates[place].item_row);
        if (diversity.cap) {
            ++counts[std::string(diversity.cap->column[candidates[place].item_row])];
        }
    }
    return chosen;
}

TEST(Diversify, takes_the_first_k_where_nothing_is_asked) {
    const std::vector<ScoredRow> candidates = candidates_of(6);
    EXPECT_EQ(rows_of(choose_diverse(candidates, {.k = 3})), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(choose_diverse(candidates, {.k = 30}).size(), 6u);
    EXPECT_TRUE(choose_diverse({}, {.k = 3}).empty());
    EXPECT_TRUE(choose_diverse(candidates, {.k = 0}).empty());
}

TEST(Diversify, caps_items_of_one_value_and_never_those_of_none) {
    const StringTable brands = column_of({"x", "x", "x", "", "", "y", "y", "x"});
    const std::vector<ScoredRow> candidates = candidates_of(8);
    EXPECT_EQ(rows_of(choose_diverse(candidates, {.k = 5, .cap = ValueCap{brands.view(), 1}})),
              (std::vector<std::uint32_t>{0, 3, 4, 5}));
    EXPECT_EQ(rows_of(choose_diverse(candidates, {.k = 5, .cap = ValueCap{brands.view(), 2}})),
              (std::vector<std::uint32_t>{0, 1, 3, 4, 5}));
}

TEST(Diversify, prefers_what_differs_from_what_is_there) {
    Matrix vectors(4, 2);
    vectors.row(0)[0] = 1;
    vectors.row(1)[0] = 2;  // the same direction
    vectors.row(2)[1] = 1;
    vectors.row(3)[0] = -1;
    const std::vector<ScoredRow> candidates = candidates_of(4);
    const auto chosen = [&](double mmr) {
        return rows_of(choose_diverse(candidates, {.k = 4, .mmr = mmr, .vectors = vectors.view()}));
    };
    EXPECT_EQ(chosen(0), (std::vector<std::uint32_t>{0, 1, 2, 3}));
    EXPECT_EQ(chosen(1), (std::vector<std::uint32_t>{0, 3, 2, 1}));
    EXPECT_EQ(chosen(0.001), (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(Diversify, agrees_with_the_definition_on_random_vectors) {
    Random random(11);
    for (int round = 0; round < 40; ++round) {
        const std::size_t num_items = 1 + random.below(60);
        Matrix vectors(num_items, 5);
        StringTable brands;
        for (std::size_t row = 0; row < num_items; ++row) {
            for (float& value : vectors.row(row)) {
                value = round % 5 == 0 ? 0 : static_cast<float>(random.normal());
            }
            brands.append(random.below(4) == 0 ? "" : testing::numbered("b", random.below(6)));
        }
        Diversity diversity = {.k = 1 + random.below(20),
                               .mmr = 0.05 + 0.9 * random.uniform(),
                               .vectors = vectors.view()};
        if (round % 2 == 0) {
            diversity.cap = ValueCap{brands.view(), 1 + random.below(3)};
        }
        const std::vector<ScoredRow> candidates = candidates_of(num_items);
        EXPECT_EQ(rows_of(choose_diverse(candidates, diversity)),
                  slow_choice(candidates, diversity));
    }
}

}  // namespace
}  // namespace segue
