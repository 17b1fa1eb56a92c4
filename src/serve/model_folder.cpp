#include "serve/model_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "base/text.h"
#include "serve/model_registry.h"

namespace segue::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".segue";

/// Of a regular file; links are followed only where asked.
std::optional<FileIdentity> identity_of(const std::string& path, bool follow) {
    struct stat facts = {};
    if (::fstatat(AT_FDCWD, path.c_str(), &facts, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(facts.st_mode)) {
        return std::nullopt;
    }
    return FileIdentity{facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
                        facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

/// 42 of "42.segue".
std::optional<std::uint64_t> version_of(std::string_view file_name) {
    if (!file_name.ends_with(kEnding) || file_name.starts_with('0')) {
        return std::nullopt;
    }
    file_name.remove_suffix(kEnding.size());
    if (file_name.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    return parse_unsigned(file_name);
}

}  // namespace

Result<std::vector<std::string>> names_in(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
    if (folder == nullptr) {
        return io_error(fmt::format("cannot read the folder '{}': {}", path, std::strerror(errno)));
    }
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(folder.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    return names;
}

bool is_folder(const std::string& path) {
    struct stat facts = {};
    return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

Result<ModelFolder> ModelFolder::open(const std::string& path) {
    ModelFolder folder;
    folder.path_ = path;
    while (folder.path_.size() > 1 && folder.path_.ends_with('/')) {
        folder.path_.pop_back();
    }
    std::error_code error;
    if (fs::is_directory(path, error)) {
        return folder;
    }
    if (!identity_of(path, true)) {
        return not_found(fmt::format("'{}' is neither a bundle nor a folder of them", path));
    }
    folder.is_one_file_ = true;
    const fs::path file(path);
    // As a watch of its folder spells it.
    folder.path_ = ((file.has_parent_path() ? file.parent_path() : ".") / file.filename()).string();
    folder.name_ = file.stem().string();
    if (!is_valid_name(folder.name_)) {
        return invalid_argument(
            fmt::format("a model is called by its file's name, and \"{}\" is none: 1 to 64 of "
                        "A-Z a-z 0-9 . _ -; rename the file",
                        shortened(folder.name_)));
    }
    return folder;
}

Result<std::map<VersionKey, ModelFile>> ModelFolder::list() const {
    std::map<VersionKey, ModelFile> files;
    if (is_one_file_) {
        if (const std::optional<FileIdentity> identity = identity_of(path_, true)) {
            files[{name_, 1}] = {path_, *identity};
        }
        return files;
    }
    const Result<std::vector<std::string>> names = names_in(path_);
    if (!names.ok()) {
        return names.status();
    }
    for (const std::string& name : *names) {
        const std::string folder = path_ + "/" + name;
        if (!is_valid_name(name) || !is_folder(folder)) {
            continue;
        }
        const Result<std::vector<std::string>> versions = names_in(folder);
        if (!versions.ok()) {
            continue;  // it may vanish meanwhile
        }
        for (const std::string& version : *versions) {
            const std::string file = folder + "/" + version;
            const auto number = version_of(version);
            const auto identity = number ? identity_of(file, false) : std::nullopt;
            if (identity) {
                files[{name, *number}] = {file, *identity};
            }
        }
    }
    return files;
}

}  // namespace segue::serve
