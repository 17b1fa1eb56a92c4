#include "cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "cli/captured_console.h"

namespace segue::cli {
namespace {

/// A verb that does what its flag says.
struct TryArguments {
    static constexpr std::string_view kName = "try";
    static constexpr std::string_view kSummary = "Tries.";
    std::string how = "well";

    void declare(Options& options) { options.text("how", how, "HOW", "how it ends"); }
    Status check() const { return how == "odd" ? invalid_argument("--how odd is odd") : Status(); }
    Status run(Console& console) const {
        console.print_line("result");
        console.remark("a remark");
        console.suggest_next("segue try again");
        if (how == "badly") {
            console.set_hint("try\nwell");
            return io_error("a\tbad \xff thing\n\x1b[31mhappened");
        }
        if (how == "loudly") {
            throw std::runtime_error("boom");
        }
        return {};
    }
};

ExitCode run_try(const std::vector<std::string>& arguments, Console& console) {
    return verb_of<TryArguments>().run(arguments, console);
}

TEST(Program, prints_results_on_stdout_and_the_rest_on_stderr) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({}, captured.console()), kDone);
    EXPECT_EQ(captured.output(), "result\n");
    EXPECT_EQ(captured.errors(), "a remark\nnext: segue try again\n");
}

TEST(Program, says_nothing_but_results_when_quiet) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({"--quiet"}, captured.console()), kDone);
    EXPECT_EQ(captured.output(), "result\n");
    EXPECT_EQ(captured.errors(), "");
}

TEST(Program, prints_no_result_when_a_verb_fails_and_one_safe_line_for_the_error) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({"--how", "badly"}, captured.console()), kFailed);
    EXPECT_EQ(captured.output(), "");
    EXPECT_EQ(captured.errors(),
              "a remark\nsegue try: a\\x09bad \xEF\xBF\xBD thing\\x0a\\x1b[31mhappened\n"
              "hint: try\\x0awell\n");
}

TEST(Program, says_errors_and_their_details_but_no_hints_when_quiet) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({"--how", "badly", "--quiet"}, captured.console()), kFailed);
    captured.console().error_detail("line 3: bad");
    EXPECT_EQ(captured.errors(),
              "segue try: a\\x09bad \xEF\xBF\xBD thing\\x0a\\x1b[31mhappened\nline 3: bad\n");
    CapturedConsole misused;
    EXPECT_EQ(run_try({"--how", "odd", "--quiet"}, misused.console()), kWrongUsage);
    EXPECT_EQ(run_try({"--quiet", "--how"}, misused.console()), kWrongUsage);
    EXPECT_EQ(run_program(std::vector<std::string>{"docter", "--quiet"}, misused.console()),
              kWrongUsage);
    EXPECT_EQ(misused.errors(),
              "segue try: --how odd is odd\nsegue try: --how needs a value: HOW\n"
              "segue: unknown verb \"docter\"\n");
}

TEST(Program, tells_wrong_usage_apart) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({"--how", "odd"}, captured.console()), kWrongUsage);
    EXPECT_EQ(run_try({"--hw", "odd"}, captured.console()), kWrongUsage);
    EXPECT_EQ(captured.output(), "");
    EXPECT_EQ(captured.errors(),
              "segue try: --how odd is odd\nhint: see segue try --help\n"
              "segue try: unknown flag --hw, did you mean --how?\nhint: see segue try --help\n");
}

TEST(Program, prints_the_values_of_its_flags) {
    CapturedConsole captured;
    EXPECT_EQ(run_try({"--how", "so", "--print-config"}, captured.console()), kDone);
    EXPECT_EQ(captured.output(), "{\"how\":\"so\",\"quiet\":false}\n");
}

TEST(Program, fails_when_stdout_is_full) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    CapturedConsole errors;
    const int descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    Console console(full, descriptor);
    EXPECT_EQ(run_try({}, console), kFailed);
    ::close(full);
    ::close(descriptor);
}

TEST(Program, lists_its_verbs_and_suggests_the_nearest) {
    CapturedConsole captured;
    EXPECT_EQ(run_program(std::vector<std::string>{"--help"}, captured.console()), kDone);
    EXPECT_NE(captured.output().find("usage: segue VERB"), std::string::npos);
    for (const Verb& verb : all_verbs()) {
        EXPECT_NE(captured.output().find(verb.name), std::string::npos);
    }
    CapturedConsole unknown;
    EXPECT_EQ(run_program(std::vector<std::string>{"docter"}, unknown.console()), kWrongUsage);
    EXPECT_EQ(unknown.errors(),
              "segue: unknown verb \"docter\"\nhint: did you mean segue doctor?\n");
    EXPECT_EQ(run_program({}, unknown.console()), kWrongUsage);
}

TEST(Program, explains_every_verb_with_an_example) {
    for (const Verb& verb : all_verbs()) {
        CapturedConsole captured;
        EXPECT_EQ(verb.run(std::vector<std::string>{"--help"}, captured.console()), kDone);
        EXPECT_NE(captured.output().find("\n    segue " + std::string(verb.name)),
                  std::string::npos)
            << captured.output();
        EXPECT_EQ(captured.errors(), "");
    }
}

}  // namespace
}  // namespace segue::cli
