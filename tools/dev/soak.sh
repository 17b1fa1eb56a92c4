# ./dev soak [--short] [--swaps N] [--json FILE] [--only PART]: replaces models and misbehaves while the service answers.
# Without --short: 100 reloads of a bundle of a million items, about 15 minutes. Exit code 1 when a rule is missed.

run_soak() {
    setup
    build bench serve_soak segue
    folder=build/bench-data/soak
    case " $* " in *" --short "*) folder=$folder-short ;; esac
    mkdir -p "$folder"
    exec build/bench/bench/serve_soak build/bench/segue "$folder" "$@"
}
