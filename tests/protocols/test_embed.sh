#!/bin/sh
# test_embed.sh: a parser can be embedded: the files that parser.h names, two of the generator's, a C compiler, and no more.
#
# In: CC, the compiler. Copies embed.c and those files out of the tree, compiles them there, without an include path, and
# compares what the program says with embed.expected. Likewise for other machines, big-endian and of 32 bits, where their compilers
# and qemu are there.
set -eu

here=$(dirname "$0")
top=$(cd "$here/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

parts="parser driver control region recovery operation table value queue until substream decoding blocks conversation keeper names"
cp "$top"/generated/http.[ch] "$top"/runtime/parser.h "$top"/runtime/scan.h "$top"/runtime/parsing.h "$top"/tests/protocols/embed.c \
    "$folder"
cd "$folder"
for part in $parts; do
    cp "$top/runtime/$part.c" .
done

# embed COMPILER RUNNER...: the runner is what runs the program of that compiler.
embed()
{
    compiler=$1
    shift
    # shellcheck disable=SC2046,SC2086 # words
    $compiler -std=c11 -pedantic -Wall -Wextra -Wconversion -Werror -o embedded embed.c http.c $(printf '%s.c ' $parts)
    "$@" ./embedded >found
    diff "$top"/tests/protocols/embed.expected found
    echo "$compiler: the embedded parser said what was expected"
}

embed "${CC:-cc}" env
for machine in s390x:s390x aarch64:aarch64 i686:i386; do
    compiler=${machine%:*}-linux-gnu-gcc
    runner=qemu-${machine#*:}
    if command -v "$compiler" >/dev/null && command -v "$runner" >/dev/null; then
        embed "$compiler -static" "$runner"
    fi
done
