#include "recommend/attribute_filter.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "recommend/recommend_fixture.h"

namespace segue {
namespace {

using testing::checkerboard;

/// Eight items with a colour and a price; item 6 has neither, item 7 a price that is no number.
Model priced_items() {
    ModelParts parts = checkerboard(AnswerBy::kVectors);
    parts.attributes = {};
    parts.attributes.names = {"color", "price"};
    parts.attributes.columns.resize(2);
    for (const char* const color : {"red", "blue", "purple", "red", "green", "blue", "", "red"}) {
        parts.attributes.columns[0].append(color);
    }
    for (const char* const price : {"1", "2.5", "-3", "1e2", "100", "99.99", "", "cheap"}) {
        parts.attributes.columns[1].append(price);
    }
    return Model::from_parts(std::move(parts));
}

std::set<std::uint32_t> allowed_by(const Model& model, const AttributeConditions& conditions) {
    const Result<AttributeFilter> filter = AttributeFilter::compile(model, conditions);
    EXPECT_TRUE(filter.ok()) << filter.status().message();
    std::set<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < model.num_items(); ++row) {
        if (filter->allows(row)) {
            rows.insert(row);
        }
    }
    return rows;
}

AttributeCondition color_in(std::vector<std::string> values) {
    AttributeCondition condition;
    condition.attribute = "color";
    condition.in = std::move(values);
    return condition;
}

AttributeCondition price_within(AttributeCondition::Range range) {
    AttributeCondition condition;
    condition.attribute = "price";
    condition.range = range;
    return condition;
}

using Rows = std::set<std::uint32_t>;

TEST(AttributeFilter, is_and_across_conditions_and_or_within_one) {
    const Model model = priced_items();
    EXPECT_EQ(allowed_by(model, {}), (Rows{0, 1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(allowed_by(model, {{color_in({"red", "blue"})}, {}}), (Rows{0, 1, 3, 5, 7}));
    EXPECT_EQ(allowed_by(model, {{color_in({"red", "blue"})}, {color_in({"purple"})}}),
              (Rows{0, 1, 3, 5, 7}));
    EXPECT_EQ(allowed_by(model, {{}, {color_in({"purple"})}}), (Rows{0, 1, 3, 4, 5, 6, 7}));
    EXPECT_EQ(allowed_by(model, {{color_in({"red"}), color_in({"blue"})}, {}}), Rows());
    EXPECT_EQ(allowed_by(model, {{color_in({})}, {}}), Rows());
}

TEST(AttributeFilter, reads_numbers_and_leaves_out_what_is_none) {
    const Model model = priced_items();
    EXPECT_EQ(allowed_by(model, {{price_within({.above = 1})}, {}}), (Rows{1, 3, 4, 5}));
    EXPECT_EQ(allowed_by(model, {{price_within({.at_least = 1, .below = 100})}, {}}),
              (Rows{0, 1, 5}));
    EXPECT_EQ(allowed_by(model, {{price_within({.at_most = 1})}, {}}), (Rows{0, 2}));
    EXPECT_EQ(allowed_by(model, {{price_within({.at_least = 100, .at_most = 100})}, {}}),
              (Rows{3, 4}));
    EXPECT_EQ(allowed_by(model, {{}, {price_within({.above = 0})}}), (Rows{2, 6, 7}));
}

TEST(AttributeFilter, compares_the_first_bytes_of_a_text) {
    const Model model = priced_items();
    AttributeCondition starts;
    starts.attribute = "color";
    starts.prefix = "r";
    EXPECT_EQ(allowed_by(model, {{starts}, {}}), (Rows{0, 3, 7}));
    starts.prefix = "";
    EXPECT_EQ(allowed_by(model, {{starts}, {}}), (Rows{0, 1, 2, 3, 4, 5, 7}));
}

TEST(AttributeFilter, refuses_what_it_cannot_decide) {
    const Model model = priced_items();
    const auto refused = [&](AttributeCondition condition) {
        return AttributeFilter::compile(model, {{}, {std::move(condition)}}).status().message();
    };
    AttributeCondition condition = color_in({"red"});
    condition.attribute = "colour";
    EXPECT_EQ(refused(condition), "the model has no attribute 'colour'; it has 'color', 'price'");
    condition = color_in({"red"});
    condition.prefix = "r";
    EXPECT_EQ(refused(condition),
              "a condition on 'color' must be one of in, range and prefix, found 2 of them");
    condition = AttributeCondition();
    condition.attribute = "color";
    EXPECT_EQ(refused(condition),
              "a condition on 'color' must be one of in, range and prefix, found 0 of them");
    EXPECT_EQ(refused(price_within({})), "the range on 'price' has no bound");
    EXPECT_EQ(refused(price_within({.above = std::numeric_limits<double>::infinity()})),
              "a bound on 'price' is not a finite number");
}

TEST(AttributeFilter, agrees_with_a_truth_table_over_random_conditions) {
    const Model model = priced_items();
    const std::vector<std::string> colors = {"red", "blue", "purple", "green", "white"};
    Random random(5);
    for (int round = 0; round < 200; ++round) {
        AttributeConditions conditions;
        std::vector<std::set<std::string>> wanted;
        for (int place = 0; place < 3; ++place) {
            std::set<std::string> values;
            for (const std::string& color : colors) {
                if (random.below(2) == 0) {
                    values.insert(color);
                }
            }
            wanted.push_back(values);
            (place < 2 ? conditions.must : conditions.must_not)
                .push_back(color_in({values.rbegin(), values.rend()}));
        }
        Rows expected;
        for (std::uint32_t row = 0; row < model.num_items(); ++row) {
            const std::string color(model.attribute(0)[row]);
            if (wanted[0].contains(color) && wanted[1].contains(color) &&
                !wanted[2].contains(color)) {
                expected.insert(row);
            }
        }
        EXPECT_EQ(allowed_by(model, conditions), expected);
    }
}

TEST(AttributeFilter, has_a_key_that_tells_conditions_apart) {
    std::vector<AttributeConditions> all(9);
    const auto one = [](std::string attribute) {
        AttributeCondition condition;
        condition.attribute = std::move(attribute);
        return condition;
    };
    AttributeCondition in = one("a");
    in.in = {"b", "c"};
    AttributeCondition joined = one("a");
    joined.in = {"b1:c"};
    AttributeCondition prefix = one("a");
    prefix.prefix = "b";
    AttributeCondition above = one("a");
    above.range = AttributeCondition::Range{.above = 1};
    AttributeCondition least = one("a");
    least.range = AttributeCondition::Range{.at_least = 1};
    all[1].must = {in};
    all[2].must_not = {in};
    all[3].must = {joined};
    all[4].must = {prefix};
    all[5].must = {above};
    all[6].must = {least};
    all[7].must = {in, prefix};
    all[8].must = {in};
    all[8].must_not = {prefix};
    std::set<std::string> keys;
    for (const AttributeConditions& conditions : all) {
        EXPECT_EQ(key_of(conditions), key_of(AttributeConditions(conditions)));
        keys.insert(key_of(conditions));
    }
    EXPECT_EQ(keys.size(), all.size());
}

}  // namespace
}  // namespace segue
