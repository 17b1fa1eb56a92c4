// segue import: vectors made elsewhere become a bundle.

#include <fmt/core.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "pipeline/import.h"

namespace segue::cli {
namespace {

struct ImportArguments {
    static constexpr std::string_view kName = "import";
    static constexpr std::string_view kSummary = "Build a bundle from files of keys and vectors.";
    std::vector<std::string> files;
    std::string out;
    std::string format = "auto";
    double popularity_exponent = 1;
    std::uint64_t neighbours = 100;
    std::uint32_t threads = 0;
    bool skip_faulty = false;
    bool no_index = false;
    bool force = false;
    bool json = false;

    void declare(Options& options) {
        options.positionals("FILES", files, "files of one of the formats");
        options.required_text("out", out, "FILE.segue", "the bundle to write");
        options.choice("format", format, {"auto", "jsonl", "csv", "npy", "parquet"},
                       "auto goes by the names; an .npy file needs its .keys.json beside it");
        options.number("popularity-exponent", popularity_exponent, kExponentRange,
                       "0 ranks by dot product, 1 by cosine");
        options.number("neighbours", neighbours, {1, 10'000}, "length of the stored lists");
        options.number("threads", threads, kThreadsRange, "0 takes one for each core");
        options.flag("skip-faulty", skip_faulty, "import the good lines of files with faulty ones");
        options.flag("no-index", no_index, "build no index; segue index adds one later");
        options.flag("force", force, "overwrite the bundle");
        options.flag("json", json, "print one JSON object");
        options.example("Vectors out and in again",
                        "segue import vectors/embedding-*.json --out songs2.segue");
    }
    Status check() const {
        for (const std::string& file : files) {
            if (format == "auto" && !vector_format_of(file)) {
                return invalid_argument(fmt::format(
                    "'{}': the name tells no format; say --format jsonl, csv, npy or parquet",
                    file));
            }
        }
        return {};
    }
    Status run(Console& console) const;
};

/// The first faults with their places, on stderr: details of an error unless they are skipped.
void tell_faults(const ImportReport& report, bool skipped, Console& console) {
    const auto say = [&](const std::string& line) {
        skipped ? console.remark(line) : console.error_detail(line);
    };
    for (const ImportIssue& issue : report.issues) {
        say(printable(fmt::format("{}:{}: {}: {}", issue.file, issue.line, name_of(issue.fault),
                                  issue.what)));
    }
    if (report.num_faults() > report.issues.size()) {
        say(fmt::format("... and {} more",
                        with_commas(report.num_faults() - report.issues.size())));
    }
}

/// "3 wrong dimension, 1 duplicate key".
std::string fault_counts(const ImportReport& report) {
    std::string text;
    for (std::size_t i = 0; i < kNumImportFaults; ++i) {
        if (report.faults[i] > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_commas(report.faults[i]),
                                name_of(static_cast<ImportFault>(i)));
        }
    }
    return text;
}

std::string report_json(const ImportArguments& arguments, const ImportReport& report,
                        const ImportedBundle& imported, std::uint64_t num_items,
                        std::uint64_t dim) {
    JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("items").value(num_items);
    json.key("dim").value(dim).key("lines_read").value(report.lines_read);
    json.key("faults").begin_object();
    for (std::size_t i = 0; i < kNumImportFaults; ++i) {
        json.key(name_of(static_cast<ImportFault>(i))).value(report.faults[i]);
    }
    json.end_object().key("neighbours").begin_object();
    json.key("k").value(static_cast<std::uint64_t>(imported.neighbours.k));
    json.key("through_index").value(imported.neighbours.through_index);
    json.key("recall").value(imported.neighbours.recall);
    json.key("recall_low").value(imported.neighbours.recall_low);
    json.key("seconds").value(imported.neighbours.seconds).end_object().key("index");
    imported.index ? json.raw(to_json(*imported.index)) : json.null();
    return json.end_object().take();
}

Status ImportArguments::run(Console& console) const {
    if (Status status = check_writable(out, force); !status.ok()) {
        return status;
    }
    std::optional<VectorFormat> vector_format;
    if (format != "auto") {
        const Result<VectorFormat> named = vector_format_by_name(format);
        if (!named.ok()) {
            return named.status();
        }
        vector_format = *named;
    }
    ImportReport report;
    const ProgressListener progress = console.progress();
    Result<ImportedVectors> vectors = read_vectors(files, vector_format, report, progress);
    tell_faults(report, skip_faulty && vectors.ok(), console);
    if (!vectors.ok()) {
        return vectors.status();
    }
    if (report.num_faults() > 0 && !skip_faulty) {
        console.set_hint("--skip-faulty imports the other lines");
        return invalid_argument(fmt::format("{} of {} lines are faulty: {}",
                                            with_commas(report.num_faults()),
                                            with_commas(report.lines_read), fault_counts(report)));
    }
    const std::uint64_t num_items = vectors->keys.size();
    const std::uint64_t dim = vectors->vectors.dim();
    ThreadPool pool(threads);
    ImportOptions options = {.out = out,
                             .overwrite = force,
                             .popularity_exponent = popularity_exponent,
                             .num_neighbours = neighbours};
    if (no_index) {
        options.index.reset();
    }
    const Result<ImportedBundle> imported =
        write_imported(std::move(vectors).value(), options, pool, progress);
    if (!imported.ok()) {
        return imported.status();
    }
    if (json) {
        console.print_line(report_json(*this, report, *imported, num_items, dim));
    } else {
        console.print_line(fmt::format("{} vectors of {} numbers in {}", with_commas(num_items),
                                       dim, printable(out)));
        console.print_line(
            fmt::format("neighbours: {}", note_of(imported->neighbours, num_items, dim)));
    }
    if (!imported->warning.empty()) {
        console.warn(printable(imported->warning));
    }
    if (report.num_faults() > 0) {
        console.warn(fmt::format("left out: {}", fault_counts(report)));
    }
    console.suggest_next(
        fmt::format("segue neighbours {} --all --out neighbours.csv", shell_quoted(out)));
    return {};
}

}  // namespace

Verb import_verb() {
    return verb_of<ImportArguments>();
}

}  // namespace segue::cli
