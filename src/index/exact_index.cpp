#include "index/exact_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "index/query.h"
#include "index_build/row_scorer.h"
#include "index_build/top_k.h"
#include "kernels/kernels.h"

namespace segue {
namespace {

/// Rows scored before the best of them are selected; their scores stay in the first level of cache.
constexpr std::size_t kBlockRows = 1024;

void fill_scales(std::span<const float> norms, double exponent, float* out) {
    for (std::size_t i = 0; i < norms.size(); ++i) {
        out[i] = power_of_norm(norms[i], exponent);
    }
}

}  // namespace

Status check_query(std::span<const float> query) {
    for (std::size_t i = 0; i < query.size(); ++i) {
        if (!std::isfinite(query[i])) {
            return invalid_argument(
                fmt::format("the query has {} as element {}; all elements must be finite numbers",
                            query[i], i));
        }
    }
    return {};
}

void prepare_query(std::span<const float> query, Measure measure, float* out) {
    std::copy(query.begin(), query.end(), out);
    if (measure != Measure::kCosine) {
        return;
    }
    // Double precision, so that neither long nor tiny queries leave the range of floats.
    double squared = 0;
    for (const float value : query) {
        squared += static_cast<double>(value) * static_cast<double>(value);
    }
    const double inverse = squared > 0 ? 1 / std::sqrt(squared) : 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        out[i] = static_cast<float>(static_cast<double>(query[i]) * inverse);
    }
}

ExactIndex::ExactIndex(const MatrixView& items, Measure measure, double usual_exponent)
    : items_(items),
      measure_(measure),
      usual_exponent_(measure == Measure::kCosine ? 1 : usual_exponent),
      norms_(items.num_rows) {
    SEGUE_ASSERT(items.num_rows < std::size_t{0xFFFFFFFF});
    kernels::active_kernels().squared_norms(items.data, items.stride, items.num_rows, items.dim,
                                            norms_.data());
    for (float& norm : norms_.span()) {
        norm = std::sqrt(norm);
    }
    if (measure != Measure::kSquaredL2 && usual_exponent_ != 0) {
        usual_scales_ = AlignedBuffer<float>(items.num_rows);
        fill_scales(norms(), usual_exponent_, usual_scales_.data());
    }
}

Status check_search(std::size_t query_dim, std::size_t items_dim, Measure measure,
                    double popularity_exponent, std::optional<float> min_score) {
    if (query_dim != items_dim) {
        return invalid_argument(
            fmt::format("the query has {} elements; the items have {}", query_dim, items_dim));
    }
    if (min_score && std::isnan(*min_score)) {
        return invalid_argument("the least score is not a number");
    }
    if (!std::isfinite(popularity_exponent)) {
        return invalid_argument("the popularity exponent is not a finite number");
    }
    if (popularity_exponent != 0 && measure != Measure::kDot) {
        return invalid_argument(
            "a popularity exponent needs dot products; cosine and squared distance "
            "have none");
    }
    return {};
}

Status ExactIndex::check(std::size_t query_dim, std::span<const std::uint64_t> allowed,
                         std::optional<float> min_score, double popularity_exponent) const {
    const std::size_t words = (items_.num_rows + 63) / 64;
    if (!allowed.empty() && allowed.size() != words) {
        return invalid_argument(
            fmt::format("the bitmap of allowed items has {} words; {} items need {}",
                        allowed.size(), items_.num_rows, words));
    }
    return check_search(query_dim, items_.dim, measure_, popularity_exponent, min_score);
}

const float* ExactIndex::scales(std::size_t begin, std::size_t end, double popularity_exponent,
                                float* out) const {
    if (measure_ == Measure::kSquaredL2) {
        return nullptr;
    }
    const double exponent = measure_ == Measure::kCosine ? 1 : popularity_exponent;
    if (exponent == 0) {
        return nullptr;
    }
    if (exponent == usual_exponent_) {
        return usual_scales_.data() + begin;
    }
    fill_scales(norms().subspan(begin, end - begin), exponent, out);
    return out;
}

void ExactIndex::score_rows(const float* query, std::size_t begin, std::size_t end,
                            double popularity_exponent, float* scores) const {
    const kernels::KernelTable& kernels = kernels::active_kernels();
    const float* rows = items_.data + begin * items_.stride;
    const std::size_t count = end - begin;
    if (measure_ == Measure::kSquaredL2) {
        for (std::size_t i = 0; i < count; ++i) {
            scores[i] = -kernels.squared_distance(query, rows + i * items_.stride, items_.dim);
        }
        return;
    }
    kernels.dot_many(query, rows, items_.stride, count, items_.dim, scores);
    std::array<float, kBlockRows> computed;
    if (const float* factors = scales(begin, end, popularity_exponent, computed.data())) {
        for (std::size_t i = 0; i < count; ++i) {
            scores[i] *= factors[i];
        }
    }
}

Result<std::vector<ScoredRow>> ExactIndex::search(std::span<const float> query,
                                                  const SearchOptions& options) const {
    Status status =
        check(query.size(), options.allowed, options.min_score, options.popularity_exponent);
    if (status.ok()) {
        status = check_query(query);
    }
    if (!status.ok()) {
        return status;
    }
    std::vector<float> prepared(query.size());
    prepare_query(query, measure_, prepared.data());
    std::vector<std::uint32_t> excluded(options.excluded.begin(), options.excluded.end());
    std::sort(excluded.begin(), excluded.end());

    const kernels::KernelTable& kernels = kernels::active_kernels();
    TopK best;
    best.start(std::min(options.k, items_.num_rows), options.min_score);
    alignas(64) std::array<float, kBlockRows> scores;
    std::array<std::uint32_t, kBlockRows + kernels::kLanePadding> above;
    ExcludedRows skipped(excluded, 0);
    const Chunks blocks = {options.k == 0 ? 0 : items_.num_rows, kBlockRows};
    for (std::size_t block = 0; block < blocks.count(); ++block) {
        const std::size_t begin = blocks.begin(block);
        const std::size_t count = blocks.end(block) - begin;
        score_rows(prepared.data(), begin, begin + count, options.popularity_exponent,
                   scores.data());
        const std::size_t num_above =
            kernels.select_above(scores.data(), count, best.threshold(), above.data());
        for (std::size_t i = 0; i < num_above; ++i) {
            const auto row = static_cast<std::uint32_t>(begin + above[i]);
            const float score = scores[above[i]];
            if (std::isfinite(score) && is_allowed(options.allowed, row) &&
                !skipped.contains(row)) {
                best.offer({row, score});
            }
        }
    }
    const std::span<const ScoredRow> results = best.finish();
    return std::vector<ScoredRow>(results.begin(), results.end());
}

}  // namespace segue
