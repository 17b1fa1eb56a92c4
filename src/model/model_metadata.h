#pragma once

// ModelInfo and the shape of the tables as texts in `__metadata__`.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "bundle/header.h"
#include "bundle/writer.h"
#include "index_build/index_tables.h"
#include "model/model.h"

namespace segue {

struct TableViews;

/// What the metadata say about a model, its tables included.
struct StatedModel {
    ModelInfo info;
    std::uint64_t num_items = 0;
    std::uint64_t dim = 0;
    std::vector<std::string> attribute_names;
};

/// What the metadata say about an index: how its tables are to be read and searched.
struct StatedIndex {
    Measure measure = Measure::kDot;
    double built_exponent = 0;
    float norm_low = 1;
    float norm_ratio = 1;
    IndexFacts facts;
};

/// Returns an error if: a key is missing or its text is not what it should be.
Result<StatedModel> read_stated_model(const Metadata& metadata);

void add_stated_model(const ModelInfo& info, const TableViews& tables, BundleWriter& writer);

/// Returns an error if: see read_stated_model.
Result<StatedIndex> read_stated_index(const Metadata& metadata);

void add_stated_index(const IndexTables& index, const IndexFacts& facts, BundleWriter& writer);

}  // namespace segue
