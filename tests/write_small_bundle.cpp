// write_small_bundle FILE: writes the model of src/model/model_fixture.h, for readers in other
// languages and for tests/golden when the format gets a new version.

#include <cstdio>

#include "model/model_fixture.h"

int main(int num_arguments, char** arguments) {
    if (num_arguments != 2) {
        std::fputs("usage: write_small_bundle FILE\n", stderr);
        return 2;
    }
    const segue::Status status =
        segue::write_bundle(segue::testing::small_parts(), arguments[1], false);
    if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.message().c_str());
        return 1;
    }
    return 0;
}
