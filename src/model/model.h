#pragma once

// What a fitted recipe is: the tables that answer queries, whoever owns them. Training makes
// ModelParts (owned memory); the bundle file holds the same tables mapped; Model gives both the
// same views. Names and types of the tensors are in docs/bundle_format.md.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/dataset.h"
#include "data/matrix.h"
#include "data/neighbours.h"
#include "data/sparse.h"
#include "data/string_table.h"
#include "data/vocabulary.h"
#include "index/leaf_index.h"
#include "index_build/index_tables.h"

namespace segue {

/// How several query items are answered.
enum class AnswerBy {
    kLists,    // by adding up the neighbour lists (cooc)
    kFoldIn,   // by one search with a vector solved from the history (ials)
    kVectors,  // by one search with the sum of the items' normalised vectors (blueprint, imported
               // vectors)
};

/// "lists", "fold_in", "vectors"
std::string_view name_of(AnswerBy answer_by);

/// The name of pair scores that no counts have: the stored lists are weights that were learnt.
inline constexpr std::string_view kStoredWeights = "weights";

/// How a pair of items is scored from counts; docs/numerics.md has the formulas. Only for models
/// that answer by lists.
struct PairScoreSettings {
    std::string name = "conditional";  // see cooc/pair_scores.h; or kStoredWeights
    double group_exponent = 0.5;       // a: a group of n items adds n^-a
    double own_exponent = 0.7;         // o: divides by frequency^o of the item asked about
    double other_exponent = 0.4;       // p: divides by frequency^p of the item offered
    double shrinkage = 0;              // s of the shrunk cosine
    double sharpness = 1;              // q: power of the conditional score
    bool values_are_counts = false;    // values of the histories multiply; else they are ignored
    bool from_histories = true;  // counted from the stored histories as they are: no window, no cut
    bool takes_best = false;     // several items: the best of their scores, not the sum
};

/// The objective whose row problem a history is folded in by. Only for AnswerBy::kFoldIn.
struct FoldInSettings {
    double unobserved_weight = 0;  // alpha0: weight of every pair towards 0
    double l2_reg = 0;             // of this row, before scaling by counts
    double l2_exponent = 1;  // nu: l2_reg * (n + alpha0 * num_items)^nu; 0 for an unscaled lambda
    double alpha = 0;        // hu: confidence of an observed pair is 1 + alpha * weight
    bool hu = false;         // Hu, Koren, Volinsky's weights instead of Rendle's
};

/// The small facts of a model; `__metadata__` of the bundle.
struct ModelInfo {
    std::string recipe;  // "ials", "cooc", "ease", "graph-filter", "blueprint", "import"
    AnswerBy answer_by = AnswerBy::kVectors;
    double popularity_exponent = 0;  // default: of ||j|| for vectors, of the frequency for lists
    /// Of one item asked about alone, where that is another; the stored lists are made with it.
    /// Only with AnswerBy::kLists.
    std::optional<double> item_popularity_exponent = {};
    std::uint64_t seed = 0;
    std::uint64_t num_groups = 0;        // groups kept, also when their histories are not stored
    std::uint64_t total_frequency = 0;   // T: sum of item frequencies
    std::string parameters_json = "{}";  // everything the recipe was told or worked out
    std::string input_hash;              // xxh3 of the cleaned input, hexadecimal
    PairScoreSettings pair_score;
    FoldInSettings fold_in;

    /// The exponent that one item is answered with when nothing is said.
    double exponent_of_one_item() const {
        return item_popularity_exponent.value_or(popularity_exponent);
    }
};

/// What searches through a stored index go by, and how it was judged.
struct IndexFacts {
    IndexSettings settings;
    bool blessed = false;            // recall and latency were within the limits it was judged by
    std::string report_json = "{}";  // how it was built, and the recall it was measured to have
};

/// The owned tables of a model. Empty tables are left out of the bundle.
struct ModelParts {
    ModelInfo info;
    Vocabulary items;
    Attributes attributes;
    std::vector<std::uint32_t> item_frequencies;  // [num_items] groups that have the item
    Matrix item_vectors;                          // [num_items x dim]
    Neighbours neighbours;                        // top 100 by the default popularity exponent
    Vocabulary groups;
    SparseMatrix interactions;        // [num_groups x num_items] histories
    std::optional<IndexParts> index;  // over item_vectors
    IndexFacts index_facts;           // only with an index
};

struct OpenOptions {
    bool verify_checksums = true;
    bool open_index = true;  // false: as if the bundle had none
    bool copy = false;       // into memory, so that nothing that happens to the file matters later
};

/// An open model: views into memory it owns or a file it maps. Move-only. Immutable, thread-safe.
class Model {
public:
    /// Maps a bundle and checks everything in it that addresses memory, checksums also if asked.
    /// Returns an error if: the file is missing, no bundle, of another format version, or damaged.
    static Result<Model> open(const std::string& path, const OpenOptions& options = {});
    /// Takes the tables of a model that was just fitted. Requires: they agree in size (what
    /// write_bundle checks first).
    static Model from_parts(ModelParts parts);
    /// The tables from_parts() was given. Requires: it was made by that.
    ModelParts release_parts() &&;
    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    const ModelInfo& info() const;
    std::size_t num_items() const;
    StringTableView item_keys() const;
    std::optional<std::uint32_t> find_item(std::string_view item_key) const;

    const std::vector<std::string>& attribute_names() const;
    /// Row for row with the items; an empty text where there is none.
    StringTableView attribute(std::size_t index) const;
    /// The column called "title", or nothing.
    std::optional<StringTableView> titles() const;

    std::span<const std::uint32_t> item_frequencies() const;
    /// [num_items x dim]; no rows for recipes without vectors.
    MatrixView item_vectors() const;
    /// No offsets where there are none; num_items() lists otherwise.
    NeighboursView neighbours() const;

    /// The stored index over item_vectors(), null where there is none. Valid while *this lives.
    const LeafIndex* index() const;
    const IndexFacts& index_facts() const;

    /// Histories, [num_groups x num_items]; no rows where they are not stored.
    SparseView interactions() const;
    /// The transpose of interactions(), [num_items x num_groups]; made at the first call, by
    /// whichever thread.
    SparseView interactions_by_item() const;
    StringTableView group_keys() const;
    std::optional<std::uint32_t> find_group(std::string_view group_key) const;

private:
    struct Tables;
    explicit Model(std::unique_ptr<Tables> tables);
    std::unique_ptr<Tables> tables_;
};

/// Writes a model as one bundle file; equal parts give equal bytes. Returns an error if: the file
/// exists and `overwrite` is false, or it cannot be written; what was there before is untouched
/// then.
Status write_bundle(const ModelParts& parts, const std::string& path, bool overwrite);

/// Gives the bundle at `path` this index in place of the one it may have. Everything else in it
/// stays, also what this program does not know. The new file is renamed over the old one. Returns
/// an error if: the file is no bundle, is damaged, has other vectors than the index was built for,
/// or cannot be written; it is untouched then.
Status replace_index(const std::string& path, const IndexTables& index, const IndexFacts& facts);

}  // namespace segue
