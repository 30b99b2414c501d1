#!/bin/sh
# test_classify.sh: what hosts use the network for, and how much of it; the bytes are those of the streams.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# classify ARGUMENT...: what it prints is in $folder/out.
classify() {
    "$BUILD/classify" "$@" >"$folder/out" 2>"$folder/errors" || fail "classify $*: $(cat "$folder/errors")"
}

# sum COLUMN: of what was printed.
sum() {
    awk -v column="$1" '{sum += $column} END {print sum + 0}' "$folder/out"
}

for capture in tests/captures/*.pcap; do
    "$BUILD/reader" "$capture" tcp >"$folder/totals"
    bytes=$(sed -n 's/^stream bytes *//p' "$folder/totals")
    classify --conversations "$capture" tcp
    [ $(($(sum 5) + $(sum 6))) = "$bytes" ] || fail "$capture: conversations have $(sum 5) and $(sum 6) bytes, the streams $bytes"
    classify "$capture" tcp
    [ "$(sum 4)" = "$bytes" ] && [ "$(sum 5)" = "$bytes" ] || fail "$capture: hosts sent $(sum 4), received $(sum 5), the streams have $bytes"
done

classify tests/captures/pipelined.pcap
grep -q '^10.0.0.1[0-9]*  *uses  *1  *[0-9]*  *[0-9]*  web$' "$folder/out" || fail "no client that uses the web: $(cat "$folder/out")"
grep -q '^10.0.0.8[0-9]  *serves  *1  *[0-9]*  *[0-9]*  web$' "$folder/out" || fail "no server that serves it: $(cat "$folder/out")"

# What goes back and forth between two ports that are both known, or neither, is one conversation.
classify tests/captures/sip.pcap
grep -q 'telephony?$' "$folder/out" && fail "SIP: one direction alone is a conversation: $(cat "$folder/out")"

classify --json tests/captures/browser.pcap
python3 -c 'import json, sys; assert all(json.loads(line)["purpose"] for line in sys.stdin)' <"$folder/out" || fail "--json: no JSON"

[ $failures -eq 0 ] || exit 1
echo ok
