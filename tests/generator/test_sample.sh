#!/bin/sh
# test_sample.sh: qcapgen sample: messages that follow the annotations, the same for the same seed, and every way used.
. tests/support/qcapgen.sh

cat >toy.abnf <<'EOF'
;@ protocol toy "A toy"
;@ register n : uint
;@ register colour : keyword(red green)
;@ client = *message
;@ server = *( "ok" LF )
message = "#" count ":" body ";"
        / "c" name " " shade LF
        / "f" field LF
        / "(" nested ")"
count   = 1*DIGIT                      ;@ n = decimal
body    = *OCTET                       ;@ length n
name    = 1*ALPHA                      ;@ colour = keyword
shade   = "rouge"                      ;@ when colour = red
        / "vert"                       ;@ when colour = green
        / "none"
field   = key "=" value                ;@ refine value by key: Size
key     = 1*ALPHA
value   = 2*3%x21-7E
Size    = 1*DIGIT
nested  = *( "." / "(" nested ")" )
EOF

# Each message fits one of these; in turn, each of these has one.
expect 0 '' sample toy.abnf --quote
mv out all
[ -s all ] || fail "sample: nothing was written"
while read -r line; do
    case $line in
    '#'*) # so many bytes as the number says; \xHH and the like are one
        printf '%b' "$(echo "$line" | sed 's/\\"/"/g')" >bytes
        count=$(sed -n '1s/^#\([0-9]*\):.*/\1/p' bytes | sed 's/^0*\(.\)/\1/')
        [ "$(wc -c <bytes)" -eq $((count + $(sed -n '1s/^\(#[0-9]*:\).*/\1/p' bytes | tr -d '\n' | wc -c) + 1)) ] ||
            fail "sample: the length does not fit: $line" ;;
    esac
done <<EOF
$(LC_ALL=C grep -v '\\x\|\\\\' all)
EOF
for shape in '[cC]red rouge' '[cC]green vert' '[cC][A-Za-z]* none' '[fF]Size=[0-9]\\n' '[fF]Size=[0-9][0-9]' \
    '[fF][A-Za-z]*=..\\n' '[fF][A-Za-z]*=...\\n' '()' '(\.)' '(.*(.*))' '#[0-9]:' '#[0-9][0-9]'; do
    grep -qi -- "^$shape" all || fail "sample: no message is like $shape: $(cat all)"
done

# The same seed writes the same; another one does not.
expect 0 '' sample toy.abnf --quote --seed 1
cmp -s out all || fail "sample: the same seed does not write the same"
expect 0 '' sample toy.abnf --quote --seed=2
cmp -s out all && fail "sample: another seed writes the same"

expect 0 '' sample toy.abnf -n 7 --quote
[ "$(wc -l <out)" -eq 7 ] || fail "sample: -n 7 wrote $(wc -l <out)"
expect 0 '' sample toy.abnf -n 3 --root server
printf 'ok\nok\nok\n' >right
tr OK ok <out | cmp -s - right || fail "sample --root server: $(cat out)"
expect 0 '' sample toy.abnf -n 20 --root count --quote
grep -qv '^[0-9][0-9]*$' out && fail "sample --root count: $(cat out)"
expect 0 '' sample toy.abnf -n 3 -o new/files
[ "$(echo new/files/*)" = "new/files/000001 new/files/000002 new/files/000003" ] || fail "sample -o wrote $(echo new/files/*)"
expect 0 '' sample toy.abnf -n 40 --root nested --quote
mv out right
expect 0 '' sample toy.abnf -n 40 --root nested --quote --near-miss
cmp -s out right && fail "sample --near-miss: nothing is changed"

expect 2 'neither a side nor a rule is called `nobody`' sample toy.abnf --root nobody
expect 2 'want numbers' sample toy.abnf -n many
expect 2 'has no root' sample part.abnf
expect 0 '' sample part.abnf --root word -n 1
expect 1 'cannot make the folder toy.abnf/files: Not a directory' sample toy.abnf -o toy.abnf/files
mkdir -p taken/000001
expect 1 'cannot write taken/000001: Is a directory' sample toy.abnf -o taken
expect 1 'bad.abnf' sample bad.abnf

cat >post.abnf <<'EOF'
;@ protocol post "In datagrams"
;@ datagram = card
card = "to " word
word = 1*%x61-7A                       ;@ emit
EOF
expect 0 '' sample post.abnf -n 5 --quote
[ "$(grep -c '^to [a-z]*$' out)" -eq 5 ] || fail "sample of datagrams: $(cat out)"
expect 0 '' sample post.abnf -n 5 --quote --root datagram
expect 2 'neither a side nor a rule is called `server`' sample post.abnf --root server

# What is in a region may have lengths of its own: then its number is that of what was written.
cat >nested.abnf <<'EOF'
;@ protocol nested "Lengths in lengths"
;@ register n : uint
;@ register rows : uint
;@ client = *message
message = ( "s" short / "l" long / "d" digits ) %x0A
short   = be16 outer
long    = varint outer
digits  = three outer
three   = 3DIGIT                       ;@ n = decimal
outer   = 1*item rest                  ;@ length n
item    = "a" u8 inner
        / "i" u8 four
        / "c" count lines
        / "u" until
inner   = *item                        ;@ length n
four    = %x30-39 le16 *item           ;@ length n - 1
until   = *%x61-7A                     ;@ until ";"
count   = OCTET                        ;@ rows = u8
lines   = *( %x41-5A LF )              ;@ count rows
rest    = "." *ALPHA
u8      = OCTET                        ;@ n = u8
be16    = 2OCTET                       ;@ n = be16
le16    = 2OCTET                       ;@ rows = le16
varint  = *%x80-FF %x00-7F             ;@ n = varint
EOF
expect 0 '' sample nested.abnf -n 200 -o nested
for file in nested/*; do
    expect 0 '' explain nested.abnf "$file"
done
for shape in s l d; do
    grep -lq "^$shape" nested/* || fail "sample of lengths in lengths: no $shape"
done
LC_ALL=C grep -lqa 'a.*a.*i.*;' nested/* || fail "sample of lengths in lengths: nothing in them"

cat >never.abnf <<'EOF'
;@ protocol never "Nothing that can be said"
;@ register n : uint
;@ client = *message
message = n what
n = "0"                                ;@ n = decimal
what = "a"                             ;@ when n = 1
     / "b"                             ;@ when n = 2
EOF
expect 1 'no message was found' sample never.abnf
exit $((failures > 0))
