#!/bin/sh
# ./dev demo: the main job on real data, from a table to answers. Needs build/release/segue.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. tools/dev/common.sh
. tools/dev/setup.sh # for where the data is

# One set or the other: the table, its columns, three titles people know, and a group to continue.
if wants_movielens; then
    data_name="MovieLens-100K: what 943 people watched"
    table=.deps/ml-100k/ratings.tsv
    set -- --group user_id --item item_id --items .deps/ml-100k/movies.tsv --item-key item_id --title movie_title
    titles='Star Wars
Toy Story
Fargo'
    group=7
    titles_of_group() {
        awk -F '\t' -v group="$group" 'NR == FNR { if ($1 == group) seen[$2] = 1; next } $1 in seen { print $2 }' \
            "$table" .deps/ml-100k/movies.tsv
    }
else
    data_name="radio playlists of 2010 and 2011"
    table=$(playlists)
    set -- --group list_id --item track_id --title track_title --attribute track_artist
    titles='Hey, Soul Sister
Viva La Vida
Smells Like Teen Spirit'
    group=100
    titles_of_group() { gzip -dc "$table" | sed -n "s/^$group,[0-9]*,[0-9]*,//p" | sed 's/"//g;s/,\([^,]*\)$/ - \1/'; }
fi

table=${table#"$root"/}
output=build/demo
mkdir -p "$output"

# Shows a command as one would type it, and runs it.
run() {
    printf '\n$ segue'
    for word in "$@"; do
        case $word in
            *[\ \']*) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    build/release/segue "$@"
}

heading() { printf '\n== %s\n' "$*"; }

heading "The data: $data_name"
run describe "$table" "$@"

heading "Learning, three recipes"
for recipe in ials cooc blueprint; do
    run fit "$table" "$@" --recipe "$recipe" --force --out "$output/$recipe.segue"
done
printf '\nThe cloud chain whose job the blueprint recipe does took 151.99 s to score pairs and 7,260.8 s to train\n'
printf '(published with its notebook, 5,000 items of a larger set).\n'

heading "How good are the answers? A fifth of every group hidden, then asked for"
run evaluate "$table" --group "$2" --item "$4" --split holdout:0.2 --recipe popularity,cooc,ials,blueprint --k 10,20

heading "Similar to titles you know"
printf '%s\n' "$titles" | while IFS= read -r title; do
    run similar "$output/cooc.segue" --title "$title" --k 5 --explain
done

heading "A list continued. In list $group are, among others"
titles_of_group | sort -u | head -n 8 | sed 's/^/    /'
run similar "$output/ials.segue" --group "$group" --k 10

printf '\nNext: build/release/segue similar build/demo/ials.segue --title "%s"\n' "$(printf '%s\n' "$titles" | head -n 1)"
