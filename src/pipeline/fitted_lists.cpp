#include "pipeline/fitted_lists.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/model_lists.h"
#include "train/linear_model.h"

namespace segue {

FittedLists::FittedLists(FittedRecipe fitted)
    : model_(std::make_unique<const Model>(Model::from_parts(std::move(fitted.parts)))),
      recommender_(std::make_unique<const Recommender>(*model_)),
      uncut_(std::move(fitted.uncut)) {}

std::vector<float> FittedLists::popularity_factors(std::optional<double> exponent) const {
    const double power = exponent.value_or(model_->info().popularity_exponent);
    std::vector<float> factors;
    if (power == 0) {
        return factors;
    }
    for (const std::uint32_t frequency : model_->item_frequencies()) {
        const double at_least_one = std::max(1.0, static_cast<double>(frequency));
        factors.push_back(static_cast<float>(std::pow(at_least_one, -power)));
    }
    return factors;
}

GroupListMaker FittedLists::for_groups(std::optional<double> popularity_exponent) const {
    if (uncut_ == nullptr) {
        return recommended_group_lists(*recommender_, popularity_exponent);
    }
    return [this, factors = popularity_factors(popularity_exponent)](
               const GroupListRequest& request, ThreadPool& pool) -> Result<Neighbours> {
        return uncut_->lists(request.histories, {.k = request.k, .factors = factors}, pool, {});
    };
}

ItemListMaker FittedLists::for_items(std::optional<double> popularity_exponent) const {
    if (uncut_ == nullptr) {
        return recommended_item_lists(*recommender_, popularity_exponent);
    }
    return [this, factors = popularity_factors(popularity_exponent)](
               std::span<const std::uint32_t> item_rows, std::size_t k,
               ThreadPool& pool) -> Result<Neighbours> {
        return lists_of_items(*uncut_, item_rows, {.k = k, .factors = factors}, pool);
    };
}

}  // namespace segue
