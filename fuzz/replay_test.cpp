// What the fuzzers start from, and what they once found, through the same targets in every build.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "targets.h"

namespace segue::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

using Target = void (*)(std::span<const std::uint8_t>);

/// Every file of the folder, and every `step`-th shorter beginning of it.
void replay(const fs::path& folder, Target target, std::size_t step) {
    int num_files = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const std::vector<std::uint8_t> bytes = bytes_of(entry.path());
        SCOPED_TRACE(entry.path().string());
        target(bytes);
        for (std::size_t size = 0; size < bytes.size(); size += step) {
            target(std::span(bytes).first(size));
        }
        ++num_files;
    }
    EXPECT_GT(num_files, 0) << folder;
}

TEST(FuzzCorpus, of_requests_keeps_what_must_hold) {
    replay(SEGUE_FUZZ_CORPUS "/http_request", http_request, 7);
}

TEST(FuzzCorpus, of_bundles_keeps_what_must_hold) {
    replay(SEGUE_FUZZ_CORPUS "/bundle", bundle, 101);
    replay(SEGUE_GOLDEN_FOLDER, bundle, 101);
}

TEST(FuzzCorpus, of_filters_keeps_what_must_hold) {
    replay(SEGUE_FUZZ_CORPUS "/filter", filter, 5);
}

}  // namespace
}  // namespace segue::fuzz
