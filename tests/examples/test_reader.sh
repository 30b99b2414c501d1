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

# What cannot be written. A full disk shows when a file is closed, or before.
refuse() {
    if "$BUILD/reader" --streams "$folder/$1" tests/captures/pipelined.pcap >"$folder/totals" 2>"$folder/errors"; then
        exit 1
    fi
    grep -qx "reader: $folder/$2" "$folder/errors"
}
refuse nowhere/streams 'nowhere/streams: No such file or directory'
mkdir -p "$folder/taken/index"
refuse taken 'taken/index: cannot be written: Is a directory'
[ ! -c /dev/full ] || for name in index states 1-client; do
    mkdir "$folder/full-$name"
    ln -s /dev/full "$folder/full-$name/$name"
    refuse "full-$name" "full-$name/$name: cannot be written: No space left on device"
done
