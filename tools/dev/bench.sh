# ./dev bench [NAME...]: builds every program of bench/ and runs those named, or all.

run_benchmarks() {
    setup bench
    build bench all
    export SEGUE_BENCH_PYTHONPATH="$deps/python-bench"
    export SEGUE_SHARED_DATA="${SEGUE_SHARED_DATA:-$root/../shared/data}"
    if [ $# -eq 0 ]; then
        for program in build/bench/bench/*_bench; do
            [ ! -x "$program" ] || set -- "$@" "$(basename "$program" _bench)"
        done
        [ $# -gt 0 ] || die "there are no benchmarks in build/bench/bench"
    fi
    for name in "$@"; do
        program=build/bench/bench/${name%_bench}_bench
        [ -x "$program" ] || die "there is no benchmark '$name'"
        say "running $program"
        "$program" || die "the benchmark '$name' failed"
    done
}
