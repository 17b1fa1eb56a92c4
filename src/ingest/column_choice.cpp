#include "ingest/column_choice.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/text.h"

namespace segue {

namespace {

// Names in lower case without _, - and blanks; the more telling ones first.
constexpr std::array<std::string_view, 28> kGroupNames = {
    "groupid", "group",         "listid",      "playlistid", "playlist", "basketid",
    "basket",  "invoiceno",     "invoiceid",   "invoice",    "orderid",  "orderno",
    "order",   "transactionid", "transaction", "sessionid",  "session",  "userid",
    "user",    "customerid",    "customer",    "memberid",   "member",   "visitorid",
    "visitor", "list",          "pid",         "uid"};
constexpr std::array<std::string_view, 28> kItemNames = {
    "itemid",    "item",    "trackid",   "track",   "trackuri", "songid",     "song",
    "movieid",   "movie",   "productid", "product", "sku",      "stockcode",  "asin",
    "articleid", "article", "artistid",  "artist",  "animeid",  "anime",      "bookid",
    "book",      "isbn",    "videoid",   "video",   "poiid",    "locationid", "iid"};
constexpr std::array<std::string_view, 15> kTitleNames = {
    "title",     "tracktitle", "trackname",  "songtitle",   "songname",
    "itemtitle", "itemname",   "movietitle", "productname", "producttitle",
    "name",      "booktitle",  "artistname", "description", "label"};
constexpr std::array<std::string_view, 3> kItemKeyNames = {"id", "key", "animeids"};

std::string normalised(std::string_view name) {
    std::string text = to_lower_ascii(name.substr(0, name.find(':')));
    std::erase_if(text, [](char c) { return c == '_' || c == '-' || c == ' '; });
    return text;
}

std::optional<std::size_t> first_named(const Table& table, std::span<const std::string_view> names,
                                       const std::vector<std::size_t>& taken) {
    for (const std::string_view name : names) {
        for (std::size_t column = 0; column < table.columns().size(); ++column) {
            if (normalised(table.columns()[column].name) == name &&
                std::find(taken.begin(), taken.end(), column) == taken.end()) {
                return column;
            }
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(ColumnRole role) {
    switch (role) {
        case ColumnRole::kGroup:
            return "group";
        case ColumnRole::kItem:
            return "item";
        case ColumnRole::kTitle:
            return "title";
        case ColumnRole::kItemKey:
            return "item key";
    }
    return "";
}

std::optional<std::size_t> guess_column(const Table& table, ColumnRole role,
                                        const std::vector<std::size_t>& taken) {
    switch (role) {
        case ColumnRole::kGroup:
            return first_named(table, kGroupNames, taken);
        case ColumnRole::kItem:
            return first_named(table, kItemNames, taken);
        case ColumnRole::kTitle:
            return first_named(table, kTitleNames, taken);
        case ColumnRole::kItemKey: {
            const auto column = first_named(table, kItemNames, taken);
            return column ? column : first_named(table, kItemKeyNames, taken);
        }
    }
    return std::nullopt;
}

Result<std::size_t> choose_column(const Table& table, ColumnRole role, std::string_view name,
                                  const std::vector<std::size_t>& taken,
                                  std::vector<ColumnGuess>& guesses) {
    if (!name.empty()) {
        return table.find_column(name);
    }
    std::optional<std::size_t> column = guess_column(table, role, taken);
    const bool is_pair = table.columns().size() == 2;
    if (!column && is_pair && (role == ColumnRole::kGroup || role == ColumnRole::kItem)) {
        const std::size_t usual = role == ColumnRole::kGroup ? 0 : 1;
        const bool is_taken = std::find(taken.begin(), taken.end(), usual) != taken.end();
        column = is_taken ? 1 - usual : usual;
    }
    if (!column) {
        std::string names;
        for (const ColumnInfo& info : table.columns()) {
            names += (names.empty() ? "" : ", ") + info.name;
        }
        const std::string_view flag = role == ColumnRole::kItemKey ? "item-key" : name_of(role);
        return invalid_argument(fmt::format("which column of {} is the {}? Say --{} with one of {}",
                                            table.description(), name_of(role), flag, names));
    }
    guesses.push_back({std::string(name_of(role)), table.columns()[*column].name});
    return *column;
}

}  // namespace segue
