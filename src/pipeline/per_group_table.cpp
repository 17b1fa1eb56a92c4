#include "pipeline/per_group_table.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tables/session.h"
#include "tables/table_writer.h"

namespace segue {

namespace {

std::vector<OutputColumn> columns_of(const EvaluateReport& report) {
    std::vector<OutputColumn> columns = {{"recipe", OutputColumn::Type::kText},
                                         {"group", OutputColumn::Type::kText}};
    const ModelReport& first = report.models.front();
    for (const Judgement* judgement : {&first.group_lists, &first.item_lists}) {
        for (const std::string& name : judgement->group_metric_names) {
            columns.push_back({name, OutputColumn::Type::kDouble});
        }
    }
    return columns;
}

/// The metrics of the group at `place` of a judgement, or `num_metrics` empty cells.
void write_metrics(const Judgement& judgement, bool is_judged, std::size_t place,
                   std::size_t num_metrics, TableWriter& writer) {
    for (std::size_t metric = 0; metric < num_metrics; ++metric) {
        if (is_judged) {
            writer.number(judgement.group_values[place * num_metrics + metric]);
        } else {
            writer.null();
        }
    }
}

void write_model(const ModelReport& model, std::size_t num_item_metrics, const Vocabulary& groups,
                 TableWriter& writer) {
    const Judgement& lists = model.group_lists;
    const Judgement& items = model.item_lists;
    std::size_t item_place = 0;
    for (std::size_t place = 0; place < lists.group_rows.size(); ++place) {
        const std::uint32_t group_row = lists.group_rows[place];
        while (item_place < items.group_rows.size() && items.group_rows[item_place] < group_row) {
            ++item_place;
        }
        const bool asked_with_an_item =
            item_place < items.group_rows.size() && items.group_rows[item_place] == group_row;
        writer.text(model.title());
        writer.text(groups[group_row]);
        write_metrics(lists, true, place, lists.group_metric_names.size(), writer);
        write_metrics(items, asked_with_an_item, item_place, num_item_metrics, writer);
        writer.end_row();
    }
}

}  // namespace

Status write_per_group(const EvaluateReport& report, const Vocabulary& groups,
                       const std::string& path, bool overwrite) {
    SEGUE_ASSERT(!report.models.empty() && !report.models.front().group_lists.group_rows.empty());
    Result<Session> session = Session::open({});
    if (!session.ok()) {
        return session.status();
    }
    Result<TableWriter> writer = TableWriter::create(*session, path, columns_of(report), overwrite);
    if (!writer.ok()) {
        return writer.status();
    }
    const std::size_t num_item_metrics = report.models.front().item_lists.group_metric_names.size();
    for (const ModelReport& model : report.models) {
        write_model(model, num_item_metrics, groups, *writer);
    }
    return writer->commit();
}

}  // namespace segue
