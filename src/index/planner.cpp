#include "index/planner.h"

namespace segue {

SearchPath plan_search(const PlannedSearch& search) {
    if (!search.has_codes || search.k >= search.num_items) {
        return SearchPath::kExact;
    }
    return search.num_items < 20000 ? SearchPath::kExact : SearchPath::kTree;
}

}  // namespace segue
