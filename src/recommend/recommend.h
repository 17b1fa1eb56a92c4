#pragma once

// Every question to a model, whatever face it came through, is one Query and gets one Answer.
// Several items, a stored group, a history and a vector may be mixed; how they are answered is the
// model's AnswerBy.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "index/leaf_index.h"
#include "model/model.h"

namespace segue {

/// How the vectors of several query items become one.
enum class Combine {
    kSumOfSimilarities,  // sum of unit vectors: ranks like the sum of cosines to each item
    kMeanOfVectors,  // the blueprint's mean of raw vectors: long vectors weigh more; made a unit
                     // vector
};

/// How vectors are searched for, instead of what the index of the model was calibrated to. With a
/// choice, stored neighbours are not looked at. Only for models with vectors; all but
/// SearchPath::kExact needs an index.
struct SearchChoice {
    SearchPath path = SearchPath::kAuto;
    TreeKnobs knobs = {};

    bool is_default() const {
        return path == SearchPath::kAuto && knobs.num_leaves_to_search == 0 &&
               knobs.reordering_num_neighbors == 0;
    }
};

class OfferedItems;

struct Query {
    struct Item {
        std::string key;
        float weight = 1;  // -1e6 to 1e6
    };
    /// An item named twice counts with the sum of its weights.
    std::vector<Item> items;
    /// Group of the training data; its stored history is folded in, with the stored weights.
    std::optional<std::string> group_key;
    /// Item keys folded in as one history (like a group nobody has seen), each once.
    std::vector<std::string> history;
    /// A query vector, [dim]; empty for none.
    std::vector<float> vector;

    /// Left out of the answer beside the query's own items.
    std::vector<std::string> exclude;
    /// More than the model has items means all of them; 0 gets an empty answer.
    std::size_t k = 10;
    /// Instead of the model's default, which may be another for one item alone; -4 to 4.
    std::optional<double> popularity_exponent;
    std::optional<float> min_score;
    Combine combine = Combine::kSumOfSimilarities;
    /// Whether the query's own items may be offered; false for everybody but the blueprint's
    /// habits.
    bool offer_query_items = false;
    SearchChoice search = {};
    /// Null: all items may be offered. Of the same model (offered_items.h), which has vectors to
    /// answer by; models that answer by lists offer all.
    const OfferedItems* offered = nullptr;
};

enum class AnswerSource {
    kNeighbours,  // the stored table
    kIndex,       // the tree of the index: some leaves of it
    kExact,       // every item was scored
};

/// "neighbours", "index", "exact".
std::string_view name_of(AnswerSource source);

/// What one search did.
struct SearchAccount {
    SearchTrace trace;
    double seconds = 0;
};

struct Answer {
    /// At most k, best first (comes_before); fewer only when the model has fewer to offer: kLists
    /// offers items that were together with one of the query's, and nothing is similar to a vector
    /// of zeros.
    std::vector<ScoredRow> results;
    /// Keys of the query that the model does not know, each once: items, then history, then
    /// exclusions, in the order asked.
    std::vector<std::string> unknown;
    AnswerSource source = AnswerSource::kExact;
    /// Of the search for a vector; nothing where none was searched for.
    std::optional<SearchAccount> search;
};

/// Why an item was offered for another: what the counts say.
struct Evidence {
    std::uint32_t together = 0;         // groups that have both
    std::uint32_t frequency_query = 0;  // groups that have the item asked about
    std::uint32_t frequency = 0;        // groups that have the item offered
    double pmi = 0;                     // log2(together * T / (f_i * f_j)); 0 when never together
};

/// A title a search found. `distance` 0 is an exact match (ASCII case ignored).
struct TitleMatch {
    std::uint32_t item_row = 0;
    std::size_t distance = 0;
};

/// Memory of one thread's queries: after some that are alike, none allocates. Not thread-safe; one
/// a thread, for any model.
class AnswerScratch {
public:
    AnswerScratch();
    AnswerScratch(AnswerScratch&&) noexcept;
    AnswerScratch& operator=(AnswerScratch&&) noexcept;
    ~AnswerScratch();

private:
    friend class Recommender;
    friend class RefinedAnswers;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
};

/// What fill(scratch, answer), which returns a Status, answers with memory for this one call.
template <typename SomeAnswer, typename Fill>
Result<SomeAnswer> answer_once(const Fill& fill) {
    AnswerScratch scratch;
    SomeAnswer answer;
    Status status = fill(scratch, answer);
    return status.ok() ? Result<SomeAnswer>(std::move(answer))
                       : Result<SomeAnswer>(std::move(status));
}

/// Options of a whole batch of lists.
struct BatchOptions {
    std::size_t k = 10;
    std::optional<double> popularity_exponent = {};
    SearchChoice search = {};
};

/// Answers questions about one model. Immutable, thread-safe; views the model, which must outlive
/// it.
class Recommender {
public:
    explicit Recommender(const Model& model);
    Recommender(Recommender&&) noexcept;
    ~Recommender();

    /// Returns an error if: nothing was asked, none of what was asked is known, the group is
    /// unknown, the vector has another dimension or is not finite, or the model cannot answer that
    /// kind of question.
    Result<Answer> answer(const Query& query) const;
    /// Likewise, in place of what was in `answer`, whose memory is kept.
    Status answer(const Query& query, AnswerScratch& scratch, Answer& answer) const;

    /// What joins two items; nothing when the model stores no histories and no such neighbour, or a
    /// row is out of range.
    std::optional<Evidence> evidence(std::uint32_t query_row, std::uint32_t offered_row) const;

    /// Items whose title equals `title` (ASCII case ignored), most frequent first; when there is
    /// none, up to `limit` near misses: titles that contain it, then titles within a small edit
    /// distance.
    std::vector<TitleMatch> find_titles(std::string_view title, std::size_t limit) const;

    /// For each row of `histories` [num_histories x num_items] the best k items outside the
    /// history, best first: lists of the same order as the rows (an empty history gets an empty
    /// list). Same for any number of threads.
    Result<Neighbours> recommend_histories(const SparseView& histories, const BatchOptions& options,
                                           ThreadPool& pool,
                                           const ProgressListener& progress = {}) const;

    /// The list of each item asked for, itself left out, in the order asked: what a Query of that
    /// item gets. On a model that stores no neighbours yet, the table to store. Returns an error
    /// if: a row or the exponent is out of range.
    Result<Neighbours> similar_items(std::span<const std::uint32_t> item_rows,
                                     const BatchOptions& options, ThreadPool& pool,
                                     const ProgressListener& progress = {}) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace segue
