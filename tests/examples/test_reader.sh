#!/bin/sh
# test_reader.sh: the totals of reader are those of the capture, and its streams those of the conversations.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The value of a line of the totals.
total() {
    sed -n "s/^$1  *//p" "$folder/totals"
}

for capture in pipelined holes lossy middle; do
    mkdir "$folder/$capture"
    "$BUILD/reader" --streams "$folder/$capture" tests/captures/$capture.pcap >"$folder/totals"
    index=$folder/$capture/index
    [ "$(wc -l <"$index")" -eq $((2 * $(total connections))) ]
    [ "$(awk '{bytes += $5} END {print bytes}' "$index")" -eq "$(total "stream bytes")" ]
    [ "$(awk '{bytes += $6} END {print bytes}' "$index")" -eq "$(total "gap bytes")" ]
    [ "$(awk '{bytes += $4} END {print bytes + 0}' "$folder/$capture/gaps")" -eq "$(total "gap bytes")" ]
    while read -r number side _ _ bytes _; do
        [ "$(wc -c <"$folder/$capture/$number-$side")" -eq "$bytes" ]
    done <"$index"
done

# Files of an earlier run are replaced.
"$BUILD/reader" --streams "$folder/pipelined" tests/captures/pipelined.pcap >"$folder/totals"
[ "$(grep -c "^GET " "$folder/pipelined/1-client")" -eq 5 ]
[ "$(total packets)" -gt 10 ]
[ "$(total gaps)" -eq 0 ]

# One connection, that its client closes in order.
[ "$(cat "$folder/pipelined/states")" = "1	TIME-WAIT	CLOSED" ]
[ ! -s "$folder/pipelined/conflicts" ]

# A folder that is not there.
if "$BUILD/reader" --streams "$folder/nowhere" tests/captures/pipelined.pcap 2>"$folder/errors"; then
    exit 1
fi
grep -q "^reader: $folder/nowhere/index: cannot be written$" "$folder/errors"
