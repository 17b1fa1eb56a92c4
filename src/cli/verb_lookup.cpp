// segue lookup: vectors of items and of sets of items, with the semantics of the blueprint's
// embedding lookup.

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/wording.h"

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

struct Embedding {
    std::vector<float> vector;
    std::vector<std::string> unknown;
};

/// embedding_lookup_sparse(combiner="mean") with a zero row for what is out of the vocabulary.
Embedding look_up(const Model& model, std::string_view query) {
    const MatrixView vectors = model.item_vectors();
    std::vector<double> sums(vectors.dim, 0.0);
    Embedding embedding;
    const std::vector<std::string_view> keys = split_on_space(query);
    for (const std::string_view key : keys) {
        const std::optional<std::uint32_t> row = model.find_item(key);
        if (!row) {
            embedding.unknown.emplace_back(key);
            continue;
        }
        const std::span<const float> values = vectors.row(*row);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += values[i];
        }
    }
    for (const double sum : sums) {
        embedding.vector.push_back(
            keys.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(keys.size())));
    }
    return embedding;
}

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
        const Embedding embedding = look_up(*opened, query);
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
