#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

/// Lines up cells in columns for people to read: UTF-8 aware, cells made printable, two spaces
/// between columns, no trailing space. Not thread-safe.
class TextTable {
public:
    enum class Align { kLeft, kRight };
    struct Column {
        std::string heading;
        Align align = Align::kLeft;
        std::size_t max_width = 60;
    };

    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// Requires: one cell for each column.
    void add_row(std::vector<std::string> cells);
    /// Headings (unless all are empty) and rows, each line ended.
    std::string text() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace segue::cli
