#!/bin/sh
# test_command_lines.sh: what every example program makes of its command line, and of captures that cannot be read.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
capture=tests/captures/pipelined.pcap
failures=0

# expect STATUS STDOUT STDERR COMMAND...: runs it; outputs are compared as shell patterns.
expect() {
    status=$1 output=$2 errors=$3
    shift 3
    "$@" >"$folder/output" 2>"$folder/errors" </dev/null
    got=$?
    # shellcheck disable=SC2254 # patterns are meant
    case $(cat "$folder/output") in $output) ;; *) got="$got, with another output" ;; esac
    # shellcheck disable=SC2254
    case $(cat "$folder/errors") in $errors) ;; *) got="$got, with another message" ;; esac
    [ "$got" = "$status" ] && return
    echo "$*: expected $status, got $got"
    head -n 5 "$folder/output" "$folder/errors"
    failures=$((failures + 1))
}

# refuse STDERR ARGUMENT...: no program takes these.
refuse() {
    message=$1
    shift
    expect 1 "" "reader: $message" "$BUILD/reader" "$@"
    expect 1 "" "ip_identity: $message" "$BUILD/ip_identity" "$@"
    expect 1 "" "valid: $message" "$BUILD/valid" "$@"
    expect 1 "" "classify: $message" "$BUILD/classify" "$@"
    expect 1 "" "elements: $message" "$BUILD/elements" "$@" http.method
    expect 1 "" "connections: $message" "$BUILD/connections" --json "$@"
}

for program in reader ip_identity elements connections valid classify extract; do
    expect 0 "Usage: $program *Exit status:*Examples:*$program *" "" "$BUILD/$program" --help
    expect 0 "Usage: $program *" "" "$BUILD/$program" -h
    expect 2 "" "$program: a trace or a device is missing; see $program --help" "$BUILD/$program"
    expect 0 "$program [0-9]*.[0-9]*.[0-9]*" "" "$BUILD/$program" --version
    expect 2 "" "$program: unrecognized option '--nonsense'*" "$BUILD/$program" --nonsense $capture
    expect 2 "" "$program: option requires an argument -- 'i'*" "$BUILD/$program" -i
done
[ -c /dev/full ] && for program in reader connections valid classify "ip_identity --help" "elements --list dns"; do
    # shellcheck disable=SC2086 # options are meant
    "$BUILD"/$program $([ "${program#* }" = "$program" ] && echo $capture) >/dev/full 2>"$folder/errors" </dev/null
    [ $? = 1 ] && grep -q "^${program%% *}: cannot write: No space left on device$" "$folder/errors" || {
        echo "$program: a full disk is no failure: $(cat "$folder/errors")"
        failures=$((failures + 1))
    }
done
expect 2 "" "elements: there is no NAME; see elements --help" "$BUILD/elements" $capture
expect 2 "" "elements: http.nonsense: protocol http has no such element; did you mean http.field-value\[nonsense\]?" "$BUILD/elements" $capture http.nonsense
expect 2 "" "elements: http.metod: protocol http has no such element; did you mean http.method?" "$BUILD/elements" $capture http.metod
expect 2 "" "elements: smtp.rcpt: protocol smtp has no such element; did you mean smtp.rcpt-to?" "$BUILD/elements" $capture smtp.rcpt
expect 2 "" 'elements: htp.method: there is no protocol "htp"; did you mean http?' "$BUILD/elements" $capture htp.method
expect 0 "*http.request.request-target*" "" "$BUILD/elements" --list
expect 0 "dns.*" "" "$BUILD/elements" --list dns
expect 2 "" "elements: nonsense: there is no such protocol; there are * smtp *" "$BUILD/elements" --list nonsense
expect 2 "dns.*" "elements: nonsense: there is no such protocol; there are * smtp *" "$BUILD/elements" --list nonsense dns
expect 2 "" "elements: --list stands in front, and needs no trace; see elements --help" "$BUILD/elements" $capture --list
expect 2 "" "elements: there is no NAME; see elements --help" "$BUILD/elements" --raw --events $capture
expect 2 "" "elements: --where: column 1: there is no such field*" "$BUILD/elements" --where http.x $capture http.method
expect 2 "" "reader: there are two filters; see reader --help" "$BUILD/reader" -f tcp $capture udp
expect 2 "" "reader: filter *; that is a file, and only one trace is read at a time" "$BUILD/reader" $capture $capture
expect 2 "" "elements: *; that is a file, and only one trace is read at a time" "$BUILD/elements" $capture $capture http.method

# A spec's names are those of the parser made of it, in the same notation.
for protocol in http dns mime; do
    "$BUILD/elements" --list $protocol >"$folder/listed"
    "$BUILD/qcapgen" elements specs/$protocol.abnf | cmp - "$folder/listed" || failures=$((failures + 1))
done

# What objects have, the help names.
for command in ip_identity valid classify "classify --conversations" connections; do
    program=${command%% *}
    # shellcheck disable=SC2086 # options are meant
    for name in dns smtp methods; do
        "$BUILD"/$command --json tests/captures/$name.pcap
    done >"$folder/objects"
    "$BUILD/$program" --help >"$folder/help"
    python3 -c 'import json, sys
members = {name for line in open(sys.argv[1]) for name in json.loads(line)}
missing = [name for name in members if name not in open(sys.argv[2]).read()]
sys.exit("no help for: " + " ".join(missing) if missing or not members else 0)' "$folder/objects" "$folder/help" || {
        echo "$command --json"
        failures=$((failures + 1))
    }
done

# Captures that are none.
: >"$folder/empty"
echo "this is no capture" >"$folder/text"
mkdir "$folder/folder"
refuse "$folder/nowhere: No such file or directory" "$folder/nowhere"
refuse "$folder/empty: *" "$folder/empty"
refuse "$folder/text: *" "$folder/text"
refuse "$folder/folder: *" "$folder/folder"
refuse "standard input: the file is empty*" -
refuse "nodevice0: *" -i nodevice0
if "$BUILD/reader" -i nodevice0 2>&1 | grep '\(.*\): \1$'; then
    echo "says it twice"
    failures=$((failures + 1))
fi

# A capture that is cut off: results up to there, then the message.
size=$(wc -c <$capture)
head -c $((size - 10)) $capture >"$folder/cut"
expect 1 "packets *us per packet*" "reader: $folder/cut: *truncated*" "$BUILD/reader" "$folder/cut"
expect 1 '{"time":*/index.html*' "elements: $folder/cut: *truncated*" \
    "$BUILD/elements" "$folder/cut" http.request-target
head -c 100 tests/captures/logins.pcap >"$folder/cut"
expect 1 "" "ip_identity: $folder/cut: *truncated*" "$BUILD/ip_identity" "$folder/cut"

# Filters.
expect 0 "packets *connections          0*" "" "$BUILD/reader" $capture udp port 99
expect 0 "packets *connections          1*" "" "$BUILD/reader" $capture tcp port 80
expect 0 "" "" "$BUILD/elements" -f "udp port 99" $capture http.method
expect 0 "ADDRESS *" "" "$BUILD/ip_identity" tests/captures/logins.pcap tcp
expect 2 "" "reader: *" "$BUILD/reader" $capture nonsense here
expect 2 "" "ip_identity: *" "$BUILD/ip_identity" $capture nonsense here

expect 0 "packets              2*" "" "$BUILD/reader" --where 'tcp.flags.syn == 1' $capture
expect 0 "" "" "$BUILD/elements" --where 'tcp.len == 0' $capture http.method
expect 0 "frame *ip.src * source*" "" "$BUILD/reader" --where help
expect 2 "" "reader: --where: column 1: there is no such field*: \`ip.scr\`; did you mean ip.src?" "$BUILD/reader" --where ip.scr $capture
expect 2 "" "reader: --where: column 1: *" "$BUILD/reader" --where 'http.method' $capture

# Settings.
expect 0 "packets *" "" "$BUILD/reader" --set memory=2M --set tcp.policy=10.0.0.0/8:windows $capture
expect 0 "memory=512M*timeout.idle=3600s*" "" "$BUILD/reader" --set help
expect 2 "" 'reader: --set memory=lots: "lots" is not a number of bytes, *' "$BUILD/reader" --set memory=lots $capture
expect 2 "" 'ip_identity: --set colour=blue: there is no setting of that name; --set help lists them' \
    "$BUILD/ip_identity" --set colour=blue $capture
expect 2 "" "reader: --set memry=2M: there is no setting of that name; did you mean memory?*" "$BUILD/reader" --set memry=2M $capture

# Standard input.
for program in ip_identity "elements -f tcp"; do
    name=$([ "$program" = ip_identity ] || echo http.content)
    # shellcheck disable=SC2086 # words are meant
    "$BUILD"/$program tests/captures/logins.pcap $name >"$folder/file"
    # shellcheck disable=SC2086
    "$BUILD"/$program - $name <tests/captures/logins.pcap | cmp - "$folder/file" || failures=$((failures + 1))
    [ -s "$folder/file" ] || failures=$((failures + 1))
done

# A signal ends a program with what it has, also while it waits for more.
mkfifo "$folder/fifo"
for program in "ip_identity --json" "elements http.method" "connections"; do
    (cat tests/captures/logins.pcap; exec sleep 20) >"$folder/fifo" &
    feeder=$!
    # shellcheck disable=SC2086 # words are meant
    "$BUILD"/${program%% *} - ${program#"${program%% *}"} <"$folder/fifo" >"$folder/output" 2>"$folder/errors" &
    reader=$!
    sleep 1
    kill -TERM $reader
    wait $reader || { echo "$program: a signal is a failure: $(cat "$folder/errors")"; failures=$((failures + 1)); }
    [ "$(wc -l <"$folder/output")" -gt 3 ] || { echo "$program: a signal leaves nothing"; failures=$((failures + 1)); }
    kill $feeder
done

[ $failures -eq 0 ]
