#include "bundle/header.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/checksum.h"
#include "base/json_writer.h"

namespace segue {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kMaxAxes = 8;

/// a * b, or nothing when it does not fit.
std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        return std::nullopt;
    }
    return product;
}

Status bad_tensor(std::string_view name, std::string_view what) {
    return corrupt(fmt::format("tensor '{}': {}", name, what));
}

Status read_metadata(const dom::element& value, Metadata& metadata) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
        return corrupt("__metadata__ is no JSON object");
    }
    std::set<std::string_view> keys;
    for (const dom::key_value_pair member : object) {
        std::string_view text;
        if (member.value.get(text) != simdjson::SUCCESS) {
            return corrupt(fmt::format("metadata '{}' is no text", member.key));
        }
        if (!keys.insert(member.key).second) {
            return corrupt(fmt::format("metadata '{}' occurs twice", member.key));
        }
        metadata.emplace_back(member.key, text);
    }
    return Status();
}

/// An array of unsigned integers, at most `max_count` of them.
std::optional<std::vector<std::uint64_t>> read_counts(const dom::element& value,
                                                      std::size_t max_count) {
    dom::array array;
    if (value.get(array) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    std::vector<std::uint64_t> counts;
    for (const dom::element element : array) {
        std::uint64_t count = 0;
        if (counts.size() == max_count || element.get(count) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        counts.push_back(count);
    }
    return counts;
}

/// A tensor as the header states it, offsets not yet compared with those of the others.
Status read_tensor(const dom::key_value_pair& entry, std::span<const std::byte> data,
                   TensorView& tensor) {
    tensor.name = entry.key;
    dom::object object;
    if (entry.value.get(object) != simdjson::SUCCESS) {
        return bad_tensor(entry.key, "its entry is no JSON object");
    }
    std::optional<Dtype> dtype;
    std::optional<std::vector<std::uint64_t>> shape;
    std::optional<std::vector<std::uint64_t>> offsets;
    std::size_t num_members = 0;
    for (const dom::key_value_pair member : object) {
        ++num_members;
        std::string_view name;
        if (member.key == "dtype" && member.value.get(name) == simdjson::SUCCESS) {
            dtype = dtype_named(name);
        } else if (member.key == "shape") {
            shape = read_counts(member.value, kMaxAxes);
        } else if (member.key == "data_offsets") {
            offsets = read_counts(member.value, 2);
        }
    }
    // Three members and all three found: none is unknown, none occurs twice.
    if (num_members != 3 || !dtype || !shape || !offsets || offsets->size() != 2) {
        return bad_tensor(entry.key, "expected a known dtype, a shape and two data_offsets");
    }
    const std::uint64_t begin = offsets->front();
    const std::uint64_t end = offsets->back();
    if (begin > end || end > data.size()) {
        return bad_tensor(entry.key, fmt::format("bytes {} to {} are not in the file's {} of data",
                                                 begin, end, data.size()));
    }
    std::optional<std::uint64_t> bytes = element_bytes(*dtype);
    for (const std::uint64_t extent : *shape) {
        bytes = bytes ? checked_product(*bytes, extent) : bytes;
    }
    if (!bytes || *bytes != end - begin) {
        return bad_tensor(entry.key,
                          fmt::format("its shape does not fill its {} bytes", end - begin));
    }
    tensor.dtype = *dtype;
    tensor.shape = std::move(*shape);
    tensor.bytes = data.subspan(begin, end - begin);
    return Status();
}

/// Puts tensors in file order; they must follow each other from the first byte of data to the last.
Status check_no_holes(std::span<const std::byte> data, std::vector<TensorView>& tensors) {
    const auto begins_at = [&](const TensorView& tensor) {
        return static_cast<std::size_t>(tensor.bytes.data() - data.data());
    };
    std::stable_sort(tensors.begin(), tensors.end(), [&](const auto& left, const auto& right) {
        return std::pair(begins_at(left), left.bytes.size()) <
               std::pair(begins_at(right), right.bytes.size());
    });
    std::size_t expected = 0;
    for (const TensorView& tensor : tensors) {
        if (begins_at(tensor) != expected) {
            return bad_tensor(tensor.name, fmt::format("begins at byte {} of the data, expected {}",
                                                       begins_at(tensor), expected));
        }
        expected += tensor.bytes.size();
    }
    if (expected != data.size()) {
        return corrupt(fmt::format("tensors end at byte {} of {} of data", expected, data.size()));
    }
    return Status();
}

std::string checksum_mark() {
    return fmt::format("\"{}\":\"", kHeaderChecksumKey);
}

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<BundleHeader> parse_header(std::span<const std::byte> file) {
    if (file.size() < kLengthBytes) {
        return corrupt(fmt::format("its {} bytes are too few for a bundle", file.size()));
    }
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), kLengthBytes);
    if (length > kMaxHeaderBytes || length > file.size() - kLengthBytes) {
        return corrupt(fmt::format(
            "no bundle, or cut short: a header of {} bytes in a file of {} (at most {} are read)",
            length, file.size(), kMaxHeaderBytes));
    }
    const std::string_view json = as_text(file.subspan(kLengthBytes, length));
    const std::span<const std::byte> data = file.subspan(kLengthBytes + length);
    dom::parser parser;
    dom::object object;
    if (const auto error = parser.parse(json.data(), json.size()).get(object)) {
        return corrupt(
            fmt::format("its header is no JSON object: {}", simdjson::error_message(error)));
    }
    BundleHeader header;
    header.data_begin = kLengthBytes + length;
    std::set<std::string_view> names;
    for (const dom::key_value_pair member : object) {
        if (!names.insert(member.key).second) {
            return corrupt(fmt::format("its header has '{}' twice", member.key));
        }
        const Status status = member.key == "__metadata__"
                                  ? read_metadata(member.value, header.metadata)
                                  : read_tensor(member, data, header.tensors.emplace_back());
        if (!status.ok()) {
            return status;
        }
    }
    if (Status status = check_no_holes(data, header.tensors); !status.ok()) {
        return status;
    }
    return header;
}

std::string format_header(const Metadata& metadata, std::span<const TensorView> tensors) {
    JsonWriter json;
    json.begin_object().key("__metadata__").begin_object();
    json.key(kHeaderChecksumKey).value(std::string(kChecksumDigits, '0'));
    for (const auto& [key, value] : metadata) {
        json.key(key).value(value);
    }
    json.end_object();
    std::uint64_t begin = 0;
    for (const TensorView& tensor : tensors) {
        json.key(tensor.name).begin_object().key("dtype").value(name_of(tensor.dtype));
        json.key("shape").begin_array();
        for (const std::uint64_t extent : tensor.shape) {
            json.value(extent);
        }
        json.end_array().key("data_offsets").begin_array();
        json.value(begin).value(begin + tensor.bytes.size()).end_array().end_object();
        begin += tensor.bytes.size();
    }
    std::string text = std::string(kLengthBytes, '\0') + json.end_object().take();
    text.resize((text.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment, ' ');
    const std::uint64_t length = text.size() - kLengthBytes;
    std::memcpy(text.data(), &length, kLengthBytes);
    const std::string mark = checksum_mark();
    text.replace(text.find(mark) + mark.size(), kChecksumDigits, to_hex(xxh3_64(text)));
    return text;
}

std::optional<HeaderChecksum> header_checksum(std::span<const std::byte> header) {
    std::string text(as_text(header));
    const std::string mark = checksum_mark();
    const std::size_t found = text.find(mark);
    if (found == std::string::npos || text.find(mark, found + 1) != std::string::npos ||
        text.size() - found - mark.size() < kChecksumDigits) {
        return std::nullopt;
    }
    const std::size_t digits = found + mark.size();
    HeaderChecksum checksum{text.substr(digits, kChecksumDigits), {}};
    text.replace(digits, kChecksumDigits, kChecksumDigits, '0');
    checksum.found = to_hex(xxh3_64(text));
    return checksum;
}

}  // namespace segue
