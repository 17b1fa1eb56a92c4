#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/file.h"
#include "model/model.h"
#include "model/model_fixture.h"

namespace segue {
namespace {

using testing::small_parts;
using testing::TemporaryFolder;

void put(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::size_t walk_strings(StringTableView table) {
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < table.size(); ++row) {
        for (const char c : table[row]) {
            bytes += c == 'a' ? 2 : 1;
        }
    }
    return bytes;
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

class DamagedBundle : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(write_bundle(small_parts(), path_, false).ok());
        bytes_ = *read_text_file(path_, 1 << 20);
    }

    void expect_refused_or_well_formed(std::string_view bytes, std::size_t place) {
        put(path_, bytes);
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
    int num_opened_ = 0;
};

TEST_F(DamagedBundle, every_flipped_byte_is_refused_or_harmless) {
    for (std::size_t place = 0; place < bytes_.size(); ++place) {
        for (const int flip : {0x01, 0x10, 0x80, 0xFF}) {
            std::string damaged = bytes_;
            damaged[place] = static_cast<char>(damaged[place] ^ flip);
            expect_refused_or_well_formed(damaged, place);
        }
    }
    // Letters of titles, for one, cannot be told from others without checksums.
    EXPECT_GT(num_opened_, 0);
}

TEST_F(DamagedBundle, every_truncation_is_refused) {
    for (std::size_t length = 0; length < bytes_.size(); ++length) {
        expect_refused_or_well_formed(std::string_view(bytes_).substr(0, length), length);
    }
    EXPECT_EQ(num_opened_, 0);
}

TEST_F(DamagedBundle, bytes_behind_the_end_are_refused) {
    expect_refused_or_well_formed(bytes_ + std::string(1, '\0'), bytes_.size());
    EXPECT_EQ(num_opened_, 0);
}

TEST_F(DamagedBundle, digits_exchanged_in_the_header_are_refused_or_harmless) {
    const std::size_t header_end = bytes_.find("  ");
    for (std::size_t place = 8; place < header_end; ++place) {
        if (bytes_[place] < '0' || bytes_[place] > '9') {
            continue;
        }
        for (const char other : {'0', '1', '9', '-', '.', 'e'}) {
            if (other != bytes_[place]) {
                std::string damaged = bytes_;
                damaged[place] = other;
                expect_refused_or_well_formed(damaged, place);
            }
        }
    }
}

}  // namespace
}  // namespace segue
