#include "cli/index_summary.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "bundle/reader.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

/// The number of the first member of this name in a report written by `segue index`.
std::optional<double> number_in(std::string_view report, std::string_view name) {
    const std::string key = fmt::format("\"{}\":", name);
    const std::size_t at = report.find(key);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = report.substr(at + key.size());
    return parse_double(rest.substr(0, rest.find_first_of(",}")));
}

std::string four_digits(double share) {
    return fmt::format("{:.4f}", share);
}

}  // namespace

std::optional<IndexSummary> summary_of_index(const BundleSummary& bundle) {
    constexpr std::string_view kPrefix = "index.";
    IndexSummary index;
    bool is_there = false;
    for (const TensorSummary& tensor : bundle.tensors) {
        if (!tensor.name.starts_with(kPrefix)) {
            continue;
        }
        is_there = true;
        index.bytes += tensor.bytes;
        index.has_tree |= tensor.name == "index.codes";
        if (tensor.name == "index.leaf_offsets" && tensor.shape.size() == 1) {
            index.num_leaves = std::max<std::uint64_t>(1, tensor.shape[0]) - 1;
        }
    }
    if (!is_there) {
        return std::nullopt;
    }
    const auto metadata = [&](std::string_view key) {
        return find_metadata(bundle.metadata, key).value_or("");
    };
    index.path = metadata("segue.index.path");
    index.blessed = metadata("segue.index.blessed") == "1";
    const std::string_view report = metadata("segue.index.report");
    index.recall = number_in(report, "recall@10");
    index.recall_low = number_in(report, "recall_low");
    index.target_recall = number_in(report, "target_recall");
    return index;
}

std::string text_of(const IndexSummary& index) {
    std::string text = index.has_tree
                           ? fmt::format("tree of {} leaves", with_commas(index.num_leaves))
                           : "no tree, all items are scored";
    text += fmt::format(", {}", bytes_text(static_cast<double>(index.bytes)));
    if (index.recall) {
        text += fmt::format(", recall@10 {}", four_digits(*index.recall));
    }
    if (index.recall_low && index.target_recall) {
        text += fmt::format(" (at least {}; asked {})", four_digits(*index.recall_low),
                            *index.target_recall);
    }
    return text + (index.blessed ? ", blessed" : ", NOT blessed");
}

void write_json(const IndexSummary& index, JsonWriter& json) {
    const auto number = [&json](std::string_view key, const std::optional<double>& value) {
        json.key(key);
        value ? json.value(*value) : json.null();
    };
    json.begin_object().key("path").value(index.path).key("blessed").value(index.blessed);
    json.key("tree").value(index.has_tree).key("num_leaves").value(index.num_leaves);
    json.key("bytes").value(index.bytes);
    number("recall@10", index.recall);
    number("recall_low", index.recall_low);
    number("target_recall", index.target_recall);
    json.end_object();
}

}  // namespace segue::cli
