#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "bundle/header.h"
#include "bundle/tensor.h"

namespace segue {

/// Collects metadata and views of tensors, then writes them as one file of the newest format
/// version with all checksums. The same calls give the same bytes. Not thread-safe.
class BundleWriter {
public:
    /// Requires: the key is new.
    void add_metadata(std::string_view key, std::string_view value);
    void add_metadata(std::string_view key, double value);
    void add_metadata(std::string_view key, std::uint64_t value);

    /// Requires: the name is new, `shape` fits the values, and the values live until write() is
    /// done.
    template <typename Element>
    void add_tensor(std::string name, std::vector<std::uint64_t> shape,
                    std::span<const Element> values) {
        add_tensor({std::move(name), kDtypeOf<Element>, std::move(shape), std::as_bytes(values)});
    }

    /// Requires: the name is new, `shape` fits the bytes, and they live until write() is done.
    void add_tensor(TensorView tensor);

    /// Replaces the file at `path` in one step. Returns an error if: it exists and `overwrite` is
    /// false, or it cannot be written; what was there before is untouched then.
    Status write(const std::string& path, bool overwrite) const;

private:
    Metadata metadata_;
    std::vector<TensorView> tensors_;
};

}  // namespace segue
