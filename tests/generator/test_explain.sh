#!/bin/sh
# test_explain.sh: qcapgen explain: the tree of what read what, and what is said of an input that cannot be read.
. tests/support/qcapgen.sh

cat >toy.abnf <<'EOF'
;@ protocol toy "A toy"
;@ register n : uint
;@ register colour : keyword(red green)
;@ client = *message
;@ server = *answer
message = size ":" body ";"            ;@ emit
size    = 1*DIGIT                      ;@ n = decimal
body    = *OCTET                       ;@ emit stream, length n
answer  = 1*( paint / other ) CRLF
paint   = colour "!"
colour  = 1*ALPHA                      ;@ colour = keyword
other   = "?" [ nested ]               ;@ anomaly asked
nested  = "(" [ nested ] ")"
EOF

check() {
    status=$1
    shift
    expect "$status" '' explain toy.abnf "$@"
    cmp -s out right || fail "explain $*: $(diff right out)"
}

printf '3:a"b;12:0123456789ab;' >input
cat >right <<'EOF'
     0..6      message "3:a\"b;"  emit message
     0..1        size "3"  n = 3
     2..5        body "a\"b"  emit stream body
     6..22     message "12:0123456789ab;"  emit message
     6..8        size "12"  n = 12
     9..21       body "0123456789ab"  emit stream body
EOF
check 0 input
"$qcapgen" explain toy.abnf <input >out && cmp -s out right || fail "explain: standard input: $(cat out)"
"$qcapgen" explain toy.abnf - <input >out && cmp -s out right || fail "explain -: standard input: $(cat out)"

printf 'red!?\r\n' >input
cat >right <<'EOF'
     0..7      answer "red!?\r\n"
     0..4        paint "red!"
     0..3          colour "red"  colour = red
     4..5        other "?"  anomaly asked
EOF
check 0 --server input

printf '((()))' >input
cat >right <<'EOF'
     0..6      nested "((()))"
     1..5        nested "(())"
     2..4          nested "()"
EOF
check 0 --root nested input

# What does not fit, with everything that would have.
printf '3:abc;4x' >input
cat >right <<'EOF'
     0..6      message "3:abc;"  emit message
     0..1        size "3"  n = 3
     2..5        body "abc"  emit stream body
     6..7      message "4" ...  emit message
     6..7        size "4" ...
offset 7: unexpected byte in size
    3:abc;4x
           ^
    size wants DIGIT
    message wants ":"
EOF
check 1 input

# The end comes too early.
printf '5:abc' >input
cat >right <<'EOF'
     0..5      message "5:abc" ...  emit message
     0..1        size "5"  n = 5
     2..5        body "abc" ...  emit stream body
offset 5: the input ends in the middle in body
    5:abc
         ^
    body wants OCTET or the end
EOF
check 1 input

# Only what is around the place is shown, and of a long text its two ends.
{ printf '60:'; printf '%060d' 0; printf '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'; } >input
cat >right <<'EOF'
     0..63     message "60:000000000000000000000000000000000" ... "000000000000" ...  emit message
     0..2        size "60"  n = 60
     3..63       body "000000000000000000000000000000000000" ... "000000000000"  emit stream body
offset 63: unexpected byte in message
    ... 0000000000000000000000000000000000000000!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!! ...
                                                ^
    message wants ";"
EOF
check 1 input

# A value that is no number, and one that is too large, are errors of the input too.
printf '99999999999999999999:' >input
expect 1 '' explain toy.abnf input
grep -q '^offset 0: a number is too large in size$' out || fail "explain: $(cat out)"

# Both sides: an answer waits for its question, and is read by it.
cat >ask.abnf <<'EOF'
;@ protocol ask "Questions and answers"
;@ register kind : keyword(time date)
;@ register size : uint
;@ queue asked(4) : keyword
;@ client = *question
;@ server = *answer
question = "?" kind LF         ;@ push asked kind
kind     = 1*ALPHA             ;@ kind = keyword
answer   = "!" said            ;@ emit
said     = said-kind           ;@ pop asked kind
said-kind = time               ;@ when kind = time
          / text
time     = 1*DIGIT LF
text     = size ":" body LF
size     = 1*DIGIT             ;@ size = decimal
body     = *OCTET              ;@ length size, feed words
words    = *( word " " )
word     = 1*ALPHA             ;@ emit
EOF
explain_ask() {
    status=$1
    shift
    expect "$status" '' explain ask.abnf "$@"
    cmp -s out right || fail "explain $*: $(diff right out)"
}
printf '?time\n?date\n' >questions
printf '!12\n!6:on to \n' >answers
cat >right <<'EOF'
client
     0..6      question "?time\n"  push asked
     1..5        kind "time"  kind = time
     6..12     question "?date\n"  push asked
     7..11       kind "date"  kind = date
server
     0..4      answer "!12\n"  emit answer
     1..4        said "12\n"  pop asked
     1..4          said-kind "12\n"
     1..4            time "12\n"
     4..14     answer "!6:on to \n"  emit answer
     5..14       said "6:on to \n"  pop asked
     5..14         said-kind "6:on to \n"
     5..14           text "6:on to \n"
     5..6              size "6"  size = 6
     7..13             body "on to "  feed words
     7..9      > ask.word "on"
    10..12     > ask.word "to"
EOF
explain_ask 0 questions answers
printf '!x\n' >answers
cat >right <<'EOF'
server
     0..1      answer "!" ...  emit answer
     1..1        said "" ...  pop asked
     1..1          said-kind "" ...
     1..1            time "" ...
offset 1: unexpected byte in time
    !x\n
     ^
    time wants DIGIT
client
     0..6      question "?time\n"  push asked
     1..5        kind "time"  kind = time
     6..12     question "?date\n"  push asked
     7..11       kind "date"  kind = date
    12..12     question "" ...  push asked
EOF
explain_ask 1 --server answers questions
expect 2 'no other side' explain ask.abnf --root word questions answers

# What one side says, taken for what the other does.
cat >sides.abnf <<'EOF'
;@ protocol sides "Sides"
;@ client = *( "?" 1*DIGIT LF )
;@ server = *( "!" 1*DIGIT LF )
EOF
suggests() {
    hint=$1
    shift
    expect 1 '' explain sides.abnf "$@"
    [ "$(grep 'As what' out)" = "$hint" ] || fail "explain $*: $(cat out)"
}
printf '!1\n!2\n' >input
printf '?1\n?' >other
suggests 'As what the server sends it can be read: explain --server' input
suggests 'As what the server sends it can be read: explain --server' input other
suggests 'As what the client sends it can be read up to offset 4: explain without --server' --server other
printf '!1\nx' >input
suggests '' --server input

# One datagram.
cat >name.abnf <<'EOF'
;@ protocol name "Names"
;@ register where : uint
;@ datagram = place "," there *OCTET
place = OCTET                  ;@ where = u8
there = word                   ;@ at where
word  = 1*ALPHA                ;@ emit
EOF
printf '\003, abc' >input
cat >right <<'EOF'
     0..1      place "\x03"  where = 3
     3..6      there "abc"
     3..6        word "abc"  emit word
EOF
expect 0 '' explain name.abnf input
cmp -s out right || fail "explain: $(diff right out)"
expect 2 'nothing of what the server sends' explain name.abnf --server input

expect 1 'cannot read nowhere' explain toy.abnf nowhere
expect 2 'no rule is called `nobody`' explain toy.abnf --root nobody
expect 2 'two roots' explain toy.abnf --root size --server
expect 2 'names a rule' explain part.abnf
expect 1 'bad.abnf' explain bad.abnf
: >input
: >right
check 0 input
exit $((failures > 0))
