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

# What is encrypted is named as such.
classify tests/captures/ssh.pcap
grep -q '  uses  .* remote login (encrypted)$' "$folder/out" || fail "SSH is not encrypted: $(cat "$folder/out")"
classify tests/captures/tls.pcap
grep -q '  uses  .* (encrypted)$' "$folder/out" || fail "TLS is not encrypted: $(cat "$folder/out")"

# What goes back and forth between two ports that are both known, or neither, is one conversation.
classify tests/captures/sip.pcap
grep -q 'telephony?$' "$folder/out" && fail "SIP: one direction alone is a conversation: $(cat "$folder/out")"

classify --json tests/captures/browser.pcap
python3 -c 'import json, sys; assert all(json.loads(line)["purpose"] for line in sys.stdin)' <"$folder/out" || fail "--json: no JSON"

# Datagrams between more hosts than are told apart: none is lost, and one that goes on stays one conversation.
python3 - "$folder/many.pcap" <<'END'
import struct, sys
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    def datagram(i, source, destination):
        udp = struct.pack(">HHHH", 40000, 123, 12, 0) + b"time"
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, destination)
        f.write(struct.pack("<IIII", i // 10000, 0, len(ip + udp), len(ip + udp)) + ip + udp)
    for i in range(70000):
        datagram(i, 0x0a000000 + i, 0x0b000000 + i)
        if i % 1000 == 0:
            datagram(i, 0x0c000000, 0x0c000001)
END
classify --set checksums=ignore --conversations "$folder/many.pcap"
[ "$(wc -l <"$folder/out")" = 70002 ] && [ "$(sum 5)" = 280280 ] || fail "of many datagrams, $(wc -l <"$folder/out") lines, $(sum 5) bytes"
classify --set checksums=ignore "$folder/many.pcap"
[ "$(sum 4)" = 280280 ] && [ "$(sum 5)" = 280280 ] || fail "many hosts sent $(sum 4), received $(sum 5)"
grep -q '^others  *uses  *[0-9][0-9]*  *[0-9]*  *0  time?$' "$folder/out" || fail "no line for others: $(grep others "$folder/out")"
[ "$(wc -l <"$folder/out")" -le 131080 ] || fail "more lines than the help says"
classify --json --set checksums=ignore "$folder/many.pcap"
grep -q '^{"address":null,"role":"serves",' "$folder/out" || fail "--json: no line for others"

[ $failures -eq 0 ] || exit 1
echo ok
