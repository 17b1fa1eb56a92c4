#include <fmt/core.h>
#include <simdjson.h>

#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "pipeline/vector_collector.h"

namespace segue {
namespace {

/// The id as text: strings as they are, whole numbers by their decimal text. Nothing for anything
/// else.
std::optional<std::string> key_of(const simdjson::dom::element& id) {
    std::string_view text;
    std::int64_t whole = 0;
    std::uint64_t large = 0;
    if (id.get(text) == simdjson::SUCCESS) {
        return std::string(text);
    }
    if (id.get(whole) == simdjson::SUCCESS) {
        return fmt::format("{}", whole);
    }
    if (id.get(large) == simdjson::SUCCESS) {
        return fmt::format("{}", large);
    }
    return std::nullopt;
}

/// Fills `vector`. Returns whether all elements are numbers; null and words like NaN are not finite
/// numbers.
bool read_numbers(const simdjson::dom::array& array, std::vector<float>& vector) {
    vector.clear();
    for (const simdjson::dom::element element : array) {
        double number = 0;
        if (element.is_null()) {
            number = std::numeric_limits<double>::quiet_NaN();
        } else if (element.get(number) != simdjson::SUCCESS) {
            return false;
        }
        vector.push_back(static_cast<float>(number));
    }
    return true;
}

class LineReader {
public:
    explicit LineReader(VectorCollector& collector) : collector_(collector) {}

    void read(std::uint64_t line, std::string_view text) {
        simdjson::dom::element document;
        const simdjson::error_code failure = parser_.parse(text.data(), text.size()).get(document);
        if (failure == simdjson::MEMALLOC) {
            throw std::bad_alloc();
        }
        simdjson::dom::object object;
        if (failure != simdjson::SUCCESS || document.get(object) != simdjson::SUCCESS) {
            return collector_.fault(line, ImportFault::kMalformed,
                                    failure != simdjson::SUCCESS
                                        ? simdjson::error_message(failure)
                                        : "no JSON object {\"id\": ..., \"embedding\": [...]}");
        }
        simdjson::dom::element id;
        const bool has_id = object["id"].get(id) == simdjson::SUCCESS ||
                            object["item_Id"].get(id) == simdjson::SUCCESS;
        const std::optional<std::string> key = has_id ? key_of(id) : std::nullopt;
        if (!key) {
            return collector_.fault(
                line, ImportFault::kNoKey,
                has_id ? "the id is neither text nor a whole number" : "there is no \"id\"");
        }
        simdjson::dom::array array;
        if (object["embedding"].get(array) != simdjson::SUCCESS) {
            return collector_.fault(
                line, ImportFault::kNoVector,
                fmt::format("\"{}\" has no array \"embedding\"", shortened(*key)));
        }
        if (!read_numbers(array, vector_)) {
            return collector_.fault(
                line, ImportFault::kMalformed,
                fmt::format("the embedding of \"{}\" has elements that are no numbers",
                            shortened(*key)));
        }
        collector_.add(line, *key, vector_);
    }

private:
    VectorCollector& collector_;
    simdjson::dom::parser parser_;
    std::vector<float> vector_;
};

}  // namespace

Status read_jsonl_vectors(const std::string& path, VectorCollector& collector) {
    const Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
        return file.status();
    }
    const std::span<const std::byte> bytes = file->bytes();
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    LineReader reader(collector);
    for (std::uint64_t line = 1; !rest.empty(); ++line) {
        const std::size_t end = rest.find('\n');
        const std::string_view text = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (split_on_space(text).empty()) {
            continue;
        }
        collector.count_line();
        reader.read(line, text);
    }
    return {};
}

}  // namespace segue
