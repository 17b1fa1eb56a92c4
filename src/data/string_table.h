#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

/// Strings one after the other: string i is bytes [offsets[i], offsets[i + 1]). Views somebody
/// else's memory. Requires: offsets ascend from 0 to bytes.size(), and there is one more of them
/// than strings (or none).
class StringTableView {
public:
    StringTableView() = default;
    /// `offsets` [size() + 1], or empty for an empty table.
    StringTableView(std::span<const std::uint64_t> offsets, std::span<const char> bytes)
        : offsets_(offsets), bytes_(bytes) {}

    std::size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
    std::string_view operator[](std::size_t row) const {
        return {bytes_.data() + offsets_[row],
                static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
    }
    std::span<const std::uint64_t> offsets() const { return offsets_; }
    std::span<const char> bytes() const { return bytes_; }

private:
    std::span<const std::uint64_t> offsets_;
    std::span<const char> bytes_;
};

/// Owns strings one after the other; grows at the end. Thread-compatible.
class StringTable {
public:
    StringTable() : offsets_(1, 0) {}

    void append(std::string_view text) {
        bytes_.append(text);
        offsets_.push_back(bytes_.size());
    }
    std::size_t size() const { return offsets_.size() - 1; }
    std::string_view operator[](std::size_t row) const { return view()[row]; }
    /// Valid until the next append.
    StringTableView view() const { return {offsets_, {bytes_.data(), bytes_.size()}}; }

private:
    std::vector<std::uint64_t> offsets_;
    std::string bytes_;
};

}  // namespace segue
