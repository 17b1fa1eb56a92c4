#pragma once

// The verbs, each in its own file verb_NAME.cpp.

#include "cli/verb.h"

namespace segue::cli {

Verb doctor_verb();
Verb export_verb();
Verb import_verb();
Verb inspect_verb();
Verb lookup_verb();
Verb neighbours_verb();
Verb recommend_verb();
Verb similar_verb();

}  // namespace segue::cli
