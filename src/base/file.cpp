#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/give_way.h"

namespace segue {

namespace {

constexpr std::size_t kWriteBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kReadBytes = std::size_t{64} << 20;
constexpr std::size_t kGentleReadBytes = std::size_t{128} << 10;

std::string last_error() {
    return std::strerror(errno);
}

std::string quoted(const std::string& path) {
    return "'" + path + "'";
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// An open file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

/// Not to wait for the writer of a pipe, which is refused by examine().
int open_for_reading(const std::string& path) {
    return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/// Returns an error if: it was not opened, or is no regular file.
Result<struct stat> examine(const Descriptor& descriptor, const std::string& path) {
    if (descriptor.get() < 0) {
        return errno == ENOENT ? not_found("file " + quoted(path) + " does not exist")
                               : io_error("cannot open " + quoted(path) + ": " + last_error());
    }
    struct stat info {};
    if (::fstat(descriptor.get(), &info) != 0) {
        return io_error("cannot examine " + quoted(path) + ": " + last_error());
    }
    if (!S_ISREG(info.st_mode)) {
        return invalid_argument(quoted(path) + " is not a regular file");
    }
    return info;
}

/// The file at the end of the links at `path`.
Result<std::string> follow_links(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> target(::realpath(path.c_str(), nullptr),
                                                             &std::free);
    if (target != nullptr) {
        return std::string(target.get());
    }
    if (errno == ENOENT) {
        return invalid_argument(quoted(path) + " is a link to a file that does not exist");
    }
    return io_error("cannot follow the link " + quoted(path) + ": " + last_error());
}

/// Returns an error if: what is at `path` must not be replaced.
Status check_replaceable(const std::string& path, const struct stat& info, bool overwrite) {
    if (S_ISDIR(info.st_mode)) {
        return invalid_argument(quoted(path) + " is a folder; name a file in it");
    }
    if (!S_ISREG(info.st_mode)) {
        return invalid_argument(quoted(path) +
                                " is not a regular file (a pipe, socket or device) and is never "
                                "replaced");
    }
    return overwrite ? Status()
                     : invalid_argument(quoted(path) + " exists; say --force to replace it");
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
    const Descriptor descriptor(open_for_reading(path));
    const Result<struct stat> info = examine(descriptor, path);
    if (!info.ok()) {
        return info.status();
    }
    const auto size = static_cast<std::size_t>(info->st_size);
    if (size == 0) {
        return MappedFile(nullptr, 0);
    }
    void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
    if (memory == MAP_FAILED) {
        return io_error("cannot map " + quoted(path) + ": " + last_error());
    }
    return MappedFile(static_cast<const std::byte*>(memory), size);
}

Result<MappedFile> MappedFile::copy(const std::string& path) {
    const Descriptor descriptor(open_for_reading(path));
    const Result<struct stat> info = examine(descriptor, path);
    if (!info.ok()) {
        return info.status();
    }
    const auto size = static_cast<std::size_t>(info->st_size);
    if (size == 0) {
        return MappedFile(nullptr, 0);
    }
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return resource_limit("there is no memory for " + quoted(path) + ": " + last_error());
    }
    MappedFile copied(static_cast<const std::byte*>(memory), size);
    ::madvise(memory, size, MADV_HUGEPAGE);
    const std::size_t most = works_gently() ? kGentleReadBytes : kReadBytes;
    for (std::size_t done = 0; done < size; give_way()) {
        const ssize_t read = ::pread(descriptor.get(), static_cast<char*>(memory) + done,
                                     std::min(size - done, most), static_cast<off_t>(done));
        if (read < 0 && errno != EINTR) {
            return io_error("cannot read " + quoted(path) + ": " + last_error());
        }
        if (read == 0) {
            break;
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(read, 0));
    }
    const Result<struct stat> after = examine(descriptor, path);
    if (!after.ok() || after->st_size != info->st_size ||
        after->st_mtim.tv_sec != info->st_mtim.tv_sec ||
        after->st_mtim.tv_nsec != info->st_mtim.tv_nsec) {
        return io_error(quoted(path) + " was written to while it was read");
    }
    ::mprotect(memory, size, PROT_READ);
    return copied;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    // In pieces: while one goes, no other thread of the program can map or fault in a page.
    constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
    for (std::size_t begin = 0; begin < size_; begin += kPieceBytes) {
        ::munmap(const_cast<std::byte*>(data_) + begin, std::min(kPieceBytes, size_ - begin));
        give_way();
    }
}

AtomicFile::AtomicFile(int descriptor, std::string path, std::string temporary_path, bool overwrite)
    : descriptor_(descriptor),
      overwrite_(overwrite),
      path_(std::move(path)),
      temporary_path_(std::move(temporary_path)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      overwrite_(other.overwrite_),
      path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      pending_(std::move(other.pending_)) {}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
    if (!temporary_path_.empty()) {
        ::unlink(temporary_path_.c_str());
    }
}

Result<AtomicFile> AtomicFile::create(const std::string& path, bool overwrite) {
    std::string target = path;
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) {
        if (S_ISLNK(info.st_mode)) {
            Result<std::string> end = follow_links(path);
            if (!end.ok()) {
                return end.status();
            }
            target = std::move(end).value();
            if (::stat(target.c_str(), &info) != 0) {
                return io_error("cannot examine " + quoted(target) + ": " + last_error());
            }
        }
        if (Status status = check_replaceable(path, info, overwrite); !status.ok()) {
            return status;
        }
    }
    std::string temporary = target + ".XXXXXX";
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) {
        return io_error("cannot write to folder " + quoted(folder_of(target)) + ": " +
                        last_error());
    }
    // mkstemp makes the file private; an ordinary new file follows the umask.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    (void)::fchmod(descriptor, 0666 & ~mask);
    return AtomicFile(descriptor, std::move(target), std::move(temporary), overwrite);
}

Status AtomicFile::flush() {
    const char* data = pending_.data();
    std::size_t left = pending_.size();
    while (left > 0) {
        const ssize_t written = ::write(descriptor_, data, left);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return io_error("cannot write " + quoted(path_) + ": " + last_error());
        }
        data += written;
        left -= static_cast<std::size_t>(written);
    }
    pending_.clear();
    return Status();
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
    return write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Status AtomicFile::write(std::string_view text) {
    while (!text.empty()) {
        const std::size_t take = std::min(text.size(), kWriteBufferBytes);
        pending_.append(text.substr(0, take));
        text.remove_prefix(take);
        if (pending_.size() >= kWriteBufferBytes) {
            if (Status status = flush(); !status.ok()) {
                return status;
            }
        }
    }
    return Status();
}

Status AtomicFile::commit() {
    if (Status status = flush(); !status.ok()) {
        return status;
    }
    if (::fsync(descriptor_) != 0) {
        return io_error("cannot sync " + quoted(path_) + ": " + last_error());
    }
    if (::close(std::exchange(descriptor_, -1)) != 0) {
        return io_error("cannot close " + quoted(path_) + ": " + last_error());
    }
    if (overwrite_) {
        if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
            return io_error("cannot put " + quoted(path_) + " in place: " + last_error());
        }
    } else {
        // link() refuses when somebody made the file meanwhile; rename() would replace it.
        if (::link(temporary_path_.c_str(), path_.c_str()) != 0) {
            return errno == EEXIST
                       ? invalid_argument(quoted(path_) + " exists; say --force to replace it")
                       : io_error("cannot put " + quoted(path_) + " in place: " + last_error());
        }
        ::unlink(temporary_path_.c_str());
    }
    temporary_path_.clear();
    const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) {
        // The data are safe already; a folder that cannot be synced only delays the new name.
        (void)::fsync(folder.get());
    }
    return Status();
}

Status check_writable(const std::string& path, bool overwrite) {
    const Result<AtomicFile> probe = AtomicFile::create(path, overwrite);
    return probe.ok() ? Status() : probe.status();
}

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
    Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::span<const std::byte> bytes = file->bytes();
    if (bytes.size() > max_bytes) {
        return resource_limit(quoted(path) + " has " + std::to_string(bytes.size()) +
                              " bytes, at most " + std::to_string(max_bytes) + " are read");
    }
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace segue
