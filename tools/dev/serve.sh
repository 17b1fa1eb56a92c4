# ./dev serve [ARGUMENT...]: serves the demo's model until Ctrl-C; arguments go to segue serve.

serve_demo() {
    setup demo
    build release segue
    bundle=build/demo/ials.segue
    if [ ! -f "$bundle" ]; then
        say "the demo's models are not there yet: running the demo first"
        sh tools/demo.sh >&2 || die "the demo failed"
    fi
    base=http://127.0.0.1:8501
    expects_address=
    for argument in "$@"; do
        [ -z "$expects_address" ] || base=http://$argument
        case $argument in
            --listen) expects_address=1 ;;
            *) expects_address= ;;
        esac
    done
    # Two items to ask about: what is offered to a group that both data sets have.
    keys=$(build/release/segue similar "$bundle" --group 100 --k 2 --json --quiet |
        grep -o '"id":"[^"]*"' | cut -d '"' -f 4) || die "the demo's model does not answer"
    one=$(printf '%s\n' "$keys" | sed -n 1p)
    two=$(printf '%s\n' "$keys" | sed -n 2p)
    cat <<END

Once it listens, in another shell:

    curl -s '$base/v1/models/ials/items/$one/similar?k=5&fields=title'
    curl -s $base/v1/models/ials:similar -d '{"items":["$one","$two"],"k":5,"fields":["title"]}'
    curl -s $base/v1/models/ials
    curl -s $base/readyz
    curl -s $base/metrics

END
    exec build/release/segue serve "$bundle" "$@"
}
