#pragma once

// The names of the files an export to a folder is dealt to.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/vector_format.h"

namespace segue {

/// "embedding-000000000003.json" (jsonl), "embeddings-000000000003.csv". Requires: one of these.
std::string shard_name(VectorFormat format, std::uint64_t shard);

/// Paths of the shards numbered `num_shards` and up in `folder`, by name: what an earlier export of
/// more shards left there, which a pattern over all shards would read with the new ones. Files and
/// links only. Empty for a missing folder and for formats without shards. Returns an error if: the
/// folder cannot be read.
Result<std::vector<std::string>> shards_beyond(const std::string& folder, VectorFormat format,
                                               std::uint64_t num_shards);

}  // namespace segue
