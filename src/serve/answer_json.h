#pragma once

// The native answer, as JSON.

#include "base/json_writer.h"
#include "base/status.h"
#include "base/stopwatch.h"
#include "serve/query_json.h"
#include "serve/served_model.h"

namespace segue::serve {

/// Where the query has a timeout: when its answer is due, counted like `since`.
void set_deadline(ApiQuery& query, const Stopwatch& since);

/// What making answers one after the other needs.
struct AnswerMemory {
    AnswerScratch scratch;
    RefinedAnswer answer;
};

/// Asks the model and writes the members results, unknown, source, degraded and took_us of an
/// object that is begun. Nothing is written if an error is returned: as RefinedAnswers::answer
/// does, and where a field is no attribute of the model.
Status write_answer(const ApiQuery& query, const ServedModel& served, const Stopwatch& watch,
                    AnswerMemory& memory, JsonWriter& json);

/// Returns an error if: one of the names is no attribute of the model.
Status check_fields(const std::vector<std::string>& names, const Model& model);

/// {"title":"..."} of an item: those of the attributes named that it has, in the order named.
void write_fields(const std::vector<std::string>& names, const Model& model, std::uint32_t item_row,
                  JsonWriter& json);

}  // namespace segue::serve
