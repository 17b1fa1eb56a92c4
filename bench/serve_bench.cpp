// What bench/serve_bench.py, which `./dev bench serve` starts, is made of:
//     serve_bench data FOLDER NUM_ITEMS [LIST_LENGTH]       makes what is served (serve_data.h)
//     serve_bench kinds                                     names the kinds of requests
//     serve_bench search FOLDER KIND SECONDS                asks the model itself, without a server
//     serve_bench load FOLDER KIND PORT SECONDS RATE [PATH] asks a server; RATE 0 is a closed loop
// Each prints one JSON object a line.

#include <fmt/core.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "load_generator.h"
#include "model/model.h"
#include "recommend/recommend.h"
#include "serve_data.h"
#include "serve_requests.h"

namespace segue::bench {
namespace {

/// Requests are made before the clock starts, and sent again and again.
constexpr std::size_t kPreparedRequests = 16'384;
constexpr std::uint64_t kSeed = 7;

using Arguments = std::span<const std::string>;

Result<double> number_of(const std::string& text) {
    const std::optional<double> number = parse_double(text);
    return number ? Result<double>(*number)
                  : Result<double>(invalid_argument(fmt::format("'{}' is no number", text)));
}

Result<Model> open_items(const std::string& folder) {
    return Model::open(folder + "/items.segue", {.verify_checksums = false});
}

Result<RequestSource> source_of(const std::string& folder, const Model& model) {
    RequestSource source;
    source.num_items = model.num_items();
    source.vectors.resize(source.num_items * kServeDim);
    std::ifstream file(folder + "/items.f32", std::ios::binary);
    file.read(reinterpret_cast<char*>(source.vectors.data()),
              static_cast<std::streamsize>(source.vectors.size() * sizeof(float)));
    if (!file) {
        return io_error(fmt::format("cannot read '{}/items.f32'", folder));
    }
    if (model.index() != nullptr && !model.index()->settings().calibrated.empty()) {
        const TreeKnobs& knobs = model.index()->settings().calibrated.back().knobs;
        source.leaves = knobs.num_leaves_to_search;
        source.candidates = knobs.reordering_num_neighbors;
    }
    return source;
}

void write_times(std::string_view name, const std::vector<float>& ascending, JsonWriter& json) {
    json.key(name).begin_object();
    json.key("p50").value(quantile(ascending, 0.5)).key("p99").value(quantile(ascending, 0.99));
    json.key("p999").value(quantile(ascending, 0.999));
    json.key("max").value(ascending.empty() ? 0 : static_cast<double>(ascending.back()));
    json.end_object();
}

std::string to_json(std::string_view kind, const LoadPlan& plan, const LoadResult& result) {
    JsonWriter json;
    json.begin_object().key("kind").value(kind).key("offered").value(plan.rate);
    json.key("answers").value(result.num_answers).key("not_ok").value(result.num_not_ok);
    json.key("broken").value(result.num_broken).key("seconds").value(result.seconds);
    json.key("rate").value(result.seconds > 0 ? result.rate() : 0);
    write_times("us", sorted_microseconds(result.times), json);
    write_times("lag_us", result.lags, json);
    json.key("generator_cpu_seconds").value(result.generator_cpu_seconds);
    return json.end_object().take();
}

Status make_data(Arguments arguments) {
    const Result<double> num_items = number_of(arguments[1]);
    const Result<double> length = number_of(arguments.size() > 2 ? arguments[2] : "100");
    if (!num_items.ok() || !length.ok() || *num_items < 1000 || *num_items > 1e8 || *length < 1 ||
        *length > 1000) {
        return invalid_argument("items from 1000 to 100,000,000, lists from 1 to 1000");
    }
    return make_serve_data(
        arguments[0], {static_cast<std::size_t>(*num_items), static_cast<std::size_t>(*length)});
}

Status name_kinds(Arguments) {
    JsonWriter json;
    json.begin_object();
    for (const RequestKind& kind : request_kinds()) {
        json.key(kind.name).value(kind.what);
    }
    fmt::print("{}\n", json.end_object().text());
    return Status();
}

double thread_cpu_seconds() {
    timespec time = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// CPU time of answering alone: what a server adds its own to.
Status search(Arguments arguments) {
    const Result<double> seconds = number_of(arguments[2]);
    const Result<Model> model = open_items(arguments[0]);
    if (!model.ok() || !seconds.ok()) {
        return model.ok() ? seconds.status() : model.status();
    }
    const Result<RequestSource> source = source_of(arguments[0], *model);
    if (!source.ok()) {
        return source.status();
    }
    const auto next = queries_of(arguments[1], *source, kSeed);
    if (!next) {
        return invalid_argument(fmt::format("'{}' searches for nothing", arguments[1]));
    }
    std::vector<RefinedQuery> queries;
    while (queries.size() < kPreparedRequests) {
        queries.push_back((*next)());
    }
    const Recommender recommender(*model);
    const RefinedAnswers answers(*model, recommender);
    AnswerScratch scratch;
    RefinedAnswer answer;
    std::size_t num_asked = 0;
    double begin = 0;
    for (const double until : {*seconds / 4, *seconds}) {  // the first for the caches alone
        num_asked = 0;
        begin = thread_cpu_seconds();
        for (; thread_cpu_seconds() - begin < until; ++num_asked) {
            const RefinedQuery& query = queries[num_asked % queries.size()];
            if (const Status status = answers.answer(query, scratch, answer); !status.ok()) {
                return status;
            }
        }
    }
    const double spent = thread_cpu_seconds() - begin;
    fmt::print("{}\n", JsonWriter()
                           .begin_object()
                           .key("kind")
                           .value(arguments[1])
                           .key("cpu_us")
                           .value(1e6 * spent / static_cast<double>(num_asked))
                           .key("source")
                           .value(answer.source)
                           .end_object()
                           .text());
    return Status();
}

Status load(Arguments arguments) {
    const Result<double> port = number_of(arguments[2]);
    const Result<double> seconds = number_of(arguments[3]);
    const Result<double> rate = number_of(arguments[4]);
    const Result<Model> model = open_items(arguments[0]);
    if (!model.ok() || !port.ok() || !seconds.ok() || !rate.ok() || *port < 1 || *port > 65535) {
        return model.ok() ? invalid_argument("a port, seconds and a rate are numbers")
                          : model.status();
    }
    Result<RequestSource> source = source_of(arguments[0], *model);
    if (!source.ok()) {
        return source.status();
    }
    source->path = arguments.size() > 5 ? arguments[5] : "";
    const Result<NextRequest> next = requests_of(arguments[1], *source, kSeed);
    if (!next.ok()) {
        return next.status();
    }
    std::vector<std::string> requests(kPreparedRequests);
    for (std::string& request : requests) {
        (*next)(request);
    }
    std::size_t place = 0;
    const LoadPlan plan = {
        .port = static_cast<std::uint16_t>(*port), .seconds = *seconds, .rate = *rate};
    const LoadResult result = run_load(plan, [&](std::string& request) {
        request = requests[place++ % requests.size()];
        return std::uint64_t{0};
    });
    fmt::print("{}\n", to_json(arguments[1], plan, result));
    return result.num_answers > 0 ? Status()
                                  : io_error(fmt::format("nothing on port {} answered", plan.port));
}

struct Command {
    std::string_view name;
    std::size_t least_arguments;
    std::size_t most_arguments;
    Status (*run)(Arguments);
};

constexpr std::array kCommands = {
    Command{"data", 2, 3, make_data},
    Command{"kinds", 0, 0, name_kinds},
    Command{"search", 3, 3, search},
    Command{"load", 5, 6, load},
};

int run(const std::vector<std::string>& words) {
    for (const Command& command : kCommands) {
        if (words.empty() || words[0] != command.name ||
            words.size() - 1 < command.least_arguments ||
            words.size() - 1 > command.most_arguments) {
            continue;
        }
        const Status status = command.run(Arguments(words).subspan(1));
        if (!status.ok()) {
            fmt::print(stderr, "serve_bench: {}\n", status.message());
        }
        return status.ok() ? 0 : 1;
    }
    fmt::print(stderr,
               "usage: serve_bench data|kinds|search|load ...; see bench/serve_bench.cpp\n");
    return 2;
}

}  // namespace
}  // namespace segue::bench

int main(int num_arguments, char** arguments) {
    return segue::bench::run(std::vector<std::string>(arguments + 1, arguments + num_arguments));
}
