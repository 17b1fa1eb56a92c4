#include "base/status.h"

#include <cstdio>
#include <cstdlib>

namespace segue {

std::string_view name_of(StatusCode code) {
    switch (code) {
        case StatusCode::kOk:
            return "ok";
        case StatusCode::kInvalidArgument:
            return "invalid argument";
        case StatusCode::kNotFound:
            return "not found";
        case StatusCode::kCorrupt:
            return "corrupt";
        case StatusCode::kUnsupportedVersion:
            return "unsupported version";
        case StatusCode::kIo:
            return "input/output";
        case StatusCode::kResourceLimit:
            return "resource limit";
        case StatusCode::kDeadline:
            return "deadline";
        case StatusCode::kInternal:
            return "internal";
    }
    return "unknown";
}

Status Status::with_context(std::string_view context) const {
    if (ok()) {
        return *this;
    }
    return Status(code_, std::string(context) + ": " + message_);
}

Status invalid_argument(std::string message) {
    return Status(StatusCode::kInvalidArgument, std::move(message));
}
Status not_found(std::string message) {
    return Status(StatusCode::kNotFound, std::move(message));
}
Status corrupt(std::string message) {
    return Status(StatusCode::kCorrupt, std::move(message));
}
Status unsupported_version(std::string message) {
    return Status(StatusCode::kUnsupportedVersion, std::move(message));
}
Status io_error(std::string message) {
    return Status(StatusCode::kIo, std::move(message));
}
Status resource_limit(std::string message) {
    return Status(StatusCode::kResourceLimit, std::move(message));
}
Status internal_error(std::string message) {
    return Status(StatusCode::kInternal, std::move(message));
}

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "segue: a bug: %s does not hold at %s:%d\n", condition, file, line);
    std::abort();
}

}  // namespace segue
