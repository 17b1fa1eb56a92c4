#include "eval/tally.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>

#include "eval/metrics.h"

namespace segue {

namespace {

constexpr std::uint32_t kNeverShown = std::numeric_limits<std::uint32_t>::max();

struct NamedValue {
    std::string_view name;
    double ListMetrics::*value;
};

/// What is kept of each list for each k. The reciprocal rank is kept once, of the longest list.
constexpr std::array<NamedValue, 5> kValuesOfEachCut = {{{"recall", &ListMetrics::recall},
                                                         {"ndcg", &ListMetrics::ndcg},
                                                         {"hr", &ListMetrics::hit_rate},
                                                         {"map", &ListMetrics::average_precision},
                                                         {"precision", &ListMetrics::precision}}};

}  // namespace

Tally::Tally(std::span<const std::size_t> ks, std::span<const std::uint32_t> item_frequencies,
             std::size_t num_lists, unsigned num_workers)
    : ks_(ks.begin(), ks.end()),
      item_frequencies_(item_frequencies),
      values_(num_lists * num_values(), 0),
      faults_(num_lists, ListFault::kNone),
      workers_(num_workers) {
    for (Worker& worker : workers_) {
        worker.best_places.assign(item_frequencies.size(), kNeverShown);
        worker.shown.assign(ks_.size(), 0);
        worker.frequencies.assign(ks_.size(), 0);
    }
}

std::size_t Tally::num_values() const {
    return ks_.size() * kValuesOfEachCut.size() + 1;
}

ListFault Tally::fault_of(Worker& worker, std::span<const std::uint32_t> list,
                          std::span<const std::uint32_t> own) const {
    if (list.size() > ks_.back()) {
        return ListFault::kTooLong;
    }
    worker.sorted.assign(list.begin(), list.end());
    std::sort(worker.sorted.begin(), worker.sorted.end());
    if (!worker.sorted.empty() && worker.sorted.back() >= item_frequencies_.size()) {
        return ListFault::kUnknownItem;
    }
    if (std::adjacent_find(worker.sorted.begin(), worker.sorted.end()) != worker.sorted.end()) {
        return ListFault::kRepeatedItem;
    }
    const bool has_own = std::any_of(list.begin(), list.end(), [&](std::uint32_t item_row) {
        return std::binary_search(own.begin(), own.end(), item_row);
    });
    return has_own ? ListFault::kOwnItem : ListFault::kNone;
}

void Tally::count_shown(Worker& worker, std::span<const std::uint32_t> list) const {
    std::uint64_t frequencies = 0;
    std::size_t cut = 0;
    for (std::size_t place = 0; place < list.size(); ++place) {
        while (place == ks_[cut]) {
            worker.frequencies[cut++] += frequencies;
        }
        const std::uint32_t item_row = list[place];
        worker.best_places[item_row] =
            std::min(worker.best_places[item_row], static_cast<std::uint32_t>(place));
        frequencies += item_frequencies_[item_row];
    }
    for (; cut < ks_.size(); ++cut) {
        worker.frequencies[cut] += frequencies;
    }
    for (cut = 0; cut < ks_.size(); ++cut) {
        worker.shown[cut] += std::min(list.size(), ks_[cut]);
    }
}

void Tally::add(std::size_t place, unsigned worker_number, std::span<const std::uint32_t> list,
                std::span<const std::uint32_t> relevant, std::span<const std::uint32_t> own) {
    Worker& worker = workers_[worker_number];
    faults_[place] = fault_of(worker, list, own);
    if (faults_[place] != ListFault::kNone) {
        return;
    }
    count_shown(worker, list);
    mark_hits(list, relevant, worker.hits);
    double* value = values_.data() + place * num_values();
    ListMetrics metrics;
    for (const std::size_t k : ks_) {
        metrics = list_metrics(worker.hits, relevant.size(), k);
        for (const NamedValue& named : kValuesOfEachCut) {
            *value++ = metrics.*named.value;
        }
    }
    *value = metrics.reciprocal_rank;
}

double Tally::coverage(std::size_t k) const {
    std::size_t num_shown = 0;
    std::size_t num_known = 0;
    for (std::size_t item = 0; item < item_frequencies_.size(); ++item) {
        num_known += item_frequencies_[item] > 0 ? 1 : 0;
        num_shown += std::any_of(workers_.begin(), workers_.end(),
                                 [&](const Worker& w) { return w.best_places[item] < k; });
    }
    return num_known == 0 ? 0 : static_cast<double>(num_shown) / static_cast<double>(num_known);
}

double Tally::mean_popularity(std::size_t which_k) const {
    std::uint64_t shown = 0;
    std::uint64_t frequencies = 0;
    for (const Worker& worker : workers_) {
        shown += worker.shown[which_k];
        frequencies += worker.frequencies[which_k];
    }
    return shown == 0 ? 0 : static_cast<double>(frequencies) / static_cast<double>(shown);
}

Judgement Tally::finish(std::string_view prefix, bool keep_group_values) const {
    Judgement judgement;
    judgement.num_groups = faults_.size();
    std::vector<double> means(num_values(), 0);
    for (std::size_t index = 0; index < values_.size(); ++index) {
        means[index % num_values()] += values_[index];
    }
    for (double& mean : means) {
        mean /= static_cast<double>(judgement.num_groups);
    }
    std::size_t next = 0;
    const auto add_mean = [&](std::string name) {
        judgement.group_metric_names.push_back(name);
        judgement.metrics.push_back({std::move(name), means[next++]});
    };
    for (std::size_t cut = 0; cut < ks_.size(); ++cut) {
        for (const NamedValue& named : kValuesOfEachCut) {
            add_mean(fmt::format("{}{}@{}", prefix, named.name, ks_[cut]));
        }
        judgement.metrics.push_back(
            {fmt::format("{}coverage@{}", prefix, ks_[cut]), coverage(ks_[cut])});
        judgement.metrics.push_back(
            {fmt::format("{}popularity@{}", prefix, ks_[cut]), mean_popularity(cut)});
    }
    add_mean(fmt::format("{}mrr", prefix));
    if (keep_group_values) {
        judgement.group_values = values_;
    } else {
        judgement.group_metric_names.clear();
    }
    return judgement;
}

}  // namespace segue
