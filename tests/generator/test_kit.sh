#!/bin/sh
# test_kit.sh: qcapgen kit: its programs find nothing wrong with the parsers of this tree, and find what is wrong.
#
# CC compiles, with SANITIZE; generated parsers are in what was built.
top=$(pwd)
. tests/support/qcapgen.sh
build=$top/${BUILD:-build}

# compile PROGRAM KIT-FILE ARGUMENT-OF-CC...
compile() {
    program=$1 kit=$2
    shift 2
    # shellcheck disable=SC2086 # flags
    "${CC:-cc}" -std=c11 -Wall -Wextra -Wconversion -Werror ${SANITIZE:-} -I"$build/include/qcap" -I"$build/toys" -I"$top/generated" \
        -o "$program" "$kit" "$@" "$build/libsupport.a" "$build/libqcap.a" 2>err || fail "$kit does not compile: $(head -n 5 err)"
}

# passes PROTOCOL: the kit finds nothing wrong
passes() {
    ./kit >out || fail "$(tail -n 5 out)"
    grep -q "^$1: [1-9][0-9]* scenes, [1-9][0-9]* runs, 0 scenes failed$" out || fail "the kit of $1: $(tail -n 1 out)"
}

for name in http sampler values counts nested rounds starts tagged parcels switches ends joint; do
    spec=$top/tests/support/$name.abnf
    [ -f "$spec" ] || spec=$top/specs/$name.abnf
    expect 0 '' kit "$spec" -o kits
    compile kit "kits/${name}_kit.c"
    passes "$name"
done

# Protocols as their RFCs print them.
for spec in "$top"/tests/grammars/*.abnf; do
    grep -q '^;@ client' "$spec" || continue
    name=$(sed -n 's/^;@ protocol \([a-z0-9_]*\).*/\1/p' "$spec")
    expect 0 '' kit "$spec" -o rfcs
    expect 0 '' generate "$spec" -o rfcs
    compile kit "rfcs/${name}_kit.c" "rfcs/$name.c" -Irfcs
    passes "$name"
done
[ "$(ls rfcs/*_kit.c | wc -l)" -gt 3 ] || fail 'the protocols of RFCs were not found'

# The same seed makes the same kit, another one another.
expect 0 '' kit "$top/tests/support/sampler.abnf" -o again
cmp -s kits/sampler_kit.c again/sampler_kit.c || fail 'kit: not the same a second time'
expect 0 '' kit "$top/tests/support/sampler.abnf" -o again --seed 2 -n 7
[ "$(grep -c ' steps_[0-9]*\[\]' again/sampler_kit.c)" = 7 ] || fail 'kit -n 7: not seven scenes'

# A parser of another spec is not taken for the right one.
sed 's/^title  .*/title       = 1*ALPHA/' "$top/tests/support/sampler.abnf" >sampler.abnf
expect 0 '' kit sampler.abnf -o wrong
compile kit wrong/sampler_kit.c
! ./kit >out || fail 'kit: an element more is not noticed'
grep -q ': something else is said$' out || fail "kit: $(head -n 3 out)"
sed 's/"pair "/"pear "/' "$top/tests/support/sampler.abnf" >sampler.abnf
expect 0 '' kit sampler.abnf -o wrong
compile kit wrong/sampler_kit.c
! ./kit >out || fail 'kit: an error is not noticed'

expect 2 'says where to' kit good.abnf
expect 2 '-n is a number up to 5000, not `many`' kit good.abnf -o kits -n many
expect 2 '--seed is a number' kit good.abnf -o kits --seed 1x
expect 1 'names no protocol' kit part.abnf -o kits
expect 1 'reads datagrams' kit "$top/tests/support/datagrams.abnf" -o kits
expect 1 'cannot make the folder' kit good.abnf -o good.abnf

exit $((failures > 0))
