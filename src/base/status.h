#pragma once

// How a function says that the world went wrong: a file, an input, a limit. Bugs of ours are
// SEGUE_ASSERT. A message says what, where, expected and found, and what to do, in one line without
// a final full stop.

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace segue {

enum class StatusCode {
    kOk,
    kInvalidArgument,
    kNotFound,
    kCorrupt,
    kUnsupportedVersion,
    kIo,
    kResourceLimit,
    kDeadline,
    kInternal,
};

/// "ok", "invalid argument", "not found", ...
std::string_view name_of(StatusCode code);

/// Success, or a code with a message. Thread-compatible.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

    bool ok() const { return code_ == StatusCode::kOk; }
    StatusCode code() const { return code_; }
    const std::string& message() const { return message_; }

    /// The same failure with `context` and ": " in front of its message; success stays success.
    Status with_context(std::string_view context) const;

private:
    StatusCode code_ = StatusCode::kOk;
    std::string message_;
};

Status invalid_argument(std::string message);
Status not_found(std::string message);
Status corrupt(std::string message);
Status unsupported_version(std::string message);
Status io_error(std::string message);
Status resource_limit(std::string message);
Status internal_error(std::string message);

/// A value, or the Status that says why there is none. Requires: value() only after ok().
template <typename Value>
class [[nodiscard]] Result {
public:
    Result(Value value) : value_(std::move(value)) {}
    Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

    bool ok() const { return value_.has_value(); }
    const Status& status() const { return status_; }

    Value& value() & { return *checked(); }
    const Value& value() const& { return const_cast<Result*>(this)->value(); }
    Value&& value() && { return std::move(*checked()); }
    Value& operator*() & { return value(); }
    const Value& operator*() const& { return value(); }
    Value&& operator*() && { return std::move(*this).value(); }
    Value* operator->() { return &value(); }
    const Value* operator->() const { return &value(); }

private:
    std::optional<Value>& checked() {
        assert(value_.has_value());
        return value_;
    }

    Status status_;
    std::optional<Value> value_;
};

}  // namespace segue

/// For our own bugs only; never reachable from input. Checked in every build.
#define SEGUE_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::segue::assertion_failed(#condition, __FILE__, __LINE__))

namespace segue {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}
