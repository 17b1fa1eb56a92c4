#include "library/vector_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/checksum.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "index/leaf_index.h"
#include "index_build/build_index.h"
#include "model/model.h"

namespace segue {
namespace {

SearchPath path_of(VectorPath path) {
    switch (path) {
        case VectorPath::kExact:
            return SearchPath::kExact;
        case VectorPath::kTree:
            return SearchPath::kTree;
        case VectorPath::kAuto:
            break;
    }
    return SearchPath::kAuto;
}

/// The facts of a bundle that holds vectors and nothing else: row numbers as keys.
ModelParts parts_of(Matrix vectors, Measure measure) {
    ModelParts parts;
    parts.info.recipe = "import";
    parts.info.answer_by = AnswerBy::kVectors;
    parts.info.popularity_exponent = measure == Measure::kCosine ? 1 : 0;
    for (std::size_t row = 0; row < vectors.num_rows(); ++row) {
        parts.items.insert(std::to_string(row));
    }
    const std::span<const float> values = {vectors.data(), vectors.num_rows() * vectors.stride()};
    parts.info.input_hash = to_hex(xxh3_64(std::as_bytes(values)));
    parts.item_vectors = std::move(vectors);
    return parts;
}

}  // namespace

struct VectorFilter::State {
    LeafFilter filter;
};

VectorFilter::VectorFilter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VectorFilter::VectorFilter(VectorFilter&&) noexcept = default;
VectorFilter& VectorFilter::operator=(VectorFilter&&) noexcept = default;
VectorFilter::~VectorFilter() = default;

std::size_t VectorFilter::count() const {
    return state_->filter.count();
}

struct VectorScratch::State {
    SearchScratch scratch;
};

VectorScratch::VectorScratch() : state_(std::make_unique<State>()) {}
VectorScratch::VectorScratch(VectorScratch&&) noexcept = default;
VectorScratch& VectorScratch::operator=(VectorScratch&&) noexcept = default;
VectorScratch::~VectorScratch() = default;

/// Either `parts` and `built` (an index made in memory) or `model` and `file` (an opened one).
struct VectorIndex::State {
    ModelParts parts;
    std::optional<LeafIndex> built;
    std::optional<Model> model;
    std::optional<MappedFile> file;

    const LeafIndex& index() const { return built ? *built : *model->index(); }
};

VectorIndex::VectorIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;
VectorIndex::~VectorIndex() = default;

Result<VectorIndex> VectorIndex::build(std::span<const float> vectors, std::size_t dim,
                                       const VectorBuildOptions& options,
                                       const ProgressListener& progress) {
    if (dim == 0 || vectors.size() % dim != 0) {
        return invalid_argument(fmt::format(
            "{} floats are no whole rows of {} dimensions; expected a multiple of a dimension "
            "above 0",
            vectors.size(), dim));
    }
    Matrix rows(vectors.size() / dim, dim);
    for (std::size_t row = 0; row < rows.num_rows(); ++row) {
        std::copy_n(vectors.data() + row * dim, dim, rows.row(row).data());
    }
    ThreadPool pool(options.num_threads);
    Result<IndexParts> index = build_index(
        rows.view(),
        {.measure = options.measure,
         .num_leaves = options.num_leaves,
         .anisotropic_quantization_threshold = options.anisotropic_quantization_threshold,
         .soar_lambda = options.soar_lambda,
         .seed = options.seed},
        pool, progress);
    if (!index.ok()) {
        return index.status();
    }
    auto state = std::make_unique<State>();
    state->parts = parts_of(std::move(rows), options.measure);
    state->parts.info.seed = options.seed;
    state->parts.index = std::move(*index);
    Result<LeafIndex> opened =
        LeafIndex::open(state->parts.index->tables(), state->parts.item_vectors.view());
    if (!opened.ok()) {
        return opened.status();
    }
    state->built.emplace(std::move(*opened));
    return VectorIndex(std::move(state));
}

Result<VectorIndex> VectorIndex::open(const std::string& path) {
    Result<Model> model = Model::open(path);
    Result<MappedFile> file = MappedFile::open(path);
    if (!model.ok() || !file.ok()) {
        return model.ok() ? file.status() : model.status();
    }
    if (model->index() == nullptr) {
        return invalid_argument(fmt::format(
            "bundle '{}' has no index to search; 'segue index {}' makes one where there are item "
            "vectors",
            path, path));
    }
    auto state = std::make_unique<State>();
    state->model.emplace(std::move(*model));
    state->file.emplace(std::move(*file));
    return VectorIndex(std::move(state));
}

Status VectorIndex::save(const std::string& path, bool overwrite) const {
    if (state_->built) {
        return write_bundle(state_->parts, path, overwrite);
    }
    Result<AtomicFile> copy = AtomicFile::create(path, overwrite);
    if (!copy.ok()) {
        return copy.status();
    }
    const Status status = copy->write(state_->file->bytes());
    return status.ok() ? copy->commit() : status;
}

std::size_t VectorIndex::num_rows() const {
    return state_->index().tables().num_items;
}

std::size_t VectorIndex::dim() const {
    return state_->index().tables().dim;
}

Measure VectorIndex::measure() const {
    return state_->index().tables().measure;
}

std::string_view VectorIndex::key(std::uint32_t row) const {
    return state_->built ? state_->parts.items[row] : state_->model->item_keys()[row];
}

Result<VectorFilter> VectorIndex::make_filter(std::span<const std::uint64_t> allowed) const {
    Result<LeafFilter> filter = LeafFilter::from_bitmap(state_->index().tables(), allowed);
    if (!filter.ok()) {
        return filter.status();
    }
    return VectorFilter(
        std::make_unique<VectorFilter::State>(VectorFilter::State{std::move(*filter)}));
}

Status VectorIndex::search(std::span<const float> query, const VectorSearchOptions& options,
                           VectorScratch& scratch, std::vector<ScoredRow>& results,
                           const VectorFilter* filter) const {
    return state_->index().search(
        query,
        {.k = options.k,
         .popularity_exponent = options.popularity_exponent,
         .excluded = options.excluded,
         .filter = filter != nullptr ? &filter->state_->filter : nullptr,
         .min_score = options.min_score,
         .path = path_of(options.path),
         .knobs = {.num_leaves_to_search = options.num_leaves_to_search,
                   .reordering_num_neighbors = options.reordering_num_neighbors}},
        scratch.state_->scratch, results);
}

Result<std::vector<std::vector<ScoredRow>>> VectorIndex::search_batch(
    std::span<const float> queries, const VectorSearchOptions& options, unsigned num_threads,
    const VectorFilter* filter) const {
    if (queries.size() % dim() != 0) {
        return invalid_argument(
            fmt::format("{} floats are no whole queries of {} dimensions", queries.size(), dim()));
    }
    const std::size_t num_queries = queries.size() / dim();
    // Every query leaves out the same rows.
    std::vector<std::uint32_t> excluded(options.excluded.begin(), options.excluded.end());
    std::sort(excluded.begin(), excluded.end());
    excluded.erase(std::unique(excluded.begin(), excluded.end()), excluded.end());
    excluded.erase(std::lower_bound(excluded.begin(), excluded.end(), num_rows()), excluded.end());
    SparseMatrix excluded_of_each;
    if (!excluded.empty()) {
        excluded_of_each.num_rows = num_queries;
        excluded_of_each.num_columns = num_rows();
        for (std::size_t query = 0; query < num_queries; ++query) {
            excluded_of_each.columns.insert(excluded_of_each.columns.end(), excluded.begin(),
                                            excluded.end());
            excluded_of_each.offsets.push_back(excluded_of_each.columns.size());
        }
    }
    ThreadPool pool(num_threads);
    const Result<Neighbours> lists = state_->index().search_batch(
        {queries.data(), num_queries, dim(), dim()},
        {.k = options.k,
         .popularity_exponent = options.popularity_exponent,
         .excluded = excluded.empty() ? SparseView() : excluded_of_each.view(),
         .filter = filter != nullptr ? &filter->state_->filter : nullptr,
         .min_score = options.min_score,
         .path = path_of(options.path),
         .knobs = {.num_leaves_to_search = options.num_leaves_to_search,
                   .reordering_num_neighbors = options.reordering_num_neighbors}},
        pool);
    if (!lists.ok()) {
        return lists.status();
    }
    std::vector<std::vector<ScoredRow>> results(num_queries);
    for (std::size_t query = 0; query < num_queries; ++query) {
        for (std::uint64_t i = lists->offsets[query]; i < lists->offsets[query + 1]; ++i) {
            results[query].push_back({lists->item_rows[i], lists->scores[i]});
        }
    }
    return results;
}

}  // namespace segue
