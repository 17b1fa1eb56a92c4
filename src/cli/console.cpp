#include "cli/console.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/wording.h"

namespace segue::cli {
namespace {

constexpr std::size_t kHeldBackBytes = std::size_t{4} << 20;
constexpr double kSecondsBetweenRedraws = 0.1;

Status write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return io_error(fmt::format("cannot write to stdout: {}", std::strerror(errno)));
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

std::size_t terminal_width(int descriptor) {
    winsize size = {};
    const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

}  // namespace

/// The one line that is redrawn while a stage runs, and left behind when it is done.
struct Console::ProgressLine {
    Stopwatch since_start;
    Stopwatch since_drawn;
    std::string stage;
    bool visible = false;

    std::string text(const Progress& progress) const {
        std::string line =
            fmt::format("{:<10} {}", printable(progress.stage), with_commas(progress.done));
        if (progress.total > 0) {
            line += fmt::format(" of {}", with_commas(progress.total));
        }
        line += fmt::format(" {}", progress.unit);
        const double seconds = since_start.seconds();
        if (progress.done > 0 && seconds > 0.5) {
            const double rate = static_cast<double>(progress.done) / seconds;
            line += rate >= 10
                        ? fmt::format(", {}/s", with_commas(static_cast<std::uint64_t>(rate)))
                        : fmt::format(", {:.2f}/s", rate);
            if (progress.total > progress.done) {
                const auto left = static_cast<double>(progress.total - progress.done);
                line += fmt::format(", {} left", seconds_text(left / rate));
            }
        }
        if (!progress.note.empty()) {
            line += fmt::format("  {}", printable(progress.note));
        }
        return line;
    }
};

Console::Console(int output_descriptor, int error_descriptor)
    : output_descriptor_(output_descriptor),
      error_descriptor_(error_descriptor),
      errors_to_terminal_(::isatty(error_descriptor) == 1) {}

Console::~Console() = default;

void Console::print(std::string_view text) {
    pending_ += text;
    if (pending_.size() > kHeldBackBytes) {
        flush();
    }
}

void Console::print_line(std::string_view text) {
    print(text);
    print("\n");
}

void Console::flush() {
    if (output_status_.ok()) {
        output_status_ = write_all(output_descriptor_, pending_);
    }
    pending_.clear();
}

Status Console::finish() {
    clear_progress();
    flush();
    if (output_status_.ok() && !next_.empty() && !quiet_) {
        print_error_text(fmt::format("next: {}\n", printable(next_)));
    }
    return output_status_;
}

void Console::clear_progress() {
    if (progress_line_ && progress_line_->visible) {
        progress_line_->visible = false;
        (void)write_all(error_descriptor_, "\r\x1b[K");
    }
}

void Console::print_error_text(std::string_view text) {
    clear_progress();
    // Nobody is left to tell when stderr is closed.
    (void)write_all(error_descriptor_, text);
}

void Console::remark(std::string_view line) {
    if (!quiet_) {
        print_error_text(fmt::format("{}\n", line));
    }
}

void Console::error_detail(std::string_view line) {
    print_error_text(fmt::format("{}\n", line));
}

void Console::warn(std::string_view line) {
    remark(fmt::format("warning: {}", line));
}

void Console::print_error(std::string_view verb, std::string_view message) {
    const std::string_view space = verb.empty() ? "" : " ";
    print_error_text(fmt::format("segue{}{}: {}\n", space, verb, printable(message)));
    if (!hint_.empty() && !quiet_) {
        print_error_text(fmt::format("hint: {}\n", printable(hint_)));
    }
}

ProgressListener Console::progress() {
    if (quiet_) {
        return {};
    }
    progress_line_ = std::make_unique<ProgressLine>();
    return [this](const Progress& progress) {
        if (progress.done == 0 && progress.total == 0 && !progress.note.empty()) {
            remark(fmt::format("{}: {}", printable(progress.stage), printable(progress.note)));
        } else if (errors_to_terminal_) {
            draw(progress);
        }
    };
}

void Console::draw(const Progress& progress) {
    ProgressLine& line = *progress_line_;
    const bool new_stage = line.stage != progress.stage;
    const bool complete = progress.total > 0 && progress.done >= progress.total;
    if (new_stage) {
        line.stage = progress.stage;
        line.since_start.restart();
    }
    if (!new_stage && !complete && line.since_drawn.seconds() < kSecondsBetweenRedraws) {
        return;
    }
    line.since_drawn.restart();
    const std::string text = clipped(line.text(progress), terminal_width(error_descriptor_) - 1);
    (void)write_all(error_descriptor_, fmt::format("\r{}\x1b[K", text));
    line.visible = true;
}

}  // namespace segue::cli
