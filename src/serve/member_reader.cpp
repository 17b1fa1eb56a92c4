#include "serve/member_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <bitset>

#include "base/text.h"

namespace segue::serve {

MemberReader& MemberReader::require(std::string_view name) {
    if (status_.ok() && object_.at_key(name).error() != simdjson::SUCCESS) {
        status_ = invalid_argument(fmt::format("{} needs a member '{}'", what_, name));
    }
    return *this;
}

Status MemberReader::finish() const {
    if (!status_.ok()) {
        return status_;
    }
    std::bitset<std::tuple_size_v<decltype(known_)>> seen;
    const auto end = known_.begin() + static_cast<std::ptrdiff_t>(num_known_);
    for (const simdjson::dom::key_value_pair member : object_) {
        const auto found = std::find(known_.begin(), end, member.key);
        if (found == end) {
            return invalid_argument(
                fmt::format("{} has no member '{}'", what_, shortened(member.key)));
        }
        const auto place = static_cast<std::size_t>(found - known_.begin());
        if (seen[place]) {
            return invalid_argument(fmt::format("member '{}' occurs twice", member.key));
        }
        seen[place] = true;
    }
    return Status();
}

}  // namespace segue::serve
