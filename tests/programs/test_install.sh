#!/bin/sh
# test_install.sh: what `make install` puts into DESTDIR is enough to generate a parser elsewhere and to compile a program with
# it, by the flags that qcap.pc has; `make uninstall` leaves nothing.
set -eu

top=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root=$folder/root
make --no-print-directory install B="$BUILD" DESTDIR="$root" PREFIX=/opt/qcap >"$folder/log" 2>&1 || {
    cat "$folder/log"
    exit 1
}

mkdir "$folder/elsewhere"
cd "$folder/elsewhere"
cat >memo.abnf <<'EOF'
;@ protocol memo "Memos"
;@ client = *memo
memo = "MEMO" SP text CRLF
text = 1*ALPHA               ;@ emit
EOF
cat >program.c <<'EOF'
#include <stdio.h>
#include <qcap/qcap.h>

#include "memo.h"

int main(void)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = qcap_open_pushed(1, errbuf);
    int status = q ? qcap_protocol_add(q, &qcap_memo_protocol) : -1;
    puts(QCAP_VERSION);
    qcap_close(q);
    return status < 0;
}
EOF
"$root/opt/qcap/bin/qcapgen" generate memo.abnf -o made --depfile made/memo.d
grep -q '^made/memo.h made/memo.c: memo.abnf$' made/memo.d

# As pkg-config reads it, whose sysroot this is.
pc=$root/opt/qcap/lib/pkgconfig/qcap.pc
eval "$(sed -n '/^[a-z]*=/p' "$pc" | sed "s|^prefix=|prefix=$root|")"
# shellcheck disable=SC2154 # from there
eval "cflags=\"$(sed -n 's/^Cflags: //p' "$pc")\" libs=\"$(sed -n 's/^Libs: //p' "$pc")\""
# shellcheck disable=SC2086,SC2154 # flags
$CC -Wall -Wextra -Werror $SANITIZE $cflags -Imade program.c made/memo.c $libs -o program
[ "$(./program)" = "$(sed -n 's/^Version: //p' "$pc")" ]
[ "$("$root/opt/qcap/bin/qcapgen" --version)" = "qcapgen $(./program)" ]

# The makefile of README.md.
{
    echo "all: program"
    sed -n '/^```make$/,/^```$/{/^```/!p}' "$top/README.md" | sed "s/NAME/memo/; s|\$\$(pkg-config --cflags --libs qcap)|$cflags $libs|"
} >Makefile
rm -r made program
PATH=$root/opt/qcap/bin:$PATH make --no-print-directory CC="$CC $SANITIZE" >log 2>&1 || {
    cat log
    exit 1
}
[ "$(./program)" = "$(sed -n 's/^Version: //p' "$pc")" ]

cd "$top"
make --no-print-directory uninstall B="$BUILD" DESTDIR="$root" PREFIX=/opt/qcap >"$folder/log"
left=$(find "$root" ! -type d)
[ -z "$left" ] || {
    echo "left behind: $left"
    exit 1
}
