#include "cli/open_model.h"

namespace segue::cli {

void ModelArguments::declare(Options& options) {
    options.positional("FILE.segue", file, "a bundle that segue fit or segue import wrote");
    options.flag("trust", trust, "skip the checksums (faster to open; bounds are always checked)");
}

Result<Model> ModelArguments::open() const {
    return Model::open(file, {.verify_checksums = !trust});
}

Result<Model> ModelArguments::open_with_titles() const {
    Result<Model> model = open();
    if (model.ok() && !model->titles()) {
        return invalid_argument("this model stores no titles");
    }
    return model;
}

std::string describe_item(const Model& model, std::uint32_t item_row) {
    std::string text;
    for (std::size_t index = 0; index < model.attribute_names().size(); ++index) {
        const std::string_view value = model.attribute(index)[item_row];
        if (!value.empty()) {
            text += text.empty() ? "" : " - ";
            text += value;
        }
    }
    return text.empty() ? std::string(model.item_keys()[item_row]) : text;
}

}  // namespace segue::cli
