#include "serve/warm_up.h"

#include <algorithm>
#include <string>

#include "base/give_way.h"

namespace segue::serve {
namespace {

constexpr std::size_t kNumQueries = 64;

}  // namespace

Status warm_up(const ServedModel& served) {
    const Model& model = served.model();
    const std::size_t num_items = model.num_items();
    const std::size_t num_queries = std::min(kNumQueries, num_items);
    for (std::size_t number = 0; number < num_queries; ++number) {
        const std::size_t item_row = number * num_items / num_queries;
        const std::string key(model.item_keys()[item_row]);
        Query one;
        one.items.push_back({key, 1});
        const Result<Answer> lists = served.recommender().answer(one);
        if (!lists.ok()) {
            return internal_error("a query for an item of its own failed: " +
                                  lists.status().message());
        }
        if (!lists->results.empty()) {
            const std::uint32_t offered = lists->results.front().item_row;
            static_cast<void>(
                served.recommender().evidence(static_cast<std::uint32_t>(item_row), offered));
            // Two items are never in the neighbour table together: this one goes to the search.
            one.items.push_back({std::string(model.item_keys()[offered]), 1});
            static_cast<void>(served.recommender().answer(one).ok());
        }
        give_way();
    }
    return {};
}

}  // namespace segue::serve
