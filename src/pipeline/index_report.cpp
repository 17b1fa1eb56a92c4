#include "pipeline/index_report.h"

#include <cmath>

#include "base/json_writer.h"

namespace segue {

namespace {

/// Four digits: what lies behind them is chance.
double rounded(double share) {
    return std::round(share * 1e4) / 1e4;
}

void write_recall(JsonWriter& json, const RecallEstimate& recall) {
    json.key("recall@10").value(rounded(recall.mean));
    json.key("recall_low").value(rounded(recall.low));
    json.key("recall_high").value(rounded(recall.high));
    json.key("queries").value(static_cast<std::uint64_t>(recall.num_queries));
}

void write_latency(JsonWriter& json, const Latency& latency) {
    json.key("latency_us").begin_object();
    json.key("p50").value(std::round(latency.p50 * 10) / 10);
    json.key("p99").value(std::round(latency.p99 * 10) / 10).end_object();
}

void write_knobs(JsonWriter& json, const TreeKnobs& knobs) {
    json.key("num_leaves_to_search").value(knobs.num_leaves_to_search);
    json.key("reordering_num_neighbors").value(knobs.reordering_num_neighbors);
}

void write_kinds(JsonWriter& json, const IndexReport& report) {
    json.key("kinds").begin_array();
    for (const KindRecall& kind : report.kinds) {
        json.begin_object().key("kind").value(name_of(kind.kind));
        json.key("popularity_exponent").value(kind.popularity_exponent);
        write_recall(json, kind.recall);
        json.end_object();
    }
    json.end_array();
}

void write_points(JsonWriter& json, const IndexReport& report) {
    json.key("points").begin_array();
    for (const IndexPoint& point : report.points) {
        json.begin_object().key("path").value(name_of(point.path));
        json.key("target_recall").value(point.target_recall);
        if (point.path == SearchPath::kTree) {
            write_knobs(json, point.knobs);
        }
        json.key("kinds").begin_array();
        for (const IndexPoint::Kind& kind : point.kinds) {
            json.begin_object().key("kind").value(name_of(kind.kind));
            write_recall(json, kind.recall);
            write_latency(json, kind.latency);
            json.end_object();
        }
        json.end_array().end_object();
    }
    json.end_array();
}

}  // namespace

std::vector<IndexTableBytes> bytes_of_tables(const IndexTables& index) {
    const auto of = [](const auto& table) { return std::uint64_t{std::as_bytes(table).size()}; };
    std::vector<IndexTableBytes> tables = {
        {"index.leaf_offsets", of(index.leaf_offsets)},
        {"index.leaf_centres",
         index.leaf_centres.num_rows * index.leaf_centres.stride * sizeof(float)},
        {"index.item_rows", of(index.item_rows)},
        {"index.rows", of(index.rows)},
        {"index.row_scales", of(index.row_scales)},
        {"index.block_errors", of(index.block_errors)},
        {"index.norms", of(index.norms)},
        {"index.norm_levels", of(index.norm_levels)},
        {"index.codes", of(index.codes)},
        {"index.code_offsets", of(index.code_offsets)},
        {"index.code_positions", of(index.code_positions)},
        {"index.codebook", of(index.codebook)}};
    std::erase_if(tables, [](const IndexTableBytes& table) { return table.bytes == 0; });
    return tables;
}

std::string to_json(const IndexReport& report) {
    JsonWriter json;
    json.begin_object().key("path").value(name_of(report.path));
    json.key("recall@10").value(rounded(report.recall.mean));
    json.key("recall_low").value(rounded(report.recall.low));
    write_latency(json, report.latency);
    json.key("bytes").value(report.bytes).key("blessed").value(report.blessed);
    json.key("verdict").value(report.verdict);
    json.key("items").value(static_cast<std::uint64_t>(report.num_items));
    json.key("dim").value(static_cast<std::uint64_t>(report.dim));
    json.key("num_leaves").value(static_cast<std::uint64_t>(report.num_leaves));
    json.key("build_seconds").value(report.build_seconds);
    json.key("calibrate_seconds").value(report.calibrate_seconds);
    json.key("settings").begin_array();
    for (const CalibratedKnobs& setting : report.settings) {
        json.begin_object().key("popularity_exponent").value(setting.popularity_exponent);
        write_knobs(json, setting.knobs);
        json.end_object();
    }
    json.end_array();
    write_kinds(json, report);
    write_points(json, report);
    json.key("tables").begin_object();
    for (const IndexTableBytes& table : report.tables) {
        json.key(table.name).value(table.bytes);
    }
    return json.end_object().end_object().take();
}

std::string stored_report(const IndexReport& report, const IndexModelOptions& options,
                          const IndexBuildOptions& build) {
    JsonWriter json;
    json.begin_object().key("recall@10").value(rounded(report.recall.mean));
    json.key("recall_low").value(rounded(report.recall.low));
    json.key("target_recall").value(options.target_recall);
    json.key("min_recall").value(options.min_recall);
    json.key("max_latency_ms").value(options.max_latency_ms);
    json.key("build").begin_object();
    json.key("num_leaves").value(static_cast<std::uint64_t>(report.num_leaves));
    json.key("dimensions_per_block").value(static_cast<std::uint64_t>(kDimensionsPerBlock));
    json.key("anisotropic_quantization_threshold").value(build.anisotropic_quantization_threshold);
    json.key("soar_lambda").value(build.soar_lambda);
    json.key("training_sample_size").value(build.training_sample_size);
    json.key("num_iterations").value(build.num_iterations);
    json.key("popularity_exponent").value(build.popularity_exponent);
    json.key("seed").value(build.seed).end_object();
    write_kinds(json, report);
    return json.end_object().take();
}

}  // namespace segue
