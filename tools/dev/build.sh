# Configuring and building a preset of CMakePresets.json.

# The libduckdb that the program loads when SEGUE_DUCKDB is not set: the extension module of the wheel.
duckdb_library() {
    for file in "$deps"/python/_duckdb*.so "$deps"/python/duckdb/*duckdb*.so; do
        if [ -f "$file" ]; then
            printf '%s' "$file"
            return
        fi
    done
}

# configure PRESET: runs cmake unless it ran with the same arguments and presets before.
configure() {
    preset=$1
    set -- "-DSEGUE_DUCKDB_DEFAULT=$(duckdb_library)" \
        "-DSEGUE_WARNINGS_AS_ERRORS=${SEGUE_WARNINGS_AS_ERRORS:-OFF}"
    if command -v ccache >/dev/null; then
        set -- "$@" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    stamp=build/$preset/.configured
    ran_with="$* $(cksum <CMakePresets.json)"
    if [ -f "build/$preset/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$ran_with" ]; then
        return
    fi
    mkdir -p "build/$preset"
    say "configuring build/$preset"
    cmake --preset "$preset" "$@" >"build/$preset/configure.log" 2>&1 || {
        cat "build/$preset/configure.log" >&2
        die "cmake could not configure the preset '$preset'"
    }
    printf '%s\n' "$ran_with" >"$stamp"
}

# build PRESET TARGET...
build() {
    preset=$1
    shift
    # Clones in other directories find each other's objects.
    export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
    # The tests' precompiled headers can be cached only so.
    export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:+$CCACHE_SLOPPINESS,}pch_defines,time_macros"
    [ -n "${HOME:-}" ] || export CCACHE_DIR="$deps/ccache"
    case $preset in
        clang | asan-ubsan) setup_apt tools/apt-ci-packages.txt ;;
    esac
    configure "$preset"
    cmake --build "build/$preset" --target "$@" || die "the build of '$preset' failed"
}
