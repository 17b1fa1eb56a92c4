// Cleaning against the same steps written down as SQL.

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "ingest/ingest.h"
#include "ingest/test_dataset.h"

namespace segue {
namespace {

class RandomTablesTest : public testing::TableTest {
protected:
    /// Rows of skewed groups and items with repetitions, gaps and weights.
    std::string write_rows(std::uint64_t seed) {
        Random random(seed);
        std::string text = "g,i,t,w\n";
        const std::uint64_t num_rows = 200 + random.below(800);
        for (std::uint64_t row = 0; row < num_rows; ++row) {
            const auto skewed = [&](std::uint64_t bound) {
                return random.below(1 + random.below(bound));
            };
            text.append(random.below(50) == 0 ? "" : "g").append(std::to_string(skewed(60)));
            text.append(",").append(random.below(40) == 0 ? "" : std::to_string(skewed(90)));
            text.append(",").append(random.below(9) == 0 ? "" : std::to_string(random.below(2)));
            text.append(",").append(std::to_string(1 + random.below(3))).append("\n");
        }
        return folder_.write("rows-" + std::to_string(seed) + ".csv", text);
    }

    /// (group, item, value) of the cleaned table, sorted, by DuckDB.
    std::vector<std::string> clean_in_sql(const IngestOptions& options) {
        const bool has_weight = !options.weight_column.empty();
        std::string view = "SELECT g, i, t, CAST(w AS DOUBLE) AS w FROM read_csv(" +
                           sql_literal(options.tables[0]) +
                           ", all_varchar=true, header=true) "
                           "WHERE g IS NOT NULL AND i IS NOT NULL";
        view.append(options.drop_null_titles ? " AND t IS NOT NULL" : "");
        if (options.duplicates == Duplicates::kPair) {
            view = "SELECT g, i, sum(w) AS w FROM (" + view + ") GROUP BY g, i";
        } else if (options.duplicates == Duplicates::kRow) {
            view = std::string("SELECT DISTINCT g, i, t").append(has_weight ? ", w" : "") +
                   " FROM (" + view + ")";
        }
        const std::string most = std::to_string(options.max_group_size);
        const std::string sql =
            "WITH v AS (" + view + "), vi AS (SELECT i FROM v GROUP BY i HAVING count(g) >= " +
            std::to_string(options.min_item_frequency) +
            "), vg AS (SELECT g FROM v WHERE i IN (FROM vi) GROUP BY g HAVING count(i) BETWEEN " +
            std::to_string(options.min_group_size) + " AND " + most +
            ") SELECT g || ' ' || i || ' ' || " +
            (has_weight                                ? "sum(w)"
             : options.duplicates == Duplicates::kPair ? "1.0"
                                                       : "CAST(count(*) AS DOUBLE)") +
            " FROM v WHERE i IN (FROM vi) AND g IN (FROM vg) GROUP BY g, i";
        const auto rows = session().query_text(sql);
        EXPECT_TRUE(rows.ok()) << rows.status().message();
        std::vector<std::string> lines;
        for (const auto& row : *rows) {
            lines.push_back(row[0]);
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }

    static std::vector<std::string> lines_of(const Dataset& dataset) {
        std::vector<std::string> lines;
        const SparseView matrix = dataset.interactions.view();
        for (std::size_t group = 0; group < matrix.num_rows; ++group) {
            for (std::size_t entry = 0; entry < matrix.row_size(group); ++entry) {
                const float value = matrix.values.empty() ? 1 : matrix.row_values(group)[entry];
                lines.push_back(std::string(dataset.groups[group])
                                    .append(" ")
                                    .append(dataset.items[matrix.row_columns(group)[entry]])
                                    .append(" ")
                                    .append(std::to_string(static_cast<int>(value)))
                                    .append(".0"));
            }
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }
};

TEST_F(RandomTablesTest, cleaning_equals_the_sql_of_the_blueprint) {
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
        IngestOptions options;
        options.tables = {write_rows(seed)};
        options.group_column = "g";
        options.item_column = "i";
        options.title_column = "t";
        options.weight_column = seed % 2 == 0 ? "" : "w";
        options.duplicates = static_cast<Duplicates>(seed / 2 % 3);
        options.drop_null_titles = seed % 5 < 2;
        options.min_item_frequency = static_cast<std::uint32_t>(1 + seed % 7);
        options.min_group_size = static_cast<std::uint32_t>(1 + seed % 3);
        options.max_group_size = static_cast<std::uint32_t>(12 + seed);
        const Result<IngestedData> data = ingest(options, {});
        ASSERT_TRUE(data.ok()) << data.status().message();
        EXPECT_EQ(lines_of(data->dataset), clean_in_sql(options)) << "seed " << seed;
        const IngestReport& report = data->report;
        EXPECT_EQ(report.rows_read, report.rows_kept + report.dropped.total()) << "seed " << seed;
        EXPECT_EQ(report.num_entries, lines_of(data->dataset).size());
    }
}

TEST_F(RandomTablesTest, any_number_of_threads_gives_the_same_numbers) {
    std::string text = "group,item\n";
    Random random(3);
    for (int row = 0; row < 400000; ++row) {
        text.append(std::to_string(random.below(5000))).append(",");
        text.append(std::to_string(random.below(3000))).append("\n");
    }
    IngestOptions options;
    options.tables = {folder_.write("rows.csv", text)};
    options.num_threads = 1;
    const Result<IngestedData> first = ingest(options, {});
    ASSERT_TRUE(first.ok()) << first.status().message();
    for (const unsigned num_threads : {2u, 5u}) {
        options.num_threads = num_threads;
        const Result<IngestedData> other = ingest(options, {});
        ASSERT_TRUE(other.ok()) << other.status().message();
        EXPECT_EQ(testing::to_text(other->dataset), testing::to_text(first->dataset));
    }
}

}  // namespace
}  // namespace segue
