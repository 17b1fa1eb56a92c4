#include "recommend/list_answers.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "cooc/best_partners.h"
#include "cooc/pair_scores.h"
#include "cooc/row_query.h"
#include "recommend/collect_lists.h"
#include "recommend/list_sums.h"
#include "recommend/product_form.h"
#include "recommend/scratch_pool.h"

namespace segue {

namespace {

/// Lists of a batch that one thread makes at a time.
constexpr std::size_t kListsPerChunk = 16;

/// Memory for one query at a time.
struct ListScratch {
    ListScratch(std::size_t num_groups, std::size_t num_items)
        : group_sums(num_groups, num_items),
          score_sums(num_items),
          counts(make_row_scratch(num_items)) {}

    GroupSums group_sums;
    ScoreSums score_sums;
    RowAccumulator counts;
    std::vector<double> row_scores;
    WholePowers own_powers;
    WholePowers factor_powers;
    PopularityFactors factors;
    WholePowers size_powers;
    BestPartners best{1};
};

bool contains(std::span<const std::uint32_t> ascending, std::uint32_t row) {
    return std::binary_search(ascending.begin(), ascending.end(), row);
}

void offer(std::uint32_t item_row, double score, BestPartners& best) {
    const auto rounded = static_cast<float>(score);
    if (std::isfinite(rounded)) {
        best.offer({item_row, rounded});
    }
}

/// What a list is made of, whatever face it was asked at.
struct ListQuery {
    std::span<const WeightedItem> items;
    std::span<const std::uint32_t>
        excluded;  // ascending; the items among them unless they are offered
    std::size_t k = 0;
    double popularity_exponent = 0;
    bool is_one_item = false;  // which gets the very list that is stored, or would be
    bool offers_items = false;
};

}  // namespace

struct ListAnswers::State {
    explicit State(const Model& the_model);

    double exponent_or_default(const std::optional<double>& asked, bool is_one_item) const {
        return asked.value_or(is_one_item ? listed_exponent : model.info().popularity_exponent);
    }
    bool can_count() const {
        return model.interactions().num_rows > 0 && model.info().pair_score.from_histories;
    }
    bool takes_best() const { return model.info().pair_score.takes_best; }
    bool has_table() const { return model.neighbours().num_items() > 0; }
    bool is_usual(double exponent) const {
        return exponent == listed_exponent || exponent == model.info().popularity_exponent;
    }
    /// The power of a frequency that a score is multiplied by to have another popularity exponent
    /// than the stored lists.
    double exponent_change(double exponent) const {
        return (listed_exponent - exponent) *
               (params.score == PairScore::kConditional ? params.sharpness : 1);
    }
    /// The power of the frequency of the item offered in sums of products.
    double offered_power(const ProductForm& form, double exponent) const {
        return exponent == listed_exponent ? form.other : form.other + listed_exponent - exponent;
    }
    const PairScorer& scorer() const;
    std::span<const double> row_scores(std::uint32_t item_row, PairRow& row,
                                       ListScratch& scratch) const;

    bool find_in_table(const ListQuery& query, std::vector<ScoredRow>& list) const;
    void sum_products(const ListQuery& query, const ProductForm& form, ListScratch& scratch,
                      BestPartners& best) const;
    /// Adds the scores of one item of the query to what there is, or keeps the better.
    template <typename Score>
    void put_together(std::span<const std::uint32_t> items, std::span<const Score> scores,
                      float weight, ScoreSums& sums) const {
        if (takes_best()) {
            sums.raise(items, scores, static_cast<double>(weight));
        } else {
            sums.add(items, scores, static_cast<double>(weight));
        }
    }
    void sum_table(const ListQuery& query, ListScratch& scratch, BestPartners& best) const;
    void sum_rows(const ListQuery& query, ListScratch& scratch, BestPartners& best) const;
    void offer_sums(const ListQuery& query, ListScratch& scratch, BestPartners& best) const;
    void add_up(const ListQuery& query, ListScratch& scratch, Answer& answer) const;
    std::vector<ScoredRow> list_of_item(std::uint32_t item_row, std::size_t k, double exponent,
                                        ListScratch& scratch) const;
    Result<Neighbours> make_lists(
        std::size_t num_lists, std::string_view stage, ThreadPool& pool,
        const ProgressListener& progress,
        const std::function<std::vector<ScoredRow>(std::size_t, ListScratch&)>& make) const;

    const Model& model;
    double listed_exponent;  // of the stored lists, and of all that `params` score
    PairScoreParams params;
    Status readiness;  // why lists cannot be made, if so
    mutable std::once_flag scorer_made;
    mutable std::unique_ptr<PairScorer> pair_scorer;
    mutable ScratchPool<ListScratch> scratches;
};

ListAnswers::State::State(const Model& the_model)
    : model(the_model), listed_exponent(the_model.info().exponent_of_one_item()), scratches([this] {
          return std::make_unique<ListScratch>(model.interactions().num_rows, model.num_items());
      }) {
    const PairScoreSettings& settings = model.info().pair_score;
    // Weights that were learnt are added up as they are, as conditional scores are.
    const Result<PairScore> score = settings.name == kStoredWeights
                                        ? Result<PairScore>(PairScore::kConditional)
                                        : pair_score_by_name(settings.name);
    if (!score.ok()) {
        readiness = score.status().with_context("the model's pair score");
        return;
    }
    params = {
        .score = *score,
        .group_exponent = settings.group_exponent,
        .own_exponent = settings.own_exponent,
        .other_exponent = model.info().item_popularity_exponent.value_or(settings.other_exponent),
        .shrinkage = settings.shrinkage,
        .sharpness = settings.sharpness};
    readiness = params.validate().with_context("the model's pair score");
    if (readiness.ok() && model.item_frequencies().size() != model.num_items()) {
        readiness = invalid_argument("the model does not know the frequencies of its items");
    }
    if (readiness.ok() && !can_count() && !has_table()) {
        readiness = invalid_argument("the model stores neither neighbour lists nor histories");
    }
}

const PairScorer& ListAnswers::State::scorer() const {
    std::call_once(scorer_made, [this] {
        const CountTotals totals = {static_cast<double>(model.info().total_frequency),
                                    static_cast<double>(model.info().num_groups)};
        pair_scorer = std::make_unique<PairScorer>(params, model.item_frequencies(), totals);
    });
    return *pair_scorer;
}

/// Counts the partners of an item into `row` and scores them. Both are valid until the scratch is
/// used again.
std::span<const double> ListAnswers::State::row_scores(std::uint32_t item_row, PairRow& row,
                                                       ListScratch& scratch) const {
    row = count_row(model.interactions(), model.interactions_by_item(), item_row,
                    {params.group_exponent, model.info().pair_score.values_are_counts},
                    scratch.counts);
    scratch.row_scores.resize(row.partners.size());
    scorer().score_row(item_row, row.partners, row.together, row.weighted, scratch.row_scores);
    return scratch.row_scores;
}

/// Takes the first k of the stored list of the only item. Returns false if the list is too short to
/// say what the best k are.
bool ListAnswers::State::find_in_table(const ListQuery& query, std::vector<ScoredRow>& list) const {
    const NeighboursView table = model.neighbours();
    const WeightedItem& item = query.items[0];
    if (!has_table() || query.popularity_exponent != listed_exponent || !(item.weight > 0)) {
        return false;
    }
    for (std::uint64_t entry = table.offsets[item.item_row];
         entry < table.offsets[item.item_row + 1] && list.size() < query.k; ++entry) {
        if (!contains(query.excluded, table.item_rows[entry])) {
            list.push_back({table.item_rows[entry], item.weight * table.scores[entry]});
        }
    }
    return list.size() == query.k || table.list_size(item.item_row) + 1 == model.num_items();
}

void ListAnswers::State::sum_products(const ListQuery& query, const ProductForm& form,
                                      ListScratch& scratch, BestPartners& best) const {
    const std::span<const std::uint32_t> frequencies = model.item_frequencies();
    const SparseView by_item = model.interactions_by_item();
    scratch.own_powers.set_exponent(form.own);
    scratch.size_powers.set_exponent(form.group);
    for (const WeightedItem& item : query.items) {
        scratch.group_sums.add_item(
            by_item.row_columns(item.item_row),
            static_cast<double>(item.weight) * scratch.own_powers(frequencies[item.item_row]));
    }
    scratch.group_sums.offer_items(
        model.interactions(), query.excluded,
        scratch.factors.of(frequencies, offered_power(form, query.popularity_exponent)),
        scratch.size_powers, best);
}

void ListAnswers::State::sum_table(const ListQuery& query, ListScratch& scratch,
                                   BestPartners& best) const {
    const NeighboursView table = model.neighbours();
    for (const WeightedItem& item : query.items) {
        const auto begin = static_cast<std::size_t>(table.offsets[item.item_row]);
        const std::size_t size = table.list_size(item.item_row);
        put_together(table.item_rows.subspan(begin, size), table.scores.subspan(begin, size),
                     item.weight, scratch.score_sums);
    }
    offer_sums(query, scratch, best);
}

void ListAnswers::State::sum_rows(const ListQuery& query, ListScratch& scratch,
                                  BestPartners& best) const {
    for (const WeightedItem& item : query.items) {
        PairRow row;
        const std::span<const double> scores = row_scores(item.item_row, row, scratch);
        put_together(row.partners, scores, item.weight, scratch.score_sums);
    }
    offer_sums(query, scratch, best);
}

void ListAnswers::State::offer_sums(const ListQuery& query, ListScratch& scratch,
                                    BestPartners& best) const {
    const std::span<const std::uint32_t> frequencies = model.item_frequencies();
    WholePowers& powers = scratch.factor_powers;
    powers.set_exponent(exponent_change(query.popularity_exponent));
    scratch.score_sums.drain(query.excluded, [&](std::uint32_t item_row, double sum) {
        offer(item_row, sum * powers(frequencies[item_row]), best);
    });
}

/// Requires: answer.results are empty.
void ListAnswers::State::add_up(const ListQuery& query, ListScratch& scratch,
                                Answer& answer) const {
    if (query.k == 0 || query.items.empty()) {
        return;
    }
    BestPartners& best = scratch.best;
    best.reset(query.k);
    const auto take = [&](AnswerSource source) {
        const std::span<const ScoredRow> list = best.take_sorted();
        answer.results.assign(list.begin(), list.end());
        answer.source = source;
    };
    const bool multiplies =
        model.info().pair_score.values_are_counts && !model.interactions().values.empty();
    const std::optional<ProductForm> form =
        multiplies || takes_best() ? std::nullopt : product_form(params);
    if (form && can_count() && !query.is_one_item && !query.offers_items) {
        sum_products(query, *form, scratch, best);
        take(AnswerSource::kExact);
        return;
    }
    // Lists of the usual length hold what decides the best sums; all pairs of a long history take
    // thousands of times longer to count.
    const bool tries_table =
        !form && has_table() && !query.is_one_item && is_usual(query.popularity_exponent);
    if (tries_table || !can_count()) {
        sum_table(query, scratch, best);
        take(AnswerSource::kNeighbours);
    }
    if (can_count() && answer.results.size() < query.k) {
        best.clear();
        sum_rows(query, scratch, best);
        take(AnswerSource::kExact);
    }
}

/// The list of one item: as stored, or counted as the stored one was.
std::vector<ScoredRow> ListAnswers::State::list_of_item(std::uint32_t item_row, std::size_t k,
                                                        double exponent,
                                                        ListScratch& scratch) const {
    const WeightedItem item = {item_row, 1};
    const ListQuery query = {{&item, 1}, {&item_row, 1}, k, exponent, true, false};
    Answer answer;
    if (!find_in_table(query, answer.results)) {
        answer.results.clear();
        add_up(query, scratch, answer);
    }
    return std::move(answer.results);
}

Result<Neighbours> ListAnswers::State::make_lists(
    std::size_t num_lists, std::string_view stage, ThreadPool& pool,
    const ProgressListener& progress,
    const std::function<std::vector<ScoredRow>(std::size_t, ListScratch&)>& make) const {
    if (!readiness.ok()) {
        return readiness;
    }
    return collect_lists(
        num_lists, stage, progress,
        [&](std::size_t begin, std::size_t end, std::vector<std::vector<ScoredRow>>& lists) {
            const Chunks chunks{end - begin, kListsPerChunk};
            pool.for_each(chunks.count(), [&](std::size_t chunk, unsigned) {
                const ScratchPool<ListScratch>::Lease scratch(scratches);
                for (std::size_t place = chunks.begin(chunk); place < chunks.end(chunk); ++place) {
                    lists[place] = make(begin + place, *scratch);
                }
            });
            return Status();
        });
}

ListAnswers::ListAnswers(const Model& model) : state_(std::make_unique<State>(model)) {}

ListAnswers::~ListAnswers() = default;

Status ListAnswers::answer(const ResolvedQuery& query, Combine /*combine*/, QueryBuffers& buffers,
                           Answer& answer) const {
    const State& state = *state_;
    if (!state.readiness.ok()) {
        return state.readiness;
    }
    std::vector<WeightedItem>& items = buffers.items;
    items = query.items;
    for (const std::uint32_t item_row : query.history) {
        items.push_back({item_row, 1});
    }
    if (query.group_row) {
        for (const std::uint32_t item_row :
             state.model.interactions().row_columns(*query.group_row)) {
            items.push_back({item_row, 1});
        }
    }
    std::erase_if(items, [](const WeightedItem& item) { return item.weight == 0; });
    const ListQuery list_query = {
        items,
        query.excluded,
        query.k,
        state.exponent_or_default(query.popularity_exponent, query.is_one_item()),
        query.is_one_item(),
        query.offer_query_items};
    if (query.is_one_item() && !items.empty()) {
        answer.source = AnswerSource::kNeighbours;
        if (state.find_in_table(list_query, answer.results)) {
            return Status();
        }
        answer.results.clear();
        answer.source = AnswerSource::kExact;
    }
    const ScratchPool<ListScratch>::Lease scratch(state.scratches);
    state.add_up(list_query, *scratch, answer);
    return Status();
}

Result<Neighbours> ListAnswers::recommend_histories(const SparseView& histories,
                                                    const BatchOptions& options, ThreadPool& pool,
                                                    const ProgressListener& progress) const {
    const State& state = *state_;
    const double exponent = state.exponent_or_default(options.popularity_exponent, false);
    return state.make_lists(
        histories.num_rows, "recommend", pool, progress,
        [&](std::size_t history, ListScratch& scratch) {
            const std::span<const std::uint32_t> own = histories.row_columns(history);
            std::vector<WeightedItem> items;
            items.reserve(own.size());
            for (const std::uint32_t item_row : own) {
                items.push_back({item_row, 1});
            }
            Answer answer;
            state.add_up({items, own, options.k, exponent, false, false}, scratch, answer);
            return std::move(answer.results);
        });
}

Result<Neighbours> ListAnswers::similar_items(std::span<const std::uint32_t> item_rows,
                                              const BatchOptions& options, ThreadPool& pool,
                                              const ProgressListener& progress) const {
    const State& state = *state_;
    const double exponent = state.exponent_or_default(options.popularity_exponent, true);
    return state.make_lists(item_rows.size(), "similar items", pool, progress,
                            [&](std::size_t place, ListScratch& scratch) {
                                return state.list_of_item(item_rows[place], options.k, exponent,
                                                          scratch);
                            });
}

}  // namespace segue
