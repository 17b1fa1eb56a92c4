#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/stopwatch.h"
#include "pipeline/fit.h"

namespace segue {

/// Times one stage: from its making to end(), which appends it to the report.
class StageClock {
public:
    explicit StageClock(std::string name)
        : name_(std::move(name)), cpu_before_(process_cpu_seconds()) {}

    void end(std::vector<FitStage>& stages, std::string note = {}) const {
        stages.push_back(
            {name_, stopwatch_.seconds(), process_cpu_seconds() - cpu_before_, std::move(note)});
    }

private:
    std::string name_;
    Stopwatch stopwatch_;
    double cpu_before_;
};

}  // namespace segue
