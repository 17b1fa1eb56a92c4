#include "bundle/reader.h"

#include <fmt/core.h>

#include <vector>

#include "base/checksum.h"
#include "base/text.h"
#include "base/thread_pool.h"

namespace segue {

namespace {

Status check_version(const Metadata& metadata) {
    const auto text = find_metadata(metadata, kFormatVersionKey);
    if (!text) {
        return corrupt("its header states no format version; it is no Segue bundle");
    }
    const auto version = parse_unsigned(*text);
    if (!version || *version < kOldestFormatVersion || *version > kNewestFormatVersion) {
        return unsupported_version(
            fmt::format("it has format version {}, this program reads {} to {}; fit it again, or "
                        "use the program that wrote it",
                        *text, kOldestFormatVersion, kNewestFormatVersion));
    }
    return Status();
}

Status check_checksums(std::span<const std::byte> file, const BundleHeader& header) {
    const auto checksum = header_checksum(file.first(header.data_begin));
    if (!checksum) {
        return corrupt("its header has no checksum");
    }
    if (checksum->found != checksum->stated) {
        return corrupt(fmt::format("header: xxh3 {}, expected {}; the file is damaged",
                                   checksum->found, checksum->stated));
    }
    std::vector<std::string> found(header.tensors.size());
    ThreadPool pool(threads_for_checks(file.size()));
    pool.for_each(found.size(), [&](std::size_t index, unsigned) {
        found[index] = to_hex(xxh3_64(header.tensors[index].bytes));
    });
    for (std::size_t index = 0; index < found.size(); ++index) {
        const std::string& name = header.tensors[index].name;
        const auto expected =
            find_metadata(header.metadata, std::string(kTensorChecksumPrefix) + name);
        if (!expected) {
            return corrupt(fmt::format("tensor '{}' has no checksum", name));
        }
        if (found[index] != *expected) {
            return corrupt(fmt::format("tensor '{}': xxh3 {}, expected {}; the file is damaged",
                                       name, found[index], *expected));
        }
    }
    return Status();
}

}  // namespace

unsigned threads_for_checks(std::uint64_t num_bytes) {
    // What one thread looks through in a few milliseconds.
    constexpr std::uint64_t kFewBytes = 16 << 20;
    return num_bytes <= kFewBytes ? 1 : 0;
}

std::optional<std::string_view> find_metadata(const Metadata& metadata, std::string_view key) {
    for (const auto& [name, value] : metadata) {
        if (name == key) {
            return value;
        }
    }
    return std::nullopt;
}

Result<BundleReader> BundleReader::open(const std::string& path, bool verify_checksums, bool copy) {
    Result<MappedFile> file = copy ? MappedFile::copy(path) : MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::string context = fmt::format("bundle '{}'", path);
    Result<BundleHeader> header = parse_header(file->bytes());
    if (!header.ok()) {
        return header.status().with_context(context);
    }
    if (Status status = check_version(header->metadata); !status.ok()) {
        return status.with_context(context);
    }
    if (verify_checksums) {
        if (Status status = check_checksums(file->bytes(), *header); !status.ok()) {
            return status.with_context(context);
        }
    }
    return BundleReader(std::move(*file), std::move(*header));
}

std::optional<std::string_view> BundleReader::metadata(std::string_view key) const {
    return find_metadata(header_.metadata, key);
}

const TensorView* BundleReader::find(std::string_view name) const {
    for (const TensorView& tensor : header_.tensors) {
        if (tensor.name == name) {
            return &tensor;
        }
    }
    return nullptr;
}

}  // namespace segue
