#pragma once

// The verbs, each in its own file verb_NAME.cpp.

#include "cli/verb.h"

namespace segue::cli {

Verb cooccur_verb();
Verb describe_verb();
Verb doctor_verb();
Verb evaluate_verb();
Verb export_verb();
Verb fit_verb();
Verb generate_verb();
Verb import_verb();
Verb index_verb();
Verb inspect_verb();
Verb lookup_verb();
Verb neighbours_verb();
Verb recommend_verb();
Verb serve_verb();
Verb similar_verb();
Verb tune_verb();

}  // namespace segue::cli
