#pragma once

#include "base/status.h"
#include "serve/served_model.h"

namespace segue::serve {

/// Asks a model some of everything before anybody else does, so that the first requests find its
/// pages read and its memory made. Returns an error if: an item that is in the model cannot be
/// asked about, which no checksum would have shown.
Status warm_up(const ServedModel& served);

}  // namespace segue::serve
