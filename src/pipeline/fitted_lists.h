#pragma once

// Lists of a recipe that was just fitted, for the judge: from all the weights it learnt where it
// keeps them, from the model otherwise.

#include <memory>
#include <optional>
#include <vector>

#include "eval/judge.h"
#include "model/model.h"
#include "pipeline/fit.h"
#include "recommend/recommend.h"

namespace segue {

/// Makers of lists view *this. Immutable, thread-safe.
class FittedLists {
public:
    explicit FittedLists(FittedRecipe fitted);

    const Model& model() const { return *model_; }
    /// An exponent replaces the model's default.
    GroupListMaker for_groups(std::optional<double> popularity_exponent = std::nullopt) const;
    ItemListMaker for_items(std::optional<double> popularity_exponent = std::nullopt) const;

private:
    /// What scores are multiplied by; empty for 1.
    std::vector<float> factors_for(double exponent) const;

    std::unique_ptr<const Model> model_;
    std::unique_ptr<const Recommender> recommender_;
    std::shared_ptr<const LinearModel> uncut_;  // null: the model has all there is
};

}  // namespace segue
