#pragma once

#include <sched.h>

namespace segue::serve {

/// The calling thread, and what it starts, runs only where a core has nothing else to do, and a
/// few thousandths of the time where none ever has: a thread that is woken by a request takes the
/// core at once. With the last of the nice levels instead, it waited for the end of a slice, some
/// milliseconds.
inline void make_background_thread() {
    const sched_param parameters = {};
    ::sched_setscheduler(0, SCHED_IDLE, &parameters);
}

}  // namespace segue::serve
