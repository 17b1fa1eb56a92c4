#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "recommend/recommend.h"
#include "recommend/refined_answers.h"
#include "serve/served_model.h"
#include "serve/warm_up.h"
#include "targets.h"

namespace segue::fuzz {
namespace {

/// The bytes under a path, without a file on any disk.
class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes)
        : descriptor_(::memfd_create("bundle", MFD_CLOEXEC)) {
        require(
            ::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
            "there is memory for a file");
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(descriptor_); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

std::vector<Query> queries_for(const Model& model) {
    std::vector<std::string> keys;
    for (std::size_t row = 0; row < std::min<std::size_t>(model.num_items(), 4); ++row) {
        keys.emplace_back(model.item_keys()[row]);
    }
    std::vector<Query> queries;
    for (const std::string& key : keys) {
        queries.emplace_back().items = {{key, 1}};
    }
    if (keys.size() > 1) {
        queries.emplace_back().items = {{keys[0], 1}, {keys[1], -2}};
        queries.emplace_back().history = keys;
        queries.emplace_back(queries.front()).exclude = {keys[1]};
        queries.back().popularity_exponent = 1.5;
    }
    if (model.group_keys().size() > 0) {
        queries.emplace_back().group_key = std::string(model.group_keys()[0]);
    }
    for (const SearchPath path : {SearchPath::kAuto, SearchPath::kExact, SearchPath::kTree}) {
        Query& query = queries.emplace_back();
        query.vector.assign(model.item_vectors().dim, 0.25F);
        query.search.path = path;
    }
    return queries;
}

void expect_well_formed(const std::vector<ScoredRow>& results, const Model& model) {
    require(results.size() <= model.num_items(), "no more results than items");
    for (const ScoredRow& result : results) {
        require(result.item_row < model.num_items(), "a result is an item");
        require(std::isfinite(result.score), "a score is finite");
    }
}

void ask(const serve::ServedModel& served) {
    const Model& model = served.model();
    for (const Query& query : queries_for(model)) {
        const Result<Answer> answer = served.recommender().answer(query);
        if (answer.ok()) {
            expect_well_formed(answer->results, model);
        }
        RefinedQuery refined;
        refined.query = query;
        refined.mmr = model.item_vectors().num_rows > 0 ? 0.5 : 0;
        if (!model.attribute_names().empty()) {
            const std::string& name = model.attribute_names()[0];
            refined.cap = {name, 1};
            AttributeCondition& condition = refined.filter.must_not.emplace_back();
            condition.attribute = name;
            condition.prefix = "x";
        }
        const Result<RefinedAnswer> chosen = served.answers().answer(refined);
        if (chosen.ok()) {
            expect_well_formed(chosen->results, model);
        }
    }
    for (std::uint32_t row = 0; row < std::min<std::size_t>(model.num_items(), 8); ++row) {
        const auto evidence = served.recommender().evidence(0, row);
        require(!evidence || std::isfinite(evidence->pmi), "evidence is finite");
    }
    for (const TitleMatch& match : served.recommender().find_titles("song a", 3)) {
        require(match.item_row < model.num_items(), "a title is of an item");
    }
}

}  // namespace

void bundle(std::span<const std::uint8_t> input) {
    const MemoryFile file(input);
    Result<Model> model = Model::open(file.path(), {.verify_checksums = false});
    if (!model.ok()) {
        require(!model.status().message().empty(), "a refusal has a reason");
        return;
    }
    const serve::ServedModel served({"m", 1}, std::move(*model));
    static_cast<void>(serve::warm_up(served).ok());
    ask(served);
}

}  // namespace segue::fuzz
