#pragma once

// For tests: a Console whose two streams go to unnamed temporary files.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/console.h"

namespace segue::cli {

class CapturedConsole {
public:
    CapturedConsole()
        : output_(std::tmpfile()),
          errors_(std::tmpfile()),
          console_(::fileno(output_), ::fileno(errors_)) {}
    ~CapturedConsole() {
        std::fclose(output_);
        std::fclose(errors_);
    }
    CapturedConsole(const CapturedConsole&) = delete;
    CapturedConsole& operator=(const CapturedConsole&) = delete;

    Console& console() { return console_; }
    std::string output() const { return whole(output_); }
    std::string errors() const { return whole(errors_); }

private:
    static std::string whole(std::FILE* file) {
        std::string text;
        char buffer[4096];
        ssize_t got = 0;
        while ((got = ::pread(::fileno(file), buffer, sizeof(buffer),
                              static_cast<off_t>(text.size()))) > 0) {
            text.append(buffer, static_cast<std::size_t>(got));
        }
        return text;
    }

    std::FILE* output_;
    std::FILE* errors_;
    Console console_;
};

}  // namespace segue::cli
