#pragma once

#include <string>

#include "base/status.h"
#include "cli/options.h"
#include "model/model.h"

namespace segue::cli {

/// The bundle a verb works on.
struct ModelArguments {
    std::string file;
    bool trust = false;

    void declare(Options& options);
    Result<Model> open() const;
    /// Returns an error also if: the model stores no titles.
    Result<Model> open_with_titles() const;
};

/// "Godsmack - Awake": the attributes of an item in one text, its key where it has none.
std::string describe_item(const Model& model, std::uint32_t item_row);

}  // namespace segue::cli
