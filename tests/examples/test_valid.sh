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

[ $failures -eq 0 ] || exit 1
echo ok
