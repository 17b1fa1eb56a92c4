# ./dev fuzz [SECONDS] [TARGET...]: every fuzzer of fuzz/ at the same time, or those named, each SECONDS long (30), from its
# corpus. What makes one fail is left in build/asan-ubsan/fuzz: mend it, then keep it in fuzz/corpus.

run_fuzzers() {
    seconds=30
    case ${1:-} in
        '' | *[!0-9]*) ;;
        *)
            seconds=$1
            shift
            ;;
    esac
    [ $# -gt 0 ] || set -- bundle filter http_request
    targets=
    for name in "$@"; do
        [ -d "fuzz/corpus/$name" ] || die "there is no fuzzer '$name'; there are: $(ls fuzz/corpus | tr '\n' ' ')"
        targets="$targets segue_${name}_fuzzer"
    done
    setup ci
    # shellcheck disable=SC2086
    build asan-ubsan $targets
    # Not what is fuzzed, but slow with it.
    export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    jobs=
    for name in "$@"; do
        folder=build/asan-ubsan/fuzz/$name
        mkdir -p "$folder/found"
        seeds=fuzz/corpus/$name
        [ "$name" != bundle ] || seeds="$seeds tests/golden"
        # shellcheck disable=SC2086
        build/asan-ubsan/fuzz/segue_"${name}"_fuzzer -max_total_time="$seconds" -max_len=8192 -timeout=10 \
            -malloc_limit_mb=256 -rss_limit_mb=1536 -dict=fuzz/dictionary -artifact_prefix="$folder/" \
            -print_final_stats=1 "$folder/found" $seeds >"$folder/log" 2>&1 &
        jobs="$jobs $name:$!"
    done
    failed=
    for job in $jobs; do
        name=${job%%:*}
        if wait "${job##*:}"; then
            say "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/asan-ubsan/fuzz/$name/log") inputs, nothing found"
        else
            tail -n 60 "build/asan-ubsan/fuzz/$name/log"
            failed="$failed $name"
        fi
    done
    [ -z "$failed" ] || die "fuzzing failed:$failed; the inputs are in build/asan-ubsan/fuzz"
}
