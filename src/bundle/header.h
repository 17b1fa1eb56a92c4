#pragma once

// The header of the container, between its bytes and its meaning. docs/bundle_format.md has the
// rules.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "bundle/tensor.h"

namespace segue {

/// Longer headers are refused before anything is allocated; a bundle's own takes some kilobytes.
inline constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{16} << 20;
/// The data begin at a multiple of this, one cache line.
inline constexpr std::size_t kDataAlignment = 64;

inline constexpr std::string_view kFormatVersionKey = "segue.format_version";
inline constexpr std::string_view kHeaderChecksumKey = "segue.header_xxh3";
inline constexpr std::string_view kTensorChecksumPrefix = "xxh3.";

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct BundleHeader {
    std::uint64_t data_begin = 0;  // bytes before the first tensor
    Metadata metadata;             // in file order, keys distinct
    std::vector<TensorView>
        tensors;  // by their place in the file, names distinct, views into `file`
};

/// Returns an error if: the bytes are no safetensors file, or any size, offset or shape in it is
/// not exactly what the format allows. `file` is the whole file.
Result<BundleHeader> parse_header(std::span<const std::byte> file);

/// The length and the header, padded, with the checksum of the header in its place. `metadata` must
/// not have kHeaderChecksumKey. Tensors lie in the file in the order given.
std::string format_header(const Metadata& metadata, std::span<const TensorView> tensors);

struct HeaderChecksum {
    std::string stated;
    std::string found;
};
/// Nothing when the header does not have exactly one place for it. `header` is the first data_begin
/// bytes.
std::optional<HeaderChecksum> header_checksum(std::span<const std::byte> header);

}  // namespace segue
