// The part of `./dev bench index` that is about data and about Segue; bench/index_bench.py runs it
// beside the peers and writes the report. docs/benchmarks/index.md is what comes out.
//     index_bench data NAME FOLDER [FILE]    makes a set of vectors
//     index_bench truth FOLDER               computes its exact answers
//     index_bench run FOLDER OUT.json ...    builds and searches Segue's index of it
//     index_bench limits OUT.json            its kernels against the peaks of the machine
//     index_bench seeds FOLDER BUNDLE HELD_OUT.tsv OUT.json
//                                            beside the figures of a well-known tutorial
//     index_bench filters FOLDER OUT.json    what filters cost

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "index_commands.h"

namespace segue::bench {
namespace {

struct Command {
    std::string_view name;
    Status (*run)(Arguments);
};

constexpr Command kCommands[] = {{"data", make_data},      {"truth", make_truth},
                                 {"run", run_segue},       {"limits", measure_limits},
                                 {"seeds", measure_seeds}, {"filters", measure_filters}};

Status run(const std::vector<std::string>& words) {
    for (const Command& command : kCommands) {
        if (!words.empty() && words[0] == command.name) {
            return command.run(std::span(words).subspan(1));
        }
    }
    return invalid_argument("usage: index_bench data|truth|run|limits|seeds|filters ARGUMENT...");
}

}  // namespace

Status write_json(const std::string& text, const std::string& path) {
    auto file = AtomicFile::create(path, true);
    if (!file.ok()) {
        return file.status();
    }
    const Status status = file->write(text + "\n");
    return status.ok() ? file->commit() : status;
}

}  // namespace segue::bench

int main(int argc, char** argv) {
    const auto status = segue::bench::run({argv + 1, argv + argc});
    if (!status.ok()) {
        fmt::print(stderr, "index_bench: {}\n", status.message());
    }
    return status.ok() ? 0 : 1;
}
