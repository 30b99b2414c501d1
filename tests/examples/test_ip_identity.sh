#!/bin/sh
# test_ip_identity.sh: the logins that ip_identity finds in the captures are those of logins.txt: a line each, behind the
# capture's name, without the time. UPDATE=1 writes them anew, for a human to judge.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
page=tests/examples/logins.txt

for capture in tests/captures/*.pcap*; do
    "$BUILD/ip_identity" "$capture" | sed -n "2,\$s|  [0-9]*-[0-9]*-[0-9]* [0-9:]*  |  |; 2,\$s|^|$(basename "$capture")  |p"
done >"$folder/logins"

[ -z "${UPDATE:-}" ] || cp "$folder/logins" $page
diff -u $page "$folder/logins"
