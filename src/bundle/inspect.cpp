#include "bundle/inspect.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/checksum.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/reader.h"

namespace segue {

namespace {

TensorSummary summary_of(const TensorView& tensor, const Metadata& metadata,
                         std::span<const std::byte> file) {
    TensorSummary summary;
    summary.name = tensor.name;
    summary.dtype = name_of(tensor.dtype);
    summary.shape = tensor.shape;
    summary.file_offset = static_cast<std::uint64_t>(tensor.bytes.data() - file.data());
    summary.bytes = tensor.bytes.size();
    const auto stated = find_metadata(metadata, std::string(kTensorChecksumPrefix) + tensor.name);
    if (stated) {
        summary.checksum = to_hex(xxh3_64(tensor.bytes)) == *stated ? ChecksumState::kMatches
                                                                    : ChecksumState::kDiffers;
    }
    return summary;
}

}  // namespace

std::string_view name_of(ChecksumState state) {
    switch (state) {
        case ChecksumState::kMatches:
            return "ok";
        case ChecksumState::kDiffers:
            return "wrong";
        case ChecksumState::kMissing:
            return "missing";
    }
    return "unknown";
}

bool BundleSummary::is_intact() const {
    return header_checksum == ChecksumState::kMatches &&
           std::all_of(tensors.begin(), tensors.end(), [](const TensorSummary& tensor) {
               return tensor.checksum == ChecksumState::kMatches;
           });
}

Result<BundleSummary> describe_bundle(const std::string& path) {
    Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::span<const std::byte> bytes = file->bytes();
    Result<BundleHeader> header = parse_header(bytes);
    if (!header.ok()) {
        return header.status().with_context(fmt::format("bundle '{}'", path));
    }
    BundleSummary summary;
    summary.file_bytes = bytes.size();
    summary.header_bytes = header->data_begin;
    summary.format_version = find_metadata(header->metadata, kFormatVersionKey).value_or("");
    const auto version = parse_unsigned(summary.format_version);
    summary.version_is_readable =
        version && *version >= kOldestFormatVersion && *version <= kNewestFormatVersion;
    if (const auto checksum = header_checksum(bytes.first(header->data_begin))) {
        summary.header_checksum =
            checksum->found == checksum->stated ? ChecksumState::kMatches : ChecksumState::kDiffers;
    }
    for (const TensorView& tensor : header->tensors) {
        summary.tensors.push_back(summary_of(tensor, header->metadata, bytes));
    }
    for (const auto& member : header->metadata) {
        if (member.first.rfind(kTensorChecksumPrefix, 0) != 0) {
            summary.metadata.push_back(member);
        }
    }
    return summary;
}

}  // namespace segue
