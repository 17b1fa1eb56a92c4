#pragma once

#include <sched.h>
#include <sys/resource.h>

namespace segue::serve {

/// The calling thread gives way to those that answer requests, where the system allows that.
inline void make_background_thread() {
    const sched_param parameters = {};
    ::sched_setscheduler(0, SCHED_BATCH, &parameters);
    ::setpriority(PRIO_PROCESS, 0, 10);  // on Linux of the calling thread only
}

}  // namespace segue::serve
