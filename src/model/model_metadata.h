#pragma once

// ModelInfo and the shape of the tables as texts in `__metadata__`.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "bundle/header.h"
#include "bundle/writer.h"
#include "model/model.h"
#include "model/model_tables.h"

namespace segue {

/// What the metadata say about a model, its tables included.
struct StatedModel {
    ModelInfo info;
    std::uint64_t num_items = 0;
    std::uint64_t dim = 0;
    std::vector<std::string> attribute_names;
};

/// Returns an error if: a key is missing or its text is not what it should be.
Result<StatedModel> read_stated_model(const Metadata& metadata);

void add_stated_model(const ModelInfo& info, const TableViews& tables, BundleWriter& writer);

}  // namespace segue
