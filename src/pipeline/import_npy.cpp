// numpy's .npy: magic, version, a header written as a Python dictionary, then the numbers.

#include <fmt/core.h>

#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "pipeline/vector_collector.h"

namespace segue {
namespace {

/// Keys take some bytes each; this is enough for a hundred million of them.
constexpr std::size_t kMaxKeyFileBytes = std::size_t{4} << 30;

struct NpyHeader {
    std::size_t data_begin = 0;
    std::size_t bytes_per_number = 0;  // 4 or 8
    std::size_t num_rows = 0;
    std::size_t dim = 0;
};

/// What stands behind 'name': in the dictionary, up to the end of it.
std::string_view value_behind(std::string_view dictionary, std::string_view name) {
    const std::size_t at = dictionary.find(fmt::format("'{}'", name));
    if (at == std::string_view::npos) {
        return {};
    }
    const std::size_t begin = dictionary.find_first_not_of(": ", at + name.size() + 2);
    return begin == std::string_view::npos ? std::string_view() : dictionary.substr(begin);
}

/// The two numbers of "(3, 4), ...". Nothing for another number of them.
std::optional<std::pair<std::size_t, std::size_t>> shape_of(std::string_view text) {
    const std::size_t end = text.find(')');
    if (!text.starts_with('(') || end == std::string_view::npos) {
        return std::nullopt;
    }
    std::vector<std::size_t> extents;
    for (const std::string_view piece : split(text.substr(1, end - 1), ',')) {
        const std::vector<std::string_view> words = split_on_space(piece);
        if (words.empty()) {
            continue;
        }
        const std::optional<std::uint64_t> extent =
            words.size() == 1 ? parse_unsigned(words.front()) : std::nullopt;
        if (!extent) {
            return std::nullopt;
        }
        extents.push_back(*extent);
    }
    if (extents.size() != 2) {
        return std::nullopt;
    }
    return std::pair(extents[0], extents[1]);
}

Result<NpyHeader> parse_header(std::string_view file) {
    constexpr std::string_view kMagic = "\x93NUMPY";
    if (file.size() < 12 || !file.starts_with(kMagic)) {
        return corrupt("no npy file");
    }
    const auto byte_at = [file](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(file[at]));
    };
    const bool short_length = byte_at(6) == 1;
    std::size_t length = byte_at(8) | byte_at(9) << 8;
    if (!short_length) {
        length |= byte_at(10) << 16 | byte_at(11) << 24;
    }
    NpyHeader header;
    header.data_begin = (short_length ? 10 : 12) + length;
    if (header.data_begin > file.size()) {
        return corrupt(fmt::format("the header ends at byte {}, the file at {}", header.data_begin,
                                   file.size()));
    }
    const std::string_view dictionary = file.substr(header.data_begin - length, length);
    const std::string_view type = value_behind(dictionary, "descr");
    const auto shape = shape_of(value_behind(dictionary, "shape"));
    header.bytes_per_number = type.starts_with("'<f4'") ? 4 : type.starts_with("'<f8'") ? 8 : 0;
    if (header.bytes_per_number == 0 || !shape ||
        !value_behind(dictionary, "fortran_order").starts_with("False")) {
        return invalid_argument(
            "expected a two-dimensional array of <f4 or <f8 in C order (numpy.ascontiguousarray)");
    }
    header.num_rows = shape->first;
    header.dim = shape->second;
    const std::size_t num_numbers = (file.size() - header.data_begin) / header.bytes_per_number;
    if (header.dim == 0 || header.num_rows != num_numbers / header.dim ||
        header.num_rows * header.dim * header.bytes_per_number != file.size() - header.data_begin) {
        return corrupt(fmt::format("the shape is {} x {}, the file has {} numbers", header.num_rows,
                                   header.dim, num_numbers));
    }
    return header;
}

/// Row numbers as keys where a file of keys is not asked for would hide a forgotten file; so it
/// must be there.
Result<std::vector<std::string>> read_keys(const std::string& path) {
    const Result<std::string> text = read_text_file(path, kMaxKeyFileBytes);
    if (!text.ok()) {
        return text.status().with_context("the keys of an .npy file are a JSON array beside it");
    }
    Result<std::vector<std::string>> keys = read_json_strings(*text);
    return keys.ok() ? std::move(keys) : keys.status().with_context(path);
}

}  // namespace

Status read_npy_vectors(const std::string& path, VectorCollector& collector) {
    const Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::span<const std::byte> bytes = file->bytes();
    const Result<NpyHeader> header =
        parse_header({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!header.ok()) {
        return header.status().with_context(fmt::format("'{}'", path));
    }
    const Result<std::vector<std::string>> keys = read_keys(keys_path_of(path));
    if (!keys.ok()) {
        return keys.status();
    }
    if (keys->size() != header->num_rows) {
        return invalid_argument(fmt::format("'{}' has {} rows, '{}' {} keys", path,
                                            header->num_rows, keys_path_of(path), keys->size()));
    }
    std::vector<float> vector(header->dim);
    std::vector<double> doubles(header->bytes_per_number == 8 ? header->dim : 0);
    const std::size_t row_bytes = header->dim * header->bytes_per_number;
    for (std::size_t row = 0; row < header->num_rows; ++row) {
        const std::byte* source = bytes.data() + header->data_begin + row * row_bytes;
        if (doubles.empty()) {
            std::memcpy(vector.data(), source, row_bytes);
        } else {
            std::memcpy(doubles.data(), source, row_bytes);
            for (std::size_t i = 0; i < doubles.size(); ++i) {
                vector[i] = static_cast<float>(doubles[i]);
            }
        }
        collector.count_line();
        collector.add(row + 1, (*keys)[row], vector);
    }
    return {};
}

}  // namespace segue
