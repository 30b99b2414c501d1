#!/bin/sh
# test_generate.sh: qcapgen generate: what it writes, and when it leaves all files as they were.
top=$PWD
. tests/support/qcapgen.sh
sed 's/word/other/' good.abnf >same.abnf
mkdir made

expect 2 'says where to' generate good.abnf
expect 2 'a DIR is missing' generate good.abnf -o

expect 1 'bad.abnf:2:14: error: rule `nothing` is not defined' generate good.abnf bad.abnf -o made
[ -z "$(ls made)" ] || fail 'generate: writes beside a mistake'
expect 1 'names no protocol' generate part.abnf -o made
expect 1 'good.abnf and same.abnf are both of protocol `good`' generate good.abnf same.abnf -o made
[ -z "$(ls made)" ] || fail 'generate: writes beside a mistake'
expect 1 'cannot make the folder good.abnf/made: Not a directory' generate good.abnf -o good.abnf/made
expect 1 'cannot make the folder good.abnf: File exists' generate good.abnf -o good.abnf
expect 0 '' generate good.abnf -o new/folder/
[ "$(ls new/folder | tr '\n' ' ')" = 'good.c good.h ' ] || fail 'generate: not two files in a new folder'
expect 0 '' generate good.abnf -o made
for step in header source; do
    expect 0 '' check --dump=$step good.abnf
    cmp -s out made/good.$(echo $step | sed 's/header/h/; s/source/c/') || fail "--dump=$step: not what is generated"
done
[ "$(ls made | tr '\n' ' ')" = 'good.c good.h ' ] || fail 'generate: not two files'

# A full disk (here a limit on what a file may hold) leaves everything as it was.
cp made/good.c before
: >made/good.h
if (trap '' XFSZ && ulimit -f 8 && exec "$qcapgen" generate good.abnf -o made 2>err); then fail 'generate: writes too much'; fi
grep -q 'cannot write made/good.c: File too large' err || fail "generate: on a full disk: $(cat err)"
[ "$(ls made | tr '\n' ' ')" = 'good.c good.h ' ] || fail "generate: on a full disk: leaves $(ls made)"
[ ! -s made/good.h ] && cmp -s made/good.c before || fail 'generate: on a full disk: has written'
if [ -c /dev/full ]; then
    "$qcapgen" check --dump=nfa good.abnf >/dev/full 2>err && fail 'check: prints onto a full disk'
    grep -q 'cannot write: No space left on device' err || fail "check: on a full disk: $(cat err)"
fi

# Stale files.
expect 1 '^qcapgen: made/good.h is stale$' generate --check good.abnf -o made
expect 0 '' generate good.abnf -o made
expect 0 '' generate --check good.abnf -o made
[ ! -s out ] || fail 'generate --check: prints though nothing is stale'
sed 's/good_protocol/good_prodigal/' before >made/good.c
expect 1 '^qcapgen: made/good.c is stale$' generate --check good.abnf -o made
head -n 3 out | tr '\n' ' ' | grep -q '^--- made/good.c +++ made/good.c, generated @@ ' || fail 'generate --check: no diff'
sed -n 's/^-//p' out | grep -q good_prodigal || fail 'generate --check: the diff has not what is there'
sed -n 's/^+//p' out | grep -q good_protocol || fail 'generate --check: the diff has not what should be there'
! grep -q good_protocol made/good.c || fail 'generate --check: writes'
rm made/good.c
expect 1 'made/good.c is stale: cannot read it: No such file' generate --check good.abnf -o made
expect 2 'writes nothing' generate --check good.abnf -o made --depfile d

# The page for people.
cat >paged.abnf <<'END'
;@ protocol paged "Pages"
;@ port tcp 7
;@ client = *line
;@ server = *answer
; RFC 1, 2.3
line   = word [ odd ] LF    ;@ emit
word   = 1*( ALPHA / "|" )  ;@ emit stream
odd    = "?"                ;@ anomaly question
answer = "ok" LF            ;@ emit
       / "go" LF            ;@ become other
END
expect 0 '' generate --page paged.abnf -o made
expect 0 '' generate --check --page paged.abnf -o made
for line in '# Pages' 'Usual ports: tcp 7' 'the client sends: *line' \
    '| `paged.line` | client | whole | line = `word [ odd ] LF` | RFC 1, 2.3 |' \
    '| `paged.line.word` | client | in pieces | word = `1*( ALPHA / "\|" )` | RFC 1, 2.3 |' \
    '| `question` | odd: `"?"` | RFC 1, 2.3 |' '- behind `answer`, both sides go over to `other`'; do
    grep -qxF -- "$line" made/paged.md || fail "generate --page: no line $line"
done
echo >>made/paged.md
expect 1 '^qcapgen: made/paged.md is stale$' generate --check --page paged.abnf -o made
expect 0 '' generate --check paged.abnf -o made
rm made/paged.*

# Dependencies, as make reads them.
mkdir 'a #b$c'
echo 'word = 1*ALPHA' >'a #b$c/part.abnf'
{
    echo ';@ import "part.abnf"'
    sed /^word/d good.abnf
} >'a #b$c/main.abnf'
expect 0 '' generate 'a #b$c/main.abnf' -o made --depfile made/d
printf '%s\n' 'made/good.h made/good.c: a\ \#b$$c/main.abnf a\ \#b$$c/part.abnf' '' 'a\ \#b$$c/main.abnf:' '' \
    'a\ \#b$$c/part.abnf:' >right
cmp -s right made/d || fail "generate --depfile: $(cat made/d)"
{
    echo 'all: made/good.h'
    printf 'made/good.h:\n\ttouch made/good.h\n'
    cat made/d
} >Makefile
make -q 2>err || fail "generate --depfile: make would do it again: $(cat err)"
touch -d tomorrow 'a #b$c/part.abnf'
! make -q 2>err || fail 'generate --depfile: make does not know of the import'
rm -r 'a #b$c'
make -s 2>err || fail "generate --depfile: an import that is gone is an error: $(cat err)"
printf 'a\r\n' >good.client.sample
expect 0 '' generate good.abnf -o made --depfile d
[ "$(head -n 1 d)" = 'made/good.h made/good.c: good.abnf good.client.sample' ] || fail "generate --depfile: of a sample: $(cat d)"
expect 0 '' generate - -o made --depfile d <good.abnf
[ "$(cat d)" = 'made/good.h made/good.c:' ] || fail "generate --depfile: of standard input: $(cat d)"

# Names that C would take for one are two.
{
    printf ';@ protocol alike "Alike"\n;@ client = *( a-b / a_b / c / h / element-count )\n'
    printf 'a-b = "1" ;@ emit\na_b = "2" d ;@ emit\nc = "3" a-c ;@ emit as a\na-c = "4" ;@ emit as b-c\n'
    printf 'd = "5" ;@ emit as c\nh = "6" ;@ emit\nelement-count = "7" ;@ emit\n'
} >alike.abnf
expect 0 '' generate alike.abnf -o made
grep -q ' QCAP_ALIKE_A_B_2 = ' made/alike.h || fail "generate: no constant with a number: $(grep ' QCAP_ALIKE' made/alike.h)"
"${CC:-cc}" -std=c11 -fsyntax-only -I"$top/runtime" made/alike.c 2>err || fail "generate: names that are alike: $(head -n 5 err)"

# No protocol has a name that its parser could not have.
sed -n 's/.*\bqcap_\([a-z0-9_]*\)_t\b.*/\1/p; s/^[ #a-z]*\bQCAP_\([A-Z0-9]*\)_[A-Z0-9_]*\b.*/\1/p' "$top/runtime/parser.h" |
    tr A-Z a-z | sort -u >taken
[ "$(wc -l <taken)" -gt 40 ] || fail 'parser.h: where are its names?'
while read -r name; do
    sed "s/protocol good/protocol $name/" good.abnf >taken.abnf
    expect 1 "no protocol can be called" check taken.abnf
done <taken

exit $((failures > 0))
