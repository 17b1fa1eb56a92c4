#include "pipeline/fitted_lists.h"

#include <utility>

#include "eval/model_lists.h"
#include "pipeline/popularity_defaults.h"
#include "train/linear_model.h"

namespace segue {

FittedLists::FittedLists(FittedRecipe fitted)
    : model_(std::make_unique<const Model>(Model::from_parts(std::move(fitted.parts)))),
      recommender_(std::make_unique<const Recommender>(*model_)),
      uncut_(std::move(fitted.uncut)) {}

std::vector<float> FittedLists::factors_for(double exponent) const {
    return exponent == 0 ? std::vector<float>()
                         : popularity_factors(model_->item_frequencies(), exponent);
}

GroupListMaker FittedLists::for_groups(std::optional<double> popularity_exponent) const {
    if (uncut_ == nullptr) {
        return recommended_group_lists(*recommender_, popularity_exponent);
    }
    return [this, factors = factors_for(
                      popularity_exponent.value_or(model_->info().popularity_exponent))](
               const GroupListRequest& request, ThreadPool& pool) -> Result<Neighbours> {
        return uncut_->lists(request.histories, {.k = request.k, .factors = factors}, pool, {});
    };
}

ItemListMaker FittedLists::for_items(std::optional<double> popularity_exponent) const {
    if (uncut_ == nullptr) {
        return recommended_item_lists(*recommender_, popularity_exponent);
    }
    return [this, factors = factors_for(
                      popularity_exponent.value_or(model_->info().exponent_of_one_item()))](
               std::span<const std::uint32_t> item_rows, std::size_t k,
               ThreadPool& pool) -> Result<Neighbours> {
        return lists_of_items(*uncut_, item_rows, {.k = k, .factors = factors}, pool);
    };
}

}  // namespace segue
