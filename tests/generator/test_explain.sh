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

expect 1 'cannot read nowhere' explain toy.abnf nowhere
expect 2 'no rule is called `nobody`' explain toy.abnf --root nobody
expect 2 'two roots' explain toy.abnf --root size --server
expect 2 'names a rule' explain part.abnf
expect 1 'bad.abnf' explain bad.abnf
: >input
: >right
check 0 input
exit $((failures > 0))
