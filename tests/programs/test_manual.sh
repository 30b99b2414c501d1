#!/bin/sh
# test_manual.sh: specs/README.md has an example of every word that annotations are made of: those of spec_parser.y, and
# conversions, but for `part`, which only `joined` makes. (That the examples are right is what test_spec_pages says.)
set -u

examples=$(mktemp)
trap 'rm -f "$examples"' EXIT
# Annotations alone, one word a line.
sed -n '/^```abnf/,/^```$/s/.*;@//p' specs/README.md | tr -c 'a-z0-9-' '\n' | sort -u >"$examples"

words=$(sed -n '/^%token/,/^%left/p' generator/spec_parser.y | grep -o '"[a-z][a-z]*"' | tr -d '"')
conversions=$(grep -o '{"[a-z0-9]*", CONVERT_' generator/grammar.c | tr -d '{"' | sed 's/,.*//' | grep -vx part)
[ "$(echo "$words" | wc -w)" -gt 30 ] || echo "too few words were found in spec_parser.y"
[ "$(echo "$conversions" | wc -w)" -gt 10 ] || echo "too few conversions were found in grammar.c"

failures=0
for word in $words $conversions; do
    grep -qx -- "$word" "$examples" && continue
    echo "specs/README.md has no example of \`$word\`"
    failures=$((failures + 1))
done
exit $((failures > 0))
