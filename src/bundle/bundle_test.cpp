#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/checksum.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "bundle/inspect.h"
#include "bundle/reader.h"
#include "bundle/writer.h"

namespace segue {
namespace {

using testing::TemporaryFolder;

void put(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string bytes_at(const std::string& path) {
    return *read_text_file(path, std::size_t{1} << 30);
}

/// A file with that header and as many bytes of data.
std::string file_of(std::string_view header, std::size_t data_bytes) {
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + std::string(header) + std::string(data_bytes, '\0');
}

Status parsed(std::string_view file) {
    return parse_header(std::as_bytes(std::span(file))).status();
}

struct SmallTensors {
    std::vector<float> matrix = std::vector<float>(32, 1.5f);
    std::vector<std::uint64_t> offsets = {0, 1, 3};
    std::vector<std::uint32_t> rows = {7, 8, 9};
    std::string text = "abc";
};

void fill(BundleWriter& writer, const SmallTensors& tensors) {
    writer.add_metadata("segue.recipe", "te\"st");
    writer.add_metadata("number", 0.1);
    writer.add_metadata("count", std::uint64_t{3});
    writer.add_tensor("text", {3}, std::span<const char>(tensors.text));
    writer.add_tensor("rows", {3, 1}, std::span<const std::uint32_t>(tensors.rows));
    writer.add_tensor("offsets", {3}, std::span<const std::uint64_t>(tensors.offsets));
    writer.add_tensor("matrix", {2, 16}, std::span<const float>(tensors.matrix));
    writer.add_tensor("nothing", {0, 5}, std::span<const float>());
}

Status write_small(const std::string& path) {
    const SmallTensors tensors;
    BundleWriter writer;
    fill(writer, tensors);
    return writer.write(path, true);
}

TEST(Bundle, reads_back_what_was_written) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    const Result<BundleReader> bundle = BundleReader::open(folder.file("b"), true);
    ASSERT_TRUE(bundle.ok()) << bundle.status().message();
    EXPECT_EQ(bundle->metadata("segue.recipe"), "te\"st");
    EXPECT_EQ(bundle->metadata("number"), "0.1");
    EXPECT_EQ(bundle->metadata("count"), "3");
    EXPECT_EQ(bundle->metadata("none"), std::nullopt);
    EXPECT_EQ(bundle->find("none"), nullptr);
    const SmallTensors expected;
    const auto matrix = elements_of<float>(*bundle->find("matrix"));
    ASSERT_TRUE(matrix.ok());
    EXPECT_EQ(std::vector<float>(matrix->begin(), matrix->end()), expected.matrix);
    EXPECT_EQ(type_text(*bundle->find("rows")), "U32 [3 x 1]");
    EXPECT_EQ((*elements_of<std::uint32_t>(*bundle->find("rows")))[2], 9u);
    EXPECT_EQ((*elements_of<char>(*bundle->find("text")))[1], 'b');
    EXPECT_EQ(elements_of<float>(*bundle->find("nothing"))->size(), 0u);
    EXPECT_EQ(elements_of<float>(*bundle->find("rows")).status().code(), StatusCode::kCorrupt);
}

TEST(Bundle, aligns_every_tensor_to_its_elements_and_large_ones_to_cache_lines) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    const BundleReader bundle = *BundleReader::open(folder.file("b"), true);
    std::vector<std::string> names;
    for (const TensorView& tensor : bundle.tensors()) {
        const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
        EXPECT_EQ(address % element_bytes(tensor.dtype), 0u) << tensor.name;
        names.push_back(tensor.name);
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bundle.find("matrix")->bytes.data()) % 64, 0u);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"matrix", "nothing", "offsets", "rows", "text"}));
}

TEST(Bundle, equal_calls_give_equal_bytes) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("one")).ok());
    ASSERT_TRUE(write_small(folder.file("two")).ok());
    EXPECT_EQ(bytes_at(folder.file("one")), bytes_at(folder.file("two")));
}

TEST(Bundle, describes_damage_instead_of_refusing_it) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    EXPECT_TRUE(describe_bundle(folder.file("b"))->is_intact());
    std::string bytes = bytes_at(folder.file("b"));
    bytes.back() = 'x';
    put(folder.file("b"), bytes);
    const Result<BundleSummary> summary = describe_bundle(folder.file("b"));
    ASSERT_TRUE(summary.ok());
    EXPECT_FALSE(summary->is_intact());
    EXPECT_EQ(summary->header_checksum, ChecksumState::kMatches);
    EXPECT_EQ(summary->tensors.back().name, "text");
    EXPECT_EQ(summary->tensors.back().checksum, ChecksumState::kDiffers);
    EXPECT_EQ(name_of(summary->tensors.back().checksum), "wrong");
    EXPECT_EQ(summary->tensors.front().checksum, ChecksumState::kMatches);
}

/// The bytes of a small bundle with `from` in its header replaced by the equally long `to`.
std::string with_header_changed(const std::string& path, const std::string& from,
                                const std::string& to) {
    std::string bytes = bytes_at(path);
    bytes.replace(bytes.find(from), from.size(), to);
    return bytes;
}

TEST(Bundle, of_another_version_is_refused_with_both_numbers) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    for (const char* const version : {"0", "2", "9", "x"}) {
        put(folder.file("v"),
            with_header_changed(folder.file("b"), R"("segue.format_version":"1")",
                                R"("segue.format_version":")" + std::string(version) + "\""));
        const Result<BundleReader> bundle = BundleReader::open(folder.file("v"), false);
        ASSERT_EQ(bundle.status().code(), StatusCode::kUnsupportedVersion);
        const std::string& message = bundle.status().message();
        EXPECT_NE(message.find("version " + std::string(version)), std::string::npos) << message;
        EXPECT_NE(message.find("reads 1 to 1"), std::string::npos) << message;
        EXPECT_FALSE(describe_bundle(folder.file("v"))->version_is_readable);
    }
    put(folder.file("v"),
        with_header_changed(folder.file("b"), "format_version", "format_verseon"));
    EXPECT_EQ(BundleReader::open(folder.file("v"), false).status().code(), StatusCode::kCorrupt);
}

TEST(Bundle, with_a_checksum_renamed_is_refused_where_checksums_count) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    for (const char* const key : {"header_xxh3", "xxh3.rows"}) {
        std::string other = key;
        other.back() = '!';
        put(folder.file("c"), with_header_changed(folder.file("b"), key, other));
        EXPECT_FALSE(BundleReader::open(folder.file("c"), true).ok());
        EXPECT_TRUE(BundleReader::open(folder.file("c"), false).ok());
    }
}

TEST(Bundle, keeps_checksums_where_metadata_look_like_one) {
    const TemporaryFolder folder;
    BundleWriter writer;
    writer.add_metadata("segue.recipe", R"("segue.header_xxh3":"0123456789abcdef")");
    ASSERT_TRUE(writer.write(folder.file("b"), false).ok());
    EXPECT_TRUE(BundleReader::open(folder.file("b"), true).ok());
}

TEST(Header, refuses_everything_the_format_does_not_allow) {
    const std::string meta = R"("__metadata__":{"segue.format_version":"1"})";
    const auto one = [&](std::string_view dtype, std::string_view shape, std::string_view offsets) {
        return "{" + meta + R"(,"t":{"dtype":")" + std::string(dtype) + R"(","shape":)" +
               std::string(shape) + R"(,"data_offsets":)" + std::string(offsets) + "}}";
    };
    ASSERT_TRUE(parsed(file_of(one("F32", "[2,2]", "[0,16]"), 16)).ok());
    ASSERT_TRUE(parsed(file_of(one("F32", "[]", "[0,4]"), 4)).ok());
    ASSERT_TRUE(parsed(file_of("{" + meta + "}   ", 0)).ok());
    const std::vector<std::pair<std::string, std::size_t>> bad = {
        {one("F33", "[4]", "[0,16]"), 16},      // unknown dtype
        {one("F32", "[4]", "[0,12]"), 12},      // shape and size differ
        {one("F32", "[-4]", "[0,16]"), 16},     // negative
        {one("F32", "[4.0]", "[0,16]"), 16},    // no integer
        {one("F32", "[\"4\"]", "[0,16]"), 16},  // no number
        {one("F32", "4", "[0,16]"), 16},        // no list
        {one("F32", "[4]", "[0,32]"), 16},      // behind the end
        {one("F32", "[4]", "[16,0]"), 16},      // backwards
        {one("F32", "[4]", "[4,20]"), 20},      // hole in front
        {one("F32", "[4]", "[0,16]"), 17},      // bytes behind
        {one("F32", "[4]", "[0]"), 16},         // one offset
        {one("F32", "[4]", "[0,16,16]"), 16},   // three
        {one("F32", "[4]", "[0,18446744073709551615]"), 16},
        {one("F32", "[4611686018427387905,4]", "[0,16]"), 16},  // overflows to 16 bytes
        {one("F32", "[4611686018427387908]", "[0,16]"), 16},    // times 4 overflows to 16
        {one("F32", "[18446744073709551616]", "[0,16]"), 16},   // no 64-bit number
        {one("F32", "[4,1,1,1,1,1,1,1,1]", "[0,16]"), 16},      // nine axes
        {R"({"t":{"dtype":"U8","shape":[1]}})", 1},             // no offsets
        {R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1},
        {R"({"t":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})", 1},
        {R"({"t":{"dtype":"U8","dtype":"U8","shape":[1]}})", 1},
        {R"({"t":3})", 0},
        {R"({"__metadata__":{"a":1}})", 0},
        {R"({"__metadata__":{"a":"1","a":"1"}})", 0},
        {R"({"__metadata__":[]})", 0},
        {R"({"__metadata__":{},"__metadata__":{}})", 0},
        {R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
         R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
         0},
        {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
         R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
         3},  // overlap
        {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
         R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
         2},  // the same bytes twice
        {"[]", 0},
        {"", 0},
        {"{", 0},
        {"{}{}", 0},
        {std::string("{\"\xFF\":1}"), 0},
    };
    for (const auto& [header, data_bytes] : bad) {
        EXPECT_EQ(parsed(file_of(header, data_bytes)).code(), StatusCode::kCorrupt) << header;
    }
}

TEST(Header, refuses_huge_claims_before_it_allocates) {
    std::string bytes = file_of("{}", 100);
    for (const std::uint64_t length :
         {std::uint64_t{101}, std::uint64_t{103}, kMaxHeaderBytes, kMaxHeaderBytes + 1,
          std::uint64_t{1} << 62, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
        std::memcpy(bytes.data(), &length, 8);
        EXPECT_EQ(parsed(bytes).code(), StatusCode::kCorrupt) << length;
    }
    EXPECT_EQ(parsed("").code(), StatusCode::kCorrupt);
    EXPECT_EQ(parsed("1234567").code(), StatusCode::kCorrupt);
    EXPECT_EQ(parsed(file_of(std::string(1 << 20, '['), 0)).code(), StatusCode::kCorrupt);
}

/// Writes a bundle much larger than the process may write.
Status write_beyond(const std::string& path, rlim_t bytes) {
    const rlimit none{0, 0};
    const rlimit limit{bytes, bytes};
    (void)::setrlimit(RLIMIT_CORE, &none);
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
    const std::vector<std::uint64_t> values(1'000'000, 5);
    BundleWriter writer;
    writer.add_tensor("values", {values.size()}, std::span<const std::uint64_t>(values));
    return writer.write(path, true);
}

TEST(BundleDeathTest, leaves_the_old_file_when_the_disk_is_full) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    const std::string before = bytes_at(folder.file("b"));
    const auto fail = [&] {
        (void)std::signal(SIGXFSZ, SIG_IGN);
        const bool failed = write_beyond(folder.file("b"), 4'000'000).code() == StatusCode::kIo;
        std::_Exit(failed ? 0 : 1);
    };
    EXPECT_EXIT(fail(), ::testing::ExitedWithCode(0), "");
    EXPECT_EQ(bytes_at(folder.file("b")), before);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(BundleDeathTest, leaves_the_old_file_when_the_writer_is_killed) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_small(folder.file("b")).ok());
    const std::string before = bytes_at(folder.file("b"));
    for (const rlim_t bytes : {rlim_t{0}, rlim_t{1'500'000}, rlim_t{7'900'000}}) {
        EXPECT_EXIT((void)write_beyond(folder.file("b"), bytes), ::testing::KilledBySignal(SIGXFSZ),
                    "");
        EXPECT_EQ(bytes_at(folder.file("b")), before);
    }
    EXPECT_TRUE(BundleReader::open(folder.file("b"), true).ok());
}

}  // namespace
}  // namespace segue
