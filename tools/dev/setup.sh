# Everything the verbs need that is not in the checkout. Debian packages come from apt, Python wheels from pip into
# .deps. Each step looks first, so that a second run takes a moment.

# setup [test|demo|bench|ci]...: what building needs, and what the named purposes need on top.
setup() {
    lists=tools/apt-packages.txt
    for purpose in "$@"; do
        case $purpose in
            ci) lists="$lists tools/apt-ci-packages.txt" ;;
            test | demo | bench) ;;
            *) die "setup knows test, demo, bench and ci, not '$purpose'" ;;
        esac
    done
    # shellcheck disable=SC2086
    setup_apt $lists
    [ -n "${SEGUE_DUCKDB:-}" ] || setup_pip tools/pip-packages.txt "$deps/python"
    for purpose in "$@"; do
        case $purpose in
            test) setup_pip tools/pip-test-packages.txt "$deps/python-test" ;;
            bench) setup_pip tools/pip-bench-packages.txt "$deps/python-bench" ;;
            demo) wants_movielens && setup_movielens ;;
        esac
    done
    return 0
}

# setup_apt LIST...: installs the listed Debian packages that are missing.
setup_apt() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
        die "apt is missing: set-up is made for Debian 12; elsewhere install what tools/apt-packages.txt names and use cmake --preset release"
    set -f # the versions end in *
    specs=$(entries "$@")
    names=$(printf '%s\n' "$specs" | sed 's/=.*//')
    # shellcheck disable=SC2086,SC2016
    installed=$(dpkg-query -W -f '|${Package} ${db:Status-Status}|' $names 2>/dev/null || true)
    missing=
    for spec in $specs; do
        case $installed in
            *"|${spec%%=*} installed|"*) ;;
            *) missing="$missing $spec" ;;
        esac
    done
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_apt $missing
    set +f
}

# install_apt NAME=VERSION...: as root, or with a sudo that does not ask.
install_apt() {
    release=$(. /etc/os-release && printf '%s' "${ID:-} ${VERSION_ID:-}")
    names=$(printf '%s\n' "$@" | sed 's/=.*//' | tr '\n' ' ')
    [ "$release" = "debian 12" ] ||
        die "this is not Debian 12 ($release), whose packages set-up knows; install by hand: $names"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null ||
            die "Debian packages are missing and this is not root; run: sudo apt-get update && sudo apt-get install --no-install-recommends $names"
        as_root="sudo -n"
    fi
    mkdir -p "$deps"
    say "installing $# Debian packages with apt (one to three minutes; log: .deps/apt.log)"
    keep_certificates
    $as_root apt-get update >"$deps/apt.log" 2>&1 || true # an index of no interest here may fail
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" >>"$deps/apt.log" 2>&1 </dev/null ||
        die "apt could not install: $names($(apt_reason)); is the network up? The log is .deps/apt.log"
    restore_certificates
}

# Certificates that stand where no package has put them are the machine's own (a proxy's authority among them, say).
# Installing ca-certificates writes over them, after which pip could not download through that proxy.
certificates=/etc/ssl/certs/ca-certificates.crt

keep_certificates() {
    rm -f "$deps/certificates"
    # shellcheck disable=SC2016
    case $(dpkg-query -W -f '${db:Status-Status}' ca-certificates 2>/dev/null) in
        installed) ;;
        *) [ ! -f "$certificates" ] || cp "$certificates" "$deps/certificates" ;;
    esac
}

restore_certificates() {
    [ ! -f "$deps/certificates" ] || $as_root cp "$deps/certificates" "$certificates"
}

# setup_pip LIST DIRECTORY: the listed wheels, of exactly these versions, in a directory of their own.
setup_pip() {
    ! cmp -s "$1" "$2/.packages" || return 0
    rm -rf "$2" "$2.new"
    mkdir -p "$2.new"
    wheels=$(entries "$1" | tr '\n' ' ')
    say "downloading with pip: $wheels"
    # shellcheck disable=SC2046
    "$python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --no-deps \
        --only-binary :all: --root-user-action ignore --target "$2.new" $(entries "$1") \
        >"$deps/pip.log" 2>&1 </dev/null ||
        die "pip could not download $wheels($(pip_reason)); is the network up? The log is .deps/pip.log"
    cp "$1" "$2.new/.packages"
    mv "$2.new" "$2"
}

# Why it failed, as the logs have it: the cause underneath where there is one, else the first complaint.
apt_reason() {
    sed -n -e "/^ *\(Temporary failure\|Could not \|Cannot initiate\|Connection \)/{s/^ *//;p;q;}" "$deps/apt.log" |
        grep . || sed -n '/^E:/{p;q;}' "$deps/apt.log"
}
pip_reason() {
    sed -n -e "/connection broken by/{s/.*broken by '\(.*\)': .*/\1/;s/.*object at [^>]*>: //;s/[)']*$//;p;q;}" \
        -e '/^ERROR:/{p;q;}' "$deps/pip.log"
}

# The playlists the demo prefers: beside the checkout, or where SEGUE_SHARED_DATA says.
playlists() { printf '%s' "${SEGUE_SHARED_DATA:-$root/../shared/data}/playlists/playlists.csv.gz"; }

wants_movielens() { [ "${MOVIELENS:-0}" = 1 ] || [ ! -r "$(playlists)" ]; }

# MovieLens-100K, which the wheel of recbole carries as an example, as two tables of tab-separated columns.
setup_movielens() {
    data=$deps/ml-100k
    [ ! -f "$data/movies.tsv" ] || return 0
    setup_pip tools/pip-demo-packages.txt "$deps/recbole"
    source=$deps/recbole/recbole/dataset_example/ml-100k
    mkdir -p "$data"
    # The header names columns with their types: user_id:token.
    sed '1s/:[a-z_]*//g' "$source/ml-100k.inter" >"$data/ratings.tsv"
    sed '1s/:[a-z_]*//g' "$source/ml-100k.item" >"$data/movies.tsv.new"
    mv "$data/movies.tsv.new" "$data/movies.tsv"
    rm -rf "$deps/recbole"
}
