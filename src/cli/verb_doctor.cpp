// segue doctor: what this machine gives, for people who wonder why something is slow or missing.

#include <dlfcn.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "bundle/inspect.h"
#include "cli/index_summary.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "pipeline/calibrate.h"
#include "pipeline/calibration_queries.h"
#include "tables/duckdb_api.h"

namespace segue::cli {
namespace {

/// The value of the first "name : value" line of a file of /proc or /sys; "" when there is none.
std::string proc_value(const char* path, std::string_view name) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t colon = line.find(':');
        if (line.starts_with(name) && colon != std::string::npos) {
            const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
            return begin == std::string::npos ? std::string() : line.substr(begin);
        }
    }
    return {};
}

std::string first_line_of(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Bytes of a /proc/meminfo entry, which are written as "24689000 kB".
double memory_bytes(std::string_view name) {
    return 1024.0 * std::strtod(proc_value("/proc/meminfo", name).c_str(), nullptr);
}

struct DuckdbFinding {
    std::string version;
    std::string path;
    std::string problem;
};

DuckdbFinding find_duckdb() {
    const Result<const duckdb::Api*> api = duckdb::api();
    if (!api.ok()) {
        return {.version = {}, .path = {}, .problem = api.status().message()};
    }
    Dl_info where = {};
    const auto* function = reinterpret_cast<const void*>((*api)->library_version);
    const bool known = ::dladdr(function, &where) != 0 && where.dli_fname != nullptr;
    return {(*api)->library_version(), known ? where.dli_fname : "", {}};
}

struct DoctorArguments {
    static constexpr std::string_view kName = "doctor";
    static constexpr std::string_view kSummary =
        "Show what this machine offers: CPU, kernels, memory, DuckDB.";
    std::optional<std::string> bundle;
    bool json = false;

    void declare(Options& options) {
        options.text("bundle", bundle, "FILE.segue",
                     "open it too, and search its index for some of its own items and groups");
        options.flag("json", json, "print one JSON object");
        options.example("Is everything in place?", "segue doctor");
        options.example("How does the index of this bundle do here?",
                        "segue doctor --bundle songs.segue");
    }
    Status check() const { return {}; }
    Status run(Console& console) const;
};

std::string supported_names() {
    std::string names;
    for (const kernels::KernelTable* table : kernels::supported_kernels()) {
        names += names.empty() ? table->name : fmt::format(", {}", table->name);
    }
    return names;
}

/// How searches of one kind of query do on this machine.
struct SearchFinding {
    std::string_view kind;
    RecallEstimate recall;
    Latency latency;
};

struct BundleFinding {
    double open_seconds = 0;
    std::optional<IndexSummary> index;
    std::vector<SearchFinding> searches;
};

Result<BundleFinding> try_bundle(const std::string& path) {
    constexpr std::size_t kQueries = 100;
    const Result<BundleSummary> summary = describe_bundle(path);
    if (!summary.ok()) {
        return summary.status();
    }
    BundleFinding finding;
    finding.index = summary_of_index(*summary);
    const Stopwatch clock;
    const Result<Model> model = Model::open(path);
    if (!model.ok()) {
        return model.status();
    }
    finding.open_seconds = clock.seconds();
    if (model->index() == nullptr) {
        return finding;
    }
    const Result<std::vector<CalibrationQueries>> queries =
        make_calibration_queries(*model, *model->index(), kQueries, model->info().seed);
    if (!queries.ok()) {
        return queries.status();
    }
    ThreadPool pool(0);
    for (const CalibrationQueries& kind : *queries) {
        const SearchSetting setting = {.popularity_exponent = kind.usual_exponent};
        const Result<RecallEstimate> recall =
            measure_recall(*model->index(), kind.held_out, setting, pool);
        const Result<Latency> latency = measure_latency(*model->index(), kind.held_out, setting);
        if (!recall.ok() || !latency.ok()) {
            return recall.ok() ? latency.status() : recall.status();
        }
        finding.searches.push_back({name_of(kind.kind), *recall, *latency});
    }
    return finding;
}

void write_bundle_finding(const BundleFinding& finding, JsonWriter& json) {
    json.begin_object().key("open_seconds").value(finding.open_seconds).key("index");
    if (finding.index) {
        write_json(*finding.index, json);
    } else {
        json.null();
    }
    json.key("searches").begin_array();
    for (const SearchFinding& search : finding.searches) {
        json.begin_object().key("kind").value(search.kind);
        json.key("queries").value(static_cast<std::uint64_t>(search.recall.num_queries));
        json.key("recall@10").value(search.recall.mean);
        json.key("latency_us").begin_object().key("p50").value(search.latency.p50);
        json.key("p99").value(search.latency.p99).end_object().end_object();
    }
    json.end_array().end_object();
}

void add_bundle_rows(const std::string& path, const BundleFinding& finding, TextTable& table) {
    table.add_row({"bundle", fmt::format("{}, opened in {}", printable(path),
                                         seconds_text(finding.open_seconds))});
    table.add_row({"index", finding.index ? text_of(*finding.index)
                                          : fmt::format("none; segue index {} builds one where "
                                                        "there are vectors",
                                                        shell_quoted(path))});
    for (const SearchFinding& search : finding.searches) {
        table.add_row(
            {"search here", fmt::format("{} {}: recall@10 {:.4f}, {:.0f} us each, the slowest in a "
                                        "hundred {:.0f}",
                                        search.recall.num_queries, search.kind, search.recall.mean,
                                        search.latency.p50, search.latency.p99)});
    }
}

Status DoctorArguments::run(Console& console) const {
    BundleFinding tried;
    if (bundle) {
        Result<BundleFinding> finding = try_bundle(*bundle);
        if (!finding.ok()) {
            return finding.status();
        }
        tried = std::move(finding).value();
    }
    const DuckdbFinding duckdb = find_duckdb();
    const std::string cpu = proc_value("/proc/cpuinfo", "model name");
    const unsigned cores = std::thread::hardware_concurrency();
    const std::string kernels_name = kernels::active_kernels().name;
    const char* wanted = std::getenv("SEGUE_KERNELS");
    const std::string pages = first_line_of("/sys/kernel/mm/transparent_hugepage/enabled");
    if (json) {
        JsonWriter writer;
        writer.begin_object().key("version").value(SEGUE_VERSION);
        writer.key("cpu").value(cpu).key("cores").value(cores);
        writer.key("kernels").value(kernels_name).key("kernels_supported").begin_array();
        for (const kernels::KernelTable* table : kernels::supported_kernels()) {
            writer.value(table->name);
        }
        writer.end_array().key("memory_bytes").value(memory_bytes("MemTotal"));
        writer.key("memory_available_bytes").value(memory_bytes("MemAvailable"));
        writer.key("huge_pages").value(pages).key("duckdb").begin_object();
        writer.key("found").value(duckdb.problem.empty()).key("version").value(duckdb.version);
        writer.key("path").value(duckdb.path).key("problem").value(duckdb.problem).end_object();
        if (bundle) {
            writer.key("bundle");
            write_bundle_finding(tried, writer);
        }
        console.print_line(writer.end_object().text());
        return {};
    }
    TextTable table({{"", TextTable::Align::kLeft}, {"", TextTable::Align::kLeft, 200}});
    table.add_row({"segue", SEGUE_VERSION});
    table.add_row({"cpu", fmt::format("{}, {} cores", cpu.empty() ? "unknown" : cpu, cores)});
    table.add_row(
        {"kernels",
         fmt::format("{} (this machine runs {}{})", kernels_name, supported_names(),
                     wanted == nullptr ? "" : fmt::format("; SEGUE_KERNELS={}", wanted))});
    table.add_row({"memory", fmt::format("{}, {} available", bytes_text(memory_bytes("MemTotal")),
                                         bytes_text(memory_bytes("MemAvailable")))});
    table.add_row({"huge pages", pages.empty() ? "not offered" : pages});
    table.add_row({"duckdb", duckdb.problem.empty()
                                 ? fmt::format("{} in {}", duckdb.version, duckdb.path)
                                 : "missing"});
    if (bundle) {
        add_bundle_rows(*bundle, tried, table);
    }
    console.print(table.text());
    if (!duckdb.problem.empty()) {
        console.warn(printable(duckdb.problem));
    }
    if (wanted != nullptr && kernels_name != wanted) {
        console.warn(fmt::format("SEGUE_KERNELS={} is not supported here", printable(wanted)));
    }
    console.suggest_next("segue generate --out rows.parquet");
    return {};
}

}  // namespace

Verb doctor_verb() {
    return verb_of<DoctorArguments>();
}

}  // namespace segue::cli
