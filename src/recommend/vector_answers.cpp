#include "recommend/vector_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/stopwatch.h"
#include "data/matrix.h"
#include "kernels/kernels.h"
#include "recommend/collect_lists.h"
#include "recommend/offered_items.h"
#include "recommend/query_vector.h"
#include "recommend/vector_search.h"

namespace segue {

namespace {

/// Queries of a batch that one thread prepares or rescores at a time.
constexpr std::size_t kQueriesPerChunk = 32;

bool is_zero(std::span<const float> vector) {
    return std::all_of(vector.begin(), vector.end(), [](float value) { return value == 0; });
}

/// Runs work(query, worker) for [0, num_queries) and returns the error of the lowest chunk that has
/// one.
Status for_each_query(std::size_t num_queries, ThreadPool& pool,
                      const std::function<Status(std::size_t query)>& work) {
    const Chunks chunks{num_queries, kQueriesPerChunk};
    std::vector<Status> statuses(chunks.count());
    pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
        for (std::size_t query = chunks.begin(chunk);
             query < chunks.end(chunk) && statuses[chunk].ok(); ++query) {
            statuses[chunk] = work(query);
        }
    });
    for (Status& status : statuses) {
        if (!status.ok()) {
            return std::move(status);
        }
    }
    return Status();
}

/// Whether the row is among these, which ascend and are few mostly.
bool has_row(std::span<const std::uint32_t> rows, std::uint32_t row) {
    constexpr std::size_t kFew = 4;
    return rows.size() <= kFew ? std::find(rows.begin(), rows.end(), row) != rows.end()
                               : std::binary_search(rows.begin(), rows.end(), row);
}

}  // namespace

struct VectorAnswers::State {
    explicit State(const Model& the_model)
        : model(the_model),
          vectors(the_model.item_vectors()),
          key_offsets(the_model.item_keys().offsets()),
          folder(the_model),
          search(the_model) {}

    bool folds_in() const { return model.info().answer_by == AnswerBy::kFoldIn; }

    /// Whether the query is one group or history that is folded in, and nothing else.
    bool is_fold_in_alone(const ResolvedQuery& query) const {
        return folds_in() && query.items.empty() && query.vector.empty() &&
               query.group_row.has_value() == query.history.empty();
    }

    /// A history's own objective says how much popular items are worth; the exponent is for
    /// similarity.
    double exponent_or_default(const std::optional<double>& asked, bool is_folded) const {
        return asked.value_or(is_folded ? 0 : model.info().popularity_exponent);
    }

    void prefetch(const std::vector<ScoredRow>& rows) const;
    void prefetch_keys(const std::vector<ScoredRow>& rows) const;
    void score_rows(std::span<const float> query, double exponent,
                    std::vector<ScoredRow>& rows) const;
    void rescore(std::span<const float> query, double exponent, std::vector<ScoredRow>& rows) const;
    Status query_vector(const ResolvedQuery& query, Combine combine, QueryBuffers& buffers) const;
    Status history_vector(std::span<const std::uint32_t> item_rows, std::span<const float> values,
                          std::span<float> vector) const;
    bool find_in_table(std::uint32_t item_row, std::span<const std::uint32_t> excluded,
                       const OfferedItems* offered, std::size_t k,
                       std::vector<ScoredRow>& rows) const;
    void score_offered(std::span<const float> vector, const ResolvedQuery& query, double exponent,
                       std::vector<ScoredRow>& rows) const;
    Status search_block(const Matrix& queries, const SparseView& excluded,
                        const BatchOptions& options, double exponent, ThreadPool& pool,
                        std::span<std::vector<ScoredRow>* const> lists) const;

    const Model& model;
    MatrixView vectors;
    std::span<const std::uint64_t> key_offsets;
    HistoryFolder folder;
    VectorSearch search;
};

/// Vectors of results lie anywhere in memory: all are on their way when the first one is read.
void VectorAnswers::State::prefetch(const std::vector<ScoredRow>& rows) const {
    for (const ScoredRow& row : rows) {
        prefetch_vector(vectors.row(row.item_row));
    }
}

/// Whoever asks a single question wants the keys of the results next.
void VectorAnswers::State::prefetch_keys(const std::vector<ScoredRow>& rows) const {
    for (const ScoredRow& row : rows) {
        __builtin_prefetch(key_offsets.data() + row.item_row);
    }
}

void VectorAnswers::State::score_rows(std::span<const float> query, double exponent,
                                      std::vector<ScoredRow>& rows) const {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    for (ScoredRow& row : rows) {
        const std::span<const float> item = vectors.row(row.item_row);
        row.score = kernels.dot(query.data(), item.data(), item.size());
        if (exponent != 0) {
            const double norm = vector_norm(item);
            const double factor = exponent == 1 ? norm : std::pow(norm, exponent);
            row.score = norm > 0 ? static_cast<float>(static_cast<double>(row.score) / factor) : 0;
        }
    }
    std::erase_if(rows, [](const ScoredRow& row) { return !std::isfinite(row.score); });
    std::sort(rows.begin(), rows.end(), comes_before);
}

void VectorAnswers::State::rescore(std::span<const float> query, double exponent,
                                   std::vector<ScoredRow>& rows) const {
    prefetch(rows);
    score_rows(query, exponent, rows);
}

/// Writes the vector [dim] of a query to the buffers.
Status VectorAnswers::State::query_vector(const ResolvedQuery& query, Combine combine,
                                          QueryBuffers& buffers) const {
    const SparseView histories = model.interactions();
    std::vector<WeightedItem>& items = buffers.items;
    items = query.items;
    buffers.vector.resize(vectors.dim);
    if (query.is_one_item() && combine == Combine::kSumOfSimilarities) {
        write_unit(vectors.row(items[0].item_row), static_cast<double>(items[0].weight),
                   buffers.vector);
        return Status();
    }
    // Histories to fold in, or without an objective to do so, more items.
    std::array<std::pair<std::span<const std::uint32_t>, std::span<const float>>, 2> folded;
    std::size_t num_folded = 0;
    if (query.group_row) {
        folded[num_folded++] = {histories.row_columns(*query.group_row),
                                histories.row_values(*query.group_row)};
    }
    if (!query.history.empty()) {
        folded[num_folded++] = {query.history, std::span<const float>()};
    }
    if (is_fold_in_alone(query)) {
        return history_vector(folded[0].first, folded[0].second, buffers.vector);
    }
    VectorSum& sum = buffers.sum;
    sum.reset(vectors.dim);
    for (const auto& [item_rows, values] : std::span(folded).first(num_folded)) {
        if (folds_in()) {
            std::vector<float> part(vectors.dim);
            if (Status status = history_vector(item_rows, values, part); !status.ok()) {
                return status;
            }
            sum.add_unit(part, 1);
            continue;
        }
        for (const std::uint32_t item_row : item_rows) {
            items.push_back({item_row, 1});
        }
    }
    if (combine == Combine::kSumOfSimilarities) {
        for (const WeightedItem& item : items) {
            sum.add_unit(vectors.row(item.item_row), static_cast<double>(item.weight));
        }
    } else {
        VectorSum& mean = buffers.mean;
        mean.reset(vectors.dim);
        for (const WeightedItem& item : items) {
            mean.add(vectors.row(item.item_row), static_cast<double>(item.weight));
        }
        sum.add_unit(mean);
    }
    sum.add_unit(query.vector, 1);
    sum.write(buffers.vector);
    return Status();
}

/// The vector of a history alone: folded in, or the sum of its items' unit vectors.
Status VectorAnswers::State::history_vector(std::span<const std::uint32_t> item_rows,
                                            std::span<const float> values,
                                            std::span<float> vector) const {
    if (folds_in()) {
        return folder.fold_in(item_rows, values, vector);
    }
    VectorSum sum(vectors.dim);
    for (const std::uint32_t item_row : item_rows) {
        sum.add_unit(vectors.row(item_row), 1);
    }
    sum.write(vector);
    return Status();
}

/// Takes the first k of the item's stored list that are offered and not excluded, to be scored.
/// Returns false if the list is too short to say what the best k are.
bool VectorAnswers::State::find_in_table(std::uint32_t item_row,
                                         std::span<const std::uint32_t> excluded,
                                         const OfferedItems* offered, std::size_t k,
                                         std::vector<ScoredRow>& rows) const {
    const NeighboursView table = model.neighbours();
    if (table.num_items() == 0) {
        return false;
    }
    rows.clear();
    for (std::uint64_t entry = table.offsets[item_row];
         entry < table.offsets[item_row + 1] && rows.size() < k; ++entry) {
        const std::uint32_t row = table.item_rows[entry];
        if (!has_row(excluded, row) && (offered == nullptr || offered->contains(row))) {
            rows.push_back({row, 0});
        }
    }
    return rows.size() == k || table.list_size(item_row) + 1 == model.num_items();
}

/// The best k of the few items that are offered.
void VectorAnswers::State::score_offered(std::span<const float> vector, const ResolvedQuery& query,
                                         double exponent, std::vector<ScoredRow>& rows) const {
    rows.clear();
    for (const std::uint32_t row : query.offered->rows()) {
        if (!std::binary_search(query.excluded.begin(), query.excluded.end(), row)) {
            rows.push_back({row, 0});
        }
    }
    rescore(vector, exponent, rows);
    rows.resize(std::min(rows.size(), query.k));
}

/// Searches for all queries at once and writes their lists; the list of a zero vector, to which
/// every item is alike, stays empty.
Status VectorAnswers::State::search_block(const Matrix& queries, const SparseView& excluded,
                                          const BatchOptions& options, double exponent,
                                          ThreadPool& pool,
                                          std::span<std::vector<ScoredRow>* const> lists) const {
    const Result<Neighbours> found = search.best_of_all(queries, excluded, options, exponent, pool);
    if (!found.ok()) {
        return found.status();
    }
    return for_each_query(lists.size(), pool, [&](std::size_t query) {
        if (is_zero(queries.row(query))) {
            return Status();
        }
        std::vector<ScoredRow> rows;
        for (std::uint64_t entry = found->offsets[query]; entry < found->offsets[query + 1];
             ++entry) {
            rows.push_back({found->item_rows[entry], found->scores[entry]});
        }
        rescore(queries.row(query), exponent, rows);
        *lists[query] = std::move(rows);
        return Status();
    });
}

VectorAnswers::VectorAnswers(const Model& model) : state_(std::make_unique<State>(model)) {}

VectorAnswers::~VectorAnswers() = default;

Status VectorAnswers::answer(const ResolvedQuery& query, Combine combine, QueryBuffers& buffers,
                             Answer& answer) const {
    const State& state = *state_;
    const double exponent =
        state.exponent_or_default(query.popularity_exponent, state.is_fold_in_alone(query));
    const bool table_holds = query.is_one_item() && query.items[0].weight > 0 &&
                             query.search.is_default() &&
                             exponent == state.model.info().popularity_exponent;
    std::vector<ScoredRow>& rows = answer.results;
    bool is_stored = false;
    if (table_holds) {
        prefetch_vector(state.vectors.row(query.items[0].item_row));
        is_stored = state.find_in_table(query.items[0].item_row, query.excluded, query.offered,
                                        query.k, rows);
        state.prefetch(rows);
        state.prefetch_keys(rows);
    }
    const std::vector<float>& vector = buffers.vector;
    Status status = state.query_vector(query, combine, buffers);
    if (!status.ok() || is_zero(vector)) {
        rows.clear();
        return status;
    }
    if (is_stored) {
        state.score_rows(vector, exponent, rows);
        answer.source = AnswerSource::kNeighbours;
        return Status();
    }
    const Stopwatch clock;
    SearchAccount account;
    if (query.offered != nullptr && query.offered->is_few()) {
        const std::size_t count = query.offered->count();
        state.score_offered(vector, query, exponent, rows);
        account.trace = {.path = SearchPath::kExact, .scored = count, .rescored = count};
        account.seconds = clock.seconds();
    } else {
        status = state.search.best(vector, query, exponent, rows, account.trace);
        if (!status.ok()) {
            return status;
        }
        account.seconds = clock.seconds();
        state.prefetch_keys(rows);
        state.rescore(vector, exponent, rows);
    }
    answer.source =
        account.trace.path == SearchPath::kTree ? AnswerSource::kIndex : AnswerSource::kExact;
    answer.search = account;
    return Status();
}

Result<Neighbours> VectorAnswers::recommend_histories(const SparseView& histories,
                                                      const BatchOptions& options, ThreadPool& pool,
                                                      const ProgressListener& progress) const {
    const State& state = *state_;
    const double exponent =
        state.exponent_or_default(options.popularity_exponent, state.folds_in());
    return collect_lists(
        histories.num_rows, "recommend", progress,
        [&](std::size_t begin, std::size_t end, std::vector<std::vector<ScoredRow>>& lists) {
            Matrix queries(end - begin, state.vectors.dim);
            const Status solved = for_each_query(end - begin, pool, [&](std::size_t query) {
                return state.history_vector(histories.row_columns(begin + query),
                                            histories.row_values(begin + query),
                                            queries.row(query));
            });
            if (!solved.ok()) {
                return solved;
            }
            std::vector<std::vector<ScoredRow>*> places;
            for (std::vector<ScoredRow>& list : lists) {
                places.push_back(&list);
            }
            return state.search_block(queries, histories.rows_between(begin, end), options,
                                      exponent, pool, places);
        });
}

Result<Neighbours> VectorAnswers::similar_items(std::span<const std::uint32_t> item_rows,
                                                const BatchOptions& options, ThreadPool& pool,
                                                const ProgressListener& progress) const {
    const State& state = *state_;
    const double exponent = state.exponent_or_default(options.popularity_exponent, false);
    const bool table_holds =
        options.search.is_default() && exponent == state.model.info().popularity_exponent;
    return collect_lists(
        item_rows.size(), "similar items", progress,
        [&](std::size_t begin, std::size_t end, std::vector<std::vector<ScoredRow>>& lists) {
            std::vector<std::uint32_t> searched;
            std::vector<std::vector<ScoredRow>*> places;
            std::vector<float> vector(state.vectors.dim);
            for (std::size_t place = begin; place < end; ++place) {
                const std::uint32_t item_row = item_rows[place];
                std::vector<ScoredRow>& list = lists[place - begin];
                if (table_holds && state.find_in_table(item_row, {}, nullptr, options.k, list)) {
                    write_unit(state.vectors.row(item_row), 1, vector);
                    if (is_zero(vector)) {
                        list.clear();
                    } else {
                        state.rescore(vector, exponent, list);
                    }
                } else {
                    searched.push_back(item_row);
                    places.push_back(&list);
                }
            }
            Matrix queries(searched.size(), state.vectors.dim);
            std::vector<std::uint64_t> offsets(searched.size() + 1);
            for (std::size_t query = 0; query < searched.size(); ++query) {
                write_unit(state.vectors.row(searched[query]), 1, queries.row(query));
                offsets[query + 1] = query + 1;
            }
            for (std::vector<ScoredRow>* place : places) {
                place->clear();
            }
            const SparseView own = {
                searched.size(), state.model.num_items(), offsets, searched, {}};
            return state.search_block(queries, own, options, exponent, pool, places);
        });
}

}  // namespace segue
