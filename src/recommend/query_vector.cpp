#include "recommend/query_vector.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "linalg/gram.h"

namespace segue {

double vector_norm(std::span<const float> vector) {
    return std::sqrt(kernels::active_kernels().sum_of_squares(vector.data(), vector.size()));
}

void write_unit(std::span<const float> vector, double weight, std::span<float> unit) {
    const double norm = vector_norm(vector);
    if (!(norm > 0)) {
        std::fill(unit.begin(), unit.end(), 0.0F);
        return;
    }
    const double factor = weight / norm;
    for (std::size_t place = 0; place < unit.size(); ++place) {
        // To a zero, as a sum begins: it makes -0 of a small number 0.
        unit[place] = static_cast<float>(0.0 + factor * static_cast<double>(vector[place]));
    }
}

void VectorSum::add(std::span<const float> vector, double weight) {
    for (std::size_t place = 0; place < sum_.size(); ++place) {
        sum_[place] += weight * static_cast<double>(vector[place]);
    }
}

void VectorSum::add_unit(std::span<const float> vector, double weight) {
    const double norm = vector_norm(vector);
    if (norm > 0) {
        add(vector, weight / norm);
    }
}

void VectorSum::add_unit(const VectorSum& other) {
    double squares = 0;
    for (const double value : other.sum_) {
        squares += value * value;
    }
    const double norm = std::sqrt(squares);
    if (norm > 0) {
        for (std::size_t place = 0; place < sum_.size(); ++place) {
            sum_[place] += other.sum_[place] / norm;
        }
    }
}

void VectorSum::write(std::span<float> vector) const {
    for (std::size_t place = 0; place < sum_.size(); ++place) {
        vector[place] = static_cast<float>(sum_[place]);
    }
}

HistoryFolder::HistoryFolder(const Model& model)
    : model_(model), scratches_([dim = model.item_vectors().dim] {
          return std::make_unique<FoldInScratch>(dim);
      }) {}

HistoryFolder::~HistoryFolder() = default;

const FoldIn& HistoryFolder::solver() const {
    std::call_once(solver_made_, [this] {
        const FoldInSettings& settings = model_.info().fold_in;
        // A pool of its own: the first query may come while the caller's pool is busy with it.
        ThreadPool pool(0);
        Matrix global = gram_matrix(model_.item_vectors(), pool);
        const double weight = settings.hu ? 1 : settings.unobserved_weight;
        for (std::size_t row = 0; row < global.num_rows(); ++row) {
            for (float& value : global.row(row)) {
                value = static_cast<float>(weight * static_cast<double>(value));
            }
        }
        solver_ = std::make_unique<FoldIn>(model_.item_vectors(), std::move(global));
    });
    return *solver_;
}

Status HistoryFolder::fold_in(std::span<const std::uint32_t> item_rows,
                              std::span<const float> values, std::span<float> vector) const {
    const FoldInSettings& settings = model_.info().fold_in;
    FoldInHistory history;
    history.item_rows = item_rows;
    std::vector<float> weights;
    std::vector<float> right_sides;
    double ridge = settings.l2_reg;
    if (settings.hu) {
        for (std::size_t entry = 0; entry < item_rows.size(); ++entry) {
            const double value = values.empty() ? 1 : static_cast<double>(values[entry]);
            weights.push_back(static_cast<float>(settings.alpha * std::abs(value)));
            right_sides.push_back(value > 0 ? static_cast<float>(1 + settings.alpha * value) : 0);
        }
    } else {
        const double size = static_cast<double>(item_rows.size()) +
                            settings.unobserved_weight * static_cast<double>(model_.num_items());
        ridge *= std::pow(size, settings.l2_exponent);
        for (const float value : values) {
            weights.push_back(value > 0 ? value : 0);
        }
    }
    history.weights = weights;
    history.right_sides = right_sides;
    const ScratchPool<FoldInScratch>::Lease scratch(scratches_);
    return solver().solve(history, static_cast<float>(ridge), *scratch, vector);
}

}  // namespace segue
