#pragma once

// Questions like those a model will be asked, to tune and judge its index by.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/matrix.h"
#include "data/sparse.h"
#include "index/leaf_index.h"
#include "model/model.h"

namespace segue {

enum class QueryKind {
    kGroups,  // the vector of a stored history, its items left out
    kSums,    // the sum of two to five items that go together, themselves left out
    kItems,   // one item, itself left out
};

/// "groups", "sums", "items"
std::string_view name_of(QueryKind kind);

/// Vectors to search for. Move-only.
struct QuerySet {
    Matrix vectors;         // [num_queries x dim]
    SparseMatrix excluded;  // [num_queries x num_items]

    std::size_t size() const { return excluded.num_rows; }
};

/// Queries of one kind: knobs are chosen by one part and judged by the other. No query begins with
/// a group or item of the other part.
struct CalibrationQueries {
    QueryKind kind = QueryKind::kItems;
    /// What searches of this kind use unless told otherwise.
    double usual_exponent = 0;
    QuerySet tuning;
    QuerySet held_out;
};

/// At most that many queries a part and kind, drawn by the seed without repetition; kinds the
/// model has no data for are left out, and so are queries without a direction. Where the model has
/// neither histories nor lists, `index`, over its vectors, says which items go together. Returns an
/// error if: a history cannot be folded in, or a search fails.
Result<std::vector<CalibrationQueries>> make_calibration_queries(const Model& model,
                                                                 const LeafIndex& index,
                                                                 std::size_t queries_a_part,
                                                                 std::uint64_t seed);

}  // namespace segue
