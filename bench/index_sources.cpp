#include "index_sources.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "base/random.h"
#include "model/model.h"
#include "recommend/query_vector.h"

namespace segue::bench {
namespace {

constexpr std::uint32_t kNoRow = 0xFFFFFFFF;

/// [0, size) in an order drawn by the seed.
std::vector<std::uint32_t> shuffled_rows(std::size_t size, std::uint64_t seed) {
    std::vector<std::uint32_t> rows(size);
    std::iota(rows.begin(), rows.end(), 0U);
    Random random(seed);
    for (std::size_t i = size; i > 1; --i) {
        std::swap(rows[i - 1], rows[random.below(i)]);
    }
    return rows;
}

/// The vectors of the "vectors" member, [num_words x dim] without padding; numbers behind dim
/// (length and number of the word) are left out.
std::vector<float> parse_word_vectors(const simdjson::padded_string& json, std::size_t& dim) {
    simdjson::ondemand::parser parser;
    auto document = parser.iterate(json);
    dim = static_cast<std::size_t>(document["dimensions"].get_uint64());
    std::vector<float> values;
    for (auto field : document["vectors"].get_object()) {
        std::size_t column = 0;
        for (auto number : field.value().get_array()) {
            if (column == dim) {
                break;
            }
            values.push_back(static_cast<float>(number.get_double().value()));
            ++column;
        }
        if (column != dim) {
            throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
        }
    }
    return values;
}

/// Rows that are not zero and not equal to an earlier one.
std::vector<std::uint32_t> distinct_rows(const std::vector<float>& values, std::size_t dim) {
    std::unordered_set<std::string_view> seen;
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row * dim < values.size(); ++row) {
        const float* vector = values.data() + row * dim;
        const bool zero = std::all_of(vector, vector + dim, [](float value) { return value == 0; });
        const std::string_view bytes(reinterpret_cast<const char*>(vector), dim * sizeof(float));
        if (!zero && seen.insert(bytes).second) {
            rows.push_back(static_cast<std::uint32_t>(row));
        }
    }
    return rows;
}

Result<Model> open_vectors(const std::string& path) {
    auto model = Model::open(path);
    if (!model.ok()) {
        return model.status();
    }
    if (model->item_vectors().num_rows == 0 || model->interactions().num_rows == 0) {
        return invalid_argument(fmt::format("bundle '{}' has no vectors or no histories", path));
    }
    return model;
}

Matrix copy_vectors(const MatrixView& vectors) {
    Matrix copy(vectors.num_rows, vectors.dim);
    for (std::size_t row = 0; row < vectors.num_rows; ++row) {
        const auto source = vectors.row(row);
        std::copy(source.begin(), source.end(), copy.row(row).begin());
    }
    return copy;
}

std::span<const std::uint32_t> history_of(const Model& model, std::size_t group) {
    const SparseView table = model.interactions();
    return table.columns.subspan(table.offsets[group],
                                 table.offsets[group + 1] - table.offsets[group]);
}

}  // namespace

Result<VectorSet> make_word_vectors(const std::string& json_path, std::size_t num_queries,
                                    std::uint64_t seed) {
    std::size_t dim = 0;
    std::vector<float> values;
    try {
        auto json = simdjson::padded_string::load(json_path);
        values = parse_word_vectors(json.value(), dim);
    } catch (const simdjson::simdjson_error& error) {
        return corrupt(fmt::format("word vectors '{}': {}", json_path, error.what()));
    }
    const auto kept = distinct_rows(values, dim);
    if (kept.size() <= num_queries) {
        return corrupt(fmt::format("word vectors '{}': only {} rows", json_path, kept.size()));
    }
    const auto order = shuffled_rows(kept.size(), seed);
    Matrix rows(kept.size(), dim);
    for (std::size_t row = 0; row < kept.size(); ++row) {
        std::memcpy(rows.row(row).data(), values.data() + kept[order[row]] * dim,
                    dim * sizeof(float));
    }
    normalise_rows(rows);
    VectorSet set;
    set.unit = true;
    set.seed = seed;
    set.queries = copy_rows(rows, 0, num_queries);
    set.items = copy_rows(rows, num_queries, rows.num_rows());
    return set;
}

Result<VectorSet> make_group_queries(const std::string& bundle_path, std::size_t num_queries,
                                     std::uint64_t seed) {
    const auto model = open_vectors(bundle_path);
    if (!model.ok()) {
        return model.status();
    }
    VectorSet set;
    set.seed = seed;
    set.items = copy_vectors(model->item_vectors());
    auto groups = shuffled_rows(model->interactions().num_rows, seed);
    groups.resize(std::min(groups.size(), num_queries));
    set.queries = Matrix(groups.size(), set.items.dim());
    const HistoryFolder folder(model.value());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const Status status =
            folder.fold_in(history_of(model.value(), groups[i]), {}, set.queries.row(i));
        if (!status.ok()) {
            return status;
        }
    }
    return set;
}

Result<VectorSet> make_item_queries(const std::string& bundle_path, std::size_t num_queries,
                                    std::uint64_t seed) {
    const auto model = open_vectors(bundle_path);
    if (!model.ok()) {
        return model.status();
    }
    VectorSet set;
    set.seed = seed;
    set.items = copy_vectors(model->item_vectors());
    set.self = shuffled_rows(set.items.num_rows(), seed);
    set.self.resize(std::min(set.self.size(), num_queries));
    set.queries = Matrix(set.self.size(), set.items.dim());
    for (std::size_t i = 0; i < set.self.size(); ++i) {
        const auto item = set.items.row(set.self[i]);
        std::copy(item.begin(), item.end(), set.queries.row(i).begin());
    }
    return set;
}

Result<VectorSet> make_perturbed_copies(const std::string& bundle_path, std::size_t num_items,
                                        std::size_t num_queries, std::uint64_t seed) {
    const auto model = open_vectors(bundle_path);
    if (!model.ok()) {
        return model.status();
    }
    const MatrixView movies = model->item_vectors();
    VectorSet set;
    set.seed = seed;
    set.items = Matrix(num_items, movies.dim);
    for (std::size_t row = 0; row < set.items.num_rows(); ++row) {
        const auto movie = movies.row(row % movies.num_rows);
        Random random(seed, row);
        for (std::size_t axis = 0; axis < movies.dim; ++axis) {
            const float noise = row < movies.num_rows ? 1 : static_cast<float>(random.uniform());
            set.items.row(row)[axis] = movie[axis] * noise;
        }
    }
    const std::size_t num_groups = model->interactions().num_rows;
    set.queries = Matrix(num_queries, movies.dim);
    const HistoryFolder folder(model.value());
    for (std::size_t i = 0; i < num_queries; ++i) {
        const auto history = history_of(model.value(), i % num_groups);
        std::vector<std::uint32_t> half;
        Random random(seed + 1, i);
        for (const std::uint32_t item : history) {
            if (i < num_groups || random.uniform() < 0.5) {
                half.push_back(item);
            }
        }
        if (half.empty()) {
            half.push_back(history[random.below(history.size())]);
        }
        if (Status status = folder.fold_in(half, {}, set.queries.row(i)); !status.ok()) {
            return status;
        }
    }
    return set;
}

Result<HeldOutPairs> read_held_out(const std::string& bundle_path, const std::string& table_path) {
    const auto model = open_vectors(bundle_path);
    if (!model.ok()) {
        return model.status();
    }
    std::ifstream table(table_path);
    if (!table) {
        return not_found(fmt::format("table '{}' cannot be read", table_path));
    }
    const HistoryFolder folder(model.value());
    std::vector<float> vectors;
    HeldOutPairs pairs;
    const std::size_t dim = model->item_vectors().dim;
    for (std::string line; std::getline(table, line);) {
        const std::size_t tab = line.find('\t');
        const auto group = model->find_group(std::string_view(line).substr(0, tab));
        const auto item = tab == std::string::npos
                              ? std::nullopt
                              : model->find_item(std::string_view(line).substr(tab + 1));
        if (!group) {
            continue;
        }
        vectors.resize(vectors.size() + dim);
        const Status status =
            folder.fold_in(history_of(model.value(), *group), {}, std::span(vectors).last(dim));
        if (!status.ok()) {
            return status;
        }
        pairs.item_rows.push_back(item.value_or(kNoRow));
    }
    pairs.queries = Matrix(pairs.item_rows.size(), dim);
    for (std::size_t row = 0; row < pairs.item_rows.size(); ++row) {
        std::copy_n(vectors.begin() + static_cast<std::ptrdiff_t>(row * dim), dim,
                    pairs.queries.row(row).begin());
    }
    return pairs;
}

}  // namespace segue::bench
