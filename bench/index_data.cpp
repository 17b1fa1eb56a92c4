#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "index_commands.h"
#include "index_sources.h"
#include "index_synthetic.h"
#include "index_truth.h"

namespace segue::bench {
namespace {

constexpr std::uint64_t kSeed = 20260101;

struct SyntheticSet {
    std::string_view name;
    std::string_view likeness;
    SyntheticShape shape;
};

/// What factorisation leaves: local intrinsic dimension about 13, as item tables of 64 dimensions
/// have it; cosine to the tenth neighbour .83.
constexpr SyntheticShape kFactors = {.num_items = 1'000'000,
                                     .num_queries = 4'000,
                                     .dim = 64,
                                     .spectrum_decay = 0.5,
                                     .num_genres = 300,
                                     .num_niches = 20'000,
                                     .niche_spread = 0.6,
                                     .local_dims = 24,
                                     .local_spread = 0.6,
                                     .isotropic_spread = 0.4,
                                     .seed = kSeed};

constexpr SyntheticShape sized(SyntheticShape shape, std::size_t num_items, std::size_t num_queries,
                               std::size_t dim) {
    shape.num_items = num_items;
    shape.num_queries = num_queries;
    shape.dim = dim;
    return shape;
}

/// As hard as the word vectors ann-benchmarks uses: local intrinsic dimension about 20.
constexpr SyntheticShape harder(SyntheticShape shape) {
    shape.spectrum_decay = 0.3;
    shape.niche_spread = 0.8;
    shape.local_dims = 48;
    shape.local_spread = 0.9;
    shape.isotropic_spread = 0.6;
    return shape;
}

constexpr std::array kSyntheticSets = {
    SyntheticSet{"mf-100k", "like factors", sized(kFactors, 100'000, 2'000, 64)},
    SyntheticSet{"mf-1m", "like factors", kFactors},
    SyntheticSet{"glove-like", "like word vectors", harder(sized(kFactors, 1'183'514, 4'000, 100))},
    SyntheticSet{"deep-10m", "like image descriptors", sized(kFactors, 10'000'000, 2'000, 96)},
};

Result<VectorSet> make_named(std::string_view name, const std::string& source, ThreadPool& pool) {
    for (const SyntheticSet& set : kSyntheticSets) {
        if (set.name == name) {
            VectorSet made = make_synthetic(set.shape, pool);
            made.origin = fmt::format("drawn from a seed, {}", set.likeness);
            return made;
        }
    }
    if (source.empty()) {
        return invalid_argument(fmt::format("the set '{}' is made from a file", name));
    }
    Result<VectorSet> made = invalid_argument(fmt::format("there is no set '{}'", name));
    if (name == "glove") {
        made = make_word_vectors(source, 4'000, kSeed);
    } else if (name == "tfrs") {
        made = make_perturbed_copies(source, 1'682 * 1'001, 4'000, kSeed);
    } else if (name.ends_with("-groups")) {
        made = make_group_queries(source, 4'000, kSeed);
    } else if (name.ends_with("-items")) {
        made = make_item_queries(source, 4'000, kSeed);
    }
    if (made.ok()) {
        made->origin =
            fmt::format("made from {}", std::filesystem::path(source).filename().string());
    }
    return made;
}

}  // namespace

Status make_data(Arguments arguments) {
    if (arguments.size() < 2 || arguments.size() > 3) {
        return invalid_argument("usage: index_bench data NAME FOLDER [FILE]");
    }
    ThreadPool pool(0);
    auto made = make_named(arguments[0], arguments.size() == 3 ? arguments[2] : "", pool);
    if (!made.ok()) {
        return made.status();
    }
    made->name = arguments[0];
    fmt::print("{}: {} items and {} queries of {} dimensions\n", made->name, made->items.num_rows(),
               made->queries.num_rows(), made->items.dim());
    return write_set(made.value(), arguments[1]);
}

Status make_truth(Arguments arguments) {
    if (arguments.size() != 1) {
        return invalid_argument("usage: index_bench truth FOLDER");
    }
    const std::string& folder = arguments[0];
    const auto set = read_set(folder);
    if (!set.ok()) {
        return set.status();
    }
    ThreadPool pool(0);
    const Stopwatch watch;
    const auto truth = compute_truth(set.value(), pool);
    if (!truth.ok()) {
        return truth.status();
    }
    const double seconds = watch.seconds();
    if (Status status = write_truth(truth.value(), folder); !status.ok()) {
        return status;
    }
    const IntrinsicDimension dimension = intrinsic_dimension(set.value(), truth.value());
    fmt::print("{}: truth in {:.1f} s; local intrinsic dimension {:.1f} (p10 {:.1f}, p90 {:.1f})\n",
               set->name, seconds, dimension.mean, dimension.low, dimension.high);
    JsonWriter json;
    json.begin_object().key("seconds").value(seconds);
    json.key("lid").value(dimension.mean).key("lid_p10").value(dimension.low);
    json.key("lid_p90").value(dimension.high).end_object();
    return write_json(json.text(), folder + "/truth.json");
}

}  // namespace segue::bench
