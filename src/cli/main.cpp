#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "cli/program.h"

int main(int argc, char** argv) {
    // A closed pipe is an error of write(), said and counted like any other.
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    segue::cli::Console console(STDOUT_FILENO, STDERR_FILENO);
    return segue::cli::run_program(arguments, console);
}
