# ./dev test [PRESET] [CTEST ARGUMENT...]: with arguments for ctest only the tests they choose, without them also the
# project's own tools and the examples of the documents.

run_tests() {
    setup test
    preset=release
    case ${1:-} in
        '' | -*) ;;
        *)
            preset=$1
            shift
            ;;
    esac
    [ $# -gt 0 ] || test_tools
    build "$preset" all
    [ $# -gt 0 ] || "$python" tools/check_docs.py "build/$preset" || die "the check of the documents failed"
    ctest --preset "$preset" --no-tests=error --parallel "$(nproc)" "$@"
}

# ./dev threads [CTEST ARGUMENT...]: the tests of the thread pool and of the HTTP server, under the thread sanitizer.
# Everything else runs on what these two make of threads; all of it takes some ten minutes (./dev test tsan).
run_thread_tests() {
    setup test
    build tsan segue_base_test segue_http_test
    ctest --preset tsan --no-tests=error --tests-regex '^segue_(base|http)_test$' "$@"
}

# The tools and the benchmarks have Python tests beside them; a POSIX shell must be able to parse the scripts.
test_tools() {
    for folder in tools bench; do
        "$python" -m unittest discover --start-directory "$folder" --pattern '*_test.py' ||
            die "the tests of $folder/ failed"
    done
    for script in dev tools/*.sh tools/dev/*.sh; do
        sh -n "$script" || die "$script is not a POSIX shell script"
    done
}
