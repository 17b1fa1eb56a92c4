# ./dev test [PRESET] [CTEST ARGUMENT...]

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
    test_tools
    build "$preset" all
    # Where tests that read our files with public Python packages find them.
    export SEGUE_TEST_PYTHONPATH="$deps/python-test"
    ctest --preset "$preset" --no-tests=error --parallel "$(nproc)" "$@"
}

# The project's own tools: Python tests beside them, scripts that a POSIX shell can parse.
test_tools() {
    "$python" -m unittest discover --start-directory tools --pattern '*_test.py' ||
        die "the tests of tools/ failed"
    for script in dev tools/*.sh tools/dev/*.sh; do
        sh -n "$script" || die "$script is not a POSIX shell script"
    done
}
