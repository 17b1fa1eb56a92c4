# ./dev lint: everything that can be said about the sources without running them. All checks run, then the verdict.

run_lint() {
    setup ci
    failed=
    check format check_format
    check layers "$python" tools/check_layers.py
    check repository "$python" tools/check_repository.py
    check scripts check_scripts
    check tidy check_tidy
    [ -z "$failed" ] || die "lint failed:$failed"
    say "lint: all checks passed"
}

# check NAME COMMAND...
check() {
    name=$1
    shift
    began=$(date +%s)
    verdict=passed
    "$@" || {
        verdict=FAILED
        failed="$failed $name"
    }
    say "lint: $name $verdict in $(($(date +%s) - began)) s"
}

cpp_files() { find src bench tests fuzz include -name '*.cpp' -o -name '*.h' 2>/dev/null | sort; }

check_format() { cpp_files | xargs clang-format-14 --dry-run -Werror; }

check_scripts() {
    for script in dev tools/*.sh tools/dev/*.sh; do
        sh -n "$script" || return 1
    done
    bash -n .ci/run
}

# Tests are left out: the macros of GoogleTest take most of the time and nothing is learnt from them.
check_tidy() {
    configure clang
    find src -name '*.cpp' ! -name '*_test.cpp' | sort |
        xargs -P "$(nproc)" -n 1 sh -c \
            'report=$(clang-tidy-14 -p build/clang --quiet "$1" 2>&1) || { printf "%s\n" "$report"; exit 1; }' tidy
}
