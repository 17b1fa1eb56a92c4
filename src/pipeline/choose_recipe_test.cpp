#include "pipeline/choose_recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/planted_genres.h"

namespace segue {
namespace {

Result<RecipeChoice> choose(const Dataset& dataset, const ChooseParams& params,
                            unsigned num_threads = 2, const ProgressListener& progress = {}) {
    ThreadPool pool(num_threads);
    RecipeParams fit;
    fit.dim = 8;
    return choose_recipe(dataset, fit, params, pool, progress);
}

const Candidate& candidate_of(const RecipeChoice& choice, Recipe recipe) {
    return *std::ranges::find(choice.candidates, recipe, &Candidate::recipe);
}

std::string text_of(const RecipeChoice& choice) {
    JsonWriter json;
    write_choice(choice, json);
    return json.take();
}

TEST(ChooseRecipe, takes_the_best_of_all_recipes_but_the_blueprint) {
    std::string note;
    const Result<RecipeChoice> choice =
        choose(planted_genres(300), {}, 2, [&note](const Progress& progress) {
            note = progress.total == 0 && progress.done == 0 ? std::string(progress.note) : note;
        });
    ASSERT_TRUE(choice.ok()) << choice.status().message();
    EXPECT_EQ(choice->candidates.size(), names_of_candidates().size() + 1)
        << "graph-filter in two regimes";
    EXPECT_EQ(names_of_candidates().size() + 1, recipe_registry().size());
    EXPECT_EQ(choice->winner, choice->candidates.front().recipe);
    EXPECT_EQ(choice->params.recipe, choice->winner);
    EXPECT_EQ(choice->judged_groups, 900u) << "three parts of a small table";
    EXPECT_EQ(choice->share_of_groups, 1);
    for (const Candidate& candidate : choice->candidates) {
        EXPECT_TRUE(candidate.left_out.empty()) << candidate.left_out;
        EXPECT_GT(candidate.score.recall, 0.5) << name_of(candidate.recipe);
        EXPECT_LE(candidate.score.rank(), choice->candidates.front().score.rank());
        EXPECT_NE(note.find(name_of(candidate.recipe)), std::string::npos) << note;
    }
}

TEST(ChooseRecipe, tries_one_regime_alone_of_a_recipe_that_was_told_something) {
    RecipeParams told;
    told.dim = 8;
    told.graph_filter.sharpening = 0.5;
    ThreadPool pool(2);
    const Result<RecipeChoice> choice = choose_recipe(planted_genres(200), told, {}, pool);
    ASSERT_TRUE(choice.ok()) << choice.status().message();
    EXPECT_EQ(choice->candidates.size(), names_of_candidates().size());
    EXPECT_EQ(candidate_of(*choice, Recipe::kGraphFilter).params.graph_filter.sharpening, 0.5);
    const Result<RecipeChoice> untold = choose(planted_genres(200), {});
    ASSERT_TRUE(untold.ok()) << untold.status().message();
    EXPECT_NE(text_of(*untold).find("\"graph-filter (group-exponent 0.75"), std::string::npos)
        << text_of(*untold);
}

TEST(ChooseRecipe, is_the_same_for_any_number_of_threads) {
    const Dataset dataset = planted_genres(200);
    const Result<RecipeChoice> one = choose(dataset, {}, 1);
    const Result<RecipeChoice> three = choose(dataset, {}, 3);
    ASSERT_TRUE(one.ok() && three.ok());
    EXPECT_EQ(text_of(*one), text_of(*three));
    EXPECT_EQ(one->winner, three->winner);
}

TEST(ChooseRecipe, leaves_out_and_names_what_does_not_fit_in_memory) {
    const Dataset dataset = planted_genres(200);
    RecipeParams wide;
    wide.dim = 512;
    wide.recipe = Recipe::kIals;
    RecipeParams counts;
    counts.recipe = Recipe::kCooc;
    const SparseView interactions = dataset.interactions.view();
    const std::uint64_t most = estimated_cost(counts, interactions).bytes;
    ASSERT_GT(estimated_cost(wide, interactions).bytes, most);
    ThreadPool pool(2);
    const Result<RecipeChoice> choice = choose_recipe(dataset, wide, {.max_bytes = most}, pool);
    ASSERT_TRUE(choice.ok()) << choice.status().message();
    EXPECT_TRUE(candidate_of(*choice, Recipe::kCooc).left_out.empty());
    const Candidate& left_out = candidate_of(*choice, Recipe::kIals);
    EXPECT_NE(left_out.left_out.find("memory"), std::string::npos) << left_out.left_out;
    EXPECT_NE(text_of(*choice).find("\"ials\":\"left out: needs"), std::string::npos);
    EXPECT_FALSE(choose(dataset, {.max_bytes = 1}).ok());
}

TEST(ChooseRecipe, tries_fewer_groups_or_recipes_when_time_is_short) {
    const Dataset dataset = planted_genres(3000);
    const Result<RecipeChoice> whole = choose(dataset, {.most_judged_groups = 100});
    ASSERT_TRUE(whole.ok()) << whole.status().message();
    EXPECT_EQ(whole->judged_groups, 100u);
    double seconds = 0;
    for (const Candidate& candidate : whole->candidates) {
        seconds += candidate.trial_seconds;
    }
    const Result<RecipeChoice> part = choose(dataset, {.max_seconds = 0.6 * seconds});
    ASSERT_TRUE(part.ok()) << part.status().message();
    EXPECT_TRUE(part->share_of_groups < 1 ||
                std::ranges::any_of(part->candidates,
                                    [](const Candidate& c) { return !c.left_out.empty(); }));
    const Result<RecipeChoice> none = choose(dataset, {.max_seconds = 1e-9});
    ASSERT_TRUE(none.ok()) << none.status().message();
    ASSERT_EQ(none->warnings.size(), 1u);
    EXPECT_FALSE(choose(dataset, {.max_seconds = 0}).ok());
}

/// Every item in six groups, far from each other: also in half of the groups nearly all are there.
Dataset wide_table(std::uint32_t num_items) {
    constexpr std::uint32_t kGroupSize = 6;
    Dataset dataset;
    std::vector<Triplet> entries;
    for (std::uint32_t group = 0; group < num_items; ++group) {
        dataset.items.insert("item" + std::to_string(group));
        dataset.groups.insert("group" + std::to_string(group));
        for (std::uint32_t place = 0; place < kGroupSize; ++place) {
            entries.push_back({group, (group + place * place * 101) % num_items, 1});
        }
    }
    dataset.interactions = sparse_from_triplets(num_items, num_items, entries);
    return dataset;
}

TEST(ChooseRecipe, leaves_out_one_costly_recipe_before_it_looks_at_a_few_groups_only) {
    const Result<RecipeChoice> choice =
        choose(wide_table(6000), {.max_seconds = 0.7, .most_judged_groups = 50});
    ASSERT_TRUE(choice.ok()) << choice.status().message();
    const std::string& why = candidate_of(*choice, Recipe::kEase).left_out;
    EXPECT_NE(why.find("are given"), std::string::npos) << why;
    EXPECT_EQ(choice->share_of_groups, 1);
}

TEST(ChooseRecipe, holds_out_one_item_of_short_groups_and_warns_where_there_are_no_pairs) {
    Dataset pairs;
    Dataset singles;
    std::vector<Triplet> pair_entries;
    std::vector<Triplet> single_entries;
    for (std::uint32_t item = 0; item < 10; ++item) {
        pairs.items.insert("item" + std::to_string(item));
        singles.items.insert("item" + std::to_string(item));
    }
    for (std::uint32_t group = 0; group < 200; ++group) {
        pairs.groups.insert("group" + std::to_string(group));
        singles.groups.insert("group" + std::to_string(group));
        const std::uint32_t item = group % 5;
        pair_entries.insert(pair_entries.end(), {{group, item, 1}, {group, item + 5, 1}});
        single_entries.push_back({group, item, 1});
    }
    pairs.interactions = sparse_from_triplets(200, 10, pair_entries);
    singles.interactions = sparse_from_triplets(200, 10, single_entries);
    const Result<RecipeChoice> of_pairs = choose(pairs, {});
    ASSERT_TRUE(of_pairs.ok()) << of_pairs.status().message();
    EXPECT_GT(of_pairs->candidates.front().score.recall, 0.9);
    const Result<RecipeChoice> of_singles = choose(singles, {});
    ASSERT_TRUE(of_singles.ok()) << of_singles.status().message();
    EXPECT_EQ(of_singles->winner, Recipe::kIals);
    EXPECT_EQ(of_singles->warnings.size(), 1u);
}

}  // namespace
}  // namespace segue
