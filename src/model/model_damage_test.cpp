#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "model/model.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

using testing::small_indexed_parts;
using testing::small_parts;
using testing::TemporaryFolder;

std::size_t walk_strings(StringTableView table) {
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < table.size(); ++row) {
        for (const char c : table[row]) {
            bytes += c == 'a' ? 2 : 1;
        }
    }
    return bytes;
}

/// Whatever the tables hold, results are known items with finite scores.
void expect_well_formed_searches(const LeafIndex& index) {
    SearchScratch scratch;
    std::vector<ScoredRow> results;
    const std::vector<float> query = {1, -2};
    for (const SearchPath path : {SearchPath::kAuto, SearchPath::kExact, SearchPath::kTree}) {
        for (const double exponent : {0.0, 0.5}) {
            IndexSearchOptions options;
            options.k = 3;
            options.path = path;
            options.popularity_exponent = exponent;
            const Status status = index.search(query, options, scratch, results);
            if (!status.ok()) {
                ASSERT_FALSE(status.message().empty());
                continue;
            }
            ASSERT_LE(results.size(), 3U);
            for (const ScoredRow& result : results) {
                ASSERT_LT(result.item_row, index.tables().num_items);
                ASSERT_TRUE(std::isfinite(result.score));
            }
        }
    }
}

/// Touches everything a model hands out; nothing may lie outside, be unknown or not be finite.
void expect_well_formed(const Model& model) {
    const std::size_t num_items = model.num_items();
    std::size_t touched = walk_strings(model.item_keys()) + walk_strings(model.group_keys());
    for (std::size_t row = 0; row < num_items; ++row) {
        ASSERT_EQ(model.find_item(model.item_keys()[row]), row);
    }
    for (std::size_t row = 0; row < model.group_keys().size(); ++row) {
        ASSERT_EQ(model.find_group(model.group_keys()[row]), row);
    }
    for (std::size_t index = 0; index < model.attribute_names().size(); ++index) {
        ASSERT_EQ(model.attribute(index).size(), num_items);
        touched += walk_strings(model.attribute(index));
    }
    ASSERT_TRUE(model.item_frequencies().empty() || model.item_frequencies().size() == num_items);
    const MatrixView vectors = model.item_vectors();
    ASSERT_TRUE(vectors.num_rows == 0 || vectors.num_rows == num_items);
    for (std::size_t row = 0; row < vectors.num_rows; ++row) {
        for (const float value : std::span(vectors.data + row * vectors.stride, vectors.stride)) {
            ASSERT_TRUE(std::isfinite(value * value));
        }
    }
    const NeighboursView neighbours = model.neighbours();
    for (std::size_t item = 0; item < neighbours.num_items(); ++item) {
        for (std::uint64_t entry = neighbours.offsets[item]; entry < neighbours.offsets[item + 1];
             ++entry) {
            ASSERT_LT(neighbours.item_rows[entry], num_items);
            ASSERT_TRUE(std::isfinite(neighbours.scores[entry]));
            touched += neighbours.together.empty() ? 0 : neighbours.together[entry];
        }
    }
    if (model.index() != nullptr) {
        ASSERT_NO_FATAL_FAILURE(expect_well_formed_searches(*model.index()));
    }
    const SparseView by_item = model.interactions_by_item();
    ASSERT_EQ(by_item.num_rows, num_items);
    for (std::size_t group = 0; group < model.interactions().num_rows; ++group) {
        for (const std::uint32_t item : model.interactions().row_columns(group)) {
            ASSERT_LT(item, num_items);
            touched += by_item.row_size(item);
        }
    }
    ASSERT_TRUE(std::isfinite(model.info().popularity_exponent));
    ASSERT_GT(touched, 0u);
}

/// A small bundle that is damaged in place, as often as there are bytes.
class DamagedBundle : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        ASSERT_TRUE(
            write_bundle(GetParam() ? small_indexed_parts() : small_parts(), path_, false).ok());
        bytes_ = *read_text_file(path_, 1 << 20);
        descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
        ASSERT_GE(descriptor_, 0);
    }
    void TearDown() override { ::close(descriptor_); }

    void set_byte(std::size_t place, char byte) {
        ASSERT_EQ(::pwrite(descriptor_, &byte, 1, static_cast<off_t>(place)), 1);
    }
    void set_length(std::size_t length) {
        ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(length)), 0);
    }

    void expect_refused_or_well_formed(std::size_t place) {
        const Result<Model> verified = Model::open(path_);
        ASSERT_FALSE(verified.ok()) << "byte " << place;
        const Result<Model> trusting = Model::open(path_, {.verify_checksums = false});
        if (trusting.ok()) {
            expect_well_formed(*trusting);
            ++num_opened_;
        } else {
            ASSERT_FALSE(trusting.status().message().empty());
        }
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("m.segue");
    std::string bytes_;
    int descriptor_ = -1;
    int num_opened_ = 0;
};

TEST_P(DamagedBundle, every_flipped_byte_is_refused_or_harmless) {
    for (std::size_t place = 0; place < bytes_.size(); ++place) {
        for (const int flip : {0x01, 0x10, 0x80, 0xFF}) {
            set_byte(place, static_cast<char>(bytes_[place] ^ flip));
            expect_refused_or_well_formed(place);
        }
        set_byte(place, bytes_[place]);
    }
    EXPECT_TRUE(Model::open(path_).ok());
    // Letters of titles, for one, cannot be told from others without checksums.
    EXPECT_GT(num_opened_, 0);
}

TEST_P(DamagedBundle, every_truncation_is_refused) {
    for (std::size_t length = bytes_.size(); length > 0; --length) {
        set_length(length - 1);
        expect_refused_or_well_formed(length - 1);
    }
    EXPECT_EQ(num_opened_, 0);
}

TEST_P(DamagedBundle, bytes_behind_the_end_are_refused) {
    set_length(bytes_.size() + 1);
    expect_refused_or_well_formed(bytes_.size());
    EXPECT_EQ(num_opened_, 0);
}

TEST_P(DamagedBundle, digits_exchanged_in_the_header_are_refused_or_harmless) {
    const std::size_t header_end = bytes_.find("  ");
    for (std::size_t place = 8; place < header_end; ++place) {
        if (bytes_[place] < '0' || bytes_[place] > '9') {
            continue;
        }
        for (const char other : {'0', '1', '9', '-', '.', 'e'}) {
            if (other != bytes_[place]) {
                set_byte(place, other);
                expect_refused_or_well_formed(place);
            }
        }
        set_byte(place, bytes_[place]);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, DamagedBundle, ::testing::Bool(), [](const auto& indexed) {
    return std::string(indexed.param ? "with_index" : "without_index");
});

}  // namespace
}  // namespace segue
