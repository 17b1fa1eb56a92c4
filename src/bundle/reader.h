#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/status.h"
#include "bundle/header.h"
#include "bundle/tensor.h"

namespace segue {

/// The format versions this program reads; it writes the newest. A change note for each is in
/// docs/bundle_format.md, a file of each in tests/golden.
inline constexpr std::uint64_t kOldestFormatVersion = 1;
inline constexpr std::uint64_t kNewestFormatVersion = 1;

/// A mapped bundle: its metadata and tensors, whatever they mean. Move-only. Immutable,
/// thread-safe.
class BundleReader {
public:
    /// Returns an error if: the file is missing, no bundle of a version that is read, damaged, or
    /// (with `verify_checksums`) a checksum is missing or wrong.
    /// With `copy` the file is read into memory instead of being mapped.
    static Result<BundleReader> open(const std::string& path, bool verify_checksums,
                                     bool copy = false);

    const Metadata& metadata() const { return header_.metadata; }
    std::optional<std::string_view> metadata(std::string_view key) const;

    /// In file order. Views into the mapped file; valid while *this lives.
    std::span<const TensorView> tensors() const { return header_.tensors; }
    /// Of the whole file.
    std::uint64_t num_bytes() const { return file_.bytes().size(); }

    /// Nothing when there is no such tensor. Valid while *this lives.
    const TensorView* find(std::string_view name) const;

private:
    BundleReader(MappedFile file, BundleHeader header)
        : file_(std::move(file)), header_(std::move(header)) {}
    MappedFile file_;
    BundleHeader header_;
};

/// How many threads (as ThreadPool counts) look through that many bytes: one is enough for few.
unsigned threads_for_checks(std::uint64_t num_bytes);

/// Nothing when `metadata` has no such key. Views into `metadata`.
std::optional<std::string_view> find_metadata(const Metadata& metadata, std::string_view key);

}  // namespace segue
