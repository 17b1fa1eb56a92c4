#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cooc/pair_scores.h"
#include "cooc/row_query.h"
#include "recommend/answer_scratch.h"
#include "recommend/list_answers.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"
#include "recommend/text_search.h"
#include "recommend/vector_answers.h"

namespace segue {

struct Recommender::State {
    explicit State(const Model& the_model) : model(the_model) {
        if (answers_by_lists()) {
            answers = std::make_unique<ListAnswers>(model);
        } else {
            answers = std::make_unique<VectorAnswers>(model);
        }
    }

    bool answers_by_lists() const { return model.info().answer_by == AnswerBy::kLists; }
    Status check_batch(const BatchOptions& options) const;
    std::optional<std::uint32_t> stored_together(std::uint32_t query_row,
                                                 std::uint32_t offered_row) const;

    const Model& model;
    std::unique_ptr<const AnswerMaker> answers;
};

Status Recommender::State::check_batch(const BatchOptions& options) const {
    if (!answers_by_lists() && model.item_vectors().num_rows != model.num_items()) {
        return invalid_argument("the model has no item vectors to answer from");
    }
    Status status = check_search_choice(model, options.search);
    return status.ok() ? check_popularity_exponent(options.popularity_exponent) : status;
}

/// How often two items are together by the list of the first.
std::optional<std::uint32_t> Recommender::State::stored_together(std::uint32_t query_row,
                                                                 std::uint32_t offered_row) const {
    const NeighboursView table = model.neighbours();
    if (table.num_items() == 0 || table.together.empty()) {
        return std::nullopt;
    }
    for (std::uint64_t entry = table.offsets[query_row]; entry < table.offsets[query_row + 1];
         ++entry) {
        if (table.item_rows[entry] == offered_row) {
            return table.together[entry];
        }
    }
    return std::nullopt;
}

std::string_view name_of(AnswerSource source) {
    switch (source) {
        case AnswerSource::kNeighbours:
            return "neighbours";
        case AnswerSource::kIndex:
            return "index";
        case AnswerSource::kExact:
            return "exact";
    }
    return "exact";
}

AnswerScratch::AnswerScratch() : buffers_(std::make_unique<Buffers>()) {}
AnswerScratch::AnswerScratch(AnswerScratch&&) noexcept = default;
AnswerScratch& AnswerScratch::operator=(AnswerScratch&&) noexcept = default;
AnswerScratch::~AnswerScratch() = default;

Recommender::Recommender(const Model& model) : state_(std::make_unique<State>(model)) {}
Recommender::Recommender(Recommender&&) noexcept = default;
Recommender::~Recommender() = default;

Result<Answer> Recommender::answer(const Query& query) const {
    return answer_once<Answer>([&](AnswerScratch& scratch, Answer& answer) {
        return this->answer(query, scratch, answer);
    });
}

Status Recommender::answer(const Query& query, AnswerScratch& scratch, Answer& answer) const {
    ResolvedQuery& resolved = scratch.buffers_->resolved;
    Status status = resolve_query(state_->model, query, resolved);
    if (status.ok()) {
        status = state_->check_batch({});
    }
    if (!status.ok()) {
        return status;
    }
    answer.results.clear();
    answer.source = AnswerSource::kExact;
    answer.search.reset();
    if (resolved.k > 0) {
        QueryBuffers& buffers = scratch.buffers_->query;
        status = state_->answers->answer(resolved, query.combine, buffers, answer);
        if (!status.ok()) {
            return status;
        }
    }
    if (query.min_score) {
        std::erase_if(answer.results,
                      [&](const ScoredRow& row) { return row.score < *query.min_score; });
    }
    std::swap(answer.unknown, resolved.unknown);
    return Status();
}

std::optional<Evidence> Recommender::evidence(std::uint32_t query_row,
                                              std::uint32_t offered_row) const {
    const Model& model = state_->model;
    const std::span<const std::uint32_t> frequencies = model.item_frequencies();
    if (query_row >= frequencies.size() || offered_row >= frequencies.size()) {
        return std::nullopt;
    }
    std::optional<std::uint32_t> together = state_->stored_together(query_row, offered_row);
    if (!together) {
        together = state_->stored_together(offered_row, query_row);
    }
    if (!together && model.interactions().num_rows > 0) {
        const double count = together_count(model.interactions_by_item(), query_row, offered_row,
                                            model.info().pair_score.values_are_counts);
        // Products of counts, in a damaged bundle, may leave the range.
        constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
        together = count < static_cast<double>(kMost) ? static_cast<std::uint32_t>(count) : kMost;
    }
    if (!together) {
        return std::nullopt;
    }
    Evidence evidence;
    evidence.together = *together;
    evidence.frequency_query = frequencies[query_row];
    evidence.frequency = frequencies[offered_row];
    const auto total = static_cast<double>(model.info().total_frequency);
    if (*together > 0 && evidence.frequency_query > 0 && evidence.frequency > 0 && total > 0) {
        evidence.pmi = pointwise_mutual_information(static_cast<double>(*together),
                                                    static_cast<double>(evidence.frequency_query),
                                                    static_cast<double>(evidence.frequency), total);
    }
    return evidence;
}

std::vector<TitleMatch> Recommender::find_titles(std::string_view title, std::size_t limit) const {
    const std::optional<StringTableView> titles = state_->model.titles();
    if (!titles) {
        return {};
    }
    const std::span<const std::uint32_t> frequencies = state_->model.item_frequencies();
    std::vector<TextMatch> matches = find_equal_texts(*titles, title, frequencies);
    if (matches.empty()) {
        matches = find_near_texts(*titles, title, frequencies, limit);
    }
    std::vector<TitleMatch> found;
    found.reserve(matches.size());
    for (const TextMatch& match : matches) {
        found.push_back({match.row, match.distance});
    }
    return found;
}

Result<Neighbours> Recommender::recommend_histories(const SparseView& histories,
                                                    const BatchOptions& options, ThreadPool& pool,
                                                    const ProgressListener& progress) const {
    const Model& model = state_->model;
    if (Status status = state_->check_batch(options); !status.ok()) {
        return status;
    }
    if (histories.num_columns != model.num_items()) {
        return invalid_argument(fmt::format("histories over {} items, but the model has {}",
                                            histories.num_columns, model.num_items()));
    }
    if (Status status = validate(histories); !status.ok()) {
        return status.with_context("histories");
    }
    BatchOptions clamped = options;
    clamped.k = std::min(options.k, model.num_items());
    return state_->answers->recommend_histories(histories, clamped, pool, progress);
}

Result<Neighbours> Recommender::similar_items(std::span<const std::uint32_t> item_rows,
                                              const BatchOptions& options, ThreadPool& pool,
                                              const ProgressListener& progress) const {
    const Model& model = state_->model;
    if (Status status = state_->check_batch(options); !status.ok()) {
        return status;
    }
    const auto unknown = std::find_if(item_rows.begin(), item_rows.end(),
                                      [&](std::uint32_t row) { return row >= model.num_items(); });
    if (unknown != item_rows.end()) {
        return invalid_argument(
            fmt::format("item row {} of a model with {} items", *unknown, model.num_items()));
    }
    BatchOptions clamped = options;
    clamped.k = std::min(options.k, model.num_items());
    return state_->answers->similar_items(item_rows, clamped, pool, progress);
}

}  // namespace segue
