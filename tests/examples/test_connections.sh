#!/bin/sh
# test_connections.sh: connections tells of each connection what reader does, and more.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The sum of a number that objects have of either side.
sum() {
    sed -E "s/.*\"$1\":\{\"client\":([0-9]+),\"server\":([0-9]+)\}.*/\1 \2/" "$folder/json" | awk '{sum += $1 + $2} END {print sum + 0}'
}

total() {
    sed -n "s/^$1  *//p" "$folder/totals"
}

for capture in pipelined holes lossy middle abort oneway-client; do
    mkdir "$folder/$capture"
    "$BUILD/reader" --streams "$folder/$capture" tests/captures/$capture.pcap >"$folder/totals"
    "$BUILD/connections" --json tests/captures/$capture.pcap >"$folder/json"
    [ "$(wc -l <"$folder/json")" -eq "$(total connections)" ]
    [ "$(sum bytes)" -eq "$(total "stream bytes")" ]
    [ "$(sum missing)" -eq "$(total "gap bytes")" ]
    [ "$(sum gaps)" -eq "$(total gaps)" ]
    sed -E 's/.*"number":([0-9]+),.*"state":\{"client":"([^"]*)","server":"([^"]*)"\}.*/\1 \2 \3/' "$folder/json" | sort >"$folder/states"
    tr '\t' ' ' <"$folder/$capture/states" | sort | diff - "$folder/states"
done

# expect ROW ARGUMENT...: one connection, its row with single blanks, without the times.
expect() {
    row=$1
    shift
    "$BUILD/connections" "$@" >"$folder/table"
    [ "$(wc -l <"$folder/table")" -eq 2 ]
    tail -n 1 "$folder/table" | tr -s ' ' | cut -d' ' -f2-4,8- >"$folder/row"
    echo "$row" | diff - "$folder/row"
}

expect "1 10.0.0.11:54128 10.0.0.80:80 TIME-WAIT/CLOSED 245 15335 0 closed http" tests/captures/pipelined.pcap
expect "1 10.0.0.11:54128 10.0.0.80:80 ESTABLISHED/ESTABLISHED 245 280 0 live http" --where 'frame.number < 8' tests/captures/pipelined.pcap
expect "1 10.0.0.11:54128 10.0.0.80:80 SYN-SENT/LISTEN 0 0 0 live --" --where 'frame.number == 1' tests/captures/pipelined.pcap
expect "1 10.0.0.12:42734 10.0.0.80:81 CLOSED/CLOSED 0 0 0 reset --" tests/captures/abort.pcap tcp port 81

# Without any connection there is the head alone.
[ "$("$BUILD/connections" tests/captures/pipelined.pcap udp | wc -l)" -eq 1 ]
