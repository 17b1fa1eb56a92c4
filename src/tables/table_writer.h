#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tables/session.h"

namespace segue {

struct OutputColumn {
    enum class Type { kText, kInteger, kFloat, kDouble, kFloatList };
    std::string name;
    Type type = Type::kText;
};

/// Returns an error if: TableWriter would refuse the name, as it tells no format that is written.
Status check_table_name(const std::string& path);

/// Writes a table to a .csv, .tsv, .jsonl (.json, .ndjson) or .parquet file, .csv and .jsonl also
/// with .gz or .zst behind; the format is told by the name. Rows are gathered in the session's
/// memory (spilled when that is short) and written by commit() under a temporary name that is
/// renamed; without commit() no file is left.
///
///     writer->text(key); writer->number(0.5); writer->end_row();
///
/// Cells come in the order of the columns. Errors of cells and rows are kept and returned by
/// commit(). Move-only. Not thread-safe. Must not outlive its Session.
class TableWriter {
public:
    /// Returns an error if: the name tells no format that is written, the file exists and
    /// `overwrite` is false, its folder cannot be written to, or there is no column or two of one
    /// name.
    static Result<TableWriter> create(Session& session, const std::string& path,
                                      std::vector<OutputColumn> columns, bool overwrite);
    TableWriter(TableWriter&&) noexcept;
    TableWriter& operator=(TableWriter&&) = delete;
    ~TableWriter();

    /// The next cell of the row. Requires: the type of its column agrees (number() serves kFloat
    /// and kDouble).
    void text(std::string_view cell);
    void integer(std::int64_t cell);
    void number(double cell);
    void floats(std::span<const float> cell);
    void null();
    /// Requires: the row has a cell for each column.
    void end_row();

    /// Returns an error if: a text cell was not UTF-8, memory ran out, or the disk is full.
    Status commit();

private:
    struct State;
    explicit TableWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace segue
