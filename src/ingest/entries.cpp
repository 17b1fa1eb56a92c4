#include "ingest/entries.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace segue {

namespace {

/// Numbers of rows ordered by group, in the order of the input within each, and where each group
/// begins.
struct RowsByGroup {
    std::vector<std::uint64_t> offsets;  // [num_groups + 1]
    std::vector<std::uint32_t>
        rows;  // [num_rows], or empty when the input is in that order already

    std::uint32_t row(std::uint64_t place) const {
        return rows.empty() ? static_cast<std::uint32_t>(place) : rows[place];
    }
};

RowsByGroup order_by_group(std::span<const std::uint32_t> group_rows, std::size_t num_groups) {
    RowsByGroup result;
    result.offsets.assign(num_groups + 1, 0);
    for (const std::uint32_t group : group_rows) {
        ++result.offsets[group + 1];
    }
    std::partial_sum(result.offsets.begin(), result.offsets.end(), result.offsets.begin());
    if (std::is_sorted(group_rows.begin(), group_rows.end())) {
        return result;
    }
    std::vector<std::uint64_t> next(result.offsets.begin(), result.offsets.end() - 1);
    result.rows.resize(group_rows.size());
    for (std::size_t row = 0; row < group_rows.size(); ++row) {
        result.rows[next[group_rows[row]]++] = static_cast<std::uint32_t>(row);
    }
    return result;
}

/// An item and the place of its row within the group, in one number that sorts by both.
struct PlacedItem {
    std::uint64_t item_and_place;

    PlacedItem(std::uint32_t item, std::uint64_t place)
        : item_and_place(std::uint64_t{item} << 32 | place) {}
    std::uint32_t item() const { return static_cast<std::uint32_t>(item_and_place >> 32); }
    std::uint32_t place() const { return static_cast<std::uint32_t>(item_and_place); }
    bool operator<(const PlacedItem& other) const { return item_and_place < other.item_and_place; }
};

class Gatherer {
public:
    Gatherer(const RawRows& rows, std::size_t num_groups, Duplicates duplicates, bool want_places)
        : rows_(rows),
          order_(order_by_group(rows.group_rows, num_groups)),
          duplicates_(duplicates),
          want_places_(want_places) {}

    Result<Entries> gather() {
        entries_.offsets.reserve(order_.offsets.size());
        entries_.offsets.push_back(0);
        entries_.item_rows.reserve(rows_.size());
        for (std::size_t group = 0; group + 1 < order_.offsets.size(); ++group) {
            if (Status status = gather_group(group); !status.ok()) {
                return status;
            }
            entries_.offsets.push_back(entries_.item_rows.size());
        }
        return std::move(entries_);
    }

    std::uint64_t num_duplicates() const { return num_duplicates_; }

private:
    Status gather_group(std::size_t group) {
        group_begin_ = order_.offsets[group];
        const std::uint64_t size = order_.offsets[group + 1] - group_begin_;
        placed_.clear();
        for (std::uint64_t place = 0; place < size; ++place) {
            placed_.emplace_back(rows_.item_rows[order_.row(group_begin_ + place)], place);
        }
        std::sort(placed_.begin(), placed_.end());
        for (std::size_t begin = 0; begin < placed_.size();) {
            std::size_t end = begin + 1;
            while (end < placed_.size() && placed_[end].item() == placed_[begin].item()) {
                ++end;
            }
            if (Status status = add_entry({placed_.data() + begin, end - begin}, group);
                !status.ok()) {
                return status;
            }
            begin = end;
        }
        return Status();
    }

    std::uint32_t row_of(const PlacedItem& placed) const {
        return order_.row(group_begin_ + placed.place());
    }

    /// One (group, item) and its rows in the order of the input.
    Status add_entry(std::span<PlacedItem> run, std::size_t group) {
        std::size_t num_kept = run.size();
        if (duplicates_ == Duplicates::kRow && run.size() > 1) {
            num_kept = drop_equal_rows(run);
        }
        double weight = 0;
        double time = rows_.times.empty() ? 0 : rows_.times[row_of(run[0])];
        for (const PlacedItem& placed : run.first(num_kept)) {
            const std::uint32_t row = row_of(placed);
            weight += rows_.weights.empty() ? 1 : rows_.weights[row];
            time = rows_.times.empty() ? 0 : std::max(time, rows_.times[row]);
        }
        if (duplicates_ == Duplicates::kPair) {
            num_kept = 1;
        } else {
            entries_.row_counts.push_back(static_cast<std::uint32_t>(num_kept));
        }
        num_duplicates_ += run.size() - num_kept;
        entries_.item_rows.push_back(run[0].item());
        if (!rows_.weights.empty()) {
            const auto sum = static_cast<float>(weight);
            if (!std::isfinite(sum)) {
                return invalid_argument("the weights of group '" +
                                        std::string(rows_.groups.keys()[group]) +
                                        "' for one item add up to more than a float holds");
            }
            entries_.weights.push_back(sum);
        }
        if (!rows_.times.empty()) {
            entries_.times.push_back(time);
        }
        if (want_places_) {
            entries_.first_places.push_back(run[0].place());
        }
        return Status();
    }

    /// Moves the first of each set of equal rows to the front, in the order of the input; how many
    /// there are.
    std::size_t drop_equal_rows(std::span<PlacedItem> run) const {
        std::sort(run.begin(), run.end(), [&](const PlacedItem& left, const PlacedItem& right) {
            const int order = compare(row_of(left), row_of(right));
            return order != 0 ? order < 0 : left < right;
        });
        const auto end = std::unique(run.begin(), run.end(),
                                     [&](const PlacedItem& left, const PlacedItem& right) {
                                         return compare(row_of(left), row_of(right)) == 0;
                                     });
        std::sort(run.begin(), end);
        return static_cast<std::size_t>(end - run.begin());
    }

    /// Orders rows of one group and item by everything else that was read of them.
    int compare(std::uint32_t left, std::uint32_t right) const {
        for (const std::vector<std::uint32_t>& numbers : rows_.row_text_numbers) {
            if (!numbers.empty() && numbers[left] != numbers[right]) {
                return numbers[left] < numbers[right] ? -1 : 1;
            }
        }
        for (const std::vector<double>* values : {&rows_.weights, &rows_.times}) {
            if (!values->empty() && (*values)[left] != (*values)[right]) {
                return (*values)[left] < (*values)[right] ? -1 : 1;
            }
        }
        return 0;
    }

    const RawRows& rows_;
    const RowsByGroup order_;
    const Duplicates duplicates_;
    const bool want_places_;
    std::uint64_t group_begin_ = 0;
    std::vector<PlacedItem> placed_;
    Entries entries_;
    std::uint64_t num_duplicates_ = 0;
};

}  // namespace

Result<Entries> gather_entries(const RawRows& rows, std::size_t num_groups, Duplicates duplicates,
                               bool want_places, std::uint64_t& num_duplicates) {
    Gatherer gatherer(rows, num_groups, duplicates, want_places);
    Result<Entries> entries = gatherer.gather();
    num_duplicates = gatherer.num_duplicates();
    return entries;
}

}  // namespace segue
