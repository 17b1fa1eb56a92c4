#include "recommend/mean_vector.h"

#include "base/text.h"

namespace segue {

MeanVector mean_vector(const Model& model, std::string_view text) {
    const MatrixView vectors = model.item_vectors();
    std::vector<double> sums(vectors.dim, 0.0);
    MeanVector mean;
    const std::vector<std::string_view> keys = split_on_space(text);
    for (const std::string_view key : keys) {
        const std::optional<std::uint32_t> row = model.find_item(key);
        if (!row) {
            mean.unknown.emplace_back(key);
            continue;
        }
        const std::span<const float> values = vectors.row(*row);
        for (std::size_t place = 0; place < sums.size(); ++place) {
            sums[place] += static_cast<double>(values[place]);
        }
    }
    for (const double sum : sums) {
        mean.vector.push_back(
            keys.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(keys.size())));
    }
    return mean;
}

}  // namespace segue
