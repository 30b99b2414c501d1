#!/bin/sh
# test_readme.sh: the program that README.md shows compiles as it stands there, against what is installed, and does what it says.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

sed -n '/^```c$/,/^```$/{/^```/!p}' README.md >"$folder/program.c"
# shellcheck disable=SC2086 # flags
$CC -std=c11 -Wall -Wextra -Wconversion -Werror $SANITIZE -I"$BUILD/include" "$folder/program.c" "$BUILD/libqcap.a" $LIBS \
    -o "$folder/program"
"$folder/program" tests/captures/pipelined.pcap >"$folder/output"
diff - "$folder/output" <<'TEXT'
10.0.0.11 -> 10.0.0.80 target: /index.html
10.0.0.11 -> 10.0.0.80 host: www.example.org
10.0.0.11 -> 10.0.0.80 target: /numbers.txt
10.0.0.11 -> 10.0.0.80 host: www.example.org
10.0.0.11 -> 10.0.0.80 target: /nothing
10.0.0.11 -> 10.0.0.80 host: www.example.org
10.0.0.11 -> 10.0.0.80 target: /empty.txt
10.0.0.11 -> 10.0.0.80 host: www.example.org
10.0.0.11 -> 10.0.0.80 target: /old
10.0.0.11 -> 10.0.0.80 host: www.example.org
TEXT
