#include "recommend/product_form.h"

namespace segue {

std::optional<ProductForm> product_form(const PairScoreParams& params) {
    if (params.score == PairScore::kConditional && params.sharpness == 1) {
        return ProductForm{-params.own_exponent, -params.other_exponent, -params.group_exponent};
    }
    if (params.score == PairScore::kCount) {
        return ProductForm{};
    }
    if (params.score == PairScore::kCosine && params.shrinkage == 0) {
        return ProductForm{-0.5, -0.5, 0};
    }
    return std::nullopt;
}

}  // namespace segue
