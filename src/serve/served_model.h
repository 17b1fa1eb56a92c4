#pragma once

// One version of one model, ready to answer, and the references requests hold on it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"
#include "model/model.h"
#include "recommend/recommend.h"
#include "recommend/refined_answers.h"

namespace segue::serve {

class SearchMonitor;

/// What a version is called and where it came from.
struct ModelVersion {
    std::string name;
    std::uint64_t number = 1;
    double load_seconds = 0;  // how long opening, checking and warming up took
};

/// A model with its recommender under a name and a version. Immutable, thread-safe.
class ServedModel : public std::enable_shared_from_this<ServedModel> {
public:
    ServedModel(ModelVersion version, Model model)
        : version_(std::move(version)),
          version_text_(std::to_string(version_.number)),
          model_(std::move(model)),
          recommender_(model_),
          answers_(model_, recommender_),
          ready_since_(std::chrono::system_clock::now()),
          entity_tag_(make_entity_tag()),
          answer_beginning_(make_answer_beginning()),
          version_line_(header_line("X-Model-Version", version_text_)),
          entity_tag_line_(header_line("ETag", entity_tag_)) {}
    ServedModel(const ServedModel&) = delete;
    ServedModel& operator=(const ServedModel&) = delete;

    const std::string& name() const { return version_.name; }
    std::uint64_t version() const { return version_.number; }
    /// The version as every dialect writes it.
    const std::string& version_text() const { return version_text_; }
    /// What JSON answers begin with, an object that stays open: {"model":name,"version":version
    const std::string& answer_beginning() const { return answer_beginning_; }
    /// Header lines of every answer, and of one that caches may keep.
    const std::string& version_line() const { return version_line_; }
    const std::string& entity_tag_line() const { return entity_tag_line_; }
    double load_seconds() const { return version_.load_seconds; }
    /// Requires: nobody else has it yet.
    void set_load_seconds(double seconds) { version_.load_seconds = seconds; }
    /// Told of every answer from now on, so it must outlive the last one. Requires: nobody else has
    /// it yet.
    void set_monitor(SearchMonitor* monitor) { monitor_ = monitor; }

    const Model& model() const { return model_; }
    const Recommender& recommender() const { return recommender_; }
    const RefinedAnswers& answers() const { return answers_; }
    /// RefinedAnswers::answer, counted: the way of every request.
    Result<RefinedAnswer> answer(const RefinedQuery& query) const;
    /// Likewise, in place of what was in `answer`, whose memory is kept.
    Status answer(const RefinedQuery& query, AnswerScratch& scratch, RefinedAnswer& answer) const;
    /// Tells the monitor of an answer that was had otherwise.
    void observe(const RefinedQuery& query, const RefinedAnswer& answer, double seconds) const;
    std::chrono::system_clock::time_point ready_since() const { return ready_since_; }
    /// For caches: another one for every version that is served, also for another file under an old
    /// number. A weak one: the same answer may tell of another time it took.
    const std::string& entity_tag() const { return entity_tag_; }

private:
    std::string make_entity_tag() const;
    std::string make_answer_beginning() const;

    ModelVersion version_;
    std::string version_text_;
    Model model_;
    Recommender recommender_;
    RefinedAnswers answers_;
    std::chrono::system_clock::time_point ready_since_;
    std::string entity_tag_;
    std::string answer_beginning_;
    std::string version_line_;
    std::string entity_tag_line_;
    SearchMonitor* monitor_ = nullptr;
};

/// Held for the length of a request: the version answers as long as one is held, also after it was
/// replaced. Whoever lets go of the last one pays nothing: the memory is given back by the
/// registry's thread.
using ModelSnapshot = std::shared_ptr<const ServedModel>;

}  // namespace segue::serve
