// segue lookup: vectors of items and of sets of items, with the semantics of the blueprint's
// embedding lookup.

#include <fmt/core.h>

#include "base/json_writer.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "recommend/mean_vector.h"

namespace segue::cli {
namespace {

struct LookupArguments {
    static constexpr std::string_view kName = "lookup";
    static constexpr std::string_view kSummary =
        "Print vectors: for each argument the mean of the raw vectors of the keys in it.";
    ModelArguments model;
    std::vector<std::string> queries;
    bool json = false;

    void declare(Options& options) {
        model.declare(options);
        options.positionals(
            "KEYS", queries,
            "item keys between white space; a key twice counts twice, an unknown key "
            "adds a zero vector to the mean");
        options.flag("json", json, "print one JSON object");
        options.example("The vector of one item and the mean of two",
                        "segue lookup songs.segue 17 '17 42'");
    }
    Status check() const { return {}; }
    Status run(Console& console) const;
};

Status LookupArguments::run(Console& console) const {
    const Result<Model> opened = model.open();
    if (!opened.ok()) {
        return opened.status();
    }
    if (opened->item_vectors().num_rows == 0) {
        console.set_hint("segue fit --recipe ials or blueprint learns vectors");
        return invalid_argument(fmt::format("'{}' holds a {} model, which has no vectors",
                                            model.file, opened->info().recipe));
    }
    JsonWriter writer;
    writer.begin_object().key("embeddings").begin_array();
    for (const std::string& query : queries) {
        const MeanVector embedding = mean_vector(*opened, query);
        if (!embedding.unknown.empty()) {
            console.warn(printable("unknown: " + named(embedding.unknown)));
        }
        if (!json) {
            std::string line = printable(query) + '\t';
            for (std::size_t i = 0; i < embedding.vector.size(); ++i) {
                line += fmt::format("{}{}", i == 0 ? "" : " ", embedding.vector[i]);
            }
            console.print_line(line);
            continue;
        }
        writer.begin_object().key("query").value(query).key("embedding").begin_array();
        for (const float value : embedding.vector) {
            writer.value(value);
        }
        writer.end_array().key("unknown").begin_array();
        for (const std::string& key : embedding.unknown) {
            writer.value(key);
        }
        writer.end_array().end_object();
    }
    if (json) {
        console.print_line(writer.end_array().end_object().text());
    }
    console.suggest_next(fmt::format("segue export {} --out vectors.jsonl --format jsonl",
                                     shell_quoted(model.file)));
    return {};
}

}  // namespace

Verb lookup_verb() {
    return verb_of<LookupArguments>();
}

}  // namespace segue::cli
