#pragma once

// Files read by mapping and written whole.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace segue {

/// A file mapped for reading, whose bytes are what is in the file at each moment: reading behind
/// the end of a file that was cut short since ends the program. Move-only. Immutable, thread-safe.
class MappedFile {
public:
    /// Returns an error if: the file is missing, no regular file, or cannot be mapped. An empty
    /// file is fine.
    static Result<MappedFile> open(const std::string& path);
    /// The bytes in memory of its own: nothing that happens to the file later changes them. Returns
    /// an error also if: the file changes while it is read, or there is not the memory.
    static Result<MappedFile> copy(const std::string& path);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    /// Valid while *this lives.
    std::span<const std::byte> bytes() const { return {data_, size_}; }

private:
    MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Writes a file under a temporary name in the same folder; commit() syncs it and renames it into
/// place. Until then, and after any error, what stood at `path` before is untouched; a file that
/// was not committed is removed by the destructor. A link stays: the file it leads to is the one
/// replaced, beside which the temporary one is made. Not thread-safe.
class AtomicFile {
public:
    /// Returns an error if: the folder is missing or read-only, or `path` exists and `overwrite` is
    /// false, is no regular file (a folder, pipe, socket or device), or is a link to nothing.
    static Result<AtomicFile> create(const std::string& path, bool overwrite);
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&& other) = delete;
    ~AtomicFile();

    /// Returns an error if: the disk is full or fails.
    Status write(std::span<const std::byte> bytes);
    Status write(std::string_view text);
    /// Where the bytes go until commit().
    const std::string& temporary_path() const { return temporary_path_; }
    Status commit();

private:
    AtomicFile(int descriptor, std::string path, std::string temporary_path, bool overwrite);
    int descriptor_ = -1;
    bool overwrite_ = false;
    std::string path_;
    std::string temporary_path_;
    std::string pending_;
    Status flush();
};

/// Finds out before hours of work whether AtomicFile can write there; leaves nothing behind.
/// Returns an error if: AtomicFile::create does.
Status check_writable(const std::string& path, bool overwrite);

/// The whole file as text. Returns an error if: it cannot be read or is larger than `max_bytes`.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

}  // namespace segue
