#include "serve/answer_json.h"

#include <algorithm>
#include <cmath>

namespace segue::serve {

namespace {

constexpr JsonEntry kResult = {R"({"id":")", R"(","score":)"};

/// Rows of the items that are asked about, which evidence is given for.
std::vector<std::uint32_t> asked_rows(const Query& query, const Model& model) {
    std::vector<std::uint32_t> rows;
    const auto add = [&](const std::string& key) {
        const std::optional<std::uint32_t> row = model.find_item(key);
        if (row && std::find(rows.begin(), rows.end(), *row) == rows.end()) {
            rows.push_back(*row);
        }
    };
    for (const Query::Item& item : query.items) {
        if (item.weight > 0) {
            add(item.key);
        }
    }
    for (const std::string& key : query.history) {
        add(key);
    }
    return rows;
}

/// The item asked about that is most often together with the one offered, and how often.
void write_evidence(const std::vector<std::uint32_t>& asked, const ServedModel& served,
                    std::uint32_t offered, JsonWriter& json) {
    std::optional<Evidence> best;
    std::uint32_t best_row = 0;
    for (const std::uint32_t row : asked) {
        const std::optional<Evidence> evidence = served.recommender().evidence(row, offered);
        if (evidence && (!best || evidence->together > best->together)) {
            best = evidence;
            best_row = row;
        }
    }
    if (!best) {
        return;
    }
    json.key("evidence").begin_object();
    json.key("item").value(served.model().item_keys()[best_row]);
    json.key("together").value(best->together);
    json.key("frequency_query").value(best->frequency_query);
    json.key("frequency").value(best->frequency);
    json.key("pmi").value(best->pmi).end_object();
}

/// Keys of results lie anywhere in memory: all are on their way when the first one is read.
void prefetch_keys(const std::vector<ScoredRow>& results, StringTableView keys) {
    for (const ScoredRow& row : results) {
        __builtin_prefetch(keys.offsets().data() + row.item_row);
    }
    for (const ScoredRow& row : results) {
        __builtin_prefetch(keys.bytes().data() + keys.offsets()[row.item_row]);
    }
}

}  // namespace

Status check_fields(const std::vector<std::string>& names, const Model& model) {
    for (const std::string& name : names) {
        if (const Result<StringTableView> column = find_attribute(model, name); !column.ok()) {
            return column.status().with_context("fields");
        }
    }
    return Status();
}

void write_fields(const std::vector<std::string>& names, const Model& model, std::uint32_t item_row,
                  JsonWriter& json) {
    json.begin_object();
    for (const std::string& name : names) {
        const Result<StringTableView> column = find_attribute(model, name);
        if (column.ok() && !(*column)[item_row].empty()) {
            json.key(name).value((*column)[item_row]);
        }
    }
    json.end_object();
}

void set_deadline(ApiQuery& query, const Stopwatch& since) {
    if (query.timeout) {
        const std::chrono::duration<double> passed(since.seconds());
        query.refined.deadline =
            std::chrono::steady_clock::now() + *query.timeout -
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(passed);
    }
}

Status write_answer(const ApiQuery& query, const ServedModel& served, const Stopwatch& watch,
                    AnswerMemory& memory, JsonWriter& json) {
    const Model& model = served.model();
    if (Status status = check_fields(query.fields, model); !status.ok()) {
        return status;
    }
    RefinedAnswer& answer = memory.answer;
    if (Status status = served.answer(query.refined, memory.scratch, answer); !status.ok()) {
        return status;
    }
    const std::vector<std::uint32_t> asked =
        query.evidence ? asked_rows(query.refined.query, model) : std::vector<std::uint32_t>();
    const StringTableView keys = model.item_keys();
    prefetch_keys(answer.results, keys);
    json.begin_raw(R"("results":[)");
    for (const ScoredRow& row : answer.results) {
        json.begin_entry(kResult, keys[row.item_row], row.score);
        if (!query.fields.empty()) {
            json.key("fields");
            write_fields(query.fields, model, row.item_row, json);
        }
        if (query.evidence) {
            write_evidence(asked, served, row.item_row, json);
        }
        json.end_object();
    }
    json.end_array().begin_raw(R"("unknown":[)");
    for (const std::string& key : answer.unknown) {
        json.value(key);
    }
    json.end_array();
    if (answer.unknown_group) {
        json.key("unknown_user").value(*answer.unknown_group);
    }
    json.key("source").value(answer.source);
    json.begin_raw(answer.is_cut_short ? R"("degraded":true,"took_us":)"
                                       : R"("degraded":false,"took_us":)");
    json.value(static_cast<std::uint64_t>(std::llround(watch.seconds() * 1e6)));
    return Status();
}

}  // namespace segue::serve
