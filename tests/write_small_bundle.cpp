// write_small_bundle FILE [with-index]: writes the model of src/model/model_fixture.h, for readers
// in other languages and for tests/golden when the format gets a new version.

#include <cstdio>
#include <string_view>

#include "model/model_fixture.h"

int main(int num_arguments, char** arguments) {
    const bool with_index = num_arguments == 3 && std::string_view(arguments[2]) == "with-index";
    if (num_arguments != 2 && !with_index) {
        std::fputs("usage: write_small_bundle FILE [with-index]\n", stderr);
        return 2;
    }
    const segue::Status status = segue::write_bundle(
        with_index ? segue::testing::small_indexed_parts() : segue::testing::small_parts(),
        arguments[1], false);
    if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.message().c_str());
        return 1;
    }
    return 0;
}
