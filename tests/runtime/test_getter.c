/* test_getter.c: queries for fields: what they mean, what they get, what is refused. That fields are what others take them for is
 * tested by tests/corpus/fields. */
#include <pcap/dlt.h>

#include "handle.h"
#include "test.h"

/* What a test asks of one packet that is pushed. */
typedef struct fixture {
    qcap_t *q;
    qcap_getter_t *getter;
    qcap_stage_t stage;  /* the packet that is asked: the last one that comes there */
    char values[1024];   /* its values, blanks between */
    bool holds;
    unsigned count;      /* packets asked */
} fixture_t;

static void on_packet(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    fixture_t *f = user;
    qcap_value_t values[16];
    (void)stage;
    size_t count = qcap_getter_apply(f->getter, packet, values, 16), at = 0;
    f->values[0] = '\0';
    for (size_t i = 0; i < count && i < 16; i++) {
        if (i > 0)
            f->values[at++] = ' ';
        at += strlen(qcap_value_print(&values[i], f->values + at, QCAP_VALUE_SIZE));
    }
    f->holds = qcap_getter_holds(f->getter, packet);
    f->count++;
}

static void begin(fixture_t *f, int link_type, const char *text)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    f->q = qcap_open_pushed(link_type, errbuf);
    assert_non_null(f->q);
    assert_int_equal(qcap_protocols_builtin(f->q), 0);
    f->getter = qcap_getter_compile(f->q, text);
    if (!f->getter)
        fail_msg("%s: %s", text, qcap_geterr(f->q));
    assert_int_equal(qcap_packet_handler_add(f->q, f->stage, on_packet, f), 0);
}

static void end(fixture_t *f)
{
    qcap_getter_free(f->getter);
    qcap_close(f->q);
}

/* ---------------------------------------------------------------- packets */

typedef struct frame {
    int link_type;
    size_t len;
    const char *bytes;
} frame_t;

#define FRAME(link, text) {link, sizeof(text) - 1, text}

#define MACS "\x00\x0c\x29\x01\x02\x03" "\x00\x50\x56\x0a\x0b\x0c"
#define IP(total, proto) "\x45\x0b\x00" total "\x12\x34\x40\x00\x3f" proto "\x00\x00\x0a\x00\x00\x01\xc0\x00\x02\x05"
#define SYN "\x9c\x40\x00\x50\x00\x00\x03\xe8\x00\x00\x00\x00\x70\xc2\xfa\xf0\x00\x00\x00\x00\x02\x04\x05\xb4\x01\x03\x03\x07"
#define DATA "\x9c\x40\x00\x50\x00\x00\x03\xe9\x00\x00\x00\x07\x50\x18\xfa\xf0\x00\x00\x00\x00" "GET /\r\n"
#define PING "\x08\x00\x00\x00\x12\x34\x00\x02"

static const frame_t syn = FRAME(DLT_EN10MB, MACS "\x08\x00" IP("\x30", "\x06") SYN "\0\0\0"); /* with padding */
static const frame_t data = FRAME(DLT_EN10MB, MACS "\x08\x00" IP("\x2f", "\x06") DATA);
static const frame_t tagged =
    FRAME(DLT_EN10MB, MACS "\x88\xa8\x60\x05\x81\x00\xa0\x64\x81\x00\x10\x07\x08\x00" IP("\x2f", "\x06") DATA);
static const frame_t ping = FRAME(DLT_RAW, IP("\x1c", "\x01") PING);
static const frame_t arp = FRAME(DLT_EN10MB, "\xff\xff\xff\xff\xff\xff\x00\x50\x56\x0a\x0b\x0c\x08\x06"
                                             "\x00\x01\x08\x00\x06\x04\x00\x01\x00\x50\x56\x0a\x0b\x0c\x0a\x00\x00\x01"
                                             "\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x02");
static const frame_t ipv6 =
    FRAME(DLT_RAW, "\x6b\x81\x23\x45\x00\x0e\x11\x40\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" "\x14\xe9\x14\xe9\x00\x0e\x00\x00" "query!");
static const frame_t gre = FRAME(DLT_RAW, "\x45\x00\x00\x38\x00\x00\x00\x00\x40\x2f\x00\x00\xac\x10\x00\x01\xac\x10\x00\x02"
                                          "\x20\x00\x08\x00\x00\x00\x00\x2a" IP("\x1c", "\x01") PING);
static const frame_t vxlan =
    FRAME(DLT_RAW, "\x45\x00\x00\x4e\x00\x00\x00\x00\x40\x11\x00\x00\xac\x10\x00\x01\xac\x10\x00\x02"
                   "\xc0\x00\x12\xb5\x00\x3a\x00\x00" "\x08\x00\x00\x00\x00\x00\x7b\x00" MACS "\x08\x00" IP("\x1c", "\x01") PING);
#define OUTER(total, proto) "\x45\x00\x00" total "\x00\x00\x00\x00\x40" proto "\x00\x00\xac\x10\x00\x01\xac\x10\x00\x02"
static const frame_t geneve = FRAME(DLT_RAW, OUTER("\x4e", "\x11") "\xc0\x00\x17\xc1\x00\x3a\x00\x00"
                                             "\x00\x00\x65\x58\x00\x00\x7b\x00" MACS "\x08\x00" IP("\x1c", "\x01") PING);
static const frame_t gtp = FRAME(DLT_RAW, OUTER("\x40", "\x11") "\x08\x68\x08\x68\x00\x2c\x00\x00"
                                          "\x30\xff\x00\x1c\x00\x00\x04\xd2" IP("\x1c", "\x01") PING);
static const frame_t etherip =
    FRAME(DLT_RAW, OUTER("\x40", "\x61") "\x30\x00" MACS "\x08\x00" IP("\x1c", "\x01") PING);
static const frame_t fragments[] = {
    FRAME(DLT_EN10MB, MACS "\x81\x00\x00\x09\x08\x00" "\x45\x00\x00\x24\x00\x01\x20\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02"
                      "\xc0\x00\x13\x88\x00\x14\x00\x00" "\0\0\0\0\0\0\0\0"),
    FRAME(DLT_EN10MB, MACS "\x81\x00\x00\x09\x08\x00" "\x45\x00\x00\x18\x00\x01\x00\x02\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02"
                      "last"),
};

static void push(qcap_t *q, const frame_t *frame)
{
    assert_int_equal(qcap_push(q, frame->bytes, (uint32_t)frame->len, (uint32_t)frame->len, INT64_C(1300000000250000000)), 0);
}

static void expect_values_at(qcap_stage_t stage, const frame_t *frame, size_t count, const char *text, const char *expected)
{
    fixture_t f = {.stage = stage};
    begin(&f, frame->link_type, text);
    for (size_t i = 0; i < count; i++)
        push(f.q, &frame[i]);
    if (strcmp(f.values, expected) != 0 || f.count == 0)
        fail_msg("%s: %s instead of %s", text, f.values, expected);
    end(&f);
}

#define VALUES(frame, text, expected) expect_values_at(QCAP_STAGE_CAPTURED, &(frame), 1, text, expected)
#define INNER(frame, text, expected) expect_values_at(QCAP_STAGE_DECAPSULATED, &(frame), 1, text, expected)

/* ---------------------------------------------------------------- fields */

static void fields_of_the_frame(void **state)
{
    (void)state;
    VALUES(data, "frame.number", "1");
    VALUES(data, "frame.len", "61");
    VALUES(data, "frame.cap_len", "61");
    VALUES(data, "frame.time_epoch", "1300000000.250000000");
    VALUES(data, "frame[12:2]", "08:00");
}

static void fields_of_links(void **state)
{
    (void)state;
    VALUES(data, "eth.src", "00:50:56:0a:0b:0c");
    VALUES(data, "eth.addr", "00:0c:29:01:02:03 00:50:56:0a:0b:0c");
    VALUES(data, "eth.type", "2048");
    VALUES(data, "vlan.id", "");
    VALUES(tagged, "eth.type", "34984");
    VALUES(tagged, "ieee8021ad.id", "5");
    VALUES(tagged, "ieee8021ad.priority", "3");
    VALUES(tagged, "vlan.id", "100 7");
    VALUES(tagged, "vlan.priority", "5 0");
    VALUES(tagged, "vlan.dei", "0 1");
    VALUES(tagged, "vlan.etype", "33024 2048");
    VALUES(tagged, "ip.src", "10.0.0.1");
    VALUES(arp, "arp.opcode", "1");
    VALUES(arp, "arp.src.hw_mac", "00:50:56:0a:0b:0c");
    VALUES(arp, "arp.dst.proto_ipv4", "10.0.0.2");
}

static void fields_of_ip(void **state)
{
    (void)state;
    VALUES(syn, "ip.addr", "10.0.0.1 192.0.2.5");
    VALUES(syn, "ip.ttl", "63");
    VALUES(syn, "ip.proto", "6");
    VALUES(syn, "ip.len", "48");
    VALUES(syn, "ip.hdr_len", "20");
    VALUES(syn, "ip.id", "4660");
    VALUES(syn, "ip.flags.df", "true");
    VALUES(syn, "ip.flags.mf", "false");
    VALUES(syn, "ip.dsfield.dscp", "2");
    VALUES(syn, "ip.dsfield.ecn", "3");
    VALUES(ipv6, "ipv6.addr", "2001:db8::1 2001:db8::2");
    VALUES(ipv6, "ipv6.flow", "74565");
    VALUES(ipv6, "ipv6.tclass", "184");
    VALUES(ipv6, "ipv6.hlim", "64");
    VALUES(ipv6, "ip.src", "");
}

static void fields_of_transports(void **state)
{
    (void)state;
    VALUES(syn, "tcp.port", "40000 80");
    VALUES(syn, "tcp.seq", "1000");
    VALUES(syn, "tcp.flags", "194");
    VALUES(syn, "tcp.flags.syn", "true");
    VALUES(syn, "tcp.flags.ack", "false");
    VALUES(syn, "tcp.flags & 0x3f", "2");
    VALUES(syn, "tcp.hdr_len", "28");
    VALUES(syn, "tcp.len", "0");
    VALUES(syn, "tcp.payload", "");
    VALUES(syn, "tcp.options.mss_val", "1460");
    VALUES(syn, "tcp.options.wscale.shift", "7");
    VALUES(data, "tcp.window_size_value", "64240");
    VALUES(data, "tcp.options.mss_val", "");
    VALUES(data, "tcp.len", "7");
    VALUES(data, "tcp.payload[:3]", "47:45:54");
    VALUES(data, "tcp.payload[5:]", "0d:0a");
    VALUES(data, "tcp.payload[4]", "0x2f");
    VALUES(data, "tcp.payload[4:4]", "");
    VALUES(data, "tcp.payload[9:]", "");
    VALUES(ipv6, "udp.length", "14");
    VALUES(ipv6, "udp.payload[5:]", "0x21");
    VALUES(ping, "icmp.type", "8");
    VALUES(ping, "icmp.ident", "4660");
    VALUES(ping, "icmp.seq", "2");
    VALUES(ping, "udp.srcport", "");
}

/* The inner packet's values come first, then those of its carrier. */
static void a_packet_in_a_tunnel_has_the_fields_of_both(void **state)
{
    (void)state;
    VALUES(gre, "ip.src", "172.16.0.1");
    VALUES(gre, "gre.key", "42");
    INNER(gre, "ip.src", "10.0.0.1 172.16.0.1");
    INNER(gre, "gre.key", "42");
    INNER(gre, "icmp.type", "8");
    INNER(gre, "frame.len", "56");
    VALUES(vxlan, "vxlan.vni", "123");
    INNER(vxlan, "eth.src", "00:50:56:0a:0b:0c");
    VALUES(geneve, "geneve.vni", "123");
    VALUES(geneve, "geneve.proto_type", "25944");
    INNER(geneve, "icmp.seq", "2");
    VALUES(gtp, "gtp.teid", "1234");
    VALUES(gtp, "gtp.message", "255");
    VALUES(gtp, "gtp.length", "28");
    INNER(gtp, "ip.src", "10.0.0.1 172.16.0.1");
    VALUES(etherip, "etherip.ver", "3");
    INNER(etherip, "eth.dst", "00:0c:29:01:02:03");
    INNER(etherip, "etherip.ver", "3");
    INNER(vxlan, "ip.addr", "10.0.0.1 192.0.2.5 172.16.0.1 172.16.0.2");
}

static void a_datagram_has_the_link_of_its_last_fragment(void **state)
{
    (void)state;
    expect_values_at(QCAP_STAGE_DEFRAGMENTED, fragments, 2, "vlan.id", "9");
    expect_values_at(QCAP_STAGE_DEFRAGMENTED, fragments, 2, "udp.length", "20");
    expect_values_at(QCAP_STAGE_DEFRAGMENTED, fragments, 2, "ip.len", "40 24");
    expect_values_at(QCAP_STAGE_DEFRAGMENTED, fragments, 2, "frame.number", "2");
}

/* A header that is cut off has the fields before the cut. */
static void what_was_not_captured_has_no_value(void **state)
{
    fixture_t f = {.stage = QCAP_STAGE_CAPTURED};
    (void)state;
    for (uint32_t len = 0; len <= data.len; len++) {
        begin(&f, DLT_EN10MB, "tcp.port");
        assert_int_equal(qcap_push(f.q, data.bytes, len, (uint32_t)data.len, 0), 0);
        assert_string_equal(f.values, len < 36 ? "" : len < 38 ? "40000" : "40000 80");
        end(&f);
    }
}

static void every_field_is_listed_once(void **state)
{
    const qcap_field_t *field, *other;
    (void)state;
    for (size_t i = 0; (field = qcap_field(i)); i++) {
        assert_true(field->text && *field->text);
        for (size_t j = 0; j < i && (other = qcap_field(j)); j++)
            assert_string_not_equal(field->name, other->name);
    }
}

/* ---------------------------------------------------------------- conditions */

static bool holds(const frame_t *frame, const char *text)
{
    fixture_t f = {.stage = QCAP_STAGE_CAPTURED};
    begin(&f, frame->link_type, text);
    assert_int_equal(qcap_getter_type(f.getter), QCAP_VALUE_BOOL);
    push(f.q, frame);
    assert_string_equal(f.values, f.holds ? "true" : "false");
    end(&f);
    return f.holds;
}

#define HOLDS(frame, text) if (!holds(&(frame), text)) fail_msg("%s: false", text)
#define FAILS(frame, text) if (holds(&(frame), text)) fail_msg("%s: true", text)

static void comparisons_of_numbers(void **state)
{
    (void)state;
    HOLDS(syn, "ip.ttl == 63");
    HOLDS(syn, "ip.ttl eq 0x3f");
    FAILS(syn, "ip.ttl != 63");
    HOLDS(syn, "ip.ttl < 64");
    FAILS(syn, "ip.ttl < 63");
    HOLDS(syn, "ip.ttl <= 63");
    HOLDS(syn, "ip.ttl > 62");
    FAILS(syn, "ip.ttl gt 63");
    HOLDS(syn, "63 >= ip.ttl");
    HOLDS(syn, "62 < ip.ttl");
    HOLDS(syn, "ip.ttl in {1, 60..63}");
    FAILS(syn, "ip.ttl in {1 64..66}");
    HOLDS(syn, "ip.ttl not in {1 64..66}");
    HOLDS(syn, "tcp.srcport > tcp.dstport");
    FAILS(syn, "tcp.flags & 2 == 1");
    HOLDS(syn, "(tcp.flags & 2) and not (tcp.flags & 16 == 16)");
}

/* One value is enough; != is about all of them. */
static void comparisons_of_several_values(void **state)
{
    (void)state;
    HOLDS(syn, "tcp.port == 80");
    HOLDS(syn, "tcp.port == 40000");
    FAILS(syn, "tcp.port != 80");
    HOLDS(syn, "tcp.port != 81");
    HOLDS(syn, "not tcp.port == 81");
    HOLDS(syn, "tcp.port < 100 && tcp.port > 30000");
    HOLDS(syn, "ip.src == ip.addr");
    FAILS(syn, "ip.src != ip.addr");
    HOLDS(syn, "ip.src != ip.dst");
}

static void a_field_without_a_value_makes_comparisons_false(void **state)
{
    (void)state;
    FAILS(syn, "udp.port == 80");
    FAILS(syn, "udp.port != 80");
    FAILS(syn, "udp.port not in {80}");
    FAILS(syn, "udp.srcport != tcp.srcport");
    FAILS(syn, "tcp.srcport != udp.srcport");
    HOLDS(syn, "not udp.port == 80");
    HOLDS(syn, "not udp");
    HOLDS(syn, "tcp and tcp.flags.ack and not tcp.flags.ack == true");
}

static void comparisons_of_addresses(void **state)
{
    (void)state;
    HOLDS(syn, "ip.src == 10.0.0.1");
    HOLDS(syn, "ip.src == 10.0.0.0/8");
    HOLDS(syn, "ip.src == 11.0.0.0/7");
    FAILS(syn, "ip.src == 11.0.0.0/8");
    HOLDS(syn, "ip.src == 1.2.3.4/0");
    HOLDS(syn, "ip.addr in {192.0.2.0/24 1.1.1.1}");
    HOLDS(syn, "ip.src in {10.0.0.0..10.0.0.9}");
    HOLDS(syn, "ip.src < 10.0.0.2");
    HOLDS(syn, "ip.dst[0:2] == c0:00");
    HOLDS(ipv6, "ipv6.src == 2001:db8::1");
    HOLDS(ipv6, "ipv6.src == 2001:db8::/32");
    FAILS(ipv6, "ipv6.src == 2001:db9::/32");
    HOLDS(ipv6, "ipv6.dst > 2001:db8::1");
    HOLDS(syn, "eth.src == 00:50:56:0a:0B:0c");
    HOLDS(syn, "eth.src[:3] == 00:50:56");
}

static void comparisons_of_bytes(void **state)
{
    (void)state;
    HOLDS(data, "tcp.payload == \"GET /\\r\\n\"");
    HOLDS(data, "tcp.payload == 47:45:54:20:2f:0d:0a");
    HOLDS(data, "tcp.payload contains \"ET\"");
    HOLDS(data, "tcp.payload contains 0d:0a");
    HOLDS(data, "tcp.payload contains \"\"");
    HOLDS(data, "tcp.payload contains 0x2f");
    FAILS(data, "tcp.payload contains \"GET /x\"");
    FAILS(data, "tcp.payload contains \"get\"");
    HOLDS(data, "frame contains \"/\\x0d\\n\"");
    HOLDS(data, "tcp.payload > \"GET\"");
    HOLDS(data, "tcp.payload[3] == 0x20");
    HOLDS(data, "tcp.payload[0:3] in {\"PUT\" \"GET\"}");
}

static void comparisons_of_times_and_truth(void **state)
{
    (void)state;
    HOLDS(data, "frame.time_epoch == 1300000000.25");
    HOLDS(data, "frame.time_epoch > 1300000000");
    HOLDS(data, "frame.time_epoch == \"2011-03-13 07:06:40.25\"");
    HOLDS(data, "frame.time_epoch >= \"2011-03-13 07:06\"");
    HOLDS(data, "frame.time_epoch in {\"2011-03-13\"..\"2011-03-14\"}");
    FAILS(data, "frame.time_epoch < \"2011-03-13 07:06:40\"");
    HOLDS(data, "tcp.flags.syn == false and tcp.flags.ack == 1 and tcp.flags.syn != TRUE");
}

static void operators_bind_as_usual(void **state)
{
    (void)state;
    HOLDS(syn, "tcp or udp and arp");
    FAILS(syn, "(tcp or udp) and arp");
    HOLDS(syn, "udp and arp or tcp");
    FAILS(syn, "not tcp or udp");
    FAILS(syn, "not (tcp or udp)");
    HOLDS(syn, "not udp and tcp");
    HOLDS(syn, "! udp && !(arp || icmp)");
    HOLDS(syn, "!!tcp and not not tcp");
    HOLDS(syn, "udp and arp or udp and arp or tcp and ip");
    FAILS(syn, "tcp and (udp or arp) and ip");
    HOLDS(syn, "TCP AND Ip.TTL EQ 63");
}

/* ---------------------------------------------------------------- what is refused */

static void expect_complaint(const char *text, const char *expected)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = qcap_open_pushed(DLT_EN10MB, errbuf);
    uint64_t used = q->budget.used;
    assert_null(qcap_getter_compile(q, text));
    if (strcmp(qcap_geterr(q), expected) != 0)
        fail_msg("%.80s\n    %s\ninstead of\n    %s", text, qcap_geterr(q), expected);
    assert_int_equal(q->budget.used, used);
    qcap_close(q);
}

static void mistakes_are_told_with_their_column(void **state)
{
    (void)state;
#define UNKNOWN "there is no such field, nor element of a protocol that was added"
    expect_complaint("ip.scr == 1.2.3.4", "column 1: " UNKNOWN ": `ip.scr`; did you mean ip.src?");
    expect_complaint("ip.src == 1.2.3.4 and tcp.prot == 1", "column 23: " UNKNOWN ": `tcp.prot`; did you mean tcp.port?");
    expect_complaint("http.host", "column 1: " UNKNOWN ": `http.host`");
    expect_complaint("frame contains \"\303\244\" and x", "column 24: " UNKNOWN ": `x`");
    expect_complaint("", "column 1: it ends too early");
    expect_complaint("tcp and", "column 8: it ends too early");
    expect_complaint("(tcp or udp", "column 12: it ends too early");
    expect_complaint("tcp udp", "column 5: this is not expected here: `udp`");
    expect_complaint("ip.ttl == ", "column 11: it ends too early");
    expect_complaint("ip.ttl == \"63", "column 11: a quote that is not closed: `\"`");
    expect_complaint("ip.ttl == 63 $", "column 14: this has no meaning here: `$`");
    expect_complaint("ip.ttl = 63", "column 8: this has no meaning here: `=`");
    expect_complaint("ip.ttl == 1.2.3.4", "column 11: a number is needed here: `1.2.3.4`");
    expect_complaint("ip.ttl == 99999999999999999999", "column 11: a number is needed here: `99999999999999999999`");
    expect_complaint("ip.src == 5", "column 11: an IPv4 address is needed here: `5`");
    expect_complaint("ip.src == 1.2.3.400", "column 11: this is no IPv4 address: `1.2.3.400`");
    expect_complaint("ip.src == 1.2.3.4/33", "column 11: an address does not have so many bits: `1.2.3.4/33`");
    expect_complaint("ip.src < 10.0.0.0/8", "column 10: nothing is less or greater than a network: `10.0.0.0/8`");
    expect_complaint("ip.src in {10.0.0.0/8..11.0.0.0}", "column 24: a network has no place in a range: `11.0.0.0`");
    expect_complaint("ip.src in {}", "column 12: this is not expected here: `}`");
    expect_complaint("ipv6.src == 2001:::1", "column 13: this is no IPv6 address: `2001:::1`");
    expect_complaint("eth.src == 00:11:22", "column 12: an Ethernet address is needed here: `00:11:22`");
    expect_complaint("tcp.payload == 0a:b", "column 16: these are no bytes: two digits for each, colons between: `0a:b`");
    expect_complaint("tcp.payload == 300", "column 16: a text in quotes is needed here, or bytes like 0a:0b: `300`");
    expect_complaint("frame contains \"\\q\"", "column 16: a backslash here stands before one of n r t \" \\ x00: `\"\\q\"`");
    expect_complaint("ip.ttl contains 5", "column 17: only bytes and elements contain something: `5`");
    expect_complaint("frame matches \"a+\"", "column 7: there are no regular expressions: `matches`");
    expect_complaint("ip.ttl[0] == 1", "column 8: the field is no bytes that a part could be taken of: `0`");
    expect_complaint("ip.src & 1", "column 10: the field is no number that bits could be taken of: `1`");
    expect_complaint("tcp.flags & 0", "column 13: no bits are left: `0`");
    expect_complaint("ip.src == ipv6.src", "column 11: this field is of another type than the one on the left: `ipv6.src`");
    expect_complaint("tcp.flags.syn == 2", "column 18: true or false is needed here: `2`");
    expect_complaint("frame.time_epoch == \"2011-13-01\"", "column 21: this is no time: \"2011-03-13 07:06:40\": `\"2011-13-01\"`");
    expect_complaint("frame.time_epoch == \"2011-03-13 07\"", "column 21: this is no time: \"2011-03-13 07:06:40\": `\"2011-03-13 07\"`");
}

/* A text that repeats something many times. */
static char *repeat(const char *part, size_t count, const char *last)
{
    size_t len = strlen(part);
    char *text = malloc(len * count + strlen(last) + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, part, len);
    strcpy(text + len * count, last);
    return text;
}

static void depth_and_length_are_bounded(void **state)
{
    (void)state;
    char *deep = repeat("(", 2000, "tcp"), *deeper = repeat("not ", 2000, "tcp"), *longer = repeat("tcp or ", 9362, "x"),
         *good = repeat("udp or ", 9000, "tcp");
    expect_complaint(deep, "column 299: this is nested too deep: `(`");
    expect_complaint(deeper, "column 1193: this is nested too deep: `not`");
    expect_complaint(longer, "column 65535: " UNKNOWN ": `x`");
    HOLDS(syn, good);
    free(longer);
    longer = repeat("tcp or ", 9363, "tcp");
    expect_complaint(longer, "column 1: a getter has 65536 bytes at most");
    free(deep);
    free(deeper);
    free(longer);
    free(good);
}

static void without_memory_there_is_no_getter(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = qcap_open_pushed(DLT_EN10MB, errbuf);
    (void)state;
    q->budget.fail_in = 1;
    assert_null(qcap_getter_compile(q, "ip.src"));
    assert_string_equal(qcap_geterr(q), "no memory for a getter");
    qcap_close(q);
}

/* ---------------------------------------------------------------- elements */

typedef struct matches {
    qcap_getter_t *getters[4];
    unsigned total, holding[4];
    qcap_value_t value; /* of getters[0], the last one */
    char text[64];      /* its bytes */
} matches_t;

static void on_match(const qcap_match_t *match, void *user)
{
    matches_t *m = user;
    m->total++;
    for (int i = 0; i < 4; i++)
        m->holding[i] += qcap_getter_holds_match(m->getters[i], match);
    if (qcap_getter_apply_match(m->getters[0], match, &m->value, 1) == 1)
        qcap_value_print(&m->value, m->text, sizeof m->text);
}

static void elements_have_values_in_their_matches(void **state)
{
    static const char *const texts[] = {"http.request-target", "http.status-code >= 200 and tcp.srcport == 80",
                                        "http and ip.src == 10.0.0.11", "http.request.request-target contains \"html\""};
    char errbuf[QCAP_ERRBUF_SIZE];
    matches_t m = {.total = 0};
    qcap_t *q = qcap_open_trace("tests/captures/pipelined.pcap", errbuf);
    (void)state;
    assert_int_equal(qcap_protocols_builtin(q), 0);
    for (int i = 0; i < 4; i++)
        assert_non_null(m.getters[i] = qcap_getter_compile(q, texts[i]));
    assert_int_equal(qcap_getter_type(m.getters[0]), QCAP_VALUE_STRING);
    assert_int_equal(qcap_tcpstr_handler_add(q, "http.request-target", on_match, &m), 0);
    assert_int_equal(qcap_tcpstr_handler_add(q, "http.status-code", on_match, &m), 0);
    assert_int_equal(qcap_loop(q, 0), 0);
    assert_int_equal(m.total, 10);
    assert_int_equal(m.holding[0], 5);
    assert_int_equal(m.holding[1], 5);
    assert_int_equal(m.holding[2], 5);
    assert_true(m.holding[3] > 0 && m.holding[3] < 5);
    assert_int_equal(m.text[0], '"');
    for (int i = 0; i < 4; i++)
        qcap_getter_free(m.getters[i]);
    qcap_close(q);
}

static void a_packet_has_no_elements(void **state)
{
    (void)state;
    FAILS(data, "http.request-target == \"/\"");
    VALUES(data, "http.request-target", "");
}

/* ---------------------------------------------------------------- filters */

static void only_packets_that_the_condition_is_true_for_are_looked_at(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_stats_t stats;
    fixture_t f = {.stage = QCAP_STAGE_CAPTURED};
    (void)state;
    begin(&f, DLT_EN10MB, "frame.number");
    assert_int_equal(qcap_set_where(f.q, "tcp.flags.syn == 1"), 0);
    assert_int_equal(qcap_set_where(f.q, "arp or tcp.len == 7"), 0);
    push(f.q, &syn);
    push(f.q, &data);
    push(f.q, &arp);
    qcap_stats(f.q, &stats);
    assert_int_equal(stats.packets, 2);
    assert_string_equal(f.values, "3");
    assert_int_equal(qcap_set_where(f.q, "arp"), QCAP_E_STATE);
    end(&f);
    qcap_t *q = qcap_open_pushed(DLT_EN10MB, errbuf);
    qcap_protocols_builtin(q);
    assert_int_equal(qcap_set_where(q, "ip.scr"), QCAP_E_FILTER);
    assert_int_equal(qcap_set_where(q, "http.method == \"GET\""), QCAP_E_FILTER);
    assert_string_equal(qcap_geterr(q), "\"http.method == \"GET\"\": packets have no elements");
    qcap_close(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_the_frame),
        cmocka_unit_test(fields_of_links),
        cmocka_unit_test(fields_of_ip),
        cmocka_unit_test(fields_of_transports),
        cmocka_unit_test(a_packet_in_a_tunnel_has_the_fields_of_both),
        cmocka_unit_test(a_datagram_has_the_link_of_its_last_fragment),
        cmocka_unit_test(what_was_not_captured_has_no_value),
        cmocka_unit_test(every_field_is_listed_once),
        cmocka_unit_test(comparisons_of_numbers),
        cmocka_unit_test(comparisons_of_several_values),
        cmocka_unit_test(a_field_without_a_value_makes_comparisons_false),
        cmocka_unit_test(comparisons_of_addresses),
        cmocka_unit_test(comparisons_of_bytes),
        cmocka_unit_test(comparisons_of_times_and_truth),
        cmocka_unit_test(operators_bind_as_usual),
        cmocka_unit_test(mistakes_are_told_with_their_column),
        cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(without_memory_there_is_no_getter),
        cmocka_unit_test(elements_have_values_in_their_matches),
        cmocka_unit_test(a_packet_has_no_elements),
        cmocka_unit_test(only_packets_that_the_condition_is_true_for_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
