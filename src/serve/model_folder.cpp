#include "serve/model_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
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

Result<ModelFolder> ModelFolder::open(const std::string& path) {
    ModelFolder folder;
    folder.path_ = path;
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
    std::error_code error;
    fs::directory_iterator folders(path_, error);
    for (; !error && folders != fs::directory_iterator(); folders.increment(error)) {
        const std::string name = folders->path().filename().string();
        std::error_code ignored;  // it may vanish meanwhile
        if (!is_valid_name(name) ||
            folders->symlink_status(ignored).type() != fs::file_type::directory) {
            continue;
        }
        fs::directory_iterator versions(folders->path(), ignored);
        for (; !ignored && versions != fs::directory_iterator(); versions.increment(ignored)) {
            const std::string file = versions->path().string();
            const auto number = version_of(versions->path().filename().string());
            const auto identity = identity_of(file, false);
            if (number && identity) {
                files[{name, *number}] = {file, *identity};
            }
        }
    }
    if (error) {
        return io_error(fmt::format("cannot read the folder '{}': {}", path_, error.message()));
    }
    return files;
}

}  // namespace segue::serve
