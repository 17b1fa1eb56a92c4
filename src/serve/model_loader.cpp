#include "serve/model_loader.h"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <system_error>

#include "base/stopwatch.h"
#include "base/text.h"
#include "serve/background_thread.h"
#include "serve/warm_up.h"

namespace segue::serve {
namespace {

std::string text_of(const VersionKey& key) {
    return fmt::format("model {} version {}", key.first, key.second);
}

/// Why the search of a model was not judged good enough, if so. Lists are exact as they are.
Status check_blessed(const Model& model) {
    if (model.item_vectors().num_rows == 0) {
        return {};
    }
    if (model.index() == nullptr) {
        return invalid_argument("it has no index that was judged: segue index FILE builds one");
    }
    if (!model.index_facts().blessed) {
        return invalid_argument("its index was judged and is not blessed");
    }
    return {};
}

}  // namespace

ModelLoader::ModelLoader(ModelFolder folder, const ModelLoaderOptions& options,
                         ModelRegistry& registry, LoaderLog log)
    : folder_(std::move(folder)), options_(options), registry_(registry), log_(std::move(log)) {}

Result<std::unique_ptr<ModelLoader>> ModelLoader::start(ModelFolder folder,
                                                        const ModelLoaderOptions& options,
                                                        ModelRegistry& registry, LoaderLog log) {
    std::unique_ptr<ModelLoader> loader(
        new ModelLoader(std::move(folder), options, registry, std::move(log)));
    if (options.watch) {
        // Watched before it is looked at, so that nothing falls in between.
        Result<FolderWatch> watch = FolderWatch::open(loader->folder_);
        if (!watch.ok()) {
            return watch.status();
        }
        loader->watch_.emplace(std::move(*watch));
    }
    FolderWatch::Change everything;
    everything.may_have_missed = true;
    if (Status status = loader->scan(everything); !status.ok()) {
        return status;
    }
    if (options.watch) {
        loader->thread_ = std::thread([&running = *loader] { running.run(); });
    }
    return loader;
}

ModelLoader::~ModelLoader() {
    if (thread_.joinable()) {
        is_stopping_ = true;
        watch_->wake();
        thread_.join();
    }
}

void ModelLoader::run() {
    const GentleWork gently = make_background_thread(is_stopping_);
    while (true) {
        FolderWatch::Change change = watch_->wait();
        if (is_stopping_) {
            return;
        }
        load_wanted();
        // It may have been woken only for those.
        change.was_woken = is_rescan_wanted_.exchange(false);
        try {
            if (const Status status = scan(change); !status.ok()) {
                say(status.message());
            }
        } catch (const std::bad_alloc&) {
            say("there was not the memory to look at the models");
        }
    }
}

void ModelLoader::load_wanted() {
    std::set<VersionKey> wanted;
    {
        const std::lock_guard<std::mutex> lock(wanted_mutex_);
        wanted.swap(wanted_);
    }
    for (const VersionKey& key : wanted) {
        if (const Status status = load(key.first, key.second); !status.ok()) {
            registry_.note_failure(key.first, key.second, status);
        }
    }
}

void ModelLoader::say(const std::string& line) const {
    if (log_) {
        log_(line);
    }
}

void ModelLoader::rescan() {
    if (watch_) {
        is_rescan_wanted_ = true;
        watch_->wake();
        return;
    }
    FolderWatch::Change change;
    change.was_woken = true;
    if (const Status status = scan(change); !status.ok()) {
        say(status.message());
    }
}

/// Versions that have a label, that somebody rolled back to, or that were loaded by hand.
std::set<VersionKey> ModelLoader::kept_versions() const {
    std::set<VersionKey> kept = kept_;
    std::string_view newer_of;  // the name whose newest served version was passed
    const std::vector<VersionReport> reports = registry_.reports();
    for (const VersionReport& report : reports) {
        const bool is_rolled_back_to = report.is_default && newer_of == report.name;
        if (is_rolled_back_to || !report.labels.empty()) {
            kept.emplace(report.name, report.number);
        }
        if (report.state == VersionState::kAvailable) {
            newer_of = report.name;
        }
    }
    return kept;
}

void ModelLoader::drop_vanished(const std::map<VersionKey, ModelFile>& files) {
    for (auto seen = seen_.begin(); seen != seen_.end();) {
        const VersionKey& key = seen->first;
        if (files.contains(key)) {
            ++seen;
            continue;
        }
        if (registry_.remove(key.first, key.second).ok()) {
            say(fmt::format("unloaded {}", text_of(key)));
        }
        registry_.forget(key.first, key.second);
        held_back_.erase(key);
        kept_.erase(key);
        seen = seen_.erase(seen);
    }
}

bool ModelLoader::is_served(const VersionKey& key) const {
    return registry_.acquire(key.first, {key.second, ""}, 0).ok();
}

/// Whether a file that is there is to be loaded now.
bool ModelLoader::is_due(const VersionKey& key, const ModelFile& file,
                         const FolderWatch::Change& change) const {
    const bool was_published = change.published.contains(file.path);
    const bool looks_at_all = change.may_have_missed || change.was_woken || change.has_new_folder;
    const auto seen = seen_.find(key);
    const bool is_new = seen == seen_.end() || seen->second != file.identity;
    const bool has_failed = change.was_woken && !is_new && !is_served(key);
    return ((is_new && (was_published || looks_at_all)) || has_failed) && !held_back_.contains(key);
}

Status ModelLoader::scan(const FolderWatch::Change& change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Result<std::map<VersionKey, ModelFile>> files = folder_.list();
    if (!files.ok()) {
        return files.status();
    }
    std::erase_if(held_back_, [&](const VersionKey& key) {
        const auto file = files->find(key);
        return file != files->end() && change.published.contains(file->second.path);
    });
    const std::set<VersionKey> kept = kept_versions();
    // The newest first: what is not served yet, or cannot be, takes no older version's place.
    std::map<std::string, std::size_t> num_taken;
    for (auto place = files->end(); place != files->begin();) {
        --place;
        const auto& [key, file] = *place;
        std::size_t& taken = num_taken[key.first];
        if (options_.max_versions > 0 && taken >= options_.max_versions && !kept.contains(key)) {
            place = files->erase(place);
            continue;
        }
        if (is_due(key, file, change)) {
            // The failure is in the registry's report and in the log.
            static_cast<void>(load_file(key, file).ok());
        }
        taken += is_served(key) || held_back_.contains(key) ? 1 : 0;
    }
    // Last, so that a name whose only version is replaced by another always has one.
    drop_vanished(*files);
    return {};
}

Status ModelLoader::load_file(const VersionKey& key, const ModelFile& file) {
    Status status;
    try {
        registry_.note_loading(key.first, key.second);
        status = open_and_add(key, file);
        seen_[key] = file.identity;
    } catch (const std::bad_alloc&) {
        status = resource_limit("there is not enough memory");
    } catch (const std::system_error& error) {  // a thread that cannot be made
        status = resource_limit(error.what());
    }
    if (!status.ok()) {
        {
            const std::lock_guard<std::mutex> lock(failures_mutex_);
            ++num_failures_[status.code()];
        }
        registry_.note_failure(key.first, key.second, status);
        say(fmt::format("cannot load {}: {}", text_of(key), status.message()));
    }
    return status;
}

/// A version and the one that replaces it are in memory together for a while.
Status ModelLoader::check_memory(const ModelFile& file) const {
    const std::uint64_t used = resident_memory_bytes();
    if (options_.max_memory_bytes == 0 || used + file.identity.size <= options_.max_memory_bytes) {
        return {};
    }
    return resource_limit(
        fmt::format("{} bytes of '{}' do not fit: {} are in use, and the limit is {}; unload a "
                    "version, or give "
                    "more memory",
                    with_commas(file.identity.size), file.path, with_commas(used),
                    with_commas(options_.max_memory_bytes)));
}

Status ModelLoader::open_and_add(const VersionKey& key, const ModelFile& file) {
    const Stopwatch clock;
    if (Status status = check_memory(file); !status.ok()) {
        return status;
    }
    Result<Model> model = Model::open(
        file.path, {.verify_checksums = options_.verify_checksums, .copy = options_.copy});
    if (!model.ok()) {
        return model.status();
    }
    if (options_.require_blessed) {
        if (Status status = check_blessed(*model); !status.ok()) {
            return status;
        }
    }
    auto served =
        std::make_unique<ServedModel>(ModelVersion{key.first, key.second}, std::move(*model));
    if (Status status = warm_up(*served); !status.ok()) {
        return status;
    }
    served->set_load_seconds(clock.seconds());
    served->set_monitor(options_.monitor);
    const std::size_t num_items = served->model().num_items();
    registry_.add(std::move(served));
    say(fmt::format("loaded {}: {} items in {:.2f} s", text_of(key), with_commas(num_items),
                    clock.seconds()));
    return {};
}

namespace {

/// The file of a version, the newest for none.
Result<std::pair<VersionKey, ModelFile>> find_file(const ModelFolder& folder, std::string_view name,
                                                   std::optional<std::uint64_t> number) {
    const Result<std::map<VersionKey, ModelFile>> files = folder.list();
    if (!files.ok()) {
        return files.status();
    }
    for (auto file = files->rbegin(); file != files->rend(); ++file) {
        if (file->first.first == name && (!number || file->first.second == *number)) {
            return std::pair(file->first, file->second);
        }
    }
    return not_found(number ? fmt::format("there is no file of model \"{}\" version {}",
                                          shortened(name), *number)
                            : fmt::format("there is no file of model \"{}\"", shortened(name)));
}

}  // namespace

Status ModelLoader::load_later(std::string_view name, std::optional<std::uint64_t> number) {
    const Result<std::pair<VersionKey, ModelFile>> found = find_file(folder_, name, number);
    if (!found.ok()) {
        return found.status();
    }
    if (!watch_) {
        return load(name, number);
    }
    {
        const std::lock_guard<std::mutex> lock(wanted_mutex_);
        wanted_.insert(found->first);
    }
    registry_.note_loading(found->first.first, found->first.second);
    watch_->wake();
    return {};
}

Status ModelLoader::load(std::string_view name, std::optional<std::uint64_t> number) try {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Result<std::pair<VersionKey, ModelFile>> found = find_file(folder_, name, number);
    if (!found.ok()) {
        return found.status();
    }
    const auto& [key, file] = *found;
    held_back_.erase(key);
    kept_.insert(key);
    const auto seen = seen_.find(key);
    if (seen != seen_.end() && seen->second == file.identity &&
        registry_.acquire(key.first, {key.second, ""}, 0).ok()) {
        return {};
    }
    return load_file(key, file);
} catch (const std::bad_alloc&) {
    return resource_limit("there is not enough memory");
}

Status ModelLoader::unload(std::string_view name, std::optional<std::uint64_t> number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bool has_any = false;
    for (const VersionReport& report : registry_.reports(name)) {
        if (report.state == VersionState::kAvailable && (!number || report.number == *number)) {
            has_any = true;
            const VersionKey key(report.name, report.number);
            held_back_.insert(key);
            kept_.erase(key);
            if (registry_.remove(key.first, key.second).ok()) {
                say(fmt::format("unloaded {} on request", text_of(key)));
            }
        }
    }
    return has_any ? Status()
                   : not_found(
                         fmt::format("no such version of model \"{}\" is served", shortened(name)));
}

void ModelLoader::write_metrics(MetricsText& text) const {
    const std::lock_guard<std::mutex> lock(failures_mutex_);
    text.family("rec_model_load_failures_total", "counter", "Loads that failed, by reason.");
    for (const auto& [code, number] : num_failures_) {
        std::string labels;
        std::string reason(name_of(code));
        std::replace(reason.begin(), reason.end(), ' ', '_');
        MetricsText::add_label(labels, "reason", reason);
        text.sample("", labels, static_cast<double>(number));
    }
}

}  // namespace segue::serve
