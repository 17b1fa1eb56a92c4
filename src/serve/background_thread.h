#pragma once

#include <sched.h>
#include <sys/resource.h>

namespace segue::serve {

/// The calling thread, and what it starts, gives way to those that answer requests. The last of the
/// nice levels takes what they leave of the cores and a hundredth where they leave nothing: the
/// tenth took a tenth, which doubled the median of answers while a model was loaded at 60 % load.
inline void make_background_thread() {
    constexpr int kLastNice = 19;
    const sched_param parameters = {};
    ::sched_setscheduler(0, SCHED_BATCH, &parameters);
    ::setpriority(PRIO_PROCESS, 0, kLastNice);  // on Linux of the calling thread only
}

}  // namespace segue::serve
