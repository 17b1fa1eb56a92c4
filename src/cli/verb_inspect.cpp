// segue inspect: what is in a bundle file, also when its checksums or its version are wrong.

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "bundle/inspect.h"
#include "cli/index_summary.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

std::string shape_text(const TensorSummary& tensor) {
    std::string text;
    for (const std::uint64_t extent : tensor.shape) {
        text += fmt::format("{}{}", text.empty() ? "" : " x ", with_commas(extent));
    }
    return text;
}

std::string summary_json(const BundleSummary& bundle) {
    JsonWriter json;
    json.begin_object().key("file_bytes").value(bundle.file_bytes);
    json.key("header_bytes").value(bundle.header_bytes);
    json.key("format_version").value(bundle.format_version);
    json.key("version_is_readable").value(bundle.version_is_readable);
    json.key("intact").value(bundle.is_intact());
    json.key("header_checksum").value(name_of(bundle.header_checksum));
    json.key("metadata").begin_object();
    for (const auto& [name, value] : bundle.metadata) {
        json.key(name).value(value);
    }
    const std::optional<IndexSummary> index = summary_of_index(bundle);
    json.end_object().key("index");
    if (index) {
        write_json(*index, json);
    } else {
        json.null();
    }
    json.key("tensors").begin_array();
    for (const TensorSummary& tensor : bundle.tensors) {
        json.begin_object().key("name").value(tensor.name).key("dtype").value(tensor.dtype);
        json.key("shape").begin_array();
        for (const std::uint64_t extent : tensor.shape) {
            json.value(extent);
        }
        json.end_array().key("file_offset").value(tensor.file_offset);
        json.key("bytes").value(tensor.bytes);
        json.key("checksum").value(name_of(tensor.checksum)).end_object();
    }
    return json.end_array().end_object().take();
}

struct InspectArguments {
    static constexpr std::string_view kName = "inspect";
    static constexpr std::string_view kSummary =
        "List the tensors, index and metadata of a bundle file.";
    std::string file;
    bool json = false;

    void declare(Options& options) {
        options.positional("FILE.segue", file, "a bundle, or any safetensors file");
        options.flag("json", json, "print one JSON object");
        options.example("What does this file hold, and is it whole?", "segue inspect songs.segue");
    }
    Status check() const { return {}; }
    Status run(Console& console) const;
};

Status InspectArguments::run(Console& console) const {
    const Result<BundleSummary> bundle = describe_bundle(file);
    if (!bundle.ok()) {
        return bundle.status();
    }
    if (json) {
        console.print_line(summary_json(*bundle));
        return {};
    }
    console.print_line(
        fmt::format("{}: {}, format version {}{}, checksums {}", printable(file),
                    bytes_text(static_cast<double>(bundle->file_bytes)),
                    bundle->format_version.empty() ? "unstated" : printable(bundle->format_version),
                    bundle->version_is_readable ? "" : " (not readable by this program)",
                    bundle->is_intact() ? "ok" : "NOT ok"));
    if (const std::optional<IndexSummary> index = summary_of_index(*bundle)) {
        console.print_line(fmt::format("index: {}", text_of(*index)));
    }
    TextTable metadata({{"", TextTable::Align::kLeft}, {"", TextTable::Align::kLeft, 120}});
    for (const auto& [name, value] : bundle->metadata) {
        metadata.add_row({"  " + name, value});
    }
    console.print(metadata.text());
    TextTable tensors({{"tensor"},
                       {"type"},
                       {"shape", TextTable::Align::kRight},
                       {"bytes", TextTable::Align::kRight},
                       {"checksum"}});
    for (const TensorSummary& tensor : bundle->tensors) {
        tensors.add_row({tensor.name, tensor.dtype, shape_text(tensor), with_commas(tensor.bytes),
                         std::string(name_of(tensor.checksum))});
    }
    console.print(tensors.text());
    console.suggest_next(fmt::format("segue describe {}", shell_quoted(file)));
    return {};
}

}  // namespace

Verb inspect_verb() {
    return verb_of<InspectArguments>();
}

}  // namespace segue::cli
