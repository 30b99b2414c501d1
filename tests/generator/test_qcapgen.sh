#!/bin/sh
# test_qcapgen.sh: what qcapgen exits with, and that a wrong spec leaves all files as they were.
#
# BUILD is the folder where qcapgen was built.
set -u
qcapgen=$PWD/${BUILD:-build}/qcapgen
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# expect STATUS WHAT-STDERR-HAS ARGUMENT...; nothing at all on stderr if that is empty
expect() {
    status=$1 text=$2
    shift 2
    "$qcapgen" "$@" >"$folder/out" 2>"$folder/err"
    is=$?
    [ $is -eq "$status" ] || fail "qcapgen $*: exit status $is instead of $status"
    if [ -z "$text" ]; then
        [ ! -s "$folder/err" ] || fail "qcapgen $*: $(cat "$folder/err")"
    else
        grep -q -- "$text" "$folder/err" || fail "qcapgen $*: stderr has no \"$text\""
    fi
}

cat >"$folder/good.abnf" <<END
;@ protocol good "Good"
;@ client = *line
line = word CRLF   ;@ emit
word = 1*ALPHA     ;@ emit as w
END
cat >"$folder/bad.abnf" <<END
;@ protocol bad "Bad"
;@ client = *nothing
END
echo 'word = 1*ALPHA' >"$folder/part.abnf"
cd "$folder" || exit 1
sed 's/word/other/' good.abnf >same.abnf
mkdir made

expect 0 '' --help
grep -q '^usage: qcapgen' out || fail 'qcapgen --help: no usage'
for command in check elements extract generate help; do
    expect 0 '' help $command
    grep -q "^usage: qcapgen $command" out || fail "qcapgen help $command: no usage"
    mv out help
    expect 0 '' $command nowhere.abnf --help
    cmp -s out help || fail "qcapgen $command --help: not qcapgen help $command"
done
expect 0 '' help
expect 2 'no command' --
expect 2 'no command'
expect 2 'no command is called `improve`$' improve good.abnf
expect 2 'no command is called `chekc`; did you mean `check`?' chekc good.abnf
expect 2 'did you mean `generate`?' help genrate
expect 2 'see qcapgen check --help' check
expect 2 'SPEC... is missing' check
expect 2 'what is `elements` for' help check elements
expect 2 'says where to' generate good.abnf
expect 2 'a DIR is missing' generate good.abnf -o
expect 2 'no option is called `-x`$' check -x good.abnf
expect 2 'no option is called `--fast`$' check --fast good.abnf
expect 2 'did you mean `--dump`?' check --dmup=nfa good.abnf
expect 2 'did you mean `--help`?' --hlep
expect 2 '--help has no value' check --help=all
expect 2 'no step is called `grammer`; did you mean `grammar`?' check --dump=grammer good.abnf
expect 1 'cannot open nowhere.abnf' check nowhere.abnf
expect 1 'cannot read .: Is a directory' check .

expect 0 '' check good.abnf part.abnf
expect 0 '' check --dump=grammar good.abnf
grep -q '^word = 1\*ALPHA' out || fail '--dump=grammar: no rule'
expect 0 '' check --dump grammar -- good.abnf
grep -q '^word = 1\*ALPHA' out || fail '--dump grammar: no rule'
expect 1 'is not defined' check --dump=grammar good.abnf bad.abnf
grep -q '^word = 1\*ALPHA' out || fail '--dump=grammar: no rule of a spec that is right'
expect 0 '' elements good.abnf
printf 'good.line\ngood.line.w\n' | cmp -s - out || fail 'elements: not those of the spec'

# Colours: not into a file, unless they are asked for.
expect 1 '^bad.abnf:2:14: error:' check bad.abnf
expect 1 '.\[1mbad.abnf:2:14:' --color=always check bad.abnf
expect 1 '^bad.abnf:2:14: error:' --color=always check bad.abnf --color=never
expect 2 'no choice of --color is called `awlays`; did you mean `always`?' check --color=awlays bad.abnf
on_terminal() {
    env "$@" script -qec "$qcapgen check bad.abnf" /dev/null >out </dev/null
    grep -q '\[1m' out
}
if command -v script >/dev/null; then
    on_terminal TERM=xterm || fail 'no colours on a terminal'
    ! on_terminal TERM=dumb || fail 'colours on a terminal that has none'
    ! on_terminal TERM=xterm NO_COLOR=1 || fail 'colours against NO_COLOR'
    on_terminal TERM=xterm NO_COLOR= || fail 'an empty NO_COLOR says nothing'
fi

expect 0 '' check - <good.abnf
expect 1 '<stdin>:2:14: error: rule `nothing` is not defined' check - <bad.abnf

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

printf '1. Words\n\n   A line is a word.\n\n     line = word CRLF\n' >rfc.txt
printf '; Section 1\nline = word CRLF\n\n; Not defined here: word\n' >right
expect 0 '' extract rfc.txt
cmp -s right out || fail 'extract: not the rule of the text'
expect 0 '' extract - <rfc.txt
cmp -s right out || fail 'extract -: not the rule of the text'
expect 1 'cannot open nowhere.txt' extract nowhere.txt
expect 1 '<stdin> has no ABNF' extract - </dev/null
expect 2 'what is `more.txt` for' extract rfc.txt more.txt

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
expect 0 '' generate - -o made --depfile d <good.abnf
[ "$(cat d)" = 'made/good.h made/good.c:' ] || fail "generate --depfile: of standard input: $(cat d)"

exit $((failures > 0))
