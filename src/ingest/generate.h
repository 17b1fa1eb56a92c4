#pragma once

// Tables with known structure for tests, demonstrations and measurements.

#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/status.h"

namespace segue {

struct GenerateOptions {
    std::uint64_t num_rows = 1'000'000;
    /// 0 means num_rows / mean_group_size. Sizes of groups are exponential around the mean, at
    /// least 1.
    std::uint64_t num_groups = 0;
    double mean_group_size = 15;
    std::uint32_t num_items = 50'000;
    /// Items belong to one genre each; a group draws most of its items from one.
    std::uint32_t num_genres = 50;
    /// The share of a group's rows from its own genre; the others come from any.
    double genre_share = 0.8;
    /// The item of popularity rank r within its genre is drawn in proportion to r^-zipf_exponent.
    double zipf_exponent = 0.9;
    std::uint64_t seed = 1;
    /// Writes the columns title ("Genre 12 song 345") and genre beside group and item.
    bool with_titles = true;
    unsigned num_threads = 0;

    /// Returns an error if: a size is 0, beyond what a table can hold, or a number is not finite.
    Status validate() const;
};

/// Writes the table to a .csv, .jsonl or .parquet file: whole numbers group and item, each
/// ascending from 1 but items in no order of popularity. The same rows for the same options. An
/// item is not twice in a group unless the genre is too small for it. Returns an error if: the
/// options are wrong, the file exists and `overwrite` is false, or it cannot be written.
Status generate_table(const GenerateOptions& options, const std::string& path, bool overwrite,
                      const ProgressListener& listener);

}  // namespace segue
