// segue export: the item vectors of a model as files for other programs.

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/export.h"

namespace segue::cli {
namespace {

struct ExportArguments {
    static constexpr std::string_view kName = "export";
    static constexpr std::string_view kSummary = "Write the item vectors of a model to files.";
    ModelArguments model;
    std::string out;
    std::string format = "jsonl";
    std::uint32_t shards = 0;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        model.declare(options);
        options.required_text("out", out, "DIR_OR_FILE", "a folder, or one file");
        options.choice("format", format, {"jsonl", "csv", "npy", "parquet"},
                       "{\"id\",\"embedding\"} lines; key,v1,...,vN lines; a numpy array and its "
                       "keys; columns id and embedding");
        options.number("shards", shards, {0, 512}, "files to deal jsonl or csv lines to");
        options.flag("force", force, "overwrite files");
        options.flag("json", json, "print one JSON object");
        options.example("Four files embedding-*.json",
                        "segue export songs.segue --out vectors/ --format jsonl --shards 4");
    }
    Status check() const {
        return shards > 1 && (format == "npy" || format == "parquet")
                   ? invalid_argument("--shards is for jsonl and csv")
                   : Status();
    }
    Status run(Console& console) const;
};

Status ExportArguments::run(Console& console) const {
    const Result<Model> opened = model.open();
    if (!opened.ok()) {
        return opened.status();
    }
    const Result<VectorFormat> vector_format = vector_format_by_name(format);
    if (!vector_format.ok()) {
        return vector_format.status();
    }
    const Result<ExportReport> done = export_vectors(
        *opened, {.out = out, .format = *vector_format, .num_shards = shards, .overwrite = force},
        console.progress());
    if (!done.ok()) {
        return done.status();
    }
    if (!done->removed.empty()) {
        console.remark(fmt::format("removed {} files of an earlier export to this folder",
                                   with_commas(done->removed.size())));
    }
    if (json) {
        JsonWriter writer;
        writer.begin_object().key("files").begin_array();
        for (const std::string& file : done->files) {
            writer.value(file);
        }
        writer.end_array().key("removed").begin_array();
        for (const std::string& file : done->removed) {
            writer.value(file);
        }
        writer.end_array().key("items").value(static_cast<std::uint64_t>(done->num_items));
        writer.key("dim").value(static_cast<std::uint64_t>(done->dim)).end_object();
        console.print_line(writer.text());
    } else {
        console.print_line(fmt::format("{} vectors of {} numbers in {}",
                                       with_commas(done->num_items), done->dim,
                                       printable(join(done->files, ", "))));
    }
    console.suggest_next(
        fmt::format("segue import {} --out imported.segue", shell_quoted(done->files.front())));
    return {};
}

}  // namespace

Verb export_verb() {
    return verb_of<ExportArguments>();
}

}  // namespace segue::cli
