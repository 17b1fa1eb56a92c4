#pragma once

#include <array>
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
    MemberReader(const JsonObject& object, std::string_view what) : object_(object), what_(what) {}

    /// Calls read(value), which returns a Status, if there is such a member. `name` is a literal.
    template <typename Read>
    MemberReader& member(std::string_view name, const Read& read) {
        SEGUE_ASSERT(num_known_ < known_.size());
        known_[num_known_++] = name;
        JsonValue value;
        if (status_.ok() && object_.at_key(name).get(value) == simdjson::SUCCESS) {
            status_ = read(value);
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
    const JsonObject& object_;
    std::string_view what_;
    std::array<std::string_view, 32> known_;
    std::size_t num_known_ = 0;
    Status status_;
};

}  // namespace segue::serve
