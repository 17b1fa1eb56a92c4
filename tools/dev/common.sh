# Shared by the verbs of ./dev, which sources this with `root` set to the checkout and being the working directory.

deps=$root/.deps
# Debian's own: another python3 in front of PATH (pyenv, conda) would get wheels of another version.
python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1

say() { printf 'dev: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# The entries of package lists: FILE... without comments and empty lines.
entries() { sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$@"; }
