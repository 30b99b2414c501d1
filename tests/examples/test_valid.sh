#!/bin/sh
# test_valid.sh: valid has nothing to say of software that keeps to its protocol, and says where it is that others do not.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# expect STATUS ARGUMENT...: what it prints is in $folder/out.
expect() {
    status=$1
    shift
    "$BUILD/valid" "$@" >"$folder/out" 2>"$folder/errors"
    got=$?
    [ "$got" = "$status" ] || fail "valid $*: expected $status, got $got: $(head -n 3 "$folder/out" "$folder/errors")"
}

# says PATTERN: a line of what was printed is like this.
says() {
    grep -q -- "$1" "$folder/out" || fail "valid says no line like: $1, but: $(head -n 5 "$folder/out")"
}

# What real servers and clients said.
for capture in tests/captures/*.pcap*; do
    expect 0 "$capture"
done
expect 0 --bad --strict tests/captures/pipelined.pcap
[ "$(wc -l <"$folder/out")" = 1 ] || fail "--bad: prints what is good: $(cat "$folder/out")"
expect 0 tests/captures/pipelined.pcap
says '^1 *tcp  10.0.0.1[0-9]*:[0-9]*  *10.0.0.8[0-9]:80  *http  *http  *ok$'

# A request whose third one has another name for its protocol; the checksum is not that of these bytes.
LC_ALL=C sed 's|^GET /empty.txt HTTP|GET /empty.txt HTTQ|' tests/captures/pipelined.pcap >"$folder/changed"
cmp -s tests/captures/pipelined.pcap "$folder/changed" && fail "the capture has no such request"
expect 3 --set checksums=ignore "$folder/changed"
says 'violation in packet [1-9][0-9]*, from the client at [1-9][0-9]*: unexpected byte "Q" in HTTP-name, expected "P"$'
expect 3 --json --set checksums=ignore "$folder/changed"
says '"promised":"http","spoken":"http","anomalies":{},"errors":[1-9].*"violation":{"packet":[0-9]*,"direction":"client","offset":[0-9]*,"text":"unexpected byte'
python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <"$folder/out" || fail "--json: no JSON"

# Anomalies are no violations, unless they are to be; nor is another protocol than the port promises.
LC_ALL=C sed 's|^GET /old HTTP/1.1|GET /old HTTP/1. |' tests/captures/pipelined.pcap >"$folder/odd"
expect 0 --set checksums=ignore "$folder/odd"
says 'anomalies .*bad-version [1-9]'
expect 3 --strict --set checksums=ignore "$folder/odd"

# A mail whose last delimiter is none: it ends in the middle, all of which was there. What TOP asks for (in the same capture) may.
LC_ALL=C sed 's|^--=_outer--|--=_outer-.|' tests/captures/pop3.pcap >"$folder/endless"
expect 3 --set checksums=ignore "$folder/endless"
says 'pop3  *pop3  *violation in packet [0-9]*, from the server at [0-9]*: mime: the stream ends in the middle in '
[ "$(grep -c violation "$folder/out")" = 1 ] || fail "valid: $(grep violation "$folder/out")"

# Random bytes are nothing that is known, on whatever port: 10.0.0.1 and 10.0.0.2 say some of them in turn.
python3 - "$folder/random.pcap" <<'END'
import random, struct, sys
random.seed(5)
frames = []
def segment(is_client, port, number, seq, ack, flags, data=b""):
    ends = (20000 + number, port) if is_client else (port, 20000 + number)
    tcp = struct.pack(">HHIIBBHHH", *ends, seq, ack, 0x50, flags, 65535, 0, 0) + data
    hosts = (0x0a000001, 0x0a000002) if is_client else (0x0a000002, 0x0a000001)
    frames.append(struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, *hosts) + tcp)
for number in range(400):
    port = (21, 22, 25, 53, 80, 110, 143, 194, 443, 554, 5060, 6379, 6667, 8080, 9999, 11211)[number % 16]
    sent = [1, 1]
    segment(True, port, number, 0, 0, 2)
    segment(False, port, number, 0, 1, 0x12)
    for turn in range(random.randrange(1, 6)):
        side, data = random.randrange(2), random.randbytes(random.choice((16, 64, 300, 1400)))
        segment(side == 0, port, number, sent[side], sent[1 - side], 0x18, data)
        sent[side] += len(data)
    segment(True, port, number, sent[0], sent[1], 0x11)
    segment(False, port, number, sent[1], sent[0] + 1, 0x11)
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for i, frame in enumerate(frames):
        f.write(struct.pack("<IIII", i // 1000, i % 1000, len(frame), len(frame)) + frame)
END
expect 0 --set checksums=ignore "$folder/random.pcap"
[ "$(awk 'NR > 1 && $6 == "-"' "$folder/out" | wc -l)" = 400 ] ||
    fail "random bytes are taken for a protocol: $(awk 'NR > 1 && $6 != "-"' "$folder/out" | head -n 5)"

[ $failures -eq 0 ] || exit 1
echo ok
