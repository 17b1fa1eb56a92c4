#pragma once

#include <array>
#include <bitset>
#include <string_view>
#include <utility>

#include "serve/json_input.h"

namespace segue::serve {

/// Reads the members of an object one after the other, until one fails; members nobody asked for,
/// and those that occur twice, are a failure at the end.
///
///     MemberReader reader(object, "a query");
///     reader.take("k", count, [](const JsonValue& value) { return read_count(value, "k", 1000);
///     }); return reader.finish();
///
/// Not thread-safe.
class MemberReader {
public:
    /// `what` is how messages call the object.
    MemberReader(const JsonObject& object, std::string_view what);

    /// Calls read(value), which returns a Status, if there is such a member. `name` is a literal.
    template <typename Read>
    MemberReader& member(std::string_view name, const Read& read) {
        ++num_names_;
        SEGUE_ASSERT(num_names_ < kMostMembers);
        if (const Member* const found = find(name); found != nullptr && status_.ok()) {
            status_ = read(found->value);
        }
        return *this;
    }

    /// Puts what read(value), which returns a Result, gives into `place` if there is such a member.
    template <typename Place, typename Read>
    MemberReader& take(std::string_view name, Place& place, const Read& read) {
        return member(name, [&](const JsonValue& value) {
            auto result = read(value);
            if (!result.ok()) {
                return result.status();
            }
            place = std::move(*result);
            return Status();
        });
    }

    /// Fails if the object has no such member.
    MemberReader& require(std::string_view name);

    /// The first failure, of reading or of members that should not be there.
    Status finish() const;

private:
    struct Member {
        std::string_view name;
        JsonValue value;
    };

    /// The first member of that name, which is a known one from now on; null where there is none.
    const Member* find(std::string_view name) {
        // Most objects have few of the members they may have.
        for (std::size_t place = 0; place < num_members_ && num_known_ < num_members_; ++place) {
            if (members_[place].name == name) {
                num_known_ += is_known_[place] ? 0 : 1;
                is_known_[place] = true;
                return &members_[place];
            }
        }
        return nullptr;
    }

    /// More than there are names that are asked for: of an object with more members, some of the
    /// first ones are unknown or occur twice, and the rest need not be kept.
    static constexpr std::size_t kMostMembers = 32;

    std::string_view what_;
    std::array<Member, kMostMembers> members_;
    std::bitset<kMostMembers> is_known_;
    std::size_t num_members_ = 0;
    std::size_t num_known_ = 0;
    std::size_t num_names_ = 0;
    Status status_;
};

}  // namespace segue::serve
