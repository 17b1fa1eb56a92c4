#include "serve/model_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/text.h"
#include "serve/unloader.h"

namespace segue::serve {
namespace {

/// The versions of one name, as requests see them.
struct ServedName {
    std::string name;
    std::vector<ModelSnapshot> versions;  // by number
    std::map<std::string, std::uint64_t, std::less<>> labels;
    std::set<std::uint64_t> rolled_back;

    const ModelSnapshot* find(std::uint64_t number) const {
        for (const ModelSnapshot& version : versions) {
            if (version->version() == number) {
                return &version;
            }
        }
        return nullptr;
    }
    const ModelSnapshot* default_version() const {
        for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
            if (!rolled_back.contains((*version)->version())) {
                return &*version;
            }
        }
        return versions.empty() ? nullptr : &versions.front();
    }
};

/// Everything served at one moment. Immutable once published.
struct Catalogue {
    std::vector<ServedName> names;

    const ServedName* find(std::string_view name) const {
        for (const ServedName& served : names) {
            if (served.name == name) {
                return &served;
            }
        }
        return nullptr;
    }
    ServedName* find(std::string_view name) {
        return const_cast<ServedName*>(static_cast<const Catalogue*>(this)->find(name));
    }
};

/// A version as one worker holds it. Snapshots that all workers share would be counted in one cache
/// line, which each request of each worker would take from the others, twice.
struct alignas(64) HeldVersion {
    ModelSnapshot version;
};

std::shared_ptr<const Catalogue> copy_for_worker(const Catalogue& catalogue) {
    auto copy = std::make_shared<Catalogue>(catalogue);
    for (ServedName& served : copy->names) {
        for (ModelSnapshot& version : served.versions) {
            const auto held = std::make_shared<HeldVersion>(HeldVersion{version});
            version = ModelSnapshot(held, held->version.get());
        }
    }
    return copy;
}

/// What one worker reads: a lock nobody else takes but during a swap.
struct alignas(64) Slot {
    mutable std::mutex mutex;
    std::shared_ptr<const Catalogue> catalogue;
};

Status unknown_model(std::string_view name) {
    return not_found(fmt::format("no model \"{}\" is served", shortened(name)));
}

Status unknown_version(std::string_view name, std::uint64_t number) {
    return not_found(fmt::format("model \"{}\" has no version {} that is served", name, number));
}

}  // namespace

struct ModelRegistry::State {
    using Key = std::pair<std::string, std::uint64_t>;
    struct Note {
        VersionState state = VersionState::kEnd;
        Status failure;
    };

    explicit State(unsigned num_workers) : slots(num_workers) {
        publish(prepare(std::make_shared<Catalogue>()));
    }

    /// A catalogue with the copies of all workers: whatever may fail is done before it is
    /// published.
    struct Prepared {
        std::shared_ptr<const Catalogue> whole;
        std::vector<std::shared_ptr<const Catalogue>> copies;
    };
    Prepared prepare(std::shared_ptr<const Catalogue> next) const {
        Prepared prepared;
        for (std::size_t worker = 0; worker < slots.size(); ++worker) {
            prepared.copies.push_back(copy_for_worker(*next));
        }
        prepared.whole = std::move(next);
        return prepared;
    }
    void publish(Prepared next) {
        for (std::size_t worker = 0; worker < slots.size(); ++worker) {
            const std::lock_guard<std::mutex> lock(slots[worker].mutex);
            std::swap(slots[worker].catalogue, next.copies[worker]);
        }
        current = std::move(next.whole);
    }

    Unloader unloader;
    mutable std::mutex mutex;  // of changes, and of all below
    std::shared_ptr<const Catalogue> current;
    std::map<Key, Note> notes;
    std::vector<Slot> slots;
};

ModelRegistry::ModelRegistry(unsigned num_workers) : state_(std::make_unique<State>(num_workers)) {}

ModelRegistry::~ModelRegistry() = default;

Result<ModelSnapshot> ModelRegistry::acquire(std::string_view name, const VersionChoice& choice,
                                             unsigned worker) const {
    SEGUE_ASSERT(worker < state_->slots.size());
    const Slot& slot = state_->slots[worker];
    // The snapshot is copied under the lock: cheaper than holding the whole catalogue, and a
    // catalogue is thus only ever destroyed by who publishes the next.
    const std::lock_guard<std::mutex> lock(slot.mutex);
    const ServedName* const served = slot.catalogue->find(name);
    if (served == nullptr) {
        return unknown_model(name);
    }
    if (!choice.label.empty()) {
        const auto label = served->labels.find(choice.label);
        if (label == served->labels.end()) {
            return not_found(
                fmt::format("model \"{}\" has no label \"{}\"", name, shortened(choice.label)));
        }
        return *served->find(label->second);
    }
    const ModelSnapshot* const version =
        choice.number ? served->find(*choice.number) : served->default_version();
    if (version == nullptr) {
        return unknown_version(name, choice.number.value_or(0));
    }
    return *version;
}

void ModelRegistry::add(ModelVersion version, Model model) {
    add(std::make_unique<const ServedModel>(std::move(version), std::move(model)));
}

void ModelRegistry::add(std::unique_ptr<const ServedModel> model) {
    const std::string name = model->name();
    const std::uint64_t number = model->version();
    ModelSnapshot added = state_->unloader.share(std::move(model));
    const std::lock_guard<std::mutex> lock(state_->mutex);
    auto next = std::make_shared<Catalogue>(*state_->current);
    ServedName* served = next->find(name);
    if (served == nullptr) {
        served = &next->names.emplace_back();
        served->name = name;
    }
    std::erase_if(served->versions,
                  [&](const ModelSnapshot& present) { return present->version() == number; });
    const auto place =
        std::find_if(served->versions.begin(), served->versions.end(),
                     [&](const ModelSnapshot& present) { return present->version() > number; });
    served->versions.insert(place, std::move(added));
    served->rolled_back.erase(number);
    State::Prepared prepared = state_->prepare(std::move(next));
    state_->notes[{name, number}] = {VersionState::kAvailable, {}};
    state_->publish(std::move(prepared));
}

Status ModelRegistry::remove(std::string_view name, std::uint64_t number) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    auto next = std::make_shared<Catalogue>(*state_->current);
    ServedName* const served = next->find(name);
    if (served == nullptr || served->find(number) == nullptr) {
        return served == nullptr ? unknown_model(name) : unknown_version(name, number);
    }
    std::erase_if(served->versions,
                  [&](const ModelSnapshot& present) { return present->version() == number; });
    std::erase_if(served->labels, [&](const auto& label) { return label.second == number; });
    served->rolled_back.erase(number);
    if (served->versions.empty()) {
        std::erase_if(next->names, [&](const ServedName& each) { return each.name == name; });
    }
    State::Prepared prepared = state_->prepare(std::move(next));
    // One version that was ended in good order is remembered for each name, not all of history.
    std::erase_if(state_->notes, [&](const auto& entry) {
        return entry.first.first == name && entry.second.state == VersionState::kEnd &&
               entry.second.failure.ok();
    });
    state_->notes[{std::string(name), number}] = {VersionState::kEnd, {}};
    state_->publish(std::move(prepared));
    return {};
}

Status ModelRegistry::set_label(std::string_view name, std::string_view label,
                                std::uint64_t number) {
    if (!is_valid_name(label)) {
        return invalid_argument(
            fmt::format("\"{}\" is no label: 1 to 64 of A-Z a-z 0-9 . _ -", shortened(label)));
    }
    const std::lock_guard<std::mutex> lock(state_->mutex);
    auto next = std::make_shared<Catalogue>(*state_->current);
    ServedName* const served = next->find(name);
    if (served == nullptr || served->find(number) == nullptr) {
        return served == nullptr ? unknown_model(name) : unknown_version(name, number);
    }
    served->labels.insert_or_assign(std::string(label), number);
    state_->publish(state_->prepare(std::move(next)));
    return {};
}

Status ModelRegistry::remove_label(std::string_view name, std::string_view label) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    auto next = std::make_shared<Catalogue>(*state_->current);
    ServedName* const served = next->find(name);
    if (served == nullptr) {
        return unknown_model(name);
    }
    const auto found = served->labels.find(label);
    if (found == served->labels.end()) {
        return not_found(fmt::format("model \"{}\" has no label \"{}\"", name, shortened(label)));
    }
    served->labels.erase(found);
    state_->publish(state_->prepare(std::move(next)));
    return {};
}

Result<std::uint64_t> ModelRegistry::roll_back(std::string_view name) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    auto next = std::make_shared<Catalogue>(*state_->current);
    ServedName* const served = next->find(name);
    if (served == nullptr) {
        return unknown_model(name);
    }
    const std::uint64_t from = (*served->default_version())->version();
    served->rolled_back.insert(from);
    const std::uint64_t now = (*served->default_version())->version();
    if (now >= from) {
        return not_found(
            fmt::format("model \"{}\" has no version before {} that is served", name, from));
    }
    state_->publish(state_->prepare(std::move(next)));
    return now;
}

void ModelRegistry::note_loading(std::string_view name, std::uint64_t number) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    State::Note& note = state_->notes[{std::string(name), number}];
    // A version that is being replaced stays available meanwhile.
    if (note.state != VersionState::kAvailable) {
        note.state = VersionState::kLoading;
    }
    note.failure = {};
}

void ModelRegistry::note_failure(std::string_view name, std::uint64_t number, Status failure) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    State::Note& note = state_->notes[{std::string(name), number}];
    if (note.state != VersionState::kAvailable) {
        note.state = VersionState::kEnd;
    }
    note.failure = std::move(failure);
}

void ModelRegistry::forget(std::string_view name, std::uint64_t number) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    const auto note = state_->notes.find({std::string(name), number});
    if (note != state_->notes.end() && note->second.state != VersionState::kAvailable) {
        state_->notes.erase(note);
    }
}

std::vector<VersionReport> ModelRegistry::reports(std::string_view name) const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    std::vector<VersionReport> reports;
    for (const auto& [key, note] : state_->notes) {
        if (!name.empty() && key.first != name) {
            continue;
        }
        VersionReport& report = reports.emplace_back();
        report.name = key.first;
        report.number = key.second;
        report.state = note.state;
        report.failure = note.failure;
        const ServedName* const served = state_->current->find(key.first);
        const ModelSnapshot* const version = served == nullptr ? nullptr : served->find(key.second);
        if (version != nullptr) {
            report.load_seconds = (*version)->load_seconds();
            report.ready_since = (*version)->ready_since();
            report.is_default = version == served->default_version();
            for (const auto& [label, number] : served->labels) {
                if (number == key.second) {
                    report.labels.push_back(label);
                }
            }
        }
    }
    std::stable_sort(
        reports.begin(), reports.end(), [](const VersionReport& left, const VersionReport& right) {
            return left.name != right.name ? left.name < right.name : left.number > right.number;
        });
    return reports;
}

bool ModelRegistry::has_models() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return !state_->current->names.empty();
}

std::size_t ModelRegistry::num_unloading() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    std::size_t num_served = 0;
    for (const ServedName& served : state_->current->names) {
        num_served += served.versions.size();
    }
    const std::size_t num_alive = state_->unloader.num_alive();
    return num_alive > num_served ? num_alive - num_served : 0;
}

std::string_view name_of(VersionState state) {
    switch (state) {
        case VersionState::kLoading:
            return "LOADING";
        case VersionState::kAvailable:
            return "AVAILABLE";
        case VersionState::kUnloading:
            return "UNLOADING";
        case VersionState::kEnd:
            break;
    }
    return "END";
}

bool is_valid_name(std::string_view name) {
    const auto is_fit = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
    };
    return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), is_fit);
}

}  // namespace segue::serve
