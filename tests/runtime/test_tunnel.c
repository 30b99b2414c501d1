/* test_tunnel.c: packets inside packets go the way that others go. */
#include <pcap/dlt.h>

#include "bytes.h"
#include "handle.h"
#include "test.h"
#include "traffic.h"
#include "tunnel.h"

/* A packet that grows from the inside to the outside. */
typedef struct nest {
    unsigned char bytes[4096];
    size_t len;
} nest_t;

/* Puts bytes before what there is. */
static void wrap(nest_t *n, const void *bytes, size_t len)
{
    memmove(n->bytes + len, n->bytes, n->len);
    memcpy(n->bytes, bytes, len);
    n->len += len;
}

#define WRAP(nest, literal) wrap(nest, literal, sizeof literal - 1)

static void wrap_ipv4(nest_t *n, uint8_t protocol)
{
    unsigned char header[20] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
    qcapint_put_be16(header + 2, (uint32_t)(n->len + sizeof header));
    qcapint_put_be16(header + 10, qcapint_checksum_of(header, sizeof header));
    wrap(n, header, sizeof header);
}

static void wrap_ipv6(nest_t *n, uint8_t protocol)
{
    unsigned char header[40] = {0x60, [6] = protocol, [7] = 64, [23] = 1, [39] = 2};
    qcapint_put_be16(header + 4, (uint32_t)n->len);
    wrap(n, header, sizeof header);
}

static void wrap_udp(nest_t *n, uint16_t port)
{
    unsigned char header[8] = {0xc0, 0};
    qcapint_put_be16(header + 2, port);
    qcapint_put_be16(header + 4, (uint32_t)(n->len + sizeof header));
    wrap(n, header, sizeof header);
    wrap_ipv4(n, 17);
}

static void begin(nest_t *n, const traffic_segment_t *segment)
{
    n->len = traffic_build_tcp(n->bytes, segment);
}

#define MACS "\1\2\3\4\5\6\7\1\2\3\4\5"

/* A way to carry the packet that is there. */
typedef struct tunnel {
    const char *name;
    const char *header; /* put before the packet */
    size_t len;
    uint8_t protocol;   /* of IP; 17: UDP */
    uint16_t port;
    bool is_ipv6;       /* inside */
} tunnel_t;

#define HEADER(literal) literal, sizeof literal - 1

static const tunnel_t tunnels[] = {
    {"IPv4", HEADER(""), 4, 0, false},
    {"IPv6", HEADER(""), 41, 0, true},
    {"GRE", HEADER("\0\0\x08\0"), 47, 0, false},
    {"GRE, checksum, key, sequence", HEADER("\xb0\0\x86\xdd" "sum!" "key!" "seq!"), 47, 0, true},
    {"GRE, routing", HEADER("\x40\0\x08\0" "\0\0\0\0" "\0\x01\0\4" "1234" "\0\0\0\0"), 47, 0, false},
    {"GRE, Ethernet", HEADER("\0\0\x65\x58" MACS "\x08\0"), 47, 0, false},
    {"GRE, PPP", HEADER("\x30\x81\x88\x0b" "key!" "seq!" "ack!" "\xff\3\0\x21"), 47, 0, false},
    {"GRE, MPLS", HEADER("\0\0\x88\x47" "\0\1\1\x40"), 47, 0, false},
    {"EtherIP", HEADER("\x30\0" MACS "\x81\0\0\7\x08\0"), 97, 0, false},
    {"MPLS", HEADER("\0\1\1\x40"), 137, 0, true},
    {"VXLAN", HEADER("\x08\0\0\0\0\0\7\0" MACS "\x08\0"), 17, 4789, false},
    {"VXLAN of Linux", HEADER("\x08\0\0\0\0\0\7\0" MACS "\x86\xdd"), 17, 8472, true},
    {"Geneve", HEADER("\0\0\x65\x58\0\0\7\0" MACS "\x08\0"), 17, 6081, false},
    {"Geneve, options", HEADER("\2\0\x08\0\0\0\7\0" "\0\0\0\1" "opt!"), 17, 6081, false},
    {"GTP-U", HEADER("\x30\xff\0\x30" "teid"), 17, 2152, false},
    {"GTP-U, extensions", HEADER("\x36\xff\0\x38" "teid" "\0\1\0\x85" "\1\0\0\x40" "\2" "123456\0"), 17, 2152, true},
    {"Teredo", HEADER(""), 17, 3544, true},
    {"Teredo, authentication, origin", HEADER("\0\1\2\3" "idaut" "nonce678" "\0" "\0\0" "123456"), 17, 3544, true},
};

/* Bytes of the segment that each packet carries. */
static void wrap_in(nest_t *n, const tunnel_t *tunnel)
{
    wrap(n, tunnel->header, tunnel->len);
    if (tunnel->protocol == 17)
        wrap_udp(n, tunnel->port);
    else
        wrap_ipv4(n, tunnel->protocol);
}

static void every_tunnel_gives_what_it_carries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++) {
        nest_t n;
        traffic_t *t = traffic_open();
        begin(&n, &(traffic_segment_t){.flags = "S", .seq = 99, .is_ipv6 = tunnels[i].is_ipv6});
        wrap_in(&n, &tunnels[i]);
        traffic_push(t, n.bytes, n.len, n.len);
        begin(&n, &(traffic_segment_t){.seq = 100, .text = "hello", .is_ipv6 = tunnels[i].is_ipv6});
        wrap_in(&n, &tunnels[i]);
        traffic_push(t, n.bytes, n.len, n.len);
        if (strcmp(t->text[0], "hello") != 0)
            fail_msg("%s: \"%s\", stages %s", tunnels[i].name, t->text[0], t->stages);
        assert_int_equal(traffic_count(t, QCAP_STAGE_TUNNEL), 2);
        assert_int_equal(traffic_count(t, QCAP_STAGE_DECAPSULATED), 2);
        assert_int_equal(traffic_count(t, QCAP_STAGE_LINK_DECODED), 2);
        traffic_close(t);
    }
}

/* Cut anywhere, or with any byte changed, it is something else, and safe. */
static void tunnels_may_be_cut_and_damaged_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++) {
        nest_t n;
        traffic_t *t = traffic_open();
        begin(&n, &(traffic_segment_t){.text = "hello", .is_ipv6 = tunnels[i].is_ipv6});
        wrap_in(&n, &tunnels[i]);
        for (size_t len = 0; len <= n.len; len++) {
            unsigned char *cut = malloc(len + !len);
            memcpy(cut, n.bytes, len);
            traffic_push(t, cut, len, n.len);
            free(cut);
        }
        for (size_t at = 20; at < n.len - 45; at++)
            for (unsigned change = 1; change < 256; change *= 2) {
                n.bytes[at] ^= (unsigned char)change;
                traffic_push(t, n.bytes, n.len, n.len);
                n.bytes[at] ^= (unsigned char)change;
            }
        traffic_close(t);
    }
}

/* A datagram to such a port, with something else in it, is a datagram. */
static void what_only_has_the_port_of_a_tunnel_is_delivered(void **state)
{
    static const uint16_t ports[] = {2152, 3544, 4789, 6081, 8472};
    static const char *const texts[] = {"", "\x7f", "this is no tunnel, whatever it is", ("\x31\xff\0\4" "teid")};
    traffic_t *t = traffic_open();
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 4; j++) {
            nest_t n = {.len = 0};
            wrap(&n, texts[j], j < 3 ? strlen(texts[j]) : 8);
            wrap_udp(&n, ports[i]);
            traffic_push(t, n.bytes, n.len, n.len);
        }
    assert_int_equal(traffic_count(t, QCAP_STAGE_UDP_DELIVERED), 20);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TUNNEL), 0);
    traffic_close(t);
}

static void note_reason(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    (void)stage;
    bool is_inner = qcap_packet_flags(packet) & QCAP_PACKET_ARTIFICIAL;
    snprintf(user, 100, "%d %s", is_inner, qcap_packet_reason(packet));
}

static void what_is_wrong_with_a_tunnel_is_told(void **state)
{
    static const struct {
        uint8_t protocol;
        const char *bytes;
        size_t len;
        const char *reason; /* and whether it is the inner packet's */
    } damages[] = {
        {47, HEADER("\0\2\x08\0"), "0 GRE: the version is neither 0 nor 1"},
        {47, HEADER("\x30\0\x08\0" "key!"), "0 GRE: the header is cut off"},
        {47, HEADER("\0\0\x08\0"), "1 IPv4: the header is cut off"},
        {97, HEADER("\x40\0"), "0 EtherIP: the header is cut off, or of another version"},
        {4, HEADER("\x65 is another version!"), "1 IPv4: the version is another"},
        {41, HEADER("\x60"), "1 IPv6: the header is cut off"},
        {137, HEADER("\0\1\0\x40"), "1 MPLS: the labels are cut off"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        nest_t n = {.len = 0};
        char reason[100] = "";
        traffic_t *t = traffic_open();
        qcap_packet_handler_add(t->q, QCAP_STAGE_BAD_HEADER, note_reason, reason);
        wrap(&n, damages[i].bytes, damages[i].len);
        wrap_ipv4(&n, damages[i].protocol);
        traffic_push(t, n.bytes, n.len, n.len);
        assert_string_equal(reason, damages[i].reason);
        traffic_close(t);
    }
}

/* The segment in GRE, with the checksum, or one beside it. */
static void wrap_in_gre(nest_t *n, uint16_t more)
{
    WRAP(n, "\x80\0\x08\0\0\0\0\0");
    qcapint_put_be16(n->bytes + 4, (uint16_t)(qcapint_checksum_of(n->bytes, n->len) + more));
    wrap_ipv4(n, 47);
}

static void a_wrong_checksum_of_gre_is_told_and_counts_if_it_shall(void **state)
{
    static const struct {
        const char *checksums;
        uint16_t more;
        uint64_t told, taken;
    } cases[] = {{"verify", 0, 0, 1}, {"verify", 1, 1, 0}, {"auto", 0, 0, 1}, {"auto", 1, 1, 1}, {"ignore", 1, 0, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nest_t n;
        traffic_t *t = traffic_open();
        char setting[32];
        snprintf(setting, sizeof setting, "checksums=%s", cases[i].checksums);
        assert_int_equal(qcap_set(t->q, setting), 0);
        begin(&n, &(traffic_segment_t){.text = "odd"});
        wrap_in_gre(&n, cases[i].more);
        traffic_push(t, n.bytes, n.len, n.len);
        assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), cases[i].told);
        assert_int_equal(traffic_count(t, QCAP_STAGE_DECAPSULATED), cases[i].taken);
        traffic_close(t);
    }
}

static void packets_lie_in_one_another_up_to_a_depth(void **state)
{
    char reason[100] = "";
    (void)state;
    for (int depth = 8; depth <= 9; depth++) {
        nest_t n;
        traffic_t *t = traffic_open();
        qcap_packet_handler_add(t->q, QCAP_STAGE_BAD_HEADER, note_reason, reason);
        begin(&n, &(traffic_segment_t){.text = "hello"});
        for (int i = 0; i < depth; i++) {
            bool is_ipv6_next = i % 2;
            if (is_ipv6_next)
                wrap_ipv6(&n, 4);
            else
                wrap_ipv4(&n, i == 0 ? 4 : 41);
        }
        traffic_push(t, n.bytes, n.len, n.len);
        assert_string_equal(t->text[0], depth == 8 ? "hello" : "");
        assert_string_equal(reason, depth == 8 ? "" : "1 tunnel: too many packets in one another");
        traffic_close(t);
    }
}

/* The carrier is put together from fragments; so is what it carries. */
static void fragments_outside_and_inside_are_put_together(void **state)
{
    nest_t inner[2];
    traffic_t *t = traffic_open();
    (void)state;
    nest_t datagram = {.len = 0};
    wrap(&datagram, "\0\1\0\2\0\x18\0\0" "sixteen letters!", 24);
    for (uint32_t i = 0; i < 2; i++) {
        traffic_fragment_t fragment = {.identification = 7,
                                       .begin = 16 * i,
                                       .has_more = i == 0,
                                       .bytes = datagram.bytes + 16 * i,
                                       .len = i ? 8 : 16};
        inner[i].len = traffic_build_fragment(inner[i].bytes, &fragment);
        WRAP(&inner[i], "\0\0\x08\0");
        for (uint32_t j = 0; j < 2; j++)
            traffic_fragment(t, .protocol = 47, .identification = 10 + i, .begin = 24 * j, .has_more = j == 0,
                             .bytes = inner[i].bytes + 24 * j, .len = j ? (uint32_t)inner[i].len - 24 : 24);
    }
    assert_int_equal(traffic_count(t, QCAP_STAGE_UDP_DELIVERED), 1);
    assert_int_equal(t->datagram_len, 16);
    assert_memory_equal(t->datagram, "sixteen letters!", 16);
    traffic_close(t);
}

/* ---------------------------------------------------------------- carriers */

static void keep(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_packet_t **kept = user;
    (void)stage;
    assert_null(*kept);
    *kept = qcap_packet_ref(packet);
}

static void a_packet_that_is_kept_keeps_its_carriers(void **state)
{
    nest_t n;
    size_t len;
    char text[QCAP_ENDPOINT_SIZE];
    qcap_endpoint_t end;
    qcap_packet_t *kept = NULL;
    traffic_t *t = traffic_open();
    (void)state;
    qcap_packet_handler_add(t->q, QCAP_STAGE_TCP_OPENED, keep, &kept);
    begin(&n, &(traffic_segment_t){.flags = "S", .seq = 99});
    wrap_ipv6(&n, 4);
    WRAP(&n, "\0\0\x86\xdd");
    wrap_ipv4(&n, 47);
    traffic_push(t, n.bytes, n.len, n.len);
    memset(n.bytes, 0, n.len);
    assert_non_null(kept);
    assert_int_equal(qcap_packet_flags(kept), QCAP_PACKET_ARTIFICIAL);
    assert_int_equal(qcap_packet_number(kept), 1);
    assert_int_equal(qcap_packet_constituent_count(kept), 1);
    const qcap_packet_t *middle = qcap_packet_constituent(kept, 0);
    const qcap_packet_t *outer = qcap_packet_constituent(middle, 0);
    qcap_packet_source(kept, &end);
    assert_string_equal(qcap_endpoint_print(&end, text, sizeof text), "10.0.0.1:40000");
    qcap_packet_destination(middle, &end);
    assert_string_equal(qcap_address_print(&end, text, sizeof text), "::2");
    qcap_packet_source(outer, &end);
    assert_string_equal(qcap_address_print(&end, text, sizeof text), "192.0.2.1");
    assert_int_equal(qcap_packet_flags(middle), QCAP_PACKET_ARTIFICIAL);
    assert_int_equal(qcap_packet_flags(outer), 0);
    assert_int_equal(qcap_packet_stage(outer), QCAP_STAGE_TUNNEL);
    assert_int_equal(qcap_packet_constituent_count(outer), 0);
    qcap_packet_bytes(outer, &len);
    assert_int_equal(len, n.len);
    qcap_packet_bytes(middle, &len);
    assert_int_equal(len, n.len - 24);
    qcap_packet_unref(kept);
    traffic_close(t);
}

/* What was snapped outside is snapped inside. */
static void a_snapped_carrier_has_a_snapped_packet(void **state)
{
    nest_t n;
    traffic_t *t = traffic_open();
    (void)state;
    begin(&n, &(traffic_segment_t){.flags = "S", .seq = 99});
    wrap_in(&n, &tunnels[10]);
    traffic_push(t, n.bytes, n.len, n.len);
    begin(&n, &(traffic_segment_t){.seq = 100, .text = "hello world"});
    wrap_in(&n, &tunnels[10]);
    traffic_push(t, n.bytes, n.len - 6, n.len);
    begin(&n, &(traffic_segment_t){.seq = 111, .text = "!"});
    wrap_in(&n, &tunnels[10]);
    traffic_push(t, n.bytes, n.len, n.len);
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "hello[6]!$");
    traffic_close(t);
}

/* ---------------------------------------------------------------- aggregates */

/* Two segments in one 802.11 frame, the first padded to 4 bytes. */
static size_t build_aggregate(unsigned char *frame)
{
    static const char head[] = "\x88\2\0\0" "123456" "123456" "123456" "\0\0" "\x80\0";
    size_t len = sizeof head - 1;
    memcpy(frame, head, len);
    for (int i = 0; i < 2; i++) {
        static const char text[] = "hello world";
        unsigned char *sub = frame + len;
        traffic_segment_t segment = {.seq = 100 + (uint32_t)i * 5, .text = text + 5 * i, .len = i ? 6 : 5};
        memcpy(sub, MACS "\0\0" "\xaa\xaa\3\0\0\0\x08\0", 22);
        size_t sub_len = 22 + traffic_build_tcp(sub + 22, &segment);
        qcapint_put_be16(sub + 12, (uint32_t)sub_len - 14);
        while (i == 0 && sub_len % 4)
            sub[sub_len++] = 0;
        len += sub_len;
    }
    return len;
}

static void an_aggregate_is_taken_apart(void **state)
{
    unsigned char frame[512];
    char errbuf[QCAP_ERRBUF_SIZE], reason[100] = "";
    size_t len = build_aggregate(frame);
    (void)state;
    for (int spare = 0; spare <= 4; spare += 4) { /* without and with a frame check sequence */
        traffic_t *t = traffic_record(qcap_open_pushed(DLT_IEEE802_11, errbuf));
        memcpy(frame + len, "fcs!", 4);
        traffic_push(t, frame, len + (size_t)spare, len + (size_t)spare);
        assert_string_equal(t->text[0], "hello world");
        assert_int_equal(traffic_count(t, QCAP_STAGE_TUNNEL), 1);
        assert_int_equal(traffic_count(t, QCAP_STAGE_DECAPSULATED), 2);
        traffic_close(t);
    }
    traffic_t *t = traffic_record(qcap_open_pushed(DLT_IEEE802_11, errbuf));
    qcap_packet_handler_add(t->q, QCAP_STAGE_BAD_HEADER, note_reason, reason);
    traffic_push(t, frame, 26 + 68 + 9, len);
    assert_string_equal(t->text[0], "hello");
    assert_string_equal(reason, "0 A-MSDU: a frame is cut off");
    traffic_close(t);
}

/* ---------------------------------------------------------------- memory */

/* A stream whose segments come in the wrong order, each in fragments of a tunnel, and are kept. */
static void play(traffic_t *t)
{
    static const uint32_t order[] = {0, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        nest_t n;
        traffic_segment_t segment = {.seq = 100 + 5 * order[i], .text = &"hellohellohello"[5 * order[i]], .len = 5};
        begin(&n, &segment);
        WRAP(&n, "\0\0\x08\0");
        for (uint32_t j = 0; j < 2; j++)
            traffic_fragment(t, .protocol = 47, .identification = 10 + i, .begin = 24 * j, .has_more = j == 0,
                             .bytes = n.bytes + 24 * j, .len = j ? (uint32_t)n.len - 24 : 24);
    }
    qcap_finish(t->q);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        traffic_t *t = traffic_open();
        uint64_t before = t->q->budget.used;
        t->q->budget.fail_in = n;
        play(t);
        bool has_failed = t->q->budget.fail_in == 0;
        assert_int_equal(t->q->budget.refused, has_failed);
        assert_int_equal(t->q->budget.used, before);
        if (!has_failed)
            assert_string_equal(t->text[0], "hellohellohello$");
        traffic_close(t);
        if (!has_failed)
            break;
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tunnel_gives_what_it_carries),
        cmocka_unit_test(tunnels_may_be_cut_and_damaged_anywhere),
        cmocka_unit_test(what_only_has_the_port_of_a_tunnel_is_delivered),
        cmocka_unit_test(what_is_wrong_with_a_tunnel_is_told),
        cmocka_unit_test(a_wrong_checksum_of_gre_is_told_and_counts_if_it_shall),
        cmocka_unit_test(packets_lie_in_one_another_up_to_a_depth),
        cmocka_unit_test(fragments_outside_and_inside_are_put_together),
        cmocka_unit_test(a_packet_that_is_kept_keeps_its_carriers),
        cmocka_unit_test(a_snapped_carrier_has_a_snapped_packet),
        cmocka_unit_test(an_aggregate_is_taken_apart),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
