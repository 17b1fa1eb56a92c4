# ./dev serve [ARGUMENT...]: serves the demo's model until Ctrl-C; arguments go to segue serve.

serve_demo() {
    setup demo
    build release segue
    bundle=build/demo/ials.segue
    if [ ! -f "$bundle" ]; then
        say "the demo's models are not there yet: running the demo first"
        sh tools/demo.sh >&2 || die "the demo failed"
    fi
    base=127.0.0.1:8501
    admin=127.0.0.1:8502
    scheme=http
    flag=
    for argument in "$@"; do
        case $flag in
            --listen) base=$argument ;;
            --admin) admin=$argument ;;
        esac
        case $argument in
            --listen=*) base=${argument#*=} ;;
            --admin=*) admin=${argument#*=} ;;
            --tls-cert*) scheme="--insecure https" ;;
        esac
        flag=$argument
    done
    # Two items to ask about: what is offered to a group that both data sets have.
    build/release/segue similar "$bundle" --group 100 --k 2 --json --quiet |
        "$python" tools/dev/serve_lines.py "$scheme" "$base" "$admin" || die "the demo's model does not answer"
    exec build/release/segue serve "$bundle" "$@"
}
