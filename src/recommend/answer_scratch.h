#pragma once

// What an AnswerScratch holds. Private to the folder.

#include <vector>

#include "recommend/query_vector.h"
#include "recommend/recommend.h"
#include "recommend/resolve_query.h"

namespace segue {

/// Memory for putting a query's parts together.
struct QueryBuffers {
    std::vector<WeightedItem> items;
    std::vector<float> vector;
    VectorSum sum;
    VectorSum mean;
};

struct AnswerScratch::Buffers {
    ResolvedQuery resolved;
    QueryBuffers query;
    Answer answer;  // of a refined query
};

}  // namespace segue
