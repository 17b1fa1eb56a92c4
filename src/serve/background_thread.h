#pragma once

#include <sched.h>

#include <atomic>

#include "base/give_way.h"

namespace segue::serve {

/// The calling thread, and what it starts, runs only where a core has nothing else to do, and a
/// few thousandths of the time where none ever has: a thread that is woken by a request takes the
/// core at once. With the last of the nice levels instead, it waited for the end of a slice, some
/// milliseconds. It works gently while the result lives, and without rests once `is_stopping`,
/// which must outlive that, is true.
inline GentleWork make_background_thread(const std::atomic<bool>& is_stopping) {
    const sched_param parameters = {};
    ::sched_setscheduler(0, SCHED_IDLE, &parameters);
    return GentleWork(is_stopping);
}

}  // namespace segue::serve
