#include "pipeline/shard_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace segue {
namespace {

struct NameParts {
    std::string_view front;
    std::string_view back;
};

NameParts parts_of(VectorFormat format) {
    return format == VectorFormat::kJsonl ? NameParts{"embedding-", ".json"}
                                          : NameParts{"embeddings-", ".csv"};
}

/// The number in the name of a shard; nothing for other names.
std::optional<std::uint64_t> shard_of(VectorFormat format, const std::string& name) {
    const NameParts parts = parts_of(format);
    if (name.size() <= parts.front.size() + parts.back.size()) {
        return std::nullopt;
    }
    const std::size_t num_digits = name.size() - parts.front.size() - parts.back.size();
    const std::optional<std::uint64_t> shard =
        parse_unsigned(std::string_view(name).substr(parts.front.size(), num_digits));
    return shard && name == shard_name(format, *shard) ? shard : std::nullopt;
}

}  // namespace

std::string shard_name(VectorFormat format, std::uint64_t shard) {
    const NameParts parts = parts_of(format);
    return fmt::format("{}{:012}{}", parts.front, shard, parts.back);
}

Result<std::vector<std::string>> shards_beyond(const std::string& folder, VectorFormat format,
                                               std::uint64_t num_shards) {
    std::vector<std::string> paths;
    if (format != VectorFormat::kJsonl && format != VectorFormat::kCsv) {
        return paths;
    }
    std::error_code failure;
    std::filesystem::directory_iterator entry(folder, failure);
    while (!failure && entry != std::filesystem::directory_iterator()) {
        std::error_code ignored;
        const std::optional<std::uint64_t> shard =
            shard_of(format, entry->path().filename().string());
        if (shard && *shard >= num_shards &&
            (entry->is_symlink(ignored) || entry->is_regular_file(ignored))) {
            paths.push_back(entry->path().string());
        }
        entry.increment(failure);
    }
    if (failure && failure != std::errc::no_such_file_or_directory) {
        return io_error(fmt::format("cannot read folder '{}': {}", folder, failure.message()));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace segue
