#include "synthetic_interactions.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random.h"

namespace segue::bench {

namespace {

std::vector<double> row_activities(std::size_t num_rows, Random& random) {
    std::vector<double> activities(num_rows);
    for (double& activity : activities) {
        activity = std::exp(1.05 * random.normal());
    }
    return activities;
}

/// Running sums of 1 / (rank + 10)^.95, fading towards the tail.
std::vector<double> popularity_sums(std::size_t num_columns) {
    std::vector<double> sums(num_columns);
    double sum = 0;
    for (std::size_t rank = 0; rank < num_columns; ++rank) {
        const auto place = static_cast<double>(rank);
        sum += std::pow(place + 10, -0.95) *
               std::exp(-place / (0.35 * static_cast<double>(num_columns)));
        sums[rank] = sum;
    }
    return sums;
}

}  // namespace

SparseMatrix synthetic_interactions(const TableShape& shape, std::uint64_t seed) {
    Random random(seed);
    const std::vector<double> activities = row_activities(shape.num_rows, random);
    const double total = std::accumulate(activities.begin(), activities.end(), 0.0);
    const std::vector<double> sums = popularity_sums(shape.num_columns);
    std::vector<std::uint32_t> column_of_rank(shape.num_columns);
    std::iota(column_of_rank.begin(), column_of_rank.end(), 0u);
    for (std::size_t i = shape.num_columns; i > 1; --i) {
        std::swap(column_of_rank[i - 1], column_of_rank[random.below(i)]);
    }
    SparseMatrix table;
    table.num_rows = shape.num_rows;
    table.num_columns = shape.num_columns;
    std::vector<std::uint8_t> taken(shape.num_columns, 0);
    std::vector<std::uint32_t> columns;
    for (const double activity : activities) {
        const auto wanted = std::clamp<std::size_t>(
            static_cast<std::size_t>(activity / total * static_cast<double>(shape.num_entries)), 5,
            shape.num_columns / 4);
        columns.clear();
        for (std::size_t draws = 0; columns.size() < wanted && draws < 20 * wanted; ++draws) {
            const double point = random.uniform() * sums.back();
            const auto rank = static_cast<std::size_t>(
                std::lower_bound(sums.begin(), sums.end(), point) - sums.begin());
            const std::uint32_t column = column_of_rank[rank];
            if (taken[column] == 0) {
                taken[column] = 1;
                columns.push_back(column);
            }
        }
        for (const std::uint32_t column : columns) {
            taken[column] = 0;
        }
        std::sort(columns.begin(), columns.end());
        table.columns.insert(table.columns.end(), columns.begin(), columns.end());
        table.offsets.push_back(table.columns.size());
    }
    return table;
}

}  // namespace segue::bench
