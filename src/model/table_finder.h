#pragma once

// Finds the tables of a model among the tensors of a bundle.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "bundle/reader.h"
#include "data/matrix.h"
#include "data/string_table.h"

namespace segue {

/// Remembers the first thing that is wrong; what it hands out then is empty. Views the file. Not
/// thread-safe.
class TableFinder {
public:
    explicit TableFinder(const BundleReader& file) : file_(file) {}

    /// The tensor of one axis that must be there.
    template <typename Element>
    std::span<const Element> required(const std::string& name) {
        return elements<Element>(name, 1);
    }

    /// Like required() for one that may be missing; nothing then.
    template <typename Element>
    std::span<const Element> optional(const std::string& name) {
        return has(name) ? required<Element>(name) : std::span<const Element>();
    }

    StringTableView strings(const std::string& name);

    /// The floats of a tensor of rows that are at least `dim` long: in place where rows begin at
    /// cache lines, else a copy of them in `aligned`. No rows when there are none.
    MatrixView matrix(const std::string& name, std::uint64_t dim, Matrix& aligned);

    /// All elements of a tensor of `num_axes` axes that must be there: in place where it begins at
    /// a cache line, else a copy of them in `aligned`.
    template <typename Element>
    std::span<const Element> at_cache_line(const std::string& name, std::size_t num_axes,
                                           AlignedBuffer<Element>& aligned) {
        const std::span<const Element> stored = elements<Element>(name, num_axes);
        if (begins_at_cache_line(stored.data())) {
            return stored;
        }
        aligned = AlignedBuffer<Element>(stored.size());
        std::copy(stored.begin(), stored.end(), aligned.data());
        return aligned.span();
    }

    void fail(std::string message) {
        if (status_.ok()) {
            status_ = corrupt(std::move(message));
        }
    }
    bool has(std::string_view name) const { return file_.find(name) != nullptr; }
    const Status& status() const { return status_; }

private:
    template <typename Element>
    std::span<const Element> elements(const std::string& name, std::size_t num_axes) {
        const TensorView* const tensor = find(name, num_axes);
        if (tensor == nullptr) {
            return {};
        }
        Result<std::span<const Element>> found = elements_of<Element>(*tensor);
        if (!found.ok()) {
            fail(found.status().message());
            return {};
        }
        return *found;
    }
    /// Null, and a complaint, when it is not there with that many axes.
    const TensorView* find(const std::string& name, std::size_t num_axes);
    static bool begins_at_cache_line(const void* address) {
        return reinterpret_cast<std::uintptr_t>(address) % kDataAlignment == 0;
    }

    const BundleReader& file_;
    Status status_;
};

}  // namespace segue
