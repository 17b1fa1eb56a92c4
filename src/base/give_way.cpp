#include "base/give_way.h"

#include <chrono>
#include <thread>

#include "base/status.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kWork(100);
/// Long enough for a core to be idle in the eyes of the scheduler.
constexpr std::chrono::microseconds kRest(400);

struct Turns {
    const std::atomic<bool>* hurries = nullptr;  // null where work is not gentle
    Clock::time_point end_of_rest;
};
thread_local Turns turns;

}  // namespace

GentleWork::GentleWork(const std::atomic<bool>& hurries) {
    SEGUE_ASSERT(turns.hurries == nullptr);
    turns = {&hurries, Clock::now()};
}

GentleWork::~GentleWork() {
    turns.hurries = nullptr;
}

bool works_gently() {
    return turns.hurries != nullptr;
}

void give_way() {
    if (turns.hurries == nullptr || Clock::now() < turns.end_of_rest + kWork ||
        turns.hurries->load(std::memory_order_relaxed)) {
        return;
    }
    std::this_thread::sleep_for(kRest);
    turns.end_of_rest = Clock::now();
}

}  // namespace segue
