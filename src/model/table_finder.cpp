#include "model/table_finder.h"

#include <fmt/core.h>

namespace segue {

const TensorView* TableFinder::find(const std::string& name, std::size_t num_axes) {
    const TensorView* const tensor = file_.find(name);
    if (tensor == nullptr) {
        fail(fmt::format("it has no tensor '{}'", name));
        return nullptr;
    }
    if (tensor->shape.size() != num_axes) {
        fail(fmt::format("tensor '{}' is {}, expected {} {}", name, type_text(*tensor),
                         num_axes == 1 ? "one" : fmt::format("{}", num_axes),
                         num_axes == 1 ? "axis" : "axes"));
        return nullptr;
    }
    return tensor;
}

StringTableView TableFinder::strings(const std::string& name) {
    const auto offsets = required<std::uint64_t>(name + ".offsets");
    return {offsets, required<char>(name + ".bytes")};
}

MatrixView TableFinder::matrix(const std::string& name, std::uint64_t dim, Matrix& aligned) {
    const TensorView* const tensor = find(name, 2);
    if (tensor == nullptr) {
        return {};
    }
    const std::span<const float> values = elements<float>(name, 2);
    if (!status_.ok()) {
        return {};
    }
    if (dim == 0 || dim > tensor->shape[1]) {
        fail(fmt::format("tensor '{}' is {}, expected rows of at least {} floats, and at least 1",
                         name, type_text(*tensor), dim));
        return {};
    }
    if (tensor->shape[0] == 0) {
        return {};
    }
    const MatrixView stored = {values.data(), tensor->shape[0], dim, tensor->shape[1]};
    if (stored.stride % kRowPadding == 0 && begins_at_cache_line(stored.data)) {
        return stored;
    }
    aligned = Matrix(stored.num_rows, stored.dim);
    for (std::size_t row = 0; row < stored.num_rows; ++row) {
        std::copy_n(stored.row(row).data(), stored.dim, aligned.row(row).data());
    }
    return aligned.view();
}

}  // namespace segue
