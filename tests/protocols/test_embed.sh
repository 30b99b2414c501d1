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

cp "$top"/generated/http.[ch] "$top"/runtime/parser.[ch] "$top"/runtime/scan.h "$top"/runtime/parsing.h \
     "$top"/runtime/table.c "$top"/runtime/value.c "$top"/runtime/queue.c "$top"/runtime/until.c "$top"/tests/protocols/embed.c "$folder"
cd "$folder"
${CC:-cc} -std=c11 -Wall -Wextra -Wconversion -Werror -o embed embed.c http.c parser.c table.c value.c queue.c until.c
./embed >found
diff "$top"/tests/protocols/embed.expected found
echo "the embedded parser said what was expected"
