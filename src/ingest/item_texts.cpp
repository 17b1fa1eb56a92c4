#include "ingest/item_texts.h"

namespace segue {

void ItemTexts::see(std::uint32_t item, std::string_view text) {
    if (text.empty()) {
        return;
    }
    if (item >= best_.size()) {
        best_.resize(std::size_t{item} + 1);
    }
    if (view(best_[item]) < text) {
        best_[item] = {bytes_.size(), text.size()};
        bytes_.append(text);
    }
}

}  // namespace segue
