#pragma once

// Which models are served, in which versions, and which version a request gets.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "serve/served_model.h"

namespace segue::serve {

/// The version a request asks for: a number, a label, or neither (the default one).
struct VersionChoice {
    std::optional<std::uint64_t> number;
    std::string_view label;
};

/// States as TensorFlow Serving calls them.
enum class VersionState { kLoading, kAvailable, kUnloading, kEnd };

/// "LOADING", "AVAILABLE", "UNLOADING", "END".
std::string_view name_of(VersionState state);

/// What became of one version, loaded or not.
struct VersionReport {
    std::string name;
    std::uint64_t number = 0;
    VersionState state = VersionState::kEnd;
    Status failure;  // why it is not served, or why the file that should replace it is not
    double load_seconds = 0;
    std::chrono::system_clock::time_point ready_since;  // while kAvailable
    bool is_default = false;
    std::vector<std::string> labels;
};

/// Models, versions and labels. Readers never wait for a load; a change makes new tables and swaps
/// them in. The default version of a name is its newest that was not rolled back. Thread-safe.
class ModelRegistry {
public:
    /// `num_workers` threads read it at the same time, each with its own number.
    explicit ModelRegistry(unsigned num_workers);
    /// Waits until what was let go of is unmapped. Requires: no snapshot is held.
    ~ModelRegistry();
    ModelRegistry(const ModelRegistry&) = delete;
    ModelRegistry& operator=(const ModelRegistry&) = delete;

    /// Returns an error if: no such model, version or label is served. Requires: worker <
    /// num_workers.
    Result<ModelSnapshot> acquire(std::string_view name, const VersionChoice& choice,
                                  unsigned worker) const;

    /// Serves a version from now on, in place of the one of the same number if there is one.
    void add(std::unique_ptr<const ServedModel> model);
    void add(ModelVersion version, Model model);
    /// Returns an error if: it is not served.
    Status remove(std::string_view name, std::uint64_t number);
    /// Returns an error if: that version is not served, or the label is no name.
    Status set_label(std::string_view name, std::string_view label, std::uint64_t number);
    /// Returns an error if: there is no such label.
    Status remove_label(std::string_view name, std::string_view label);
    /// Makes the version before the default one the default, until a newer one comes; the number
    /// of it. Returns an error if: there is none.
    Result<std::uint64_t> roll_back(std::string_view name);

    /// For reports: a version that is being loaded, and one that could not be.
    void note_loading(std::string_view name, std::uint64_t number);
    void note_failure(std::string_view name, std::uint64_t number, Status failure);
    /// Forgets a version that failed or was unloaded.
    void forget(std::string_view name, std::uint64_t number);

    /// By name, then number, newest first; all names for an empty one.
    std::vector<VersionReport> reports(std::string_view name = {}) const;
    /// Whether any version is served.
    bool has_models() const;
    /// Versions let go of whose memory is not given back yet.
    std::size_t num_unloading() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Whether a text may name a model or a label: 1 to 64 of A-Z a-z 0-9 . _ -, not "." or "..".
bool is_valid_name(std::string_view name);

}  // namespace segue::serve
