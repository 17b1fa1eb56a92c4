// The partition kernels for AVX2 and AVX-512, written once with Highway.

#include "kernels/partition_kernels.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ~(HWY_AVX2 | HWY_AVX3 | HWY_EMU128 | HWY_SCALAR)
// NOLINTNEXTLINE(readability-identifier-naming): Highway's name
#define HWY_TARGET_INCLUDE "kernels/partition_simd.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

#include "kernels/simd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segue::kernels::HWY_NAMESPACE {

using Integers = hn::RebindToSigned<Floats>;
using IntegerVector = hn::Vec<Integers>;

inline constexpr float kMinusInfinity = -__builtin_inff();

/// Rows that stay in the first level of cache while a tile of centres passes.
inline constexpr std::size_t kNearestRows = 8 * kWideRows;
inline constexpr std::size_t kTileColumns = kWideVectors * kLanes;

/// The best score of every row and lane so far, and the centre it is of.
struct BestOfRows {
    alignas(64) float scores[kNearestRows][kLanes];
    alignas(64) std::int32_t centres[kNearestRows][kLanes];
};

/// Scores columns [column, column + kTileColumns) for the rows from `first` of the block of rows
/// that begins at row `block`.
template <bool kSpill>
HWY_INLINE void score_tile(const NearestArguments& a, std::size_t block, std::size_t first,
                           std::size_t column, BestOfRows& best) {
    const float* rows[kWideRows];
    point_at_rows<kWideRows>(a.rows, a.stride, block + first, a.num_rows, rows);
    Vector sums[kWideRows][kWideVectors];
    for (std::size_t r = 0; r < kWideRows; ++r) {
        for (std::size_t v = 0; v < kWideVectors; ++v) {
            sums[r][v] = zero();
        }
    }
    const float* packed =
        a.packed_centres + column / kCentreTile * a.dim * kCentreTile + column % kCentreTile;
    accumulate_tile<false>(rows, 1, packed, kCentreTile, a.dim, sums);
    for (std::size_t r = 0; r < kWideRows; ++r) {
        Vector scores = load(best.scores[first + r]);
        IntegerVector centres = hn::Load(Integers(), best.centres[first + r]);
        for (std::size_t v = 0; v < kWideVectors; ++v) {
            const std::size_t centre = column + v * kLanes;
            Vector score = hn::Add(sums[r][v], load(a.biases + centre));
            if constexpr (kSpill) {
                const std::size_t row =
                    block + first + r < a.num_rows ? block + first + r : a.num_rows - 1;
                const Vector along =
                    hn::Sub(hn::Add(broadcast(a.row_offsets[row]), load(a.centre_offsets + centre)),
                            sums[r][v]);
                const Vector weighted = hn::Mul(broadcast(a.row_weights[row]), along);
                score = hn::NegMulAdd(weighted, along, score);
            }
            const auto better = hn::Gt(score, scores);
            scores = hn::IfThenElse(better, score, scores);
            centres =
                hn::IfThenElse(hn::RebindMask(Integers(), better),
                               hn::Iota(Integers(), static_cast<std::int32_t>(centre)), centres);
        }
        store(scores, best.scores[first + r]);
        hn::Store(centres, Integers(), best.centres[first + r]);
    }
}

/// The lane of the greatest score, that of the lowest centre among equals.
HWY_INLINE std::uint32_t best_lane(const float* scores, const std::int32_t* centres) {
    std::size_t best = 0;
    for (std::size_t lane = 1; lane < kLanes; ++lane) {
        if (scores[lane] > scores[best] ||
            (scores[lane] == scores[best] && centres[lane] < centres[best])) {
            best = lane;
        }
    }
    return static_cast<std::uint32_t>(centres[best]);
}

template <bool kSpill>
void find_nearest_of(const NearestArguments& a, std::uint32_t* nearest) {
    BestOfRows best;
    for (std::size_t block = 0; block < a.num_rows; block += kNearestRows) {
        const std::size_t count =
            a.num_rows - block < kNearestRows ? a.num_rows - block : kNearestRows;
        for (std::size_t r = 0; r < kNearestRows; ++r) {
            store(broadcast(kMinusInfinity), best.scores[r]);
            hn::Store(hn::Zero(Integers()), Integers(), best.centres[r]);
        }
        for (std::size_t tile = 0; tile < a.num_tiles; ++tile) {
            for (std::size_t first = 0; first < count; first += kWideRows) {
                for (std::size_t column = 0; column < kCentreTile; column += kTileColumns) {
                    score_tile<kSpill>(a, block, first, tile * kCentreTile + column, best);
                }
            }
        }
        for (std::size_t r = 0; r < count; ++r) {
            nearest[block + r] = best_lane(best.scores[r], best.centres[r]);
        }
    }
}

void find_nearest(const NearestArguments& a, std::uint32_t* nearest) {
    if (a.row_weights != nullptr) {
        find_nearest_of<true>(a, nearest);
    } else {
        find_nearest_of<false>(a, nearest);
    }
}

/// The levels of `count` <= kLanes floats as bytes.
HWY_INLINE void store_levels(Vector levels, std::size_t count, std::uint8_t* out) {
    const hn::Rebind<std::uint8_t, Floats> bytes;
    const IntegerVector shifted =
        hn::Add(hn::NearestInt(levels), hn::Set(Integers(), std::int32_t{128}));
    if (count == kLanes) {
        hn::StoreU(hn::DemoteTo(bytes, shifted), bytes, out);
        return;
    }
    std::uint8_t stored[kLanes];
    hn::StoreU(hn::DemoteTo(bytes, shifted), bytes, stored);
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = stored[i];
    }
}

HWY_INLINE float largest_of(const float* x, std::size_t dim) {
    Vector largest = zero();
    std::size_t i = 0;
    for (; i + kLanes <= dim; i += kLanes) {
        largest = hn::Max(largest, hn::Abs(load(x + i)));
    }
    if (i < dim) {
        largest = hn::Max(largest, hn::Abs(load_first(x + i, dim - i)));
    }
    return hn::GetLane(hn::MaxOfLanes(Floats(), largest));
}

void quantize(const QuantizeArguments& a, std::uint8_t* bytes, float* scales, float* errors) {
    for (std::size_t row = 0; row < a.num_rows; ++row) {
        const float* x = a.rows + row * a.stride;
        std::uint8_t* out = bytes + row * a.row_bytes;
        const float largest = largest_of(x, a.dim);
        const float inverse = 127 / largest;
        const bool tells = inverse < -kMinusInfinity;
        scales[row] = tells ? largest / 127 : 0;
        const Vector factor = broadcast(tells ? inverse : 0);
        const Vector scale = broadcast(scales[row]);
        Vector squared = zero();
        for (std::size_t i = 0; i < a.dim; i += kLanes) {
            const std::size_t count = a.dim - i < kLanes ? a.dim - i : kLanes;
            const Vector value = count == kLanes ? load(x + i) : load_first(x + i, count);
            const Vector level = hn::Round(hn::Mul(value, factor));
            const Vector error = hn::NegMulAdd(scale, level, value);
            squared = hn::MulAdd(error, error, squared);
            store_levels(level, count, out + i);
        }
        for (std::size_t i = a.dim; i < a.row_bytes; ++i) {
            out[i] = 128;
        }
        errors[row] = __builtin_sqrtf(sum_of(squared));
    }
}

/// values[indices[lane]] of 16 values.
HWY_INLINE Vector look_up(const float* values, IntegerVector indices) {
    if constexpr (kLanes == 16) {
        return hn::TableLookupLanes(load(values), hn::IndicesFromVec(Floats(), indices));
    } else {
        return hn::GatherIndex(Floats(), values, indices);
    }
}

/// kLanes entries of a tile, from entry `first`. Directions are multiplied by the root of eta - 1
/// as they are read, and so is `along`, what the codes leave of the residual along them.
class EntryLanes {
public:
    EntryLanes(const EncodeArguments& arguments, std::size_t first)
        : a_(arguments),
          first_(first),
          factor_(hn::Sqrt(broadcast(arguments.parallel_weight - 1))) {}

    void encode(std::uint8_t* codes) {
        for (std::size_t part = 0; part < a_.num_subspaces; ++part) {
            const Coordinates at = coordinates(part);
            const IntegerVector best = choose<false>(at, part, zero());
            along_ = hn::Add(along_, along_of(at, part, best));
            store_codes(best, codes + part * kEncodeTile + first_);
        }
        bool changed = a_.parallel_weight > 1;
        for (unsigned round = 0; round < a_.num_rounds && changed; ++round) {
            changed = false;
            for (std::size_t part = 0; part < a_.num_subspaces; ++part) {
                changed = improve(part, codes + part * kEncodeTile + first_) || changed;
            }
        }
    }

private:
    using Bytes = hn::Rebind<std::uint8_t, Floats>;

    struct Coordinates {
        Vector residual_x;
        Vector residual_y;
        Vector direction_x;
        Vector direction_y;
    };

    static void store_codes(IntegerVector words, std::uint8_t* codes) {
        hn::StoreU(hn::DemoteTo(Bytes(), words), Bytes(), codes);
    }

    Coordinates coordinates(std::size_t part) const {
        const std::size_t x = 2 * part * kEncodeTile + first_;
        const std::size_t y = x + kEncodeTile;
        return {load(a_.residuals + x), load(a_.residuals + y),
                hn::Mul(factor_, load(a_.directions + x)),
                hn::Mul(factor_, load(a_.directions + y))};
    }

    Vector along_of(const Coordinates& at, std::size_t part, IntegerVector words) const {
        const float* codebook = a_.codebook + part * 32;
        const Vector x = hn::Sub(at.residual_x, look_up(codebook, words));
        const Vector y = hn::Sub(at.residual_y, look_up(codebook + 16, words));
        return hn::MulAdd(x, at.direction_x, hn::Mul(y, at.direction_y));
    }

    /// The loss less ||r||^2, which is the same for all: ||w||^2 - 2 r . w + along^2.
    template <bool kWithAlong>
    HWY_INLINE IntegerVector choose(const Coordinates& at, std::size_t part, Vector others) const {
        const float* words_x = a_.codebook + part * 32;
        const float* words_y = words_x + 16;
        alignas(64) float squares[16];
        for (std::size_t i = 0; i < 16; i += kLanes) {
            const Vector x = load(words_x + i);
            const Vector y = load(words_y + i);
            store(hn::MulAdd(x, x, hn::Mul(y, y)), squares + i);
        }
        const Vector minus_2x = hn::Mul(broadcast(-2), at.residual_x);
        const Vector minus_2y = hn::Mul(broadcast(-2), at.residual_y);
        const Vector whole = hn::MulAdd(at.residual_x, at.direction_x,
                                        hn::MulAdd(at.residual_y, at.direction_y, others));
        Vector least = broadcast(-kMinusInfinity);
        IntegerVector best = hn::Zero(Integers());
        for (std::int32_t word = 0; word < 16; ++word) {
            const Vector x = broadcast(words_x[word]);
            const Vector y = broadcast(words_y[word]);
            Vector loss =
                hn::MulAdd(x, minus_2x, hn::MulAdd(y, minus_2y, broadcast(squares[word])));
            if constexpr (kWithAlong) {
                const Vector along =
                    hn::NegMulAdd(x, at.direction_x, hn::NegMulAdd(y, at.direction_y, whole));
                loss = hn::MulAdd(along, along, loss);
            }
            const auto better = hn::Lt(loss, least);
            least = hn::Min(loss, least);
            best =
                hn::IfThenElse(hn::RebindMask(Integers(), better), hn::Set(Integers(), word), best);
        }
        return best;
    }

    /// Chooses one subspace of every entry anew; returns whether a code changed. An entry whose
    /// code stays keeps its `along` to the bit, so a round that changes nothing is the last.
    HWY_INLINE bool improve(std::size_t part, std::uint8_t* codes) {
        const IntegerVector before = hn::PromoteTo(Integers(), hn::LoadU(Bytes(), codes));
        const Coordinates at = coordinates(part);
        const Vector others = hn::Sub(along_, along_of(at, part, before));
        const IntegerVector best = choose<true>(at, part, others);
        const auto moved = hn::Ne(best, before);
        if (hn::AllFalse(Integers(), moved)) {
            return false;
        }
        along_ = hn::IfThenElse(hn::RebindMask(Floats(), moved),
                                hn::Add(others, along_of(at, part, best)), along_);
        store_codes(best, codes);
        return true;
    }

    const EncodeArguments& a_;
    std::size_t first_;
    Vector factor_;
    Vector along_ = zero();
};

void encode(const EncodeArguments& arguments, std::uint8_t* codes) {
    for (std::size_t first = 0; first < kEncodeTile; first += kLanes) {
        EntryLanes(arguments, first).encode(codes);
    }
}

constexpr PartitionKernels kPartition = {
    .find_nearest = find_nearest, .quantize = quantize, .encode = encode};

}  // namespace segue::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace segue::kernels {

const PartitionKernels* avx2_partition() {
#if HWY_TARGETS & HWY_AVX2
    return (hwy::SupportedTargets() & HWY_AVX2) != 0 ? &N_AVX2::kPartition : nullptr;
#else
    return nullptr;
#endif
}

const PartitionKernels* avx512_partition() {
#if HWY_TARGETS & HWY_AVX3
    return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? &N_AVX3::kPartition : nullptr;
#else
    return nullptr;
#endif
}

}  // namespace segue::kernels
#endif
