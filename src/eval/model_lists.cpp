#include "eval/model_lists.h"

#include <algorithm>
#include <memory>

#include "index/exact_index.h"

namespace segue {

GroupListMaker recommended_group_lists(const Recommender& recommender,
                                       std::optional<double> popularity_exponent) {
    return [&recommender, popularity_exponent](const GroupListRequest& request, ThreadPool& pool) {
        return recommender.recommend_histories(request.histories, {request.k, popularity_exponent},
                                               pool);
    };
}

ItemListMaker recommended_item_lists(const Recommender& recommender,
                                     std::optional<double> popularity_exponent) {
    return [&recommender, popularity_exponent](std::span<const std::uint32_t> item_rows,
                                               std::size_t k, ThreadPool& pool) {
        return recommender.similar_items(item_rows, {k, popularity_exponent}, pool);
    };
}

GroupListMaker factor_group_lists(const MatrixView& group_factors, const MatrixView& item_factors) {
    const auto index = std::make_shared<const ExactIndex>(item_factors, Measure::kDot);
    return [group_factors, index](const GroupListRequest& request, ThreadPool& pool) {
        Matrix queries(request.group_rows.size(), group_factors.dim);
        for (std::size_t row = 0; row < request.group_rows.size(); ++row) {
            std::ranges::copy(group_factors.row(request.group_rows[row]), queries.row(row).begin());
        }
        BatchSearchOptions options;
        options.k = request.k;
        options.excluded = request.histories;
        return index->search_batch(queries.view(), options, pool);
    };
}

}  // namespace segue
