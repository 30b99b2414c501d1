#!/bin/sh
# test_words.sh: every word of the annotations, as the lexer has them, is shown in all four ways: on a page of golden/ in messages
# about it, in a dump of what it becomes, and in the C that is made of it; and in a spec whose parser has pages of input and events.
#
# A page shows a word if the annotations of a case have it, and the case has a block of that kind. What stands in strings, and the
# roots' own ABNF, is no annotation.
set -u
folder=tests/generator/golden
table=$(mktemp) || exit 1
trap 'rm -f "$table"' EXIT

# The words of scan_annotation() in the lexer, one a line.
words=$(sed -n '/^static bool scan_annotation/,/^}/p' generator/spec_lexer.re |
    awk '/^ *(\| *)?"[a-z]/ { while (match($0, /"[a-z][a-z0-9-]*"/)) { print substr($0, RSTART + 1, RLENGTH - 2); $0 = substr($0, RSTART + RLENGTH) } }' |
    grep -v '^0x$')
[ "$(echo "$words" | grep -c .)" -gt 60 ] || { echo "words: only $(echo "$words" | grep -c .) found"; exit 1; }

# WORD, a blank, KIND for each that is shown.
annotations='
    function words_of(line) { # of the annotation on a line, separated by blanks
        if (!match(line, /;@/))
            return ""
        line = substr(line, RSTART + 2)
        gsub(/"[^"]*"/, " ", line)
        sub(/^ *prose *<.*/, " prose", line)
        if (match(line, /^ *(client|server|datagram) *=/))
            line = substr(line, RSTART, RLENGTH)
        gsub(/[^A-Za-z0-9_-]+/, " ", line)
        return line
    }
    function tell(line, kind,  n, i, part) {
        n = split(line, part, " ")
        for (i = 1; i <= n; i++)
            print part[i], kind
    }
'
awk "$annotations"'
    FNR == 1 || /^## / { in_case = "" }
    /^```/ && block != "" { block = ""; next }
    /^```/ { block = substr($0, 4); sub(/ .*/, "", block); if (block ~ /^(grammar|nfa|dfa|optimised)$/) tell(in_case, "dump"); if (block == "c") tell(in_case, "c"); next }
    block == "abnf" { in_case = in_case " " words_of($0) }
    block == "messages" && /^ *[0-9]+ \|/ { tell(words_of($0), "messages") }
' $folder/*.md specs/README.md >"$table"
for spec in tests/support/*.abnf specs/*.abnf; do
    name=$(basename "$spec" .abnf)
    if grep -qs '^```events' "tests/protocols/$name"/*.md; then
        awk "$annotations"'{ tell(words_of($0), "events") }' "$spec" >>"$table"
    fi
done

missing=0
for word in $words; do
    for kind in messages dump c events; do
        grep -qx -- "$word $kind" "$table" && continue
        echo "$word: no $kind"
        missing=$((missing + 1))
    done
done
[ $missing -eq 0 ] || exit 1
echo ok
