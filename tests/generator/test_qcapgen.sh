#!/bin/sh
# test_qcapgen.sh: the command line: what commands say and exit with.
. tests/support/qcapgen.sh

expect 0 '' --help
grep -q '^usage: qcapgen' out || fail 'qcapgen --help: no usage'
commands=$(sed -n 's/^  \([a-z]*\)  .*/\1/p' out)
[ "$(echo "$commands" | grep -c '^check$\|^generate$\|^help$')" -eq 3 ] || fail 'qcapgen --help: not the commands'
for command in $commands; do
    expect 0 '' help $command
    grep -q "^usage: qcapgen $command" out || fail "qcapgen help $command: no usage"
    mv out help
    expect 0 '' $command nowhere.abnf --help
    cmp -s out help || fail "qcapgen $command --help: not qcapgen help $command"
done
expect 0 '' help
for arguments in --version 'check --version' '--version check nowhere.abnf'; do
    # shellcheck disable=SC2086 # words are meant
    expect 0 '' $arguments
    grep -qx 'qcapgen [0-9][0-9]*\.[0-9.]*' out || fail "qcapgen $arguments: $(cat out)"
done
expect 2 'no command' --
expect 2 'no command'
expect 2 'no command is called `improve`$' improve good.abnf
expect 2 'no command is called `chekc`; did you mean `check`?' chekc good.abnf
expect 2 'did you mean `generate`?' help genrate
expect 2 'see qcapgen check --help' check
expect 2 'SPEC... is missing' check
expect 2 'what is `elements` for' help check elements
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
cat >ambiguous.abnf <<END
;@ protocol ambiguous "Ambiguous"
;@ client = *( OWS value OWS LF )
OWS    = *SP
value  = [ number / word ]   ;@ emit
number = 1*DIGIT             ;@ emit
word   = 1*VCHAR             ;@ emit
END
expect 0 'ambiguous.abnf:4:12: warning: "0" can be read in two ways: with element `number`' check ambiguous.abnf
[ "$(grep -c 'in two ways' err)" -eq 1 ] || fail 'qcapgen check: more than the symbolic ambiguity'
expect 1 '' ambiguities ambiguous.abnf
grep -q '^ambiguous.abnf: ambiguities: 1, and 1 of positions alone$' out || fail "qcapgen ambiguities: $(cat out)"
[ "$(grep -c 'in two ways' out)" -eq 1 ] || fail 'qcapgen ambiguities: not one'
expect 1 '' ambiguities --positions ambiguous.abnf
[ "$(grep -c 'in two ways' out)" -eq 2 ] || fail 'qcapgen ambiguities --positions: not two'
expect 0 '' ambiguities --positions good.abnf
expect 1 'is not defined' ambiguities bad.abnf

expect 0 '' elements good.abnf
printf 'good.line\ngood.line.w\n' | cmp -s - out || fail 'elements: not those of the spec'

expect 0 '' contract good.abnf
head -n 1 out | grep -qx 'protocol good' || fail 'contract: not of the spec'
! sed 1d out | grep -v '^[a-z.-]* [0-9][0-9]*$' || fail 'contract: not all lines are a key and a number'
grep -qx 'elements 2' out || fail 'contract: not two elements'
sed '1d; s/^/ *     /' out >right
expect 0 '' check --dump=header good.abnf
grep '^ \*     ' out | cmp -s right - || fail 'contract: not as in the header'
if [ "$(head -c 5 "$qcapgen" | tail -c 4 | tr '\2' 2)" = ELF2 ]; then
    expect 0 '' contract good.abnf --object "$qcapgen"
    [ "$(grep -c '^bytes.object.' out)" = 3 ] || fail 'contract: no sizes of an object'
fi
expect 1 'cannot measure good.abnf: it is no ELF file' contract good.abnf --object good.abnf
expect 1 'cannot read nowhere.o' contract good.abnf --object nowhere.o
expect 1 'names no protocol' contract part.abnf

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

printf '1. Words\n\n   A line is a word.\n\n     line = word CRLF\n' >rfc.txt
printf '; Section 1\nline = word CRLF\n\n; Not defined here: word\n' >right
expect 0 '' extract rfc.txt
cmp -s right out || fail 'extract: not the rule of the text'
expect 0 '' extract - <rfc.txt
cmp -s right out || fail 'extract -: not the rule of the text'
expect 1 'cannot open nowhere.txt' extract nowhere.txt
expect 1 '<stdin> has no ABNF' extract - </dev/null
expect 2 'what is `more.txt` for' extract rfc.txt more.txt

exit $((failures > 0))
