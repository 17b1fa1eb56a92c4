// The part of `./dev bench index` that is about data and about Segue; bench/index_bench.py runs it
// beside the peers and writes the report. docs/benchmarks/index.md is what comes out.
//     index_bench data NAME FOLDER [FILE]    makes a set of vectors
//     index_bench truth FOLDER               computes its exact answers
//     index_bench run FOLDER OUT.json ...    builds and searches Segue's index of it

#include <fmt/core.h>

#include <string>
#include <vector>

#include "index_commands.h"

namespace segue::bench {
namespace {

Status run(const std::vector<std::string>& words) {
    if (words.empty()) {
        return invalid_argument("usage: index_bench data|truth|run ARGUMENT...");
    }
    const Arguments arguments = std::span(words).subspan(1);
    if (words[0] == "data") {
        return make_data(arguments);
    }
    if (words[0] == "truth") {
        return make_truth(arguments);
    }
    if (words[0] == "run") {
        return run_segue(arguments);
    }
    return invalid_argument(fmt::format("there is no sub-command '{}'", words[0]));
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
    const auto status = segue::bench::run({argv + 1, argv + argc});
    if (!status.ok()) {
        fmt::print(stderr, "index_bench: {}\n", status.message());
    }
    return status.ok() ? 0 : 1;
}
