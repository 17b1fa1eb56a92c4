#include "cli/text_table.h"

#include <algorithm>

#include "base/status.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

void append_cell(std::string& line, const std::string& cell, std::size_t width,
                 TextTable::Align align) {
    const std::size_t padding = width - std::min(width, display_width(cell));
    if (align == TextTable::Align::kRight) {
        line.append(padding, ' ');
    }
    line += cell;
    if (align == TextTable::Align::kLeft) {
        line.append(padding, ' ');
    }
}

}  // namespace

void TextTable::add_row(std::vector<std::string> cells) {
    SEGUE_ASSERT(cells.size() == columns_.size());
    for (std::size_t column = 0; column < cells.size(); ++column) {
        cells[column] = clipped(printable(cells[column]), columns_[column].max_width);
    }
    rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<std::size_t> widths;
    std::vector<std::string> headings;
    bool any_heading = false;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        headings.push_back(columns_[column].heading);
        any_heading = any_heading || !headings.back().empty();
        std::size_t width = display_width(headings.back());
        for (const std::vector<std::string>& row : rows_) {
            width = std::max(width, display_width(row[column]));
        }
        widths.push_back(width);
    }
    std::string text;
    const auto append_row = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            line.append(column == 0 ? 0 : 2, ' ');
            append_cell(line, cells[column], widths[column], columns_[column].align);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    };
    if (any_heading) {
        append_row(headings);
    }
    for (const std::vector<std::string>& row : rows_) {
        append_row(row);
    }
    return text;
}

}  // namespace segue::cli
