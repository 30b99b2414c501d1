#!/bin/sh
# test_extract.sh: extract writes what was transferred; the manifest says what is in the files, and names cannot do harm.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# extract CAPTURE: into $folder/out.
extract() {
    rm -rf "$folder/out"
    "$BUILD/extract" --to "$folder/out" --set checksums=ignore "$1" 2>"$folder/errors" || fail "extract $1: $(cat "$folder/errors")"
}

# member NAME: of each line of the manifest.
member() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$folder/out/manifest.json"
}

for capture in tests/captures/*.pcap; do
    extract "$capture"
    python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <"$folder/out/manifest.json" || fail "$capture: the manifest is no JSON"
    [ "$(member file | sort)" = "$(ls "$folder/out" | grep -v '^manifest.json$')" ] || fail "$capture: other files than the manifest says"
    (cd "$folder/out" && sed -n 's/^{"file":"\([^"]*\)".*"sha256":"\([0-9a-f]*\)".*/\2  \1/p' manifest.json >../sums && { [ ! -s ../sums ] || sha256sum --quiet -c ../sums; }) ||
        fail "$capture: the files are not what the manifest says"
    grep -v '"missing":' "$folder/out/manifest.json" | sed -n 's/^{"file":"\([^"]*\)","bytes":\([0-9]*\).*/\1 \2/p' |
        while read -r file bytes; do
            [ "$(wc -c <"$folder/out/$file")" = "$bytes" ] || fail "$capture: $file has not $bytes bytes"
        done
done

# One request after the other: each response has the name of its own.
extract tests/captures/pipelined.pcap
[ "$(member name | tr '\n' ' ')" = 'index.html numbers.txt nothing old ' ] || fail "responses are not called as they were asked for: $(member name)"
[ "$(ls "$folder/out" | head -n 1)" = 000001-index.html ] || fail "another first file: $(ls "$folder/out")"
[ "$(member complete | sort -u)" = true ] || fail "something is not complete"

# Names that could do harm.
LC_ALL=C sed 's|^GET /numbers.txt|GET /../../.ssht|' tests/captures/pipelined.pcap >"$folder/changed"
extract "$folder/changed"
[ "$(ls -A "$folder/out" | sed -n 2p)" = 000002-ssht ] || fail "a name with dots: $(ls -A "$folder/out")"
[ "$(member name | sed -n 2p)" = .ssht ] || fail "the manifest has not the name as it was"
LC_ALL=C sed 's|^GET /numbers.txt|GET /$(id)%2f"xy|' tests/captures/pipelined.pcap >"$folder/changed"
extract "$folder/changed"
[ "$(ls -A "$folder/out" | sed -n 2p)" = 000002-id_2f_xy ] || fail "a name for shells: $(ls -A "$folder/out")"

# Files of FTP have the names that were asked for in the control connections; lists those of their commands.
extract tests/captures/ftp.pcap
member name | grep -qx 'numbers.txt' && member name | grep -qx LIST || fail "FTP: other names: $(member name)"
[ "$(member name | wc -l)" = "$(wc -l <"$folder/out/manifest.json")" ] || fail "FTP: something has no name"

# Mails are there as they are, and their parts decoded.
extract tests/captures/imap.pcap
[ "$(member element | sort -u | tr '\n' ' ')" = 'imap.request.message imap.response.message mime.content ' ] || fail "mails: only $(member element | sort -u)"

# Files that forms upload have their names, fields those of the fields; what is nested and what is encoded, too.
extract tests/captures/forms.pcap
names=$(grep '"element":"mime.content"' "$folder/out/manifest.json" | sed -n 's/.*"name":"\(\([^"\\]\|\\.\)*\)".*/\1/p' | tr '\n' ' ')
[ "$names" = 'user password hello.txt a %22b%22.png text hello.txt mail.eml hello.txt other name.txt login password né %221%22.svg ' ] ||
    fail "forms: other parts: $names"
for file in "$folder"/out/*-hello.txt; do
    [ "$(cat "$file")" = "$(printf 'Hello, world\r\n')" ] || fail "forms: $file is not what was sent"
done
[ "$(cat "$folder"/out/*a_22b_22.png | sha256sum)" = "$(printf '\211PNG\r\n\032\n--not a delimiter\r\n' | sha256sum)" ] || fail "forms: another picture"

# Names of attachments in other character sets and in sections (RFC 2047, 2231): the manifest has them in UTF-8.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/support python3 - "$folder/named.pcap" <<'END'
import sys
from talk import *
names = ['Content-Type: a/b; name="=?utf-8?B?w6QucGRm?="',
         'Content-Disposition: attachment; filename="a =?iso-8859-1?Q?=E4?=\r\n =?utf-8?Q?_b?= c.pdf"',
         "Content-Disposition: attachment; filename*1*=%A4.p; filename*0*=utf-8''%C3; filename*2=\"df\"",
         "Content-Disposition: attachment; filename*=iso-8859-1'de'%E4.pdf; filename=plain.pdf",
         'Content-Disposition: attachment; filename="\\"quoted\\".pdf"',
         'Content-Disposition: attachment; filename="=?x-nobody-knows?Q?raw?= =?us-ascii?Q?=E4?="',
         'Subject: =?utf-8?Q?no_name?=']
mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
mail += "".join(f"--b\r\n{name}\r\n\r\n{number}\r\n" for number, name in enumerate(names)) + "--b--\r\n.\r\n"
capture = Capture(sys.argv[1])
talk = Talk(capture, 25)
for side, text in ((SERVER, "220 a.example\r\n"), (CLIENT, "MAIL FROM:<a@b.example>\r\n"), (SERVER, "250 OK\r\n"), (CLIENT, "DATA\r\n"),
                   (SERVER, "354 Go\r\n"), (CLIENT, mail), (SERVER, "250 OK\r\n")):
    talk.say(side, text)
talk.close(CLIENT)
capture.close()
END
extract "$folder/named.pcap"
names=$(grep '"element":"mime.content"' "$folder/out/manifest.json" |
    PYTHONIOENCODING=utf-8 python3 -c 'import json, sys; print([json.loads(line).get("name", "") for line in sys.stdin])')
[ "$names" = "['ä.pdf', 'a ä b c.pdf', 'ä.pdf', 'ä.pdf', '\"quoted\".pdf', 'raw?', '']" ] || fail "names of attachments: $names"

# Files of FTP are named whoever closes the connection first; names cannot do harm.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/support python3 - "$folder/files.pcap" <<'END'
import sys
from talk import *
capture = Capture(sys.argv[1])
control = Talk(capture, 21)
control.say(SERVER, "220 ready\r\n")
control.say(CLIENT, "USER ada\r\n")
control.say(SERVER, "230 in\r\n")
transfers = (("RETR ../../etc/shadow", SERVER), ("STOR up load.txt", CLIENT), ("LIST", SERVER), ("RETR C:\\x\\b.exe", SERVER),
             ("APPE " + "a" * 400, CLIENT), ("STOU", CLIENT))
for port, (command, sender) in enumerate(transfers, 50000):
    for closer in (CLIENT, SERVER):
        control.say(CLIENT, "PASV\r\n")
        control.say(SERVER, f"227 Entering Passive Mode (10,0,0,2,{port >> 8},{port & 255})\r\n")
        control.say(CLIENT, command + "\r\n")
        data = Talk(capture, port)
        control.say(SERVER, "150 here it comes\r\n")
        data.say(sender, command)
        data.close(closer)
        control.say(SERVER, "226 done\r\n")
capture.close()
END
extract "$folder/files.pcap"
[ "$(member file | sed 's/^0*[0-9]*-//' | uniq -c | tr -s ' \n' ' ')" = " 2 shadow 2 up_load.txt 2 LIST 2 b.exe 2 $(member file | sed -n 's/^000009-//p') 2 STOU " ] ||
    fail "files of FTP: $(member file)"
[ "$(member file | sed -n 9p | tr -d 0-9a)" = - ] || fail "a long name: $(member file | sed -n 9p)"
[ "$(cat "$folder/out/000001-shadow")" = "RETR ../../etc/shadow" ] || fail "another file of FTP"

# What the capture lacks.
extract tests/captures/holes.pcap
grep -q '"missing":[1-9][0-9]*,"complete":false' "$folder/out/manifest.json" || fail "holes: nothing is missing"

# Nothing is overwritten.
"$BUILD/extract" --to "$folder/out" tests/captures/pipelined.pcap 2>"$folder/errors" && fail "writes into a folder that has a manifest"
grep -q 'manifest.json: File exists$' "$folder/errors" || fail "another message: $(cat "$folder/errors")"
mkdir "$folder/mine" && echo mine >"$folder/mine/000001-index.html"
"$BUILD/extract" --to "$folder/mine" tests/captures/pipelined.pcap 2>"$folder/errors" && fail "overwrites a file"
[ "$(cat "$folder/mine/000001-index.html")" = mine ] || fail "overwrote a file"
grep -q '000001-index.html: File exists$' "$folder/errors" || fail "another message: $(cat "$folder/errors")"
"$BUILD/extract" tests/captures/pipelined.pcap 2>"$folder/errors"
[ $? = 2 ] || fail "no --to is no mistake"
"$BUILD/extract" --to "$folder/nowhere/out" tests/captures/pipelined.pcap 2>"$folder/errors" && fail "makes more than one folder"

[ $failures -eq 0 ] || exit 1
echo ok
