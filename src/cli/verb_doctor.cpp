// segue doctor: what this machine gives, for people who wonder why something is slow or missing.

#include <dlfcn.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/json_writer.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "kernels/kernels.h"
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
    bool json = false;

    void declare(Options& options) {
        options.flag("json", json, "print one JSON object");
        options.example("Is everything in place?", "segue doctor");
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

Status DoctorArguments::run(Console& console) const {
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
