#include "ingest/generate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tables/table_writer.h"

namespace segue {

namespace {

constexpr std::uint64_t kMostRows = std::uint64_t{1} << 32;
/// Draws before an item may come twice in a group.
constexpr int kMostDraws = 16;
constexpr std::uint64_t kGroupsBetweenReports = std::uint64_t{1} << 16;

// Streams of random numbers; groups have the ones from kFirstGroupStream on.
constexpr std::uint64_t kSizesStream = 0;
constexpr std::uint64_t kFirstGroupStream = 1;

/// An item, and where it stands: rank `rank` of genre `genre`.
struct DrawnItem {
    std::uint32_t genre = 0;
    std::uint32_t rank = 0;
};

/// Items of genre g are the ranks 0, 1, ... with rank * num_genres + g < num_items.
class Catalogue {
public:
    explicit Catalogue(const GenerateOptions& options)
        : num_items_(options.num_items), num_genres_(std::min(options.num_genres, num_items_)) {
        const std::uint32_t longest = (num_items_ + num_genres_ - 1) / num_genres_;
        double sum = 0;
        for (std::uint32_t rank = 0; rank < longest; ++rank) {
            sum += std::pow(rank + 1.0, -options.zipf_exponent);
            cumulative_.push_back(sum);
        }
        // A step that shares no factor with the number of items visits each once.
        step_ = num_items_ / 2 + num_items_ / 8 + 1;
        while (std::gcd(step_, num_items_) != 1) {
            ++step_;
        }
    }

    std::uint32_t num_genres() const { return num_genres_; }

    DrawnItem draw(std::uint32_t genre, Random& random) const {
        const std::uint32_t num_ranks = (num_items_ - genre + num_genres_ - 1) / num_genres_;
        const double target = random.uniform() * cumulative_[num_ranks - 1];
        const auto place =
            std::upper_bound(cumulative_.begin(), cumulative_.begin() + num_ranks - 1, target);
        return {genre, static_cast<std::uint32_t>(place - cumulative_.begin())};
    }

    /// From 1, each item its own, spread so that the key does not tell the popularity.
    std::int64_t key_of(const DrawnItem& item) const {
        const std::uint64_t number = std::uint64_t{item.rank} * num_genres_ + item.genre;
        return static_cast<std::int64_t>(number * step_ % num_items_) + 1;
    }

private:
    std::uint32_t num_items_;
    std::uint32_t num_genres_;
    std::uint64_t step_ = 1;
    std::vector<double> cumulative_;
};

/// Where each group ends: exactly num_rows rows in num_groups groups, one in each at least.
std::vector<std::uint64_t> draw_group_ends(std::uint64_t num_rows, std::uint64_t num_groups,
                                           std::uint64_t seed) {
    Random random(seed, kSizesStream);
    std::vector<double> cumulative(num_groups);
    double sum = 0;
    for (double& value : cumulative) {
        sum += -std::log1p(-random.uniform()) + 1e-9;
        value = sum;
    }
    std::vector<std::uint64_t> ends(num_groups);
    const auto spread = static_cast<double>(num_rows - num_groups);
    for (std::uint64_t group = 0; group < num_groups; ++group) {
        ends[group] = group + 1 + static_cast<std::uint64_t>(spread * (cumulative[group] / sum));
    }
    ends.back() = num_rows;
    return ends;
}

class RowWriter {
public:
    RowWriter(const GenerateOptions& options, TableWriter& writer)
        : options_(options), catalogue_(options), writer_(writer) {}

    void write_group(std::uint64_t group, std::uint64_t size) {
        Random random(options_.seed, kFirstGroupStream + group);
        const auto own = static_cast<std::uint32_t>(random.below(catalogue_.num_genres()));
        keys_.clear();
        for (std::uint64_t row = 0; row < size; ++row) {
            DrawnItem item;
            for (int draw = 0; draw < kMostDraws; ++draw) {
                const bool is_own = random.uniform() < options_.genre_share;
                item = catalogue_.draw(
                    is_own ? own
                           : static_cast<std::uint32_t>(random.below(catalogue_.num_genres())),
                    random);
                if (std::find(keys_.begin(), keys_.end(), catalogue_.key_of(item)) == keys_.end()) {
                    break;
                }
            }
            keys_.push_back(catalogue_.key_of(item));
            write_row(group, item);
        }
    }

private:
    void write_row(std::uint64_t group, const DrawnItem& item) {
        writer_.integer(static_cast<std::int64_t>(group) + 1);
        writer_.integer(keys_.back());
        if (options_.with_titles) {
            text_ = fmt::format("Genre {} song {}", item.genre + 1, item.rank + 1);
            writer_.text(text_);
            writer_.text(std::string_view(text_).substr(0, text_.find(" song")));
        }
        writer_.end_row();
    }

    const GenerateOptions& options_;
    Catalogue catalogue_;
    TableWriter& writer_;
    std::vector<std::int64_t> keys_;  // of the group so far
    std::string text_;
};

}  // namespace

Status GenerateOptions::validate() const {
    if (num_rows == 0 || num_items == 0 || num_genres == 0) {
        return invalid_argument("a table needs at least one row, item and genre");
    }
    if (num_rows > kMostRows || num_groups > num_rows) {
        return invalid_argument(
            fmt::format("{} rows in {} groups: at most {} rows, and at least one a group", num_rows,
                        num_groups, kMostRows));
    }
    if (!(mean_group_size >= 1) || !(zipf_exponent >= 0 && zipf_exponent <= 10) ||
        !(genre_share >= 0 && genre_share <= 1)) {
        return invalid_argument(
            "the mean group size is at least 1, the Zipf exponent 0 to 10, the genre share 0 to 1");
    }
    return Status();
}

namespace {

Status generate_or_throw(const GenerateOptions& options, const std::string& path, bool overwrite,
                         const ProgressListener& listener) {
    if (Status status = options.validate(); !status.ok()) {
        return status;
    }
    Result<Session> session =
        Session::open({.num_threads = options.num_threads, .memory_limit_bytes = 0});
    if (!session.ok()) {
        return session.status();
    }
    std::vector<OutputColumn> columns = {{"group", OutputColumn::Type::kInteger},
                                         {"item", OutputColumn::Type::kInteger}};
    if (options.with_titles) {
        columns.push_back({"title", OutputColumn::Type::kText});
        columns.push_back({"genre", OutputColumn::Type::kText});
    }
    Result<TableWriter> writer = TableWriter::create(*session, path, std::move(columns), overwrite);
    if (!writer.ok()) {
        return writer.status();
    }
    const auto wanted_groups =
        static_cast<std::uint64_t>(static_cast<double>(options.num_rows) / options.mean_group_size);
    const std::uint64_t num_groups =
        options.num_groups != 0 ? options.num_groups : std::max<std::uint64_t>(1, wanted_groups);
    const std::vector<std::uint64_t> ends =
        draw_group_ends(options.num_rows, num_groups, options.seed);
    RowWriter rows(options, *writer);
    for (std::uint64_t group = 0; group < num_groups; ++group) {
        const std::uint64_t begin = group == 0 ? 0 : ends[group - 1];
        rows.write_group(group, ends[group] - begin);
        if (group % kGroupsBetweenReports == kGroupsBetweenReports - 1) {
            report(listener, {"generate", ends[group], options.num_rows, "rows", {}});
        }
    }
    report(listener, {"generate", options.num_rows, options.num_rows, "rows", {}});
    return writer->commit();
}

}  // namespace

Status generate_table(const GenerateOptions& options, const std::string& path, bool overwrite,
                      const ProgressListener& listener) {
    try {
        return generate_or_throw(options, path, overwrite, listener);
    } catch (const std::bad_alloc&) {
        return resource_limit("a table of that many groups or items does not fit into memory");
    }
}

}  // namespace segue
