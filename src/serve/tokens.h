#pragma once

// Who may ask what: bearer tokens from a file.

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/message.h"
#include "serve/router.h"

namespace segue::serve {

/// The tokens of one file. Each line is
///
///     NAME SCOPES TOKEN [REQUESTS_PER_SECOND]
///
/// where SCOPES are read, user, write, admin, metrics with commas between, and TOKEN is the token
/// itself, at least 16 characters, or "sha256:" and its 64 hexadecimal digits. Empty lines and
/// lines that begin with # are left out. Only the SHA-256 of a token is kept. Thread-safe.
class Tokens {
public:
    /// Returns an error if: the file cannot be read, others than its owner may, or a line is none
    /// of the above; names the line, never what is in it.
    static Result<std::unique_ptr<Tokens>> read(const std::string& path);
    static Result<std::unique_ptr<Tokens>> parse(std::string_view text);
    ~Tokens();

    enum class Verdict { kUnknown, kKnown, kTooFast };
    /// Takes as long for any wrong token.
    Verdict check(std::string_view token, ScopeSet& scopes) const;
    std::size_t size() const;

private:
    struct Entry;
    Tokens();
    std::vector<std::unique_ptr<Entry>> entries_;
};

/// Decides what callers may do; the tokens may change meanwhile. Thread-safe.
class AccessControl {
public:
    /// Of callers when no tokens are set: everything on the admin listener; on the public one read
    /// and user, and metrics if `is_private` (nobody from other machines reaches it).
    explicit AccessControl(bool is_private) : is_private_(is_private) {}

    void use(std::unique_ptr<const Tokens> tokens);
    /// False where the caller asks too often and was answered.
    bool admit(const HttpRequest& request, Caller& caller, HttpResponse& response) const;

private:
    bool is_private_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Tokens> tokens_;
};

}  // namespace segue::serve
