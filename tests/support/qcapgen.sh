# qcapgen.sh: what tests of the program qcapgen begin with: `. tests/support/qcapgen.sh`, from the top of the tree.
#
# In: BUILD, the folder where qcapgen was built. Out: a folder of its own, where the test goes on, with good.abnf, bad.abnf, and
# part.abnf, which names no protocol; gone at exit. The test ends with `exit $((failures > 0))`.
set -u
qcapgen=$PWD/${BUILD:-build}/qcapgen
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# expect STATUS WHAT-STDERR-HAS ARGUMENT...; nothing at all on stderr if that is empty
expect() {
    status=$1 text=$2
    shift 2
    "$qcapgen" "$@" >"$folder/out" 2>"$folder/err"
    is=$?
    [ $is -eq "$status" ] || fail "qcapgen $*: exit status $is instead of $status"
    if [ -z "$text" ]; then
        [ ! -s "$folder/err" ] || fail "qcapgen $*: $(cat "$folder/err")"
    else
        grep -q -- "$text" "$folder/err" || fail "qcapgen $*: stderr has no \"$text\""
    fi
}

cat >"$folder/good.abnf" <<END
;@ protocol good "Good"
;@ client = *line
line = word CRLF   ;@ emit
word = 1*ALPHA     ;@ emit as w
END
cat >"$folder/bad.abnf" <<END
;@ protocol bad "Bad"
;@ client = *nothing
END
echo 'word = 1*ALPHA' >"$folder/part.abnf"
cd "$folder" || exit 1
