#!/bin/sh
# test_elements.sh: what build/elements tells of the captures that have a page beside them: tests/captures/NAME.elements for
# NAME.pcap.
#
# Its first line has the names of the elements; errors and anomalies are always told, whatever the names are. Then a line for
# each: number of the connection, or of the exchange of datagrams, who sent it, its kind (an element that comes in pieces is its begin and its end), its name, its
# text. Of several conversations the lines stand one behind the other: when each is told depends on how long its protocol was in
# doubt. With UPDATE=1 in the environment pages are rewritten, for a human to judge the difference.
set -eu

by_conversation() {
    LC_ALL=C sort -s -n -k 1,1 "$@"
}

# Times and offsets are not compared: they change when a capture is recorded again. Nor are pieces: packets cut them.
shorten() {
    sed -E \
        -e 's/^.*"(number|exchange)":([0-9]+),.*"direction":"([a-z]+)","kind":"([a-z]+)","name":"([^"]*)","offset":[0-9]+,"length":[0-9]+/\2 \3 \4 \5/' \
        -e '/^[0-9]+ [a-z]+ piece /d' -e 's/,"text":(".*")/ \1/' -e 's/}$//' -e 's/("|end) *,"/\1 "/'
}

count=0
found=$(mktemp)
events=$(mktemp)
trap 'rm -f "$found" "$events"' EXIT
for page in tests/captures/*.elements; do
    names=$(head -n 1 "$page")
    # shellcheck disable=SC2086  names are words
    "$BUILD/elements" --events "${page%.elements}.pcap" $names >"$events" # not in a pipe, which would hide that it fails
    {
        echo "$names"
        shorten <"$events"
    } | by_conversation >"$found"
    if [ -n "${UPDATE:-}" ]; then
        cp "$found" "$page"
    else
        by_conversation "$page" | diff -u - "$found"
    fi
    count=$((count + 1))
done
[ "$count" -gt 0 ]
