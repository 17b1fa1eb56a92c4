// A bundle with any byte flipped, opened without checksums, is refused or answers with known items
// and finite scores.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "model/model.h"
#include "model/model_fixture.h"
#include "recommend/recommend.h"

namespace segue {
namespace {

std::vector<Query> all_kinds_of_queries() {
    std::vector<Query> queries(6);
    queries[0].items = {{"a", 1}};
    queries[1].items = {{"b", 1}, {"d", 2}};
    queries[2].group_key = "z";
    queries[3].history = {"a", "c"};
    queries[4].vector = {0.5f, -1};
    queries[5].items = {{"c", 1}};
    queries[5].exclude = {"a"};
    queries[5].popularity_exponent = 1.0;
    return queries;
}

/// Some queries are refused for good reasons: a damaged key is not known, lists take no vector.
void expect_well_formed_answers(const Model& model, const std::vector<Query>& queries) {
    const Recommender recommender(model);
    for (const Query& query : queries) {
        const Result<Answer> answer = recommender.answer(query);
        if (!answer.ok()) {
            ASSERT_FALSE(answer.status().message().empty());
            continue;
        }
        ASSERT_LE(answer->results.size(), model.num_items());
        for (const ScoredRow& result : answer->results) {
            ASSERT_LT(result.item_row, model.num_items());
            ASSERT_TRUE(std::isfinite(result.score));
        }
    }
    for (std::uint32_t row = 0; row < model.num_items(); ++row) {
        const auto evidence = recommender.evidence(0, row);
        ASSERT_TRUE(!evidence || std::isfinite(evidence->pmi));
    }
    for (const TitleMatch& match : recommender.find_titles("song a", 3)) {
        ASSERT_LT(match.item_row, model.num_items());
    }
}

class DamagedAnswers : public ::testing::TestWithParam<AnswerBy> {};

TEST_P(DamagedAnswers, are_well_formed_whatever_byte_is_flipped) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.file("m.segue");
    const Status written =
        write_bundle(GetParam() == AnswerBy::kLists ? testing::small_parts(GetParam())
                                                    : testing::small_indexed_parts(GetParam()),
                     path, false);
    ASSERT_TRUE(written.ok()) << written.message();
    const std::string bytes = *read_text_file(path, 1 << 20);
    const std::vector<Query> queries = all_kinds_of_queries();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor, 0);
    int num_opened = 0;
    for (std::size_t place = 0; place < bytes.size(); ++place) {
        const auto put = [&](int byte) {
            const char value = static_cast<char>(byte);
            ASSERT_EQ(::pwrite(descriptor, &value, 1, static_cast<off_t>(place)), 1);
        };
        for (const int flip : {0x01, 0x40, 0xFF}) {
            put(bytes[place] ^ flip);
            const Result<Model> model = Model::open(path, {.verify_checksums = false});
            if (model.ok()) {
                ++num_opened;
                expect_well_formed_answers(*model, queries);
            }
            if (HasFatalFailure()) {
                FAIL() << "byte " << place << " flipped by " << flip;
            }
        }
        put(bytes[place]);
    }
    ::close(descriptor);
    EXPECT_GT(num_opened, 100);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, DamagedAnswers,
                         ::testing::Values(AnswerBy::kLists, AnswerBy::kFoldIn, AnswerBy::kVectors),
                         [](const auto& way) { return std::string(name_of(way.param)); });

}  // namespace
}  // namespace segue
