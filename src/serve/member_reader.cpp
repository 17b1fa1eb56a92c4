#include "serve/member_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace segue::serve {

MemberReader::MemberReader(const JsonObject& object, std::string_view what) : what_(what) {
    for (const simdjson::dom::key_value_pair member : object) {
        if (num_members_ == kMostMembers) {
            break;
        }
        members_[num_members_++] = {member.key, member.value};
    }
}

MemberReader& MemberReader::require(std::string_view name) {
    const auto end = members_.begin() + static_cast<std::ptrdiff_t>(num_members_);
    if (status_.ok() && std::none_of(members_.begin(), end, [name](const Member& member) {
            return member.name == name;
        })) {
        status_ = invalid_argument(fmt::format("{} needs a member '{}'", what_, name));
    }
    return *this;
}

Status MemberReader::finish() const {
    if (!status_.ok() || num_known_ == num_members_) {
        return status_;
    }
    for (std::size_t place = 0; place < num_members_; ++place) {
        if (is_known_[place]) {
            continue;
        }
        const std::string_view name = members_[place].name;
        for (std::size_t earlier = 0; earlier < place; ++earlier) {
            if (is_known_[earlier] && members_[earlier].name == name) {
                return invalid_argument(fmt::format("member '{}' occurs twice", name));
            }
        }
        return invalid_argument(fmt::format("{} has no member '{}'", what_, shortened(name)));
    }
    return Status();
}

}  // namespace segue::serve
