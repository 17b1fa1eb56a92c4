#pragma once

// Brings what is on disk into the registry: checks, warms up, switches, lets go.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "base/status.h"
#include "serve/folder_watch.h"
#include "serve/metrics.h"
#include "serve/model_folder.h"
#include "serve/model_registry.h"

namespace segue::serve {

struct ModelLoaderOptions {
    bool verify_checksums = true;
    /// Only models whose search was judged good enough when it was built.
    bool require_blessed = false;
    /// So many versions of each name, the newest that can be served, and those that have a label or
    /// were rolled back to; 0 for all there are.
    std::size_t max_versions = 0;
    /// Bundles are read into memory instead of being mapped: for folders in which files might be
    /// written to or cut short.
    bool copy = false;
    /// A load that would take the memory of the process beyond this is refused; 0 for no limit.
    std::uint64_t max_memory_bytes = 0;
    bool watch = true;
    /// Told of every answer of what is loaded; null for nobody.
    SearchMonitor* monitor = nullptr;
};

/// Called for every load and unload, by any thread, one call at a time.
using LoaderLog = std::function<void(std::string_view line)>;

/// Keeps a registry like a folder, on a thread of its own with low priority: what was renamed into
/// place is loaded, what was removed is unloaded, and a version that cannot be loaded leaves in
/// place what was served before it. Thread-safe.
class ModelLoader {
public:
    /// Loads everything there is before it returns. The registry must outlive it. Returns an error
    /// if: the folder cannot be read or watched; not if a model in it cannot be loaded.
    static Result<std::unique_ptr<ModelLoader>> start(ModelFolder folder,
                                                      const ModelLoaderOptions& options,
                                                      ModelRegistry& registry, LoaderLog log = {});
    ~ModelLoader();
    ModelLoader(const ModelLoader&) = delete;
    ModelLoader& operator=(const ModelLoader&) = delete;

    /// Looks at everything again soon, what failed included.
    void rescan();
    /// Loads a version (the newest for none) from its file, also one that was unloaded. Returns
    /// when it answers. Returns an error if: there is no such file, or it cannot be loaded.
    Status load(std::string_view name, std::optional<std::uint64_t> number);
    /// load() on the thread of the loader; what became of it is in the registry's reports. Returns
    /// an error if: there is no such file.
    Status load_later(std::string_view name, std::optional<std::uint64_t> number);
    /// Lets go of a version (all for none) until it is loaded by hand or published again. Returns
    /// an error if: it is not served.
    Status unload(std::string_view name, std::optional<std::uint64_t> number);

    /// rec_model_load_failures_total.
    void write_metrics(MetricsText& text) const;

private:
    ModelLoader(ModelFolder folder, const ModelLoaderOptions& options, ModelRegistry& registry,
                LoaderLog log);
    void run();
    void load_wanted();
    Status scan(const FolderWatch::Change& change);
    void drop_vanished(const std::map<VersionKey, ModelFile>& files);
    std::set<VersionKey> kept_versions() const;
    Status check_memory(const ModelFile& file) const;
    bool is_served(const VersionKey& key) const;
    bool is_due(const VersionKey& key, const ModelFile& file,
                const FolderWatch::Change& change) const;
    Status load_file(const VersionKey& key, const ModelFile& file);
    Status open_and_add(const VersionKey& key, const ModelFile& file);
    void say(const std::string& line) const;

    ModelFolder folder_;
    ModelLoaderOptions options_;
    ModelRegistry& registry_;
    LoaderLog log_;
    mutable std::mutex mutex_;                 // held through a load
    std::map<VersionKey, FileIdentity> seen_;  // files loaded, or tried in vain
    std::set<VersionKey> held_back_;           // unloaded by hand
    std::set<VersionKey> kept_;                // loaded by hand
    mutable std::mutex failures_mutex_;
    std::map<StatusCode, std::uint64_t> num_failures_;
    std::optional<FolderWatch> watch_;
    std::atomic<bool> is_stopping_ = false;
    std::atomic<bool> is_rescan_wanted_ = false;
    std::mutex wanted_mutex_;
    std::set<VersionKey> wanted_;  // by load_later()
    std::thread thread_;
};

}  // namespace segue::serve
