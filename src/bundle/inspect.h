#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "bundle/header.h"

namespace segue {

enum class ChecksumState { kMatches, kDiffers, kMissing };

/// "ok", "wrong", "missing"
std::string_view name_of(ChecksumState state);

struct TensorSummary {
    std::string name;
    std::string dtype;  // as in the file: "F32"
    std::vector<std::uint64_t> shape;
    std::uint64_t file_offset = 0;  // of its first byte
    std::uint64_t bytes = 0;
    ChecksumState checksum = ChecksumState::kMissing;
};

/// What `segue inspect` shows of a bundle, of any format version and also when checksums differ.
struct BundleSummary {
    std::uint64_t file_bytes = 0;
    std::uint64_t header_bytes = 0;  // with the eight of its length
    std::string format_version;      // empty when none is stated
    bool version_is_readable = false;
    ChecksumState header_checksum = ChecksumState::kMissing;
    Metadata metadata;                   // in file order, checksums of tensors left out
    std::vector<TensorSummary> tensors;  // in file order

    /// Whether all checksums are there and match.
    bool is_intact() const;
};

/// Reads the whole file once. Returns an error if: the file is missing or no safetensors file.
Result<BundleSummary> describe_bundle(const std::string& path);

}  // namespace segue
