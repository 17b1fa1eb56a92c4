// segue neighbours: every item's list in one table.

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/list_output.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "recommend/recommend.h"

namespace segue::cli {
namespace {

struct NeighboursArguments {
    static constexpr std::string_view kName = "neighbours";
    static constexpr std::string_view kSummary = "Write the list of similar items of every item.";
    ModelArguments model;
    bool all = false;
    ListArguments lists;

    void declare(Options& options) {
        model.declare(options);
        options.flag("all", all, "of every item (segue similar answers for one)");
        lists.declare(options, "add the titles of both items");
        options.example("Twenty neighbours of every song",
                        "segue neighbours songs.segue --all --k 20 --out neighbours.csv");
    }
    Status check() const {
        if (!all) {
            return invalid_argument("say --all for every item; segue similar answers for one");
        }
        return lists.check();
    }
    Status run(Console& console) const;
};

/// Whether the model knows in how many groups two items both are.
bool tells_together(const Model& model) {
    return !model.item_frequencies().empty() &&
           (!model.neighbours().together.empty() || model.interactions().num_rows > 0);
}

std::vector<OutputColumn> columns_for(const Model& model, bool titles) {
    using Type = OutputColumn::Type;
    std::vector<OutputColumn> columns = {{"item", Type::kText},
                                         {"rank", Type::kInteger},
                                         {"neighbour", Type::kText},
                                         {"score", Type::kFloat}};
    if (!model.item_frequencies().empty()) {
        columns.push_back({"frequency1", Type::kInteger});
        columns.push_back({"frequency2", Type::kInteger});
    }
    if (tells_together(model)) {
        columns.push_back({"together", Type::kInteger});
    }
    if (titles) {
        columns.push_back({"title", Type::kText});
        columns.push_back({"neighbour_title", Type::kText});
    }
    return columns;
}

/// Null where neither list holds the other item and no histories are stored.
void write_together(const std::optional<Evidence>& evidence, TableWriter& writer) {
    if (evidence) {
        writer.integer(evidence->together);
    } else {
        writer.null();
    }
}

/// Writes the lists of items [begin, begin + number of lists).
std::uint64_t write_block(const Model& model, const Recommender& recommender,
                          const NeighboursView& lists, std::size_t begin, bool titles,
                          TableWriter& writer) {
    const std::span<const std::uint32_t> frequencies = model.item_frequencies();
    const bool has_together = tells_together(model);
    for (std::size_t list = 0; list < lists.num_items(); ++list) {
        const std::size_t item_row = begin + list;
        for (std::size_t place = 0; place < lists.list_size(list); ++place) {
            const std::size_t entry = lists.offsets[list] + place;
            const std::uint32_t neighbour_row = lists.item_rows[entry];
            writer.text(model.item_keys()[item_row]);
            writer.integer(static_cast<std::int64_t>(place + 1));
            writer.text(model.item_keys()[neighbour_row]);
            writer.number(lists.scores[entry]);
            if (!frequencies.empty()) {
                writer.integer(frequencies[item_row]);
                writer.integer(frequencies[neighbour_row]);
            }
            if (has_together) {
                write_together(
                    recommender.evidence(static_cast<std::uint32_t>(item_row), neighbour_row),
                    writer);
            }
            if (titles) {
                writer.text((*model.titles())[item_row]);
                writer.text((*model.titles())[neighbour_row]);
            }
            writer.end_row();
        }
    }
    return lists.item_rows.size();
}

Status NeighboursArguments::run(Console& console) const {
    const Stopwatch clock;
    const Result<Model> opened = lists.titles ? model.open_with_titles() : model.open();
    if (!opened.ok()) {
        return opened.status();
    }
    const Recommender recommender(*opened);
    ThreadPool pool(lists.threads);
    const std::size_t num_others = std::max<std::size_t>(1, opened->num_items()) - 1;
    const BatchOptions batch = {.k = std::min<std::size_t>(lists.k, num_others),
                                .popularity_exponent = lists.popularity_exponent,
                                .search = lists.search()};
    std::uint64_t num_rows = 0;
    const ProgressListener progress = console.progress();
    const Status status = write_lists(
        lists.out, columns_for(*opened, lists.titles), lists.force, opened->num_items(), batch.k,
        [&](std::size_t begin, std::size_t end, TableWriter& writer) {
            std::vector<std::uint32_t> item_rows(end - begin);
            std::iota(item_rows.begin(), item_rows.end(), static_cast<std::uint32_t>(begin));
            const Result<Neighbours> found = recommender.similar_items(
                item_rows, batch, pool,
                progress_of_block(progress, begin, end, opened->num_items()));
            if (!found.ok()) {
                return found.status();
            }
            num_rows +=
                write_block(*opened, recommender, found->view(), begin, lists.titles, writer);
            return Status();
        });
    if (!status.ok()) {
        return status;
    }
    if (lists.json) {
        JsonWriter writer;
        writer.begin_object().key("out").value(lists.out).key("rows").value(num_rows);
        writer.key("items").value(static_cast<std::uint64_t>(opened->num_items()));
        console.print_line(writer.key("seconds").value(clock.seconds()).end_object().text());
    } else {
        console.print_line(fmt::format("{} rows for {} items in {}, {}", with_commas(num_rows),
                                       with_commas(opened->num_items()), printable(lists.out),
                                       seconds_text(clock.seconds())));
    }
    const std::string_view first = opened->num_items() > 0 ? opened->item_keys()[0] : "";
    console.suggest_next(fmt::format("segue similar {} --item {} --explain",
                                     shell_quoted(model.file), shell_quoted(first)));
    return {};
}

}  // namespace

Verb neighbours_verb() {
    return verb_of<NeighboursArguments>();
}

}  // namespace segue::cli
