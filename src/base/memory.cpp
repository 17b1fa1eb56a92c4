#include "base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace segue {

namespace {

/// MemAvailable of /proc/meminfo, which is written as "24689000 kB".
std::optional<std::uint64_t> available_of_machine() {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::uint64_t kilobytes = 0;
    while (file >> name >> kilobytes) {
        if (name == "MemAvailable:") {
            return kilobytes * 1024;
        }
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return std::nullopt;
}

/// The number in a file of one; nothing where it says "max".
std::optional<std::uint64_t> number_in(const char* path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    return file >> number ? std::optional(number) : std::nullopt;
}

/// What the limit of the control group leaves (version 2, as it is seen in a container).
std::optional<std::uint64_t> available_of_control_group() {
    const std::optional<std::uint64_t> limit = number_in("/sys/fs/cgroup/memory.max");
    const std::optional<std::uint64_t> used = number_in("/sys/fs/cgroup/memory.current");
    if (!limit || !used) {
        return std::nullopt;
    }
    return *limit > *used ? *limit - *used : 0;
}

}  // namespace

std::uint64_t available_memory_bytes() {
    const std::optional<std::uint64_t> machine = available_of_machine();
    const std::optional<std::uint64_t> control_group = available_of_control_group();
    if (machine && control_group) {
        return std::min(*machine, *control_group);
    }
    return machine ? *machine : control_group.value_or(0);
}

}  // namespace segue
