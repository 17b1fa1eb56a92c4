#include "bundle/writer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/checksum.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "bundle/reader.h"

namespace segue {

namespace {

/// Tensors are laid out by this, largest first: each then begins at a multiple of its own alignment
/// without holes, which the container does not allow.
std::size_t natural_alignment(const TensorView& tensor) {
    return tensor.bytes.size() % kDataAlignment == 0 ? kDataAlignment : element_bytes(tensor.dtype);
}

}  // namespace

void BundleWriter::add_metadata(std::string_view key, std::string_view value) {
    SEGUE_ASSERT(!find_metadata(metadata_, key));
    metadata_.emplace_back(key, value);
}

void BundleWriter::add_metadata(std::string_view key, double value) {
    JsonWriter text;
    add_metadata(key, text.value(value).text());
}

void BundleWriter::add_metadata(std::string_view key, std::uint64_t value) {
    add_metadata(key, std::string_view(std::to_string(value)));
}

void BundleWriter::add_tensor(TensorView tensor) {
    std::uint64_t bytes = element_bytes(tensor.dtype);
    for (const std::uint64_t extent : tensor.shape) {
        bytes *= extent;
    }
    SEGUE_ASSERT(bytes == tensor.bytes.size());
    SEGUE_ASSERT(std::none_of(tensors_.begin(), tensors_.end(),
                              [&](const auto& other) { return other.name == tensor.name; }));
    tensors_.push_back(std::move(tensor));
}

Status BundleWriter::write(const std::string& path, bool overwrite) const {
    Result<AtomicFile> file = AtomicFile::create(path, overwrite);
    if (!file.ok()) {
        return file.status();
    }
    std::vector<TensorView> tensors = tensors_;
    std::stable_sort(tensors.begin(), tensors.end(), [](const auto& left, const auto& right) {
        return natural_alignment(left) > natural_alignment(right);
    });
    Metadata metadata = {{std::string(kFormatVersionKey), std::to_string(kNewestFormatVersion)}};
    metadata.insert(metadata.end(), metadata_.begin(), metadata_.end());
    for (const TensorView& tensor : tensors_) {
        metadata.emplace_back(std::string(kTensorChecksumPrefix) + tensor.name,
                              to_hex(xxh3_64(tensor.bytes)));
    }
    const std::string header = format_header(metadata, tensors);
    if (header.size() > kMaxHeaderBytes) {
        return resource_limit(
            fmt::format("the header of bundle '{}' takes {} bytes, at most {} can be read back",
                        path, header.size(), kMaxHeaderBytes));
    }
    if (Status status = file->write(header); !status.ok()) {
        return status;
    }
    for (const TensorView& tensor : tensors) {
        if (Status status = file->write(tensor.bytes); !status.ok()) {
            return status;
        }
    }
    return file->commit();
}

}  // namespace segue
