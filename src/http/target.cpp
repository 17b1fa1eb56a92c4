#include "http/target.h"

#include <algorithm>
#include <array>

namespace segue {
namespace {

/// Whether a byte may be in a path or a query.
constexpr std::array<bool, 256> kIsUriByte = [] {
    std::array<bool, 256> is_uri_byte{};
    for (std::size_t byte = 0x21; byte < 0x7F; ++byte) {
        is_uri_byte[byte] = true;
    }
    for (const unsigned char byte : {'#', '"', '<', '>', '\\'}) {
        is_uri_byte[byte] = false;
    }
    return is_uri_byte;
}();

bool is_uri_byte(char letter) {
    return kIsUriByte[static_cast<unsigned char>(letter)];
}

/// Adds the text, decoded, to `decoded`, which has room; nothing where it cannot be decoded.
std::optional<std::string_view> decode_into(std::string_view text, std::string& decoded) {
    if (text.find_first_of("%+") == std::string_view::npos) {
        return text;
    }
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    const std::optional<std::string> plain = percent_decoded(spaced);
    if (!plain) {
        return std::nullopt;
    }
    const std::size_t begin = decoded.size();
    decoded += *plain;
    return std::string_view(decoded).substr(begin);
}

bool read_parameters(std::string_view query, std::size_t max_parameters, TargetParts& parts) {
    parts.decoded.reserve(query.size());  // so that views into it stay
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) {
            continue;
        }
        if (parts.parameters.size() == max_parameters) {
            return false;
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decode_into(pair.substr(0, equals), parts.decoded);
        const auto value =
            decode_into(pair.substr(std::min(equals + 1, pair.size())), parts.decoded);
        if (!name || !value) {
            return false;
        }
        parts.parameters.push_back({*name, *value});
    }
    return true;
}

}  // namespace

bool read_target(std::string_view target, std::size_t max_parameters, TargetParts& parts) {
    parts.parameters.clear();
    parts.decoded.clear();
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.starts_with(scheme)) {
            const std::size_t slash = target.find('/', scheme.size());
            target = slash == std::string_view::npos ? "/" : target.substr(slash);
            break;
        }
    }
    if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_uri_byte)) {
        return false;
    }
    const std::size_t question = std::min(target.find('?'), target.size());
    parts.path = target.substr(0, question);
    return read_parameters(target.substr(std::min(question + 1, target.size())), max_parameters,
                           parts);
}

}  // namespace segue
