#pragma once

// The files models are read from: one bundle, or a folder with NAME/VERSION.segue.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace segue::serve {

/// Tells a file from another one put in its place.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t changed_ns = 0;  // modification time

    friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

struct ModelFile {
    std::string path;
    FileIdentity identity;
};

/// (name, version).
using VersionKey = std::pair<std::string, std::uint64_t>;

/// Where models come from. Immutable, thread-safe.
class ModelFolder {
public:
    /// Returns an error if: there is neither a file nor a folder, or a file's stem is no name.
    static Result<ModelFolder> open(const std::string& path);

    /// All versions there are now. What is no NAME/VERSION.segue is not looked at: temporary names,
    /// links, folders, versions that are no number without leading zeros. Returns an error if: the
    /// folder cannot be read.
    Result<std::map<VersionKey, ModelFile>> list() const;

    bool is_one_file() const { return is_one_file_; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
    bool is_one_file_ = false;
    std::string name_;  // of the one file
};

/// What is in a folder, in any order. (std::filesystem ends the program where it lacks memory.)
/// Returns an error if: it cannot be read.
Result<std::vector<std::string>> names_in(const std::string& path);
/// Whether there is a folder, not a link to one.
bool is_folder(const std::string& path);

}  // namespace segue::serve
