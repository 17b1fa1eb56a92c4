#include "serve/metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "model/model_fixture.h"

namespace segue::serve {
namespace {

bool has(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST(Metrics, sum_the_counts_of_all_workers) {
    RequestMetrics metrics(2);
    metrics.count("/a", 200, 30e-6, 0);
    metrics.count("/a", 200, 25e-6, 1);
    metrics.count("/a", 404, 7, 1);
    metrics.count("/b", 200, 0.5, 0);
    MetricsText text;
    metrics.write(text);
    const std::string written = text.take();
    for (const char* const line : {
             "# TYPE rec_requests_total counter",
             "rec_requests_total{route=\"/a\",code=\"200\"} 2",
             "rec_requests_total{route=\"/a\",code=\"404\"} 1",
             "rec_requests_total{route=\"/b\",code=\"200\"} 1",
             "# TYPE rec_request_duration_seconds histogram",
             "rec_request_duration_seconds_bucket{route=\"/a\",le=\"2.5e-05\"} 1",
             "rec_request_duration_seconds_bucket{route=\"/a\",le=\"5e-05\"} 2",
             "rec_request_duration_seconds_bucket{route=\"/a\",le=\"1\"} 2",
             "rec_request_duration_seconds_bucket{route=\"/a\",le=\"+Inf\"} 3",
             "rec_request_duration_seconds_count{route=\"/a\"} 3",
         }) {
        EXPECT_TRUE(has(written, line)) << line << "\n" << written;
    }
}

TEST(Metrics, escape_what_labels_hold) {
    std::string labels;
    MetricsText::add_label(labels, "a", "x\"y\\z\nw");
    MetricsText::add_label(labels, "b", "");
    EXPECT_EQ(labels, "a=\"x\\\"y\\\\z\\nw\",b=\"\"");
}

TEST(Metrics, say_which_versions_there_are) {
    ModelRegistry registry(1);
    registry.add({"m", 3, 1.5}, Model::from_parts(segue::testing::small_parts()));
    registry.note_failure("m", 4, corrupt("torn"));
    MetricsText text;
    write_model_metrics(registry, text);
    const std::string written = text.take();
    for (const char* const line : {
             "rec_model_version{model=\"m\",version=\"4\",state=\"END\",is_default=\"false\"} 1",
             "rec_model_version{model=\"m\",version=\"3\",state=\"AVAILABLE\",is_default=\"true\"} "
             "1",
             "rec_model_load_duration_seconds{model=\"m\",version=\"3\"} 1.5",
             "rec_models_unloading 0",
         }) {
        EXPECT_TRUE(has(written, line)) << line << "\n" << written;
    }
}

TEST(Metrics, tell_of_the_server_and_the_process) {
    HttpServerCounts counts;
    counts.num_shed[0] = 7;
    MetricsText text;
    write_server_metrics(counts, text);
    write_process_metrics(text);
    const std::string written = text.take();
    EXPECT_TRUE(has(written, "rec_shed_total{reason=\"queue_age\"} 7")) << written;
    for (const char* const name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                                   "process_open_fds ", "rec_inflight "}) {
        const std::size_t place = written.find("\n" + std::string(name));
        EXPECT_NE(place, std::string::npos) << name;
    }
    EXPECT_EQ(written.find("process_resident_memory_bytes 0\n"), std::string::npos);
}

}  // namespace
}  // namespace segue::serve
