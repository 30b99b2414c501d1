#!/bin/sh
# test_grammars.sh: the grammars of RFCs, tests/grammars: all are understood, and parsers come of those with a root.
#
# rfcNNNN.abnf is a grammar as published, with what it imports and what its prose stands for. Beside them are specs that
# import one, say what its prose says where that decides something, and have roots.
grammars=$PWD/tests/grammars
. tests/support/qcapgen.sh
cd "$grammars" || exit 1

# limited SECONDS ARGUMENT...: expects no word from qcapgen, in so many seconds and half a gigabyte; instrumented builds take
# what they need
limited() {
    seconds=$1
    shift
    (
        [ -n "${SANITIZE:-}" ] || ulimit -t "$seconds" -v 500000
        expect 0 '' "$@"
        exit $failures
    ) || failures=$((failures + 1))
}

for grammar in *.abnf; do
    case $grammar in
    rfc[0-9]*) limited 2 check "$grammar" ;;
    sip.abnf | calendar.abnf | fields.abnf) limited 20 generate "$grammar" -o "$folder" ;;
    *) limited 2 generate "$grammar" -o "$folder" ;;
    esac
done

# reads STATUS FILE: as the grammar, the part and the name of the file say
reads() {
    status=$1 file=$2
    grammar=${file%%.*} part=${file##*.}
    case ${part#wrong-} in
    client) set -- ;;
    server) set -- --server ;;
    *) set -- --root "${part#wrong-}" ;;
    esac
    "$qcapgen" explain "$@" "$grammar.abnf" "messages/$file" >"$folder/out" 2>"$folder/err"
    is=$?
    [ $is -eq "$status" ] || fail "$file: exit status $is instead of $status: $(tail -n 4 "$folder/out" "$folder/err")"
}

# messages/GRAMMAR.NUMBER.PART are messages as the RFC shows them; those of wrong-PART look like one, and are none.
for file in messages/*; do
    file=${file#messages/}
    case $file in
    *.wrong-*) reads 1 "$file" ;;
    *) reads 0 "$file" ;;
    esac
done
for grammar in *.abnf; do
    grammar=${grammar%.abnf}
    case $grammar in
    rfc[0-9]*) ;;
    *) [ "$(ls messages/"$grammar".* | grep -vc wrong)" -gt 2 ] || fail "$grammar: less than three messages" ;;
    esac
done

exit $((failures > 0))
