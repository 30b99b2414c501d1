#!/bin/sh
# test_graph.sh: qcapgen graph: what it draws, and that Graphviz, if it is there, can read it.
specs=$PWD/specs
support=$PWD/tests/support
. tests/support/qcapgen.sh

cat >toy.abnf <<'END'
;@ protocol toy "A toy"
;@ register n : uint
;@ client = *message
message = head body
head = %s"GET" SP name SP count CRLF   ;@ emit
name = 1*ALPHA                         ;@ emit
count = 1*DIGIT                        ;@ n = decimal
body = *OCTET                          ;@ length n
END

# What is drawn, without the looks: frames, nodes, and edges between their labels, in order of the alphabet. A line's end is a bar,
# the dot of a rule is @. Which numbers states have does not matter.
drawing() {
    sed -n 's/<BR\/>/|/g; s/<\/*[BI]>//g; s/<FONT[^<>]*>//g; s/<\/FONT>//g; s/&quot;/"/g; s/&gt;/>/g; s/&#8226;/@/g
        s/^ *\(n[0-9]*\) \[.*label=<\(.*\)>.*\];$/node \1 \2/p; s/^ *\(n[0-9]*\) -> \(n[0-9]*\) \[label=<\(.*\)>\];$/edge \1 \2 \3/p
        s/^ *label=<\(.*\)>;$/frame \1/p; s/^ *client -> \(n[0-9]*\);$/start \1/p' out |
        sed 's/machine_\([a-z]*\)_[0-9]*/machine_\1/; s/|or [0-9]* more/ +/' |
        awk '{ kind = $1; $1 = "" }
            kind == "node" { id = $2; $2 = ""; sub(/^ */, ""); label[id] = $0; print }
            kind == "frame" { sub(/^ */, ""); print $0 ":" }
            kind == "start" { start = $2 }
            kind == "edge" { from[++count] = $2; to[count] = $3; $2 = $3 = ""; sub(/^ */, ""); by[count] = $0 }
            END { print "client -> " label[start]
                for (i = 1; i <= count; i++) print label[from[i]] " -> " label[to[i]] " by " by[i] }' | LC_ALL=C sort >drawing
}

drawn() {
    grep -qx -- "$1" drawing || fail "graph: there is no \"$1\" in: $(cat drawing)"
}

expect 0 '' graph toy.abnf
drawing
body=$(sed -n 's/.*<\(machine_body_[0-9]*\) .*/\1/p' out)
cat >right <<'END'
"G" @"ET" SP name SP count CRLF
"G" @"ET" SP name SP count CRLF -> "GET" @SP name SP count CRLF by "ET"
"GET" @SP name SP count CRLF
"GET" @SP name SP count CRLF -> 1*@ALPHA by SP|open name
"GET" SP name SP count @CRLF
"GET" SP name SP count @CRLF -> length n by LF|close head
*@OCTET +
*@OCTET + -> *@OCTET + by OCTET
1*@ALPHA
1*@ALPHA +
1*@ALPHA + -> 1*@ALPHA + by ALPHA
1*@ALPHA + -> 1*@DIGIT by SP|close name
1*@ALPHA -> 1*@ALPHA + by ALPHA
1*@DIGIT
1*@DIGIT +
1*@DIGIT + -> "GET" SP name SP count @CRLF by CR|set n
1*@DIGIT + -> 1*@DIGIT + by DIGIT
1*@DIGIT -> 1*@DIGIT + by DIGIT
@"GET" SP name SP count CRLF +
@"GET" SP name SP count CRLF + -> "G" @"ET" SP name SP count CRLF by "G"|open head
client -> @"GET" SP name SP count CRLF +
count:
length n
length n -> *@OCTET + by inside
length n -> @"GET" SP name SP count CRLF + by behind
machine_body > message > body:
machine_client > message > head:
name:
END
cmp -s right drawing || fail "graph: $(diff right drawing)"

# Rules for which there is no room are one node each; what was asked for is not.
expect 0 '' graph toy.abnf --limit 2
drawing
drawn 'machine_client|9 states'
expect 0 '' graph toy.abnf --rule head --limit 2
drawing
drawn 'name|2 states'
drawn '@"GET" SP name SP count CRLF +'

# What lies around is drawn once, and dashed.
expect 0 '' graph toy.abnf --rule NAME
drawing
drawn '1\*@ALPHA +'
[ "$(grep -c '^head$' drawing)" = 1 ] || fail 'graph --rule: what is around is not one node'
[ "$(grep -c 'style=dashed' out)" = 2 ] || fail 'graph --rule: what is around is not dashed'
! grep -q DIGIT drawing || fail 'graph --rule: draws too much'

expect 0 '' graph toy.abnf --machine "$body"
drawing
drawn 'length n'
! grep -q GET drawing || fail 'graph --machine: draws too much'

expect 1 'names no protocol' graph part.abnf
expect 1 'no state stands in rule `ALPHA`' graph toy.abnf --rule alpha
expect 1 'no state stands in rule `head` of that machine' graph toy.abnf --rule head --machine "$body"
expect 2 'no rule is called `nmae`; did you mean `name`?' graph toy.abnf --rule nmae
expect 2 'no machine is called `cliemt`; did you mean `client' graph toy.abnf --machine cliemt
for limit in 0 -1 many 5x 99999999999999999999 ''; do
    expect 2 "--limit is a number" graph toy.abnf --limit "$limit"
done

# Graphviz can draw all of it, at any size, and has nothing to say.
if command -v dot >/dev/null; then
    for spec in "$support"/*.abnf; do
        expect 0 '' graph "$spec" --limit 100
        dot -Tsvg out >picture 2>err || fail "dot fails: graph $spec"
        [ ! -s err ] || fail "dot says of graph $spec: $(head -n 3 err)"
    done
    for options in '' '--limit 200' '--rule request-line' '--rule chunk --limit 1'; do
        # shellcheck disable=SC2086 # options
        expect 0 '' graph "$specs/http.abnf" $options
        dot -Tsvg out >picture 2>err || fail "dot fails: graph $options"
        [ ! -s err ] || fail "dot says of graph $options: $(head -n 3 err)"
    done
fi

exit $((failures > 0))
