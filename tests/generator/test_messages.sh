#!/bin/sh
# test_messages.sh: every message that the generator can print about a spec stands on a page in golden/, as it is printed.
#
# Messages are taken from the sources: the strings in calls of diag_error() and its like, each alternative of a ?: for itself.
# What takes a spec that is too large for a page, or none, is tested in a program or script beside it, and stands there as a string.
set -u
folder=tests/generator
messages=$(mktemp) || exit 1
trap 'rm -f "$messages"' EXIT

# FILE:LINE, a tab, and a regular expression for each string
awk '
    function take(text,  string, re) { # the strings of a call, neighbours joined
        string = ""
        while (match(text, /"([^"\\]|\\.)*"/)) {
            if (string != "" && substr(text, 1, RSTART - 1) !~ /^[ \t\n]*$/) {
                put(string)
                string = ""
            }
            string = string substr(text, RSTART + 1, RLENGTH - 2)
            text = substr(text, RSTART + RLENGTH)
        }
        put(string)
    }
    function put(string) {
        if (length(string) < 8)
            return
        gsub(/\\"/, "\"", string)
        gsub(/%%/, "\001", string)
        gsub(/%[-0-9.*]*(ll|z)?[a-zA-Z]/, "\002", string)
        gsub(/[][\\.*^$(){}+?|\/]/, "\\\\&", string)
        gsub(/\001/, "%", string)
        gsub(/\002/, ".*", string)
        print file ":" line "\t" string
    }
    FNR == 1 { call = "" }
    call == "" && /diag_(error|warning|note|note_at)\(/ && !/^(void|\/\*)/ { call = $0; file = FILENAME; line = FNR; sub(/.*diag_/, "", call) }
    call != "" && FNR != line { call = call "\n" $0 }
    call != "" && /;[ \t]*(\/\*.*|\\)?$/ { take(call); call = "" }
' generator/*.c generator/*.re generator/*.y >"$messages"

[ "$(grep -c . "$messages")" -gt 80 ] || { echo "messages: only $(grep -c . "$messages") found"; exit 1; }
missing=0
while IFS='	' read -r place message; do
    grep -qE -- "$message" $folder/golden/*.md specs/README.md && continue
    grep -qE -- "[\"'].*$message" $folder/*.c $folder/test_qcapgen.sh $folder/test_hostile.sh && continue
    echo "$place: no page has \"$message\""
    missing=$((missing + 1))
done <"$messages"
[ $missing -eq 0 ] || exit 1
echo ok
