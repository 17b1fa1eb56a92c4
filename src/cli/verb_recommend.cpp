// segue recommend: what groups might take next, without what they have.

#include <fmt/core.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/histories.h"
#include "cli/list_output.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/wording.h"
#include "recommend/recommend.h"

namespace segue::cli {
namespace {

struct RecommendArguments {
    static constexpr std::string_view kName = "recommend";
    static constexpr std::string_view kSummary = "Write recommendations for groups to a table.";
    ModelArguments model;
    std::vector<std::string> groups;
    std::vector<std::string> tables;
    std::string group_column;
    std::string item_column;
    bool all = false;
    ListArguments lists;

    void declare(Options& options) {
        model.declare(options);
        options.greedy_list("group", groups, "KEY", "groups of the training data");
        options.list("groups", tables, "TABLE", "a table that names them, one a row");
        options.text("group-column", group_column, "COL",
                     "the column of the table with their keys (group, or the only one)");
        options.text("item-column", item_column, "COL",
                     "take the table's (group, item) rows as the histories, also of new groups");
        options.flag("all", all, "every group of the training data");
        lists.declare(options, "add the titles of the items");
        options.example("Twenty songs for every playlist",
                        "segue recommend songs.segue --all --k 20 --out lists.parquet");
        options.example("For people nobody has seen before",
                        "segue recommend songs.segue --groups new.csv --group-column user "
                        "--item-column song --out lists.csv");
    }
    Status check() const {
        const int ways = (groups.empty() ? 0 : 1) + (tables.empty() ? 0 : 1) + (all ? 1 : 0);
        if (ways != 1) {
            return invalid_argument("say for whom: one of --group, --groups and --all");
        }
        if (tables.empty() && (!group_column.empty() || !item_column.empty())) {
            return invalid_argument("--group-column and --item-column belong to --groups");
        }
        return lists.check();
    }
    Status run(Console& console) const;
    Result<Histories> histories_of(const Model& opened) const;
};

Result<Histories> RecommendArguments::histories_of(const Model& opened) const {
    if (!tables.empty()) {
        return table_histories(opened, {tables, group_column, item_column});
    }
    return stored_histories(opened, groups);
}

/// Groups and histories, of the model itself or gathered.
struct Audience {
    StringTableView group_keys;
    SparseView items;
};

class ListWriter {
public:
    ListWriter(const Model& model, const Audience& audience, bool titles)
        : model_(model), audience_(audience), titles_(titles) {}

    std::vector<OutputColumn> columns() const {
        using Type = OutputColumn::Type;
        std::vector<OutputColumn> columns = {{"group", Type::kText},
                                             {"rank", Type::kInteger},
                                             {"item", Type::kText},
                                             {"score", Type::kFloat}};
        if (titles_) {
            columns.push_back({"title", Type::kText});
        }
        return columns;
    }
    void write(const NeighboursView& lists, std::size_t begin, TableWriter& writer) {
        for (std::size_t list = 0; list < lists.num_items(); ++list) {
            for (std::size_t place = 0; place < lists.list_size(list); ++place) {
                const std::size_t entry = lists.offsets[list] + place;
                const std::uint32_t item_row = lists.item_rows[entry];
                writer.text(audience_.group_keys[begin + list]);
                writer.integer(static_cast<std::int64_t>(place + 1));
                writer.text(model_.item_keys()[item_row]);
                writer.number(lists.scores[entry]);
                if (titles_) {
                    writer.text((*model_.titles())[item_row]);
                }
                writer.end_row();
            }
        }
        num_rows_ += lists.item_rows.size();
    }
    std::uint64_t num_rows() const { return num_rows_; }

private:
    const Model& model_;
    const Audience& audience_;
    bool titles_;
    std::uint64_t num_rows_ = 0;
};

void warn_of_unknown(const Histories& histories, Console& console) {
    if (histories.num_unknown_groups > 0) {
        console.warn(printable(fmt::format(
            "groups that are not in the model: {} ({})", with_commas(histories.num_unknown_groups),
            named(histories.unknown_groups, histories.num_unknown_groups))));
    }
    if (histories.num_unknown_items > 0) {
        console.warn(fmt::format("{} rows name items that are not in the model",
                                 with_commas(histories.num_unknown_items)));
    }
}

Status RecommendArguments::run(Console& console) const {
    const Stopwatch clock;
    const Result<Model> opened = lists.titles ? model.open_with_titles() : model.open();
    if (!opened.ok()) {
        return opened.status();
    }
    Histories gathered;
    Audience audience = {opened->group_keys(), opened->interactions()};
    if (!all) {
        Result<Histories> found = histories_of(*opened);
        if (!found.ok()) {
            return found.status();
        }
        gathered = std::move(found).value();
        audience = {gathered.groups.keys(), gathered.items.view()};
        warn_of_unknown(gathered, console);
    }
    if (audience.items.num_rows == 0) {
        return not_found(all ? "this model stores no groups"
                             : "none of the groups asked for is in the model");
    }
    const Recommender recommender(*opened);
    ThreadPool pool(lists.threads);
    const BatchOptions batch = {.k = std::min<std::size_t>(lists.k, opened->num_items()),
                                .popularity_exponent = lists.popularity_exponent,
                                .search = lists.search()};
    ListWriter lists_out(*opened, audience, lists.titles);
    const ProgressListener progress = console.progress();
    const Status status =
        write_lists(lists.out, lists_out.columns(), lists.force, audience.items.num_rows, batch.k,
                    [&](std::size_t begin, std::size_t end, TableWriter& writer) {
                        const SparseMatrix block = rows_between(audience.items, begin, end);
                        const Result<Neighbours> made = recommender.recommend_histories(
                            block.view(), batch, pool,
                            progress_of_block(progress, begin, end, audience.items.num_rows));
                        if (!made.ok()) {
                            return made.status();
                        }
                        lists_out.write(made->view(), begin, writer);
                        return Status();
                    });
    if (!status.ok()) {
        return status;
    }
    if (lists.json) {
        JsonWriter writer;
        writer.begin_object().key("out").value(lists.out).key("rows").value(lists_out.num_rows());
        writer.key("groups").value(static_cast<std::uint64_t>(audience.items.num_rows));
        writer.key("unknown_groups").value(gathered.num_unknown_groups);
        writer.key("unknown_items").value(gathered.num_unknown_items);
        console.print_line(writer.key("seconds").value(clock.seconds()).end_object().text());
    } else {
        console.print_line(fmt::format("{} rows for {} groups in {}, {}",
                                       with_commas(lists_out.num_rows()),
                                       with_commas(audience.items.num_rows), printable(lists.out),
                                       seconds_text(clock.seconds())));
    }
    console.suggest_next(
        fmt::format("segue neighbours {} --all --out neighbours.csv", shell_quoted(model.file)));
    return {};
}

}  // namespace

Verb recommend_verb() {
    return verb_of<RecommendArguments>();
}

}  // namespace segue::cli
