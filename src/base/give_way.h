#pragma once

// Work that leaves the cores to others now and then.

#include <atomic>

namespace segue {

/// While one lives, the thread that made it sleeps in give_way() for most of the time, and makes
/// thread pools of one thread. For long work beside threads that answer requests: a scheduler hands
/// a waiting thread over at once to a core that falls idle, but to one that is busy with work of
/// the lowest priority only at some tick of its clock, milliseconds later. One at a time in a
/// thread.
class GentleWork {
public:
    /// There are no rests while `hurries` is true; it must outlive *this.
    explicit GentleWork(const std::atomic<bool>& hurries);
    ~GentleWork();
    GentleWork(const GentleWork&) = delete;
    GentleWork& operator=(const GentleWork&) = delete;
};

/// Whether the calling thread has a GentleWork.
bool works_gently();

/// For the loops of long work, every some ten microseconds: rests if the calling thread works
/// gently and a rest is due. Does nothing in other threads.
void give_way();

}  // namespace segue
