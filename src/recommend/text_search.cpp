#include "recommend/text_search.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/text.h"

namespace segue {

namespace {

char lower_ascii(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

void assign_lower(std::string_view text, std::string& lowered) {
    lowered.resize(text.size());
    std::transform(text.begin(), text.end(), lowered.begin(), lower_ascii);
}

/// Which bytes occur, folded into 64 bits. One edit adds at most one bit and removes at most one.
std::uint64_t letters_of(std::string_view text) {
    std::uint64_t letters = 0;
    for (const char letter : text) {
        letters |= std::uint64_t{1} << (static_cast<unsigned char>(letter) % 64);
    }
    return letters;
}

/// Short texts have too many neighbours for a generous limit.
std::size_t edit_limit(std::size_t text_bytes) {
    constexpr std::size_t kBytesPerEdit = 4;
    constexpr std::size_t kMaxEdits = 3;
    return std::min(kMaxEdits, (text_bytes + kBytesPerEdit - 1) / kBytesPerEdit);
}

std::uint32_t frequency_of(std::span<const std::uint32_t> frequencies, std::uint32_t row) {
    return row < frequencies.size() ? frequencies[row] : 0;
}

/// The text asked for and how to compare with it.
struct Pattern {
    std::string text;
    std::size_t limit;
    std::uint64_t letters;

    bool may_be_near(std::string_view other) const {
        const std::size_t longer = std::max(text.size(), other.size());
        const std::size_t shorter = std::min(text.size(), other.size());
        if (longer - shorter > limit) {
            return false;
        }
        const std::uint64_t others = letters_of(other);
        return static_cast<std::size_t>(std::popcount(letters & ~others)) <= limit &&
               static_cast<std::size_t>(std::popcount(others & ~letters)) <= limit;
    }
};

}  // namespace

std::vector<TextMatch> find_equal_texts(StringTableView texts, std::string_view text,
                                        std::span<const std::uint32_t> frequencies) {
    std::vector<TextMatch> matches;
    if (text.empty()) {
        return matches;
    }
    const std::string wanted = to_lower_ascii(text);
    for (std::size_t row = 0; row < texts.size(); ++row) {
        const std::string_view candidate = texts[row];
        if (candidate.size() == wanted.size() &&
            std::equal(candidate.begin(), candidate.end(), wanted.begin(),
                       [](char left, char right) { return lower_ascii(left) == right; })) {
            matches.push_back({static_cast<std::uint32_t>(row), 0});
        }
    }
    std::stable_sort(
        matches.begin(), matches.end(), [&](const TextMatch& left, const TextMatch& right) {
            return frequency_of(frequencies, left.row) > frequency_of(frequencies, right.row);
        });
    return matches;
}

std::vector<TextMatch> find_near_texts(StringTableView texts, std::string_view text,
                                       std::span<const std::uint32_t> frequencies,
                                       std::size_t limit) {
    std::vector<TextMatch> containing;
    if (text.empty() || limit == 0) {
        return containing;
    }
    const std::string wanted = to_lower_ascii(text);
    const Pattern pattern{wanted, edit_limit(wanted.size()), letters_of(wanted)};
    std::vector<TextMatch> misspelt;
    std::string candidate;
    for (std::size_t row = 0; row < texts.size(); ++row) {
        assign_lower(texts[row], candidate);
        const auto item_row = static_cast<std::uint32_t>(row);
        if (candidate == wanted) {
            continue;
        }
        if (candidate.find(wanted) != std::string::npos) {
            // What stands around the text are the insertions, and nothing less turns one into the
            // other.
            containing.push_back({item_row, candidate.size() - wanted.size()});
        } else if (pattern.may_be_near(candidate)) {
            const std::size_t distance = edit_distance(wanted, candidate, pattern.limit);
            if (distance <= pattern.limit) {
                misspelt.push_back({item_row, distance});
            }
        }
    }
    const auto more_frequent = [&](const TextMatch& left, const TextMatch& right) {
        return frequency_of(frequencies, left.row) > frequency_of(frequencies, right.row);
    };
    std::stable_sort(containing.begin(), containing.end(), more_frequent);
    std::stable_sort(misspelt.begin(), misspelt.end(),
                     [&](const TextMatch& left, const TextMatch& right) {
                         return left.distance != right.distance ? left.distance < right.distance
                                                                : more_frequent(left, right);
                     });
    containing.insert(containing.end(), misspelt.begin(), misspelt.end());
    containing.resize(std::min(limit, containing.size()));
    return containing;
}

}  // namespace segue
