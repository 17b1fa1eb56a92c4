#include "ingest/item_texts.h"

namespace segue {

bool ItemTexts::see(std::uint32_t item, std::string_view text) {
    if (text.empty()) {
        return false;
    }
    if (item >= best_.size()) {
        best_.resize(std::size_t{item} + 1);
    }
    const std::string_view best = view(best_[item]);
    if (best == text) {
        return true;
    }
    if (best < text) {
        best_[item] = {bytes_.size(), text.size()};
        bytes_.append(text);
    }
    return false;
}

}  // namespace segue
