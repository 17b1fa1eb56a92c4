#pragma once

// Where a verb speaks: results to stdout, everything else to stderr.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/status.h"

namespace segue::cli {

/// Bytes of a command to try next; keys in it may have megabytes.
inline constexpr std::size_t kLongestCommand = 1000;

/// Results are held back until finish(), so that a verb that fails prints none of them; beyond a
/// few megabytes they flow. What a file or a user wrote is made printable() by who prints it; JSON
/// is safe as it is. Not thread-safe.
class Console {
public:
    /// Descriptors stay the caller's.
    Console(int output_descriptor, int error_descriptor);
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    /// No progress, remarks, warnings and hints from here on. Errors and their details are always
    /// said.
    void set_quiet(bool quiet) { quiet_ = quiet; }

    /// Adds to stdout as it is.
    void print(std::string_view text);
    /// Adds to stdout, with a line end.
    void print_line(std::string_view text);
    /// Writes out what was held back. Returns an error if: stdout was closed or full, now or
    /// before.
    Status finish();
    /// Forgets what was held back.
    void discard() { pending_.clear(); }

    /// A line on stderr for people, unless quiet.
    void remark(std::string_view line);
    /// "warning: ..." on stderr, unless quiet.
    void warn(std::string_view line);
    /// "next: ..." on stderr, unless quiet: the command to try after this one. Said after the
    /// results; not at all when it has more than kLongestCommand bytes, as part of a command is
    /// none.
    void suggest_next(std::string_view command) {
        next_ = command.size() <= kLongestCommand ? command : std::string_view();
    }
    /// A line on stderr that is part of an error, also when quiet.
    void error_detail(std::string_view line);
    /// What to do about the error this verb is about to return; said as "hint: ..." below it, or
    /// left out like a command.
    void set_hint(std::string_view hint) {
        hint_ = hint.size() <= kLongestCommand ? hint : std::string_view();
    }
    /// One line for the error, and the hint when there is one and it is not quiet.
    void print_error(std::string_view verb, std::string_view message);

    /// Shows a line with rate and time left on stderr when that is a terminal. A report of nothing
    /// but a note (no `done`, no `total`) is a remark about what comes, also without a terminal.
    /// Valid while *this lives.
    ProgressListener progress();

private:
    void flush();
    void draw(const Progress& progress);
    void clear_progress();
    void print_error_text(std::string_view text);

    int output_descriptor_;
    int error_descriptor_;
    bool quiet_ = false;
    bool errors_to_terminal_ = false;
    std::string pending_;
    std::string next_;
    std::string hint_;
    Status output_status_;
    struct ProgressLine;
    std::unique_ptr<ProgressLine> progress_line_;
};

}  // namespace segue::cli
