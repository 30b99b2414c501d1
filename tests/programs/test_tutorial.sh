#!/bin/sh
# test_tutorial.sh: specs/TUTORIAL.md does what it says: a block with a file's name is that file, and a console block is what
# its commands print, in a folder where `build` is what was built.
#
# UPDATE=1 in the environment rewrites what commands print.
set -eu

top=$(pwd)
page=$top/specs/TUTORIAL.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$top/${BUILD:-build}" "$folder/build"
cd "$folder"
# The tutorial says cc.
mkdir bin
# shellcheck disable=SC2016 # $@ is the script's
printf '#!/bin/sh\nexec %s %s "$@"\n' "${CC:-cc}" "${SANITIZE:-}" >bin/cc
chmod +x bin/cc
PATH=$folder/bin:$PATH

block=
while IFS= read -r line; do
    case $block:$line in
    *:'```') block= ;;
    :'```console') block=console ;;
    :'```'*' '*)
        block=${line##* }
        : >"$block"
        ;;
    :*) ;;
    console:'$ '*)
        printf '%s\n' "$line"
        sh -c "${line#??}" 2>&1 || echo "(exit status $?)"
        continue
        ;;
    console:*) continue ;; # printed before
    *) printf '%s\n' "$line" >>"$block" ;;
    esac
    printf '%s\n' "$line"
done <"$page" >is.md

if [ -n "${UPDATE:-}" ]; then
    cp is.md "$page"
else
    diff "$page" is.md
fi
