#include "pipeline/calibration_queries.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/random.h"
#include "recommend/query_vector.h"

namespace segue {

namespace {

/// Streams of one seed, so that a kind's queries do not depend on those of the others.
constexpr std::uint64_t kGroupStream = 1;
constexpr std::uint64_t kItemStream = 2;
constexpr std::uint64_t kSumStream = 3;
constexpr std::uint64_t kMembersStream = 4;

/// Up to `wanted` of [0, size), without repetition, in the order drawn.
std::vector<std::uint32_t> draw(std::size_t size, std::size_t wanted, Random random) {
    std::vector<std::uint32_t> rows(size);
    for (std::size_t row = 0; row < size; ++row) {
        rows[row] = static_cast<std::uint32_t>(row);
    }
    wanted = std::min(wanted, size);
    for (std::size_t place = 0; place < wanted; ++place) {
        std::swap(rows[place], rows[place + random.below(size - place)]);
    }
    rows.resize(wanted);
    return rows;
}

/// A query in the making: its vector is written to `vector`, its own items to `own`, ascending and
/// distinct.
using QueryMaker = std::function<Status(std::uint32_t row, std::span<float> vector,
                                        std::vector<std::uint32_t>& own)>;

class QueryDrawer {
public:
    QueryDrawer(const Model& model, std::size_t queries_a_part)
        : model_(model), queries_a_part_(queries_a_part) {}

    /// Queries about rows drawn from [0, size), every other one held out.
    Result<CalibrationQueries> make(QueryKind kind, double usual_exponent, std::size_t size,
                                    const Random& random, const QueryMaker& maker) const {
        CalibrationQueries queries;
        queries.kind = kind;
        queries.usual_exponent = usual_exponent;
        const std::vector<std::uint32_t> rows = draw(size, 2 * queries_a_part_, random);
        for (const bool tuning : {true, false}) {
            std::vector<std::uint32_t> part;
            for (std::size_t place = tuning ? 1 : 0; place < rows.size(); place += 2) {
                part.push_back(rows[place]);
            }
            Result<QuerySet> set = make_set(part, maker);
            if (!set.ok()) {
                return set.status();
            }
            (tuning ? queries.tuning : queries.held_out) = std::move(set).value();
        }
        return queries;
    }

private:
    Result<QuerySet> make_set(const std::vector<std::uint32_t>& rows,
                              const QueryMaker& maker) const {
        const std::size_t dim = model_.item_vectors().dim;
        std::vector<float> vectors;
        QuerySet set;
        set.excluded.num_columns = model_.num_items();
        std::vector<float> vector(dim);
        std::vector<std::uint32_t> own;
        for (const std::uint32_t row : rows) {
            own.clear();
            if (Status status = maker(row, vector, own); !status.ok()) {
                return status;
            }
            if (vector_norm(vector) == 0 || own.empty()) {
                continue;
            }
            vectors.insert(vectors.end(), vector.begin(), vector.end());
            set.excluded.columns.insert(set.excluded.columns.end(), own.begin(), own.end());
            set.excluded.offsets.push_back(set.excluded.columns.size());
            ++set.excluded.num_rows;
        }
        set.vectors = Matrix(set.size(), dim);
        for (std::size_t query = 0; query < set.size(); ++query) {
            std::copy_n(vectors.data() + query * dim, dim, set.vectors.row(query).data());
        }
        return set;
    }

    const Model& model_;
    std::size_t queries_a_part_;
};

/// Tells which items go with one: of one of its groups, else of its list, else the nearest. Views
/// both. Not thread-safe.
class CompanionFinder {
public:
    CompanionFinder(const Model& model, const LeafIndex& index) : model_(model), index_(index) {}

    Result<std::vector<std::uint32_t>> find(std::uint32_t item_row, Random& random) {
        const SparseView histories = model_.interactions();
        if (histories.num_rows > 0) {
            const auto groups = model_.interactions_by_item().row_columns(item_row);
            if (!groups.empty()) {
                const auto items = histories.row_columns(groups[random.below(groups.size())]);
                return std::vector<std::uint32_t>(items.begin(), items.end());
            }
        }
        const NeighboursView lists = model_.neighbours();
        if (lists.num_items() > 0 && lists.list_size(item_row) > 0) {
            const auto items =
                lists.item_rows.subspan(lists.offsets[item_row], lists.list_size(item_row));
            return std::vector<std::uint32_t>(items.begin(), items.end());
        }
        return nearest(item_row);
    }

private:
    Result<std::vector<std::uint32_t>> nearest(std::uint32_t item_row) {
        constexpr std::size_t kNearest = 20;
        Status status = index_.search(model_.item_vectors().row(item_row),
                                      {.k = kNearest,
                                       .popularity_exponent = model_.info().popularity_exponent,
                                       .excluded = std::span(&item_row, 1)},
                                      scratch_, found_);
        if (!status.ok()) {
            return status;
        }
        std::vector<std::uint32_t> items;
        for (const ScoredRow& scored : found_) {
            items.push_back(scored.item_row);
        }
        return items;
    }

    const Model& model_;
    const LeafIndex& index_;
    SearchScratch scratch_;
    std::vector<ScoredRow> found_;
};

/// The first item and up to four companions.
Result<std::vector<std::uint32_t>> members_of_sum(CompanionFinder& companions,
                                                  std::uint32_t item_row, std::uint64_t seed) {
    Random random(seed ^ kMembersStream, item_row);
    Result<std::vector<std::uint32_t>> found = companions.find(item_row, random);
    if (!found.ok()) {
        return found.status();
    }
    std::vector<std::uint32_t>& candidates = *found;
    std::vector<std::uint32_t> members = {item_row};
    const std::size_t wanted = 2 + random.below(4);
    while (members.size() < wanted && !candidates.empty()) {
        std::swap(candidates[random.below(candidates.size())], candidates.back());
        if (std::find(members.begin(), members.end(), candidates.back()) == members.end()) {
            members.push_back(candidates.back());
        }
        candidates.pop_back();
    }
    std::sort(members.begin(), members.end());
    return members;
}

/// The sum of the items' unit vectors.
void write_sum(const MatrixView& vectors, std::span<const std::uint32_t> item_rows,
               std::span<float> vector) {
    VectorSum sum(vectors.dim);
    for (const std::uint32_t item_row : item_rows) {
        sum.add_unit(vectors.row(item_row), 1);
    }
    sum.write(vector);
}

}  // namespace

std::string_view name_of(QueryKind kind) {
    switch (kind) {
        case QueryKind::kGroups:
            return "groups";
        case QueryKind::kSums:
            return "sums";
        case QueryKind::kItems:
            return "items";
    }
    return "unknown";
}

Result<std::vector<CalibrationQueries>> make_calibration_queries(const Model& model,
                                                                 const LeafIndex& index,
                                                                 std::size_t queries_a_part,
                                                                 std::uint64_t seed) {
    const MatrixView vectors = model.item_vectors();
    const SparseView histories = model.interactions();
    const bool folds_in = model.info().answer_by == AnswerBy::kFoldIn;
    const double exponent = model.info().popularity_exponent;
    const HistoryFolder folder(model);
    CompanionFinder companions(model, index);
    const QueryMaker of_group = [&](std::uint32_t row, std::span<float> vector,
                                    std::vector<std::uint32_t>& own) {
        const auto items = histories.row_columns(row);
        own.assign(items.begin(), items.end());
        if (folds_in) {
            return folder.fold_in(items, histories.row_values(row), vector);
        }
        write_sum(vectors, items, vector);
        return Status();
    };
    const QueryMaker of_sum = [&](std::uint32_t row, std::span<float> vector,
                                  std::vector<std::uint32_t>& own) {
        Result<std::vector<std::uint32_t>> members = members_of_sum(companions, row, seed);
        if (!members.ok()) {
            return members.status();
        }
        own = std::move(members).value();
        write_sum(vectors, own, vector);
        return Status();
    };
    const QueryMaker of_item = [&](std::uint32_t row, std::span<float> vector,
                                   std::vector<std::uint32_t>& own) {
        own = {row};
        write_sum(vectors, own, vector);
        return Status();
    };
    struct Kind {
        QueryKind kind;
        double usual_exponent;
        std::size_t size;
        std::uint64_t stream;
        const QueryMaker& maker;
    };
    const QueryDrawer drawer(model, queries_a_part);
    std::vector<CalibrationQueries> made;
    for (const Kind& kind :
         {Kind{QueryKind::kGroups, folds_in ? 0 : exponent, histories.num_rows, kGroupStream,
               of_group},
          Kind{QueryKind::kSums, exponent, model.num_items(), kSumStream, of_sum},
          Kind{QueryKind::kItems, exponent, model.num_items(), kItemStream, of_item}}) {
        Result<CalibrationQueries> queries = drawer.make(kind.kind, kind.usual_exponent, kind.size,
                                                         Random(seed, kind.stream), kind.maker);
        if (!queries.ok()) {
            return queries.status().with_context("queries for the calibration");
        }
        if (queries->held_out.size() > 0) {
            made.push_back(std::move(queries).value());
        }
    }
    return made;
}

}  // namespace segue
