#include "serve/folder_watch.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "serve/model_registry.h"

namespace segue::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR;

std::string folder_of(const std::string& path) {
    const std::string folder = fs::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace

Result<FolderWatch> FolderWatch::open(const ModelFolder& folder) {
    FolderWatch watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
                      ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (watch.events_ < 0 || watch.wakes_ < 0) {
        return resource_limit(
            fmt::format("cannot watch '{}': {}", folder.path(), std::strerror(errno)));
    }
    watch.is_one_file_ = folder.is_one_file();
    watch.root_ = folder.is_one_file() ? folder_of(folder.path()) : folder.path();
    if (Status status = watch.watch(watch.root_); !status.ok()) {
        return status;
    }
    watch.watch_folders();
    return watch;
}

FolderWatch::FolderWatch(FolderWatch&& other) noexcept
    : events_(std::exchange(other.events_, -1)),
      wakes_(std::exchange(other.wakes_, -1)),
      root_(std::move(other.root_)),
      is_one_file_(other.is_one_file_),
      watched_(std::move(other.watched_)) {}

FolderWatch::~FolderWatch() {
    for (const int descriptor : {events_, wakes_}) {
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    }
}

Status FolderWatch::watch(const std::string& path) {
    const int number = ::inotify_add_watch(events_, path.c_str(), kEvents);
    if (number < 0) {
        return resource_limit(fmt::format("cannot watch '{}': {}", path, std::strerror(errno)));
    }
    watched_[number] = path;
    return {};
}

/// Those there are already again, which changes nothing.
void FolderWatch::watch_folders() {
    if (is_one_file_) {
        return;
    }
    const Result<std::vector<std::string>> names = names_in(root_);
    if (!names.ok()) {
        return;
    }
    for (const std::string& name : *names) {
        const std::string folder = root_ + "/" + name;
        if (is_valid_name(name) && is_folder(folder)) {
            // One that vanishes meanwhile, or is one too many, is found by the next rescan.
            static_cast<void>(watch(folder).ok());
        }
    }
}

void FolderWatch::read_events(Change& change) {
    alignas(inotify_event) std::array<char, 16384> buffer{};
    ssize_t size = 0;
    while ((size = ::read(events_, buffer.data(), buffer.size())) > 0) {
        for (std::size_t place = 0; place < static_cast<std::size_t>(size);) {
            inotify_event event = {};
            std::memcpy(&event, buffer.data() + place, sizeof(event));
            const char* const name = buffer.data() + place + sizeof(event);
            place += sizeof(event) + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                change.may_have_missed = true;
            } else if ((event.mask & IN_IGNORED) != 0) {
                watched_.erase(event.wd);
            } else if ((event.mask & IN_ISDIR) != 0) {
                ((event.mask & (IN_MOVED_TO | IN_CREATE)) != 0 ? change.has_new_folder
                                                               : change.has_removals) = true;
            } else if ((event.mask & IN_MOVED_TO) != 0 && event.len > 0) {
                const auto folder = watched_.find(event.wd);
                if (folder != watched_.end()) {
                    change.published.insert((fs::path(folder->second) / name).string());
                }
            } else if ((event.mask & (IN_MOVED_FROM | IN_DELETE)) != 0) {
                change.has_removals = true;
            }
        }
    }
}

FolderWatch::Change FolderWatch::wait() {
    std::array<pollfd, 2> waiting = {pollfd{events_, POLLIN, 0}, pollfd{wakes_, POLLIN, 0}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
    }
    Change change;
    std::uint64_t num_wakes = 0;
    change.was_woken = ::read(wakes_, &num_wakes, sizeof(num_wakes)) > 0;
    read_events(change);
    if (change.has_new_folder || change.may_have_missed || change.was_woken) {
        watch_folders();
    }
    return change;
}

void FolderWatch::wake() const {
    const std::uint64_t one = 1;
    // Fails only when wake-ups are waiting already.
    static_cast<void>(::write(wakes_, &one, sizeof(one)) == sizeof(one));
}

}  // namespace segue::serve
