#include "soak_load.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/json_writer.h"
#include "model/model.h"
#include "recommend/recommend.h"
#include "recommend/refined_answers.h"
#include "serve_data.h"
#include "serve_requests.h"

namespace segue::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kQuestions = 4096;
constexpr std::size_t kResults = 10;
/// One question in so many is about a vector and goes through the index; the rest is about an item
/// and is found in the table.
constexpr std::size_t kIndexOneIn = 5;
constexpr std::uint64_t kSeed = 11;

/// By the table, or with another popularity exponent than it is made for: by the index.
struct Question {
    std::string key;
    bool by_index = false;
};

constexpr double kIndexExponent = 0.5;

std::string request_of(const Question& question) {
    const std::string body = question.by_index
                                 ? fmt::format(R"({{"item":"{}","k":{},"popularity_exponent":{}}})",
                                               question.key, kResults, kIndexExponent)
                                 : fmt::format(R"({{"item":"{}","k":{}}})", question.key, kResults);
    return fmt::format(
        "POST /v1/models/items:similar HTTP/1.1\r\nHost: soak\r\nContent-Length: {}\r\n\r\n{}",
        body.size(), body);
}

Result<std::vector<std::string>> results_of(const std::string& bundle,
                                            const std::vector<Question>& questions) {
    const Result<Model> model = Model::open(bundle, {.verify_checksums = false});
    if (!model.ok()) {
        return model.status();
    }
    const Recommender recommender(*model);
    const RefinedAnswers answers(*model, recommender);
    std::vector<std::string> results;
    for (const Question& question : questions) {
        RefinedQuery query;
        query.query.items = {{question.key, 1}};
        query.query.k = kResults;
        if (question.by_index) {
            query.query.popularity_exponent = kIndexExponent;
        }
        const Result<RefinedAnswer> answer = answers.answer(query);
        if (!answer.ok()) {
            return answer.status();
        }
        JsonWriter json;
        json.begin_object().key("results").begin_array();
        for (const ScoredRow& row : answer->results) {
            json.begin_object().key("id").value(model->item_keys()[row.item_row]);
            json.key("score").value(row.score).end_object();
        }
        json.end_array().end_object();
        const std::string whole = json.take();
        results.push_back(whole.substr(1, whole.size() - 2));
    }
    return results;
}

}  // namespace

Result<KnownAnswers> KnownAnswers::of(const std::string& folder) {
    const Result<Model> model =
        Model::open(folder + "/items.segue", {.verify_checksums = false, .open_index = false});
    if (!model.ok()) {
        return model.status();
    }
    PopularNumbers numbers(model->num_items(), kSeed);
    std::vector<Question> questions;
    for (std::size_t place = 0; place < kQuestions; ++place) {
        questions.push_back({item_key(numbers.next()), place % kIndexOneIn == 0});
    }
    KnownAnswers known;
    std::size_t which = 0;
    for (const char* const name : {"/items.segue", "/moved.segue"}) {
        Result<std::vector<std::string>> results = results_of(folder + name, questions);
        if (!results.ok()) {
            return results.status();
        }
        known.results_[which++] = std::move(*results);
    }
    for (const Question& question : questions) {
        known.requests_.push_back(request_of(question));
    }
    return known;
}

bool KnownAnswers::is_right(std::size_t number, std::string_view head,
                            std::string_view body) const {
    constexpr std::string_view kHeader = "X-Model-Version: ";
    const std::size_t place = head.find(kHeader);
    if (place == std::string_view::npos) {
        return false;
    }
    std::uint64_t version = 0;
    std::from_chars(head.data() + place + kHeader.size(), head.data() + head.size(), version);
    return body.find(fmt::format("\"version\":\"{}\"", version)) != std::string_view::npos &&
           body.find(results_[(version + 1) % 2][number]) != std::string_view::npos;
}

LoadResult run_soak_load(const SoakServer& server, const KnownAnswers& known,
                         const SoakLoad& load) {
    std::size_t place = 0;
    return run_load(
        {.port = server.port(),
         .num_connections = load.num_connections,
         .seconds = load.seconds,
         .rate = load.rate},
        [&](std::string& request) {
            const std::size_t number = place++ % known.size();
            request = known.request(number);
            return number;
        },
        [&known](std::uint64_t number, std::string_view head, std::string_view body) {
            return known.is_right(number, head, body);
        });
}

double find_saturation(const SoakServer& server, const KnownAnswers& known, double seconds) {
    // The least of some: what a machine that others use too can answer at its worst.
    constexpr int kParts = 4;
    run_soak_load(server, known, {.seconds = seconds / kParts});
    double least = std::numeric_limits<double>::infinity();
    for (int part = 0; part < kParts; ++part) {
        least = std::min(least, run_soak_load(server, known, {.seconds = seconds / kParts}).rate());
    }
    return least;
}

WindowTimes times_by_window(const LoadResult& result, const std::vector<Window>& windows) {
    std::vector<double> edges;
    for (const Window& window : windows) {
        edges.push_back(std::chrono::duration<double>(window.begin - result.began).count());
        edges.push_back(std::chrono::duration<double>(window.end - result.began).count());
    }
    WindowTimes times = {std::vector<std::vector<float>>(windows.size()),
                         std::vector<std::vector<float>>(windows.size() + 1)};
    for (const AnswerTime& time : result.times) {
        const auto place = static_cast<std::size_t>(
            std::upper_bound(edges.begin(), edges.end(), static_cast<double>(time.due_seconds)) -
            edges.begin());
        (place % 2 == 1 ? times.inside : times.outside)[place / 2].push_back(time.microseconds);
    }
    for (auto* const parts : {&times.inside, &times.outside}) {
        for (std::vector<float>& part : *parts) {
            std::sort(part.begin(), part.end());
        }
    }
    return times;
}

std::vector<float> together(const std::vector<std::vector<float>>& parts) {
    std::vector<float> all;
    for (const std::vector<float>& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::string failures_text(const LoadResult& result) {
    std::string text =
        fmt::format("{} of {} ({} not 200, {} broken", result.num_not_ok + result.num_broken,
                    result.num_answers, result.num_not_ok, result.num_broken);
    for (const auto& [status, answers] : result.not_ok) {
        text += fmt::format("; {} of status {}, the first after {:.1f} s", answers.count, status,
                            answers.first_seconds);
    }
    return text + ")";
}

void sleep_seconds(double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, seconds)));
}

double seconds_since(SteadyTime begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace segue::bench
