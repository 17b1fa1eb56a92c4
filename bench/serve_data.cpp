#include "serve_data.h"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/thread_pool.h"
#include "index_synthetic.h"
#include "model/model.h"
#include "pipeline/index_model.h"
#include "recommend/recommend.h"

namespace segue::bench {
namespace {

constexpr std::uint64_t kSeed = 20'261;

/// The shape of the set mf-1m of the index benchmark, of another size.
Matrix item_vectors(std::size_t num_items, ThreadPool& pool) {
    const SyntheticShape shape = {.num_items = num_items,
                                  .num_queries = 1,
                                  .dim = kServeDim,
                                  .spectrum_decay = 0.5,
                                  .num_genres = 300,
                                  .num_niches = std::max<std::size_t>(num_items / 50, 1),
                                  .niche_spread = 0.6,
                                  .local_dims = 24,
                                  .local_spread = 0.6,
                                  .isotropic_spread = 0.4,
                                  .seed = kSeed};
    return make_synthetic(shape, pool).items;
}

/// Row r has the key of number r + shift, from the end on to the beginning.
Vocabulary keys_from(std::size_t shift, std::size_t num_items) {
    Vocabulary keys;
    for (std::size_t row = 0; row < num_items; ++row) {
        keys.insert(item_key((row + shift) % num_items));
    }
    return keys;
}

ModelParts parts_of(const ServeDataShape& shape, ThreadPool& pool) {
    ModelParts parts;
    parts.info.recipe = "import";
    parts.info.answer_by = AnswerBy::kVectors;
    parts.info.popularity_exponent = 1;
    parts.items = keys_from(0, shape.num_items);
    parts.item_vectors = item_vectors(shape.num_items, pool);
    parts.attributes.names = {"color"};
    parts.attributes.columns.resize(1);
    Random random(kSeed);
    for (std::size_t row = 0; row < shape.num_items; ++row) {
        parts.item_frequencies.push_back(1 + static_cast<std::uint32_t>(random.below(1000)));
        parts.info.total_frequency += parts.item_frequencies.back();
        parts.attributes.columns[0].append(fmt::format("c{}", random.below(kNumColors)));
    }
    return parts;
}

/// The table, made through the index.
Result<ModelParts> with_neighbours(ModelParts parts, std::size_t list_length, ThreadPool& pool) {
    std::vector<std::uint32_t> rows(parts.items.size());
    std::iota(rows.begin(), rows.end(), 0U);
    Model model = Model::from_parts(std::move(parts));
    Result<Neighbours> table = Recommender(model).similar_items(rows, {.k = list_length}, pool);
    if (!table.ok()) {
        return table.status();
    }
    ModelParts whole = std::move(model).release_parts();
    whole.neighbours = std::move(*table);
    return whole;
}

Status write_vectors(const Matrix& vectors, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    for (std::size_t row = 0; row < vectors.num_rows(); ++row) {
        const std::span<const float> values = vectors.row(row);
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.size_bytes()));
    }
    return file.flush() ? Status() : io_error(fmt::format("cannot write '{}'", path));
}

}  // namespace

std::string item_key(std::size_t number) {
    return fmt::format("item-{}", number);
}

Status make_serve_data(const std::string& folder, const ServeDataShape& shape) {
    const std::string done = folder + "/items.json";
    const std::string facts = fmt::format("{{\"num_items\":{},\"dim\":{},\"list_length\":{}}}\n",
                                          shape.num_items, kServeDim, shape.list_length);
    constexpr std::size_t kMostBytes = 4096;
    const Result<std::string> present = read_text_file(done, kMostBytes);
    if (present.ok() && *present == facts) {
        return Status();
    }
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    std::filesystem::remove(done, error);
    ThreadPool pool(0);
    ModelParts parts = parts_of(shape, pool);
    std::string warning;
    if (!add_index(parts, {.popularity_exponent = 1, .show_points = false}, pool, {}, warning)) {
        return internal_error(fmt::format("no index: {}", warning));
    }
    Result<ModelParts> whole = with_neighbours(std::move(parts), shape.list_length, pool);
    if (!whole.ok()) {
        return whole.status();
    }
    Status status = write_vectors(whole->item_vectors, folder + "/items.f32");
    if (status.ok()) {
        status = write_bundle(*whole, folder + "/items.segue", true);
    }
    if (status.ok()) {
        whole->items = keys_from(shape.num_items / 2, shape.num_items);
        status = write_bundle(*whole, folder + "/moved.segue", true);
    }
    if (status.ok() && !(std::ofstream(done) << facts).flush()) {
        status = io_error(fmt::format("cannot write '{}'", done));
    }
    return status;
}

}  // namespace segue::bench
