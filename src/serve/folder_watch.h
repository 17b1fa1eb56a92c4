#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "base/status.h"
#include "serve/model_folder.h"

namespace segue::serve {

/// Says when bundles were published by renaming, or removed (inotify). A file that is still being
/// written says nothing. Not thread-safe but for wake().
class FolderWatch {
public:
    /// Returns an error if: the system has no more watches.
    static Result<FolderWatch> open(const ModelFolder& folder);
    FolderWatch(FolderWatch&& other) noexcept;
    FolderWatch& operator=(FolderWatch&&) = delete;
    ~FolderWatch();

    struct Change {
        std::set<std::string> published;  // paths renamed into place
        bool has_new_folder = false;      // which may hold bundles already
        bool has_removals = false;
        bool was_woken = false;
        bool may_have_missed = false;  // so that everything is to be looked at
    };
    /// Waits for something to happen.
    Change wait();
    /// Lets wait() return; from any thread.
    void wake() const;

private:
    FolderWatch(int events, int wakes) : events_(events), wakes_(wakes) {}
    Status watch(const std::string& path);
    void watch_folders();
    void read_events(Change& change);

    int events_;
    int wakes_;
    std::string root_;
    bool is_one_file_ = false;
    std::map<int, std::string> watched_;  // paths by watch
};

}  // namespace segue::serve
