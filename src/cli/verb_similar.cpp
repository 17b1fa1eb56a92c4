// segue similar: what goes with these items, titles, groups or vectors.

#include <fmt/core.h>

#include <cmath>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/open_model.h"
#include "cli/query_arguments.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

struct SimilarArguments {
    static constexpr std::string_view kName = "similar";
    static constexpr std::string_view kSummary =
        "Find items similar to items, titles, groups or vectors.";
    ModelArguments model;
    QueryArguments query;
    bool json = false;
    bool explain = false;
    bool explain_search = false;

    void declare(Options& options) {
        model.declare(options);
        query.declare(options);
        options.flag("json", json, "print one JSON object");
        options.flag("explain", explain, "add what the counts say of each item asked about");
        options.flag("explain-search", explain_search, "add how the answer was searched for");
        options.example("Ten songs that go with one",
                        "segue similar songs.segue --title 'Enter Sandman'");
        options.example("For a program, two items at once",
                        "segue similar songs.segue --item 17 --item 42 --k 5 --json");
    }
    Status check() const { return query.check(); }
    Status run(Console& console) const;
};

/// What is said beside the results.
struct Explanations {
    bool evidence = false;
    bool search = false;
};

/// What joins one result to one of the items asked about.
struct Link {
    std::uint32_t query_row = 0;
    Evidence evidence;
};

std::vector<Link> links_of(const Recommender& recommender, const ResolvedQuery& asked,
                           std::uint32_t offered_row) {
    std::vector<Link> links;
    for (const std::uint32_t query_row : asked.item_rows) {
        if (const auto evidence = recommender.evidence(query_row, offered_row)) {
            links.push_back({query_row, *evidence});
        }
    }
    return links;
}

void write_search(const Answer& answer, JsonWriter& json) {
    json.key("search").begin_object();
    if (!answer.search) {
        json.key("path").value(name_of(answer.source)).end_object();
        return;
    }
    const SearchTrace& trace = answer.search->trace;
    json.key("path").value(name_of(trace.path)).key("leaves").value(trace.leaves);
    json.key("scored").value(trace.scored).key("candidates").value(trace.candidates);
    json.key("rescored").value(trace.rescored).key("widened").value(trace.widened);
    json.key("time_us").value(std::round(answer.search->seconds * 1e7) / 10).end_object();
}

/// "search: tree, 24 leaves, 8,120 entries scored, 112 candidates, 30 by f32, 45.2 us"
std::string search_text(const Answer& answer) {
    if (!answer.search) {
        return fmt::format(
            "search: none, answered from {}",
            answer.source == AnswerSource::kNeighbours ? "stored neighbours" : "lists");
    }
    const SearchTrace& trace = answer.search->trace;
    return fmt::format(
        "search: {}, {} leaves{}, {} items scored, {} candidates, {} by f32, {:.1f} us",
        name_of(trace.path), with_commas(trace.leaves),
        trace.widened ? " (more than asked, to find enough)" : "", with_commas(trace.scored),
        with_commas(trace.candidates), with_commas(trace.rescored), answer.search->seconds * 1e6);
}

std::string answer_json(const Model& model, const Recommender& recommender,
                        const ResolvedQuery& asked, const Answer& answer,
                        const Explanations& wanted) {
    const bool explain = wanted.evidence;
    JsonWriter json;
    json.begin_object().key("results").begin_array();
    for (const ScoredRow& result : answer.results) {
        json.begin_object().key("id").value(model.item_keys()[result.item_row]);
        json.key("score").value(result.score).key("fields").begin_object();
        for (std::size_t index = 0; index < model.attribute_names().size(); ++index) {
            const std::string_view value = model.attribute(index)[result.item_row];
            if (!value.empty()) {
                json.key(model.attribute_names()[index]).value(value);
            }
        }
        json.end_object();
        if (explain) {
            json.key("evidence").begin_array();
            for (const Link& link : links_of(recommender, asked, result.item_row)) {
                json.begin_object().key("id").value(model.item_keys()[link.query_row]);
                json.key("together").value(link.evidence.together);
                json.key("frequency_query").value(link.evidence.frequency_query);
                json.key("frequency").value(link.evidence.frequency);
                json.key("pmi").value(link.evidence.pmi).end_object();
            }
            json.end_array();
        }
        json.end_object();
    }
    json.end_array().key("unknown").begin_array();
    for (const std::string& key : answer.unknown) {
        json.value(key);
    }
    json.end_array().key("source").value(name_of(answer.source));
    if (wanted.search) {
        write_search(answer, json);
    }
    return json.end_object().take();
}

/// "together 41 of 120, PMI 5.2" of the item it was together with most often.
std::string evidence_text(const std::vector<Link>& links) {
    const Link* best = nullptr;
    for (const Link& link : links) {
        if (best == nullptr || link.evidence.together > best->evidence.together) {
            best = &link;
        }
    }
    if (best == nullptr) {
        return {};
    }
    if (best->evidence.together == 0) {
        return "never together";
    }
    return fmt::format("together {} of {}, PMI {:.1f}", with_commas(best->evidence.together),
                       with_commas(best->evidence.frequency_query), best->evidence.pmi);
}

std::vector<TextTable::Column> result_columns(const Model& model) {
    std::vector<TextTable::Column> columns = {{"", TextTable::Align::kRight, 10}, {"item"}};
    for (const std::string& name : model.attribute_names()) {
        columns.push_back({printable(name), TextTable::Align::kLeft, 40});
    }
    columns.push_back({"score", TextTable::Align::kRight, 20});
    return columns;
}

std::string answer_text(const Model& model, const Recommender& recommender,
                        const ResolvedQuery& asked, const Answer& answer, bool explain) {
    std::vector<TextTable::Column> columns = result_columns(model);
    if (explain) {
        columns.push_back({"asked about", TextTable::Align::kLeft, 40});
        for (const char* heading : {"together", "its groups", "groups", "PMI"}) {
            columns.push_back({heading, TextTable::Align::kRight, 20});
        }
    } else {
        columns.push_back({"", TextTable::Align::kLeft, 60});
    }
    TextTable table(columns);
    for (std::size_t place = 0; place < answer.results.size(); ++place) {
        const ScoredRow& result = answer.results[place];
        std::vector<std::string> cells = {fmt::format("{}", place + 1),
                                          std::string(model.item_keys()[result.item_row])};
        for (std::size_t index = 0; index < model.attribute_names().size(); ++index) {
            cells.emplace_back(model.attribute(index)[result.item_row]);
        }
        cells.push_back(fmt::format("{:.3f}", result.score));
        const std::vector<Link> links = links_of(recommender, asked, result.item_row);
        if (!explain) {
            cells.push_back(evidence_text(links));
            table.add_row(cells);
            continue;
        }
        const std::size_t num_cells = cells.size();
        for (std::size_t i = 0; i < std::max<std::size_t>(1, links.size()); ++i) {
            cells.resize(i == 0 ? num_cells : 0);
            cells.resize(num_cells);
            if (i < links.size()) {
                const Evidence& evidence = links[i].evidence;
                cells.push_back(describe_item(model, links[i].query_row));
                cells.push_back(with_commas(evidence.together));
                cells.push_back(with_commas(evidence.frequency_query));
                cells.push_back(with_commas(evidence.frequency));
                cells.push_back(evidence.together == 0 ? "" : fmt::format("{:.2f}", evidence.pmi));
            }
            cells.resize(columns.size());
            table.add_row(cells);
        }
    }
    return table.text();
}

/// Why nothing was found for a key: it may be a title.
void hint_at_titles(const std::vector<std::string>& keys, const Recommender& recommender,
                    Console& console) {
    for (const std::string& key : keys) {
        const std::vector<TitleMatch> matches = recommender.find_titles(key, 1);
        if (!matches.empty() && matches.front().distance == 0) {
            console.set_hint(fmt::format("it is a title: --title {}", shell_quoted(key)));
            return;
        }
    }
}

Status SimilarArguments::run(Console& console) const {
    const Result<Model> opened = model.open();
    if (!opened.ok()) {
        return opened.status();
    }
    const Recommender recommender(*opened);
    const Result<ResolvedQuery> asked = resolve(query, *opened, recommender, console);
    if (!asked.ok()) {
        return asked.status();
    }
    const Result<Answer> answer = recommender.answer(asked->query);
    if (!answer.ok()) {
        hint_at_titles(query.items, recommender, console);
        return answer.status();
    }
    if (json) {
        console.print_line(
            answer_json(*opened, recommender, *asked, *answer, {explain, explain_search}));
    } else {
        console.print(answer_text(*opened, recommender, *asked, *answer, explain));
        if (explain_search) {
            console.print_line(search_text(*answer));
        }
        if (answer->results.empty()) {
            console.remark("nothing to offer");
        }
    }
    if (!answer->unknown.empty()) {
        console.warn(printable("unknown: " + named(answer->unknown)));
    }
    if (!answer->results.empty()) {
        const std::string_view first = opened->item_keys()[answer->results.front().item_row];
        console.suggest_next(fmt::format("segue similar {} --item {}", shell_quoted(model.file),
                                         shell_quoted(first)));
    }
    return {};
}

}  // namespace

Verb similar_verb() {
    return verb_of<SimilarArguments>();
}

}  // namespace segue::cli
