#!/bin/sh
# test_pages.sh: pages that list files name each of them, and none that is not there; what README.md shows to be run can be.
set -u

failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# words PAGE: names of files, and patterns of them, that stand in backquotes there.
words() {
    grep -o '`[^`]*`' "$1" | tr -d '`' | sed 's/cmd_NAME/cmd_*/g' | tr ' ,' '\n\n' | grep '[a-z0-9*_-]\.[a-z[]' | sort -u
}

# lists PAGE FILE...: each is named, by a pattern of the shell.
lists() {
    page=$1
    shift
    words=$(words "$page")
    for file; do
        name=$(basename "$file")
        is_named=
        set -f # patterns are for names
        for word in $words; do
            # shellcheck disable=SC2254 # patterns are meant
            case $name in $word) is_named=yes ;; esac
        done
        set +f
        [ "$is_named" ] || fail "$page: nothing of $file"
    done
    for word in $(words "$page" | grep -x '[a-z0-9_]*\.[chy]'); do
        [ "$(find runtime generator generated tests specs examples -name "$word")" ] || fail "$page: there is no $word"
    done
}

lists runtime/README.md runtime/*.[cy] runtime/*.re
lists generator/README.md generator/*.[cy] generator/*.re
lists specs/README.md specs/*.abnf
lists tests/captures/README.md tests/captures/*.pcap*

grep '^    build/' README.md | while read -r command; do
    sh -c "$(echo "$command" | sed "s|^build/|$BUILD/|")" >/dev/null || echo "README.md: exit status $?: $command"
done | grep . && failures=$((failures + 1))

[ $failures -eq 0 ]
