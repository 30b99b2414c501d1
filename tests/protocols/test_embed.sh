#!/bin/sh
# test_embed.sh: a parser can be embedded: the files that parser.h names, two of the generator's, a C compiler, and no more.
#
# In: CC, the compiler. Copies embed.c and those files out of the tree, compiles them there, without an include path, and
# compares what the program says with embed.expected.
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
${CC:-cc} -std=c11 -Wall -Wextra -Wconversion -Werror -o embed embed.c http.c $(printf '%s.c ' $parts)
./embed >found
diff "$top"/tests/protocols/embed.expected found
echo "the embedded parser said what was expected"
