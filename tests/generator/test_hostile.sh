#!/bin/sh
# test_hostile.sh: specs that nobody means well with: each is refused, or read, in ten seconds and a gigabyte, with a message and
# without a file if it is refused. Instrumented builds take what they need.
. tests/support/qcapgen.sh

# What reads a pipe has no variables to set.
fail() {
    echo "$*"
    : >"$folder/failed"
}

# reads NAME TEXT: the spec on standard input is refused with a message that has TEXT, or read if that is empty
reads() {
    { printf ';@ protocol p "P"\n;@ client = a\n' && cat; } >"$1.abnf"
    rm -f made/*
    (
        [ -n "${SANITIZE:-}" ] || ulimit -t 10 -v 1000000
        "$qcapgen" generate "$1.abnf" -o made >out 2>err
    )
    is=$?
    if [ -z "$2" ]; then
        [ $is -eq 0 ] || fail "$1: exit status $is, $(head -n 1 err)"
    else
        [ $is -eq 1 ] || fail "$1: exit status $is"
        grep -q -- "$2" err || fail "$1: stderr has no \"$2\", $(head -n 1 err)"
        [ -z "$(ls made)" ] || fail "$1: writes beside a mistake"
    fi
}

# list COUNT FORMAT: the format with each number below COUNT
list() {
    awk -v count="$1" -v format="$2" 'BEGIN { for (i = 0; i < count; i++) printf format, i, i, i }'
}

mkdir made

# numbers
echo 'a = 1000000000*"x"' | reads repeat-many ''
echo 'a = *( 1000( 1000( 1000"x" / "y" ) ) )' | reads repeat-nested 'more than'
echo 'a = 5000000000"x"' | reads repeat-beyond 'too often'
echo 'a = 1#100( 1#100( 1#100( 1#100 "x" ) ) )' | reads lists-nested 'too large'
echo 'a = *( 100( 200( *( "a" / "b" ) "c" ) ) )' | reads chain ''
echo 'a = %x110000 / %x99999999999999999999' | reads code-points 'up to %x10FFFF'

# depth
{ printf 'a = '; list 1000 '('; echo '"x"'; } | reads brackets 'nested more than 200 deep'
{ list 5000 'r%d = "x" r' | awk '{ n = split($0, part, "= \"x\" r"); for (i = 1; i < n; i++) print part[i] "= \"x\" r" i }'
    echo 'a = r0'; echo 'r5000 = "x"'; } | reads rules-deep 'levels deep'
{ list 3000 'r%d = "x" [ r%d ]\n' && echo 'a = r0'; } | reads rules-in-themselves ''

# breadth
{ printf 'a = "x"'; list 300000 ' / "x%d"'; echo; } | reads alternatives 'too large'
{ printf 'a = "x"'; list 20000 ' / r%d'; echo; list 20000 'r%d = "x%d" ;@ emit\n'; } | reads elements-many 'more than .* elements; `.*` is among the last'
{ printf 'a ='; list 100000 ' nothing%d'; echo; } | reads names-unknown 'is not defined'
list 100000 'a = "x"\n' | reads rule-again 'is defined twice'
{ printf 'a = "x" ;@ emit'; list 100000 ', emit'; echo; } | reads notes-many 'a second'
{ printf ';'; list 500000 'comment %d '; echo; } | reads file-long 'is longer than'

# readings
echo 'a = *( "a" / "b" ) "a" 30( "a" / "b" ) "c"' | reads subsets 'more than .* states'
{ printf 'a = *( "c"'; list 400 ' / %d( "a" / "b" ) "c"'; echo ' )'; } | reads overlaps 'more than .* readings in all states'
{ printf 'a ='; list 3000 ' [ "%d" ]'; echo; } | reads options 'more than'
{ printf 'a ='; list 3000 ' *"a"'; echo ' "b"'; } | reads repeats-in-line ''
{ printf 'a = *( "x"'; list 40 ' / %%x1%03d-10FFFF "x%d"'; echo ' )'; } | reads ranges ''
{ printf 'a = *( "x"'; list 300 ' / r%d'; echo ' )'; list 300 'r%d = *%%x61-62 "x%d" ;@ emit\n'; } | reads elements ''
{ printf 'a ='; list 200 ' 1*1%03d"a"'; echo; } | reads counters-in-line 'more than'
{ list 60 'r%d = "x" [ r0 ] [ r1 ] [ r2 ] [ r%d ]\n'; echo 'a = r0 [ r59 ]'; } | reads cycles 'not reached by one reading\|is not needed\|nothing that is read'
printf 'a = "x" [ a ] [ b ]\nb = "y" [ b ] [ a ] [ c ]\nc = "z" *( a / b / c )\n' | reads cycles-small 'not reached by one reading'

# bytes
printf 'a = "x\000y" \000\n' | reads nul 'byte %x00'
printf '\377\376a = \200\n' | reads bytes 'has no meaning here'
head -c 300000 /dev/zero | tr '\0' '(' | reads open 'nested more than'
head -c 300000 /dev/zero | tr '\0' '"' | reads quotes 'does not fit here\|missing\|has no meaning'

# imports
printf ';@ import "circle.abnf"\nb = "x" [ a ]\n' >round.abnf
printf ';@ import "round.abnf"\na = "y" [ b ]\n' | reads circle ''
printf ';@ import "self.abnf"\n;@ import "./self.abnf"\na = "x"\n' | reads self ''
list 900 '%d\n' | while read -r i _; do
    printf ';@ import "link%d.abnf"\nl%d = "x"\n' $((i + 1)) "$i" >"link$i.abnf"
done
printf 'b = "x"\n' >link900.abnf
printf ';@ import "link0.abnf"\na = b\n' | reads chain-of-files ''
printf ';@ import "link901.abnf"\nb = "x"\n' >link900.abnf
for i in $(seq 901 1100); do printf ';@ import "link%d.abnf"\n' $((i + 1)) >"link$i.abnf"; done
printf ';@ import "link0.abnf"\na = b\n' | reads chain-too-long 'a spec has at most .* files'
head -c 3000000 /dev/zero | tr '\0' '\n' | tee large1.abnf >large2.abnf
printf ';@ import "large1.abnf"\n;@ import "large2.abnf"\na = "x"\n' | reads imports-large 'with this import the spec is longer than .* bytes'
mkfifo pipe.abnf
for other in . /dev/zero pipe.abnf; do
    printf ';@ import "%s"\na = "x"\n' $other | reads "import-$(basename $other .abnf)" 'cannot import .*: it is not a regular file'
done
printf ';@ import "-"\na = "x"\n' | reads import-input 'cannot open -'

[ ! -e failed ]
