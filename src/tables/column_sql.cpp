#include "tables/column_sql.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace segue {

namespace {

enum class TypeFamily { kSmallInteger, kLargeInteger, kFraction, kTime, kText, kNested, kOther };

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

TypeFamily family_of(std::string_view type) {
    constexpr std::array<std::string_view, 7> kFitBigint = {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"};
    for (const std::string_view name : kFitBigint) {
        if (type == name) {
            return TypeFamily::kSmallInteger;
        }
    }
    if (type == "UBIGINT" || type == "HUGEINT" || type == "UHUGEINT") {
        return TypeFamily::kLargeInteger;
    }
    if (type == "FLOAT" || type == "DOUBLE" || starts_with(type, "DECIMAL")) {
        return TypeFamily::kFraction;
    }
    if (type == "DATE" || starts_with(type, "TIMESTAMP")) {
        return TypeFamily::kTime;
    }
    if (type.find('[') != std::string_view::npos || starts_with(type, "STRUCT") ||
        starts_with(type, "MAP") || starts_with(type, "UNION")) {
        return TypeFamily::kNested;
    }
    return type == "VARCHAR" || starts_with(type, "ENUM") ? TypeFamily::kText : TypeFamily::kOther;
}

std::string text_of_fraction(const std::string& cell) {
    // 2^53: whole numbers above it are not told apart by a double.
    return fmt::format(
        "CASE WHEN isnan(CAST({0} AS DOUBLE)) THEN NULL "
        "WHEN abs({0}) < 9007199254740992 AND {0} = trunc({0}) THEN CAST(CAST({0} AS BIGINT) AS "
        "VARCHAR) "
        "ELSE CAST({0} AS VARCHAR) END",
        cell);
}

Status unusable(const ColumnInfo& column, std::string_view as) {
    return invalid_argument(fmt::format("column '{}' has the type {} and cannot be used as {}",
                                        column.name, column.type, as));
}

}  // namespace

Result<ColumnExpression> expression_of(const ColumnInfo& column, ColumnUse use) {
    const std::string cell = sql_identifier(column.name);
    const TypeFamily family = family_of(column.type);
    if (use == ColumnUse::kKey || use == ColumnUse::kText) {
        if (family == TypeFamily::kSmallInteger && use == ColumnUse::kKey) {
            return ColumnExpression{fmt::format("CAST({} AS BIGINT)", cell),
                                    ColumnView::Kind::kInteger};
        }
        if (family == TypeFamily::kFraction) {
            return ColumnExpression{text_of_fraction(cell), ColumnView::Kind::kText};
        }
        if (family == TypeFamily::kNested && use == ColumnUse::kKey) {
            return unusable(column, "a key; unnest it with --sql");
        }
        return ColumnExpression{fmt::format("CAST({} AS VARCHAR)", cell), ColumnView::Kind::kText};
    }
    const bool is_number = family == TypeFamily::kSmallInteger ||
                           family == TypeFamily::kLargeInteger || family == TypeFamily::kFraction;
    if (is_number) {
        return ColumnExpression{fmt::format("CAST({} AS DOUBLE)", cell), ColumnView::Kind::kNumber};
    }
    if (family == TypeFamily::kTime && use == ColumnUse::kTime) {
        return ColumnExpression{fmt::format("epoch({})", cell), ColumnView::Kind::kNumber};
    }
    if (family == TypeFamily::kText) {
        const std::string as_time =
            use == ColumnUse::kTime ? fmt::format("epoch(TRY_CAST({} AS TIMESTAMP)), ", cell) : "";
        return ColumnExpression{
            fmt::format("CASE WHEN {0} IS NULL OR {0} = '' THEN NULL "
                        "ELSE coalesce(TRY_CAST({0} AS DOUBLE), {1}CAST('nan' AS DOUBLE)) END",
                        cell, as_time),
            ColumnView::Kind::kNumber};
    }
    return unusable(column, use == ColumnUse::kTime ? "a time" : "a number");
}

std::string json_type_of(const ColumnInfo& column, ColumnUse use) {
    const TypeFamily family = family_of(column.type);
    const bool is_text_use = use == ColumnUse::kKey || use == ColumnUse::kText;
    if (is_text_use && family != TypeFamily::kFraction && family != TypeFamily::kNested) {
        return "VARCHAR";
    }
    return column.type;
}

}  // namespace segue
