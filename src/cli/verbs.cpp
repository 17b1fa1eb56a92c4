#include "cli/verbs.h"

#include <array>

#include "cli/program.h"

namespace segue::cli {

std::span<const Verb> all_verbs() {
    // In the order of a first session.
    static const std::array kVerbs = {
        describe_verb(),  fit_verb(),        tune_verb(),     similar_verb(),
        recommend_verb(), neighbours_verb(), evaluate_verb(), cooccur_verb(),
        lookup_verb(),    serve_verb(),      export_verb(),   import_verb(),
        index_verb(),     inspect_verb(),    generate_verb(), doctor_verb(),
    };
    return kVerbs;
}

}  // namespace segue::cli
