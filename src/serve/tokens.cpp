#include "serve/tokens.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace segue::serve {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMinTokenBytes = 16;
constexpr std::string_view kDigestMark = "sha256:";

Digest digest_of(std::string_view token) {
    Digest digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    return digest;
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
    Digest digest{};
    if (hex.size() != 2 * digest.size()) {
        return std::nullopt;
    }
    for (std::size_t byte = 0; byte < digest.size(); ++byte) {
        const std::optional<std::string> decoded =
            percent_decoded("%" + std::string(hex.substr(2 * byte, 2)));
        if (!decoded) {
            return std::nullopt;
        }
        digest[byte] = static_cast<unsigned char>(decoded->front());
    }
    return digest;
}

std::optional<ScopeSet> scopes_from(std::string_view names) {
    ScopeSet scopes;
    for (const std::string_view name : split(names, ',')) {
        bool is_known = false;
        for (const Scope scope :
             {Scope::kRead, Scope::kUser, Scope::kWrite, Scope::kAdmin, Scope::kMetrics}) {
            if (name == name_of(scope)) {
                scopes = scopes.with(scope);
                is_known = true;
            }
        }
        if (!is_known) {
            return std::nullopt;
        }
    }
    return scopes;
}

/// So many requests a second on average, a second's worth of them at once.
class Allowance {
public:
    explicit Allowance(double per_second)
        : per_second_(per_second), left_(std::max(1.0, per_second)), last_(Clock::now()) {}

    bool take() {
        const std::lock_guard<std::mutex> lock(mutex_);
        const Clock::time_point now = Clock::now();
        const double seconds = std::chrono::duration<double>(now - last_).count();
        left_ = std::min(std::max(1.0, per_second_), left_ + seconds * per_second_);
        last_ = now;
        if (left_ < 1) {
            return false;
        }
        left_ -= 1;
        return true;
    }

private:
    std::mutex mutex_;
    double per_second_;
    double left_;
    Clock::time_point last_;
};

}  // namespace

struct Tokens::Entry {
    Digest digest{};
    ScopeSet scopes;
    std::unique_ptr<Allowance> allowance;  // null for as many as one likes
};

Tokens::Tokens() = default;

Tokens::~Tokens() = default;

Result<std::unique_ptr<Tokens>> Tokens::read(const std::string& path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) {
        return io_error(fmt::format("cannot read the tokens '{}'", path));
    }
    if ((facts.st_mode & 077) != 0) {
        return invalid_argument(fmt::format(
            "the tokens '{}' can be read by others than their owner: chmod 600 {}", path, path));
    }
    const Result<std::string> text = read_text_file(path, kMaxFileBytes);
    if (!text.ok()) {
        return text.status();
    }
    Result<std::unique_ptr<Tokens>> tokens = parse(*text);
    return tokens.ok() ? std::move(tokens) : tokens.status().with_context(path);
}

Result<std::unique_ptr<Tokens>> Tokens::parse(std::string_view text) {
    std::unique_ptr<Tokens> tokens(new Tokens);
    std::size_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        const std::vector<std::string_view> words = split_on_space(line);
        if (words.empty() || words[0].starts_with('#')) {
            continue;
        }
        const auto wrong = [number](std::string_view what) {
            return invalid_argument(fmt::format("line {}: {}", number, what));
        };
        if (words.size() < 3 || words.size() > 4) {
            return wrong("expected NAME SCOPES TOKEN [REQUESTS_PER_SECOND]");
        }
        const std::optional<ScopeSet> scopes = scopes_from(words[1]);
        if (!scopes) {
            return wrong("scopes are read, user, write, admin, metrics with commas between");
        }
        auto entry = std::make_unique<Entry>();
        entry->scopes = *scopes;
        if (words[2].starts_with(kDigestMark)) {
            const auto digest = digest_from_hex(words[2].substr(kDigestMark.size()));
            if (!digest) {
                return wrong("sha256: is followed by 64 hexadecimal digits");
            }
            entry->digest = *digest;
        } else if (words[2].size() < kMinTokenBytes) {
            return wrong(fmt::format("a token has at least {} characters", kMinTokenBytes));
        } else {
            entry->digest = digest_of(words[2]);
        }
        if (words.size() == 4) {
            const std::optional<double> rate = parse_double(words[3]);
            if (!rate || *rate <= 0) {
                return wrong("requests per second are a number above 0");
            }
            entry->allowance = std::make_unique<Allowance>(*rate);
        }
        tokens->entries_.push_back(std::move(entry));
    }
    if (tokens->entries_.empty()) {
        return invalid_argument("there is no token in it");
    }
    return tokens;
}

Tokens::Verdict Tokens::check(std::string_view token, ScopeSet& scopes) const {
    const Digest digest = digest_of(token);
    const Entry* found = nullptr;
    for (const std::unique_ptr<Entry>& entry : entries_) {
        if (::CRYPTO_memcmp(entry->digest.data(), digest.data(), digest.size()) == 0) {
            found = entry.get();
        }
    }
    if (found == nullptr) {
        return Verdict::kUnknown;
    }
    scopes = found->scopes;
    return found->allowance == nullptr || found->allowance->take() ? Verdict::kKnown
                                                                   : Verdict::kTooFast;
}

std::size_t Tokens::size() const {
    return entries_.size();
}

void AccessControl::use(std::unique_ptr<const Tokens> tokens) {
    std::shared_ptr<const Tokens> next = std::move(tokens);
    const std::lock_guard<std::mutex> lock(mutex_);
    tokens_.swap(next);
}

bool AccessControl::admit(const HttpRequest& request, Caller& caller,
                          HttpResponse& response) const {
    std::shared_ptr<const Tokens> tokens;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        tokens = tokens_;
    }
    if (tokens == nullptr) {
        const ScopeSet reader = ScopeSet().with(Scope::kRead).with(Scope::kUser);
        caller = {true, request.on_admin_listener ? ScopeSet::all()
                        : is_private_             ? reader.with(Scope::kMetrics)
                                                  : reader};
        return true;
    }
    caller = {};
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view given = request.header("Authorization").value_or("");
    if (given.size() <= kBearer.size() ||
        to_lower_ascii(given.substr(0, kBearer.size())) != kBearer) {
        return true;
    }
    switch (tokens->check(given.substr(kBearer.size()), caller.scopes)) {
        case Tokens::Verdict::kUnknown:
            caller.scopes = {};
            return true;
        case Tokens::Verdict::kKnown:
            caller.is_known = true;
            return true;
        case Tokens::Verdict::kTooFast:
            break;
    }
    response.route = "limited";
    response.add_header("Retry-After", "1");
    segue::set_error(response, 429, "RESOURCE_EXHAUSTED", "this token asks too often",
                     request.request_id);
    return false;
}

}  // namespace segue::serve
