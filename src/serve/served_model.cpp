#include "serve/served_model.h"

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "serve/search_monitor.h"

namespace segue::serve {

std::string ServedModel::make_entity_tag() const {
    return fmt::format(
        "W/\"{}-{:x}\"", version_text_,
        std::chrono::duration_cast<std::chrono::microseconds>(ready_since_.time_since_epoch())
            .count());
}

std::string ServedModel::make_answer_beginning() const {
    JsonWriter json;
    json.begin_object().key("model").value(name());
    return json.key("version").value(version_text_).take();
}

Result<RefinedAnswer> ServedModel::answer(const RefinedQuery& query) const {
    return answer_once<RefinedAnswer>([&](AnswerScratch& scratch, RefinedAnswer& answer) {
        return this->answer(query, scratch, answer);
    });
}

Status ServedModel::answer(const RefinedQuery& query, AnswerScratch& scratch,
                           RefinedAnswer& answer) const {
    const Stopwatch watch;
    Status status = answers_.answer(query, scratch, answer);
    if (status.ok()) {
        observe(query, answer, watch.seconds());
    }
    return status;
}

void ServedModel::observe(const RefinedQuery& query, const RefinedAnswer& answer,
                          double seconds) const {
    if (monitor_ != nullptr) {
        static_cast<void>(monitor_->observe(*this, query, answer, seconds));
    }
}

}  // namespace segue::serve
