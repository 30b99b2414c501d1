/* test_decode.c: frames become headers. */
#include <pcap/dlt.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "checksum.h"
#include "decode.h"
#include "test.h"
#include "traffic.h"

/* A frame under construction. */
typedef struct frame {
    unsigned char bytes[2048];
    size_t len;
} frame_t;

static void put(frame_t *frame, const void *bytes, size_t len)
{
    memcpy(frame->bytes + frame->len, bytes, len);
    frame->len += len;
}

#define PUT(frame, literal) put(frame, literal, sizeof literal - 1)

static void put_segment(frame_t *frame, bool is_ipv6)
{
    frame->len += traffic_build_tcp(frame->bytes + frame->len, &(traffic_segment_t){.is_ipv6 = is_ipv6,
                                                                                  .seq = 77,
                                                                                  .ack = 88,
                                                                                  .text = "hello",
                                                                                  .flags = "SA",
                                                                                  .scale = 5});
}

static qcapint_decode_t decode(int link_type, const frame_t *frame, qcapint_headers_t *headers)
{
    return qcapint_decode_frame(link_type, frame->bytes, (uint32_t)frame->len, headers);
}

/* The segment of put_segment() was found behind `skip` bytes. */
static void assert_segment(int link_type, const frame_t *frame, size_t skip)
{
    qcapint_headers_t h;
    assert_int_equal(decode(link_type, frame, &h), QCAPINT_DECODE_OK);
    assert_int_equal(h.network, skip);
    assert_int_equal(h.protocol, QCAPINT_PROTOCOL_TCP);
    assert_int_equal(h.payload_len, 5);
    assert_int_equal(h.payload_wire, 5);
    assert_memory_equal(frame->bytes + h.payload, "hello", 5);
    assert_int_equal(h.source_port, 40000);
    assert_int_equal(h.destination_port, 80);
    assert_int_equal(h.seq, 77);
    assert_int_equal(h.ack, 88);
    assert_int_equal(h.window_scale, 5);
    assert_int_equal(h.tcp_flags, QCAPINT_TCP_SYN | QCAPINT_TCP_ACK);
    assert_int_equal(qcapint_checksum_transport(frame->bytes, &h), QCAPINT_CHECKSUM_GOOD);
}

/* ---------------------------------------------------------------- links */

#define MACS "\1\2\3\4\5\6\7\1\2\3\4\5"
#define MACS_3 MACS "123456"
#define WLAN "\x08\2\0\0" MACS_3 "\0\0"
#define WLAN_QOS "\x88\2\0\0" MACS_3 "\0\0" "\0\0"
#define WLAN_4 "\x88\x83\0\0" MACS_3 "\0\0" "123456" "\0\0" "1234"
#define SNAP_IPV4 "\xaa\xaa\3\0\0\0\x08\x00"
#define SNAP_IPV6 "\xaa\xaa\3\0\0\0\x86\xdd"
#define RADIOTAP "\0\0\x9\0\2\0\0\0" "\x10"

static void every_link_leads_to_the_segment(void **state)
{
    static const struct {
        int link_type;
        const char *header;
        size_t len;
        bool is_ipv6;
    } links[] = {
        {DLT_EN10MB, MACS "\x08\x00", 14, false},
        {DLT_EN10MB, MACS "\x86\xdd", 14, true},
        {DLT_EN10MB, MACS "\x81\x00\x00\x07\x08\x00", 18, false},
        {DLT_EN10MB, MACS "\x88\xa8\x00\x07\x81\x00\x20\x08\x86\xdd", 22, true},
        {DLT_EN10MB, MACS "\x91\x00\x00\x07\x81\x00\x20\x08\x81\x00\x20\x09\x08\x00", 26, false},
        {DLT_RAW, "", 0, false},
        {DLT_RAW, "", 0, true},
        {DLT_IPV4, "", 0, false},
        {DLT_IPV6, "", 0, true},
        {DLT_LINUX_SLL, "\0\4\0\1\0\6\1\2\3\4\5\6\0\0\x08\x00", 16, false},
        {DLT_LINUX_SLL, "\0\4\0\1\0\6\1\2\3\4\5\6\0\0\x81\x00\0\1\x86\xdd", 20, true},
        {DLT_LINUX_SLL2, "\x08\x00\0\0\0\0\0\2\0\1\4\6\1\2\3\4\5\6\0\0", 20, false},
        {DLT_NULL, "\2\0\0\0", 4, false},
        {DLT_NULL, "\0\0\0\2", 4, false},
        {DLT_NULL, "\x1e\0\0\0", 4, true},
        {DLT_LOOP, "\0\0\0\x18", 4, true},
        {DLT_EN10MB, MACS "\x88\x47\0\1\0\x40\0\2\1\x40", 22, false}, /* two labels */
        {DLT_EN10MB, MACS "\x88\x48\0\2\1\x40", 18, true},
        {DLT_EN10MB, MACS "\x88\x47\0\1\1\x40" "\0\0\0\0" MACS "\x08\x00", 36, false}, /* a pseudo-wire */
        {DLT_EN10MB, MACS "\x88\x64\x11\0\0\7\0\x33\0\x21", 22, false},
        {DLT_EN10MB, MACS "\x81\0\0\7\x88\x64\x11\0\0\7\0\x47\0\x57", 26, true},
        {DLT_EN10MB, MACS "\0\x39\xaa\xaa\3\0\0\0\x08\x00", 22, false}, /* a length, SNAP */
        {DLT_EN10MB, MACS "\0\x34\6\6\3", 17, false},
        {DLT_PPP, "\xff\3\0\x21", 4, false},
        {DLT_PPP, "\x21", 1, false},
        {DLT_PPP_SERIAL, "\xff\3\0\x57", 4, true},
        {DLT_PPP_SERIAL, "\x0f\0\x08\0", 4, false},
        {DLT_PPP_SERIAL, "\xff\3\2\x81\0\1\1\x40", 8, false},
        {DLT_PPP_PPPD, "\1\xff\3\0\x21", 5, false},
        {DLT_PPP_ETHER, "\x11\0\0\7\0\x33\0\x21", 8, false},
        {DLT_C_HDLC, "\x8f\0\x86\xdd", 4, true},
        {DLT_LINUX_SLL, "\0\4\0\1\0\6\1\2\3\4\5\6\0\0\0\4\xaa\xaa\3\0\0\0\x08\x00", 24, false},
        {DLT_LINUX_SLL, "\0\4\3\x23\0\6\1\2\3\4\5\6\0\0\0\4" RADIOTAP WLAN SNAP_IPV4, 57, false},
        {DLT_IEEE802_11, WLAN SNAP_IPV4, 32, false},
        {DLT_IEEE802_11, WLAN_QOS SNAP_IPV6, 34, true},
        {DLT_IEEE802_11, WLAN_4 SNAP_IPV4, 44, false}, /* four addresses, quality, HT control */
        {DLT_IEEE802_11_RADIO, RADIOTAP WLAN SNAP_IPV4, 41, false},
        {DLT_IEEE802_11_RADIO, "\0\0\x12\0\3\0\0\0" "12345678" "\x20\0" WLAN_QOS "\0\0" SNAP_IPV4, 54, false},
        {DLT_IEEE802_11_RADIO, "\0\0\x19\0\3\0\0\x80\0\0\0\0" "\0\0\0\0" "12345678" "\0" WLAN SNAP_IPV4, 57, false},
        {DLT_IEEE802_11_RADIO_AVS, "\x80\x21\x10\1\0\0\0\xc" "1234" WLAN SNAP_IPV4, 44, false},
        {DLT_PRISM_HEADER, "\x80\x21\x10\1\0\0\0\xc" "1234" WLAN SNAP_IPV4, 44, false},
        {DLT_PRISM_HEADER, "\x44\0\0\0\xc\0\0\0" "1234" WLAN SNAP_IPV6, 44, true},
        {DLT_PRISM_HEADER, "\0\0\0\x44\0\0\0\xc" "1234" WLAN SNAP_IPV4, 44, false},
        {DLT_PPI, "\0\0\xa\0\x69\0\0\0" "12" WLAN SNAP_IPV4, 42, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        frame_t frame = {.len = 0};
        assert_true(qcapint_decode_knows(links[i].link_type));
        put(&frame, links[i].header, links[i].len);
        put_segment(&frame, links[i].is_ipv6);
        assert_segment(links[i].link_type, &frame, links[i].len);
    }
}

/* Each is no IP packet, or none that can be read, and nothing is wrong with it. */
static void other_frames_are_left_alone(void **state)
{
    static const struct {
        int link_type;
        const char *bytes;
        size_t len;
        const char *reason;
    } frames[] = {
        {DLT_EN10MB, MACS "\x88\xcc" "1234", 18, NULL},                  /* LLDP */
        {DLT_EN10MB, MACS "\0\3\x42\x42\3" "1234", 21, NULL},             /* spanning tree */
        {DLT_EN10MB, MACS "\0\x0a\xaa\xaa\3\0\0\x0c\x20\0" "12", 24, NULL}, /* another vendor */
        {DLT_EN10MB, MACS "\5\xdd" "1234", 18, NULL},                    /* neither type nor length */
        {DLT_EN10MB, MACS "\x88\x64\x11\x9\0\7\0\4" "1234", 24, NULL},    /* PPPoE, but no session */
        {DLT_EN10MB, MACS "\x88\x47\0\1\1\x40\x10\0\0\0", 22, NULL},     /* some pseudo-wire */
        {DLT_PPP, "\xff\3\xc0\x21\1\1\0\4", 8, NULL},                  /* LCP */
        {DLT_LINUX_SLL, "\0\4\3\x38\0\0\0\0\0\0\0\0\0\0\x08\0", 16, NULL}, /* netlink */
        {DLT_LINUX_SLL2, "\0\1\0\0\0\0\0\2\0\1\4\6\1\2\3\4\5\6\0\0", 20, NULL},
        {DLT_IEEE802_11, "\x80\0\0\0", 4, NULL},                        /* a beacon */
        {DLT_IEEE802_11, "\x48\1\0\0", 4, NULL},                        /* no data */
        {DLT_IEEE802_11, "\x08\x42\0\0" MACS_3 "\0\0" SNAP_IPV4, 32, "802.11: encrypted"},
        {DLT_IEEE802_11, "\x08\x06\0\0" MACS_3 "\0\0" SNAP_IPV4, 32, "802.11: a fragment"},
        {DLT_IEEE802_11, "\x08\2\0\0" MACS_3 "\1\0" SNAP_IPV4, 32, "802.11: a fragment"},
        {DLT_PPI, "\0\0\x8\0\xbd\0\0\0" "12", 10, NULL},                /* USB */
    };
    qcapint_headers_t h;
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        frame_t frame = {.len = 0};
        put(&frame, frames[i].bytes, frames[i].len);
        assert_int_equal(decode(frames[i].link_type, &frame, &h), QCAPINT_DECODE_OTHER);
        assert_int_equal(h.reason != NULL, frames[i].reason != NULL);
        if (h.reason)
            assert_string_equal(h.reason, frames[i].reason);
        assert_int_equal(h.version, 0);
    }
}

static void arp_is_recognised(void **state)
{
    qcapint_headers_t h;
    frame_t arp = {.len = 0};
    (void)state;
    PUT(&arp, MACS "\x08\x06" "\0\1\x08\0\6\4\0\1" "123456" "1234" "123456" "1234" "padding");
    assert_int_equal(decode(DLT_EN10MB, &arp, &h), QCAPINT_DECODE_ARP);
    assert_int_equal(h.ethertype, 0x0806);
    assert_int_equal(h.network, 14);
    assert_int_equal(h.network_len, 28);
    arp.len = 41;
    assert_int_equal(decode(DLT_EN10MB, &arp, &h), QCAPINT_DECODE_BAD_HEADER);
    assert_string_equal(h.reason, "ARP: the packet is cut off");
}

/* Layers that lead to each other for ever do not. */
static void links_are_not_peeled_without_end(void **state)
{
    qcapint_headers_t h;
    frame_t frame = {.len = 0};
    (void)state;
    PUT(&frame, MACS "\x88\x47");
    for (int i = 0; i < 50; i++)
        PUT(&frame, "\0\1\1\x40" "\0\0\0\0" MACS "\x88\x47");
    assert_int_equal(decode(DLT_EN10MB, &frame, &h), QCAPINT_DECODE_BAD_HEADER);
    assert_string_equal(h.reason, "link: too many layers");
    frame.len = 0;
    for (int i = 0; i < 50; i++)
        PUT(&frame, "\0\0\x8\0\xc0\0\0\0");
    assert_int_equal(decode(DLT_PPI, &frame, &h), QCAPINT_DECODE_BAD_HEADER);
    assert_string_equal(h.reason, "PPI: too many layers");
}

static void what_is_no_ip_packet_is_left_alone(void **state)
{
    qcapint_headers_t h;
    frame_t arp = {.len = 0}, appletalk = {.len = 0};
    (void)state;
    PUT(&arp, MACS "\x08\x06\0\1\x08\0\6\4\0\1");
    PUT(&appletalk, "\x10\0\0\0abc");
    assert_int_equal(decode(DLT_EN10MB, &arp, &h), QCAPINT_DECODE_BAD_HEADER);
    assert_int_equal(decode(DLT_NULL, &appletalk, &h), QCAPINT_DECODE_OTHER);
    assert_false(qcapint_decode_knows(DLT_USB_LINUX));
    assert_int_equal(decode(DLT_USB_LINUX, &arp, &h), QCAPINT_DECODE_OTHER);
}

static void padding_behind_the_packet_is_no_payload(void **state)
{
    frame_t frame = {.len = 0};
    (void)state;
    PUT(&frame, MACS "\x08\x00");
    put_segment(&frame, false);
    PUT(&frame, "\0\0\0\0\0\0");
    assert_segment(DLT_EN10MB, &frame, 14);
}

static void a_length_of_zero_is_the_rest_of_the_frame(void **state)
{
    (void)state;
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
        frame_t frame = {.len = 0};
        put_segment(&frame, is_ipv6);
        memset(frame.bytes + (is_ipv6 ? 4 : 2), 0, 2);
        assert_segment(DLT_RAW, &frame, 0);
    }
}

/* ---------------------------------------------------------------- options and extensions */

/* A source route that is not at its end leads elsewhere than the destination says. */
static void a_source_route_hides_the_destination(void **state)
{
    static const char *const routes[] = {"\x83\7\4\1\2\3\4\0", "\1\x89\7\4\1\2\3\4", "\x83\7\x8\1\2\3\4\0",
                                         "\x44\1\0\0\0\0\0\0"};
    (void)state;
    for (int i = 0; i < 4; i++) {
        qcapint_headers_t h;
        frame_t plain = {.len = 0}, frame = {.len = 0};
        put_segment(&plain, false);
        put(&frame, plain.bytes, 20);
        put(&frame, routes[i], 8);
        put(&frame, plain.bytes + 20, plain.len - 20);
        frame.bytes[0] = 0x47;
        qcapint_put_be16(frame.bytes + 2, (uint32_t)frame.len);
        assert_int_equal(decode(DLT_RAW, &frame, &h), QCAPINT_DECODE_OK);
        assert_int_equal(h.is_routed, i < 2);
        assert_int_equal(h.destination_port, 80);
    }
}

static void an_authentication_header_is_skipped_in_ipv4_too(void **state)
{
    frame_t plain = {.len = 0}, frame = {.len = 0};
    (void)state;
    put_segment(&plain, false);
    put(&frame, plain.bytes, 20);
    PUT(&frame, "\x06\1\0\0\0\0\0\0\0\0\0\0");
    put(&frame, plain.bytes + 20, plain.len - 20);
    frame.bytes[9] = 51;
    qcapint_put_be16(frame.bytes + 2, (uint32_t)frame.len);
    assert_segment(DLT_RAW, &frame, 0);
}

static void ipv4_options_are_skipped(void **state)
{
    frame_t plain = {.len = 0}, frame = {.len = 0};
    (void)state;
    put_segment(&plain, false);
    put(&frame, plain.bytes, 20);
    PUT(&frame, "\1\1\1\0");
    put(&frame, plain.bytes + 20, plain.len - 20);
    frame.bytes[0] = 0x46;
    qcapint_put_be16(frame.bytes + 2, (uint32_t)frame.len);
    assert_segment(DLT_RAW, &frame, 0);
}

/* The IPv6 segment with extension headers before it; the first one's protocol is `first`. */
static void build_extended(frame_t *frame, uint8_t first, const void *extensions, size_t len)
{
    frame_t plain = {.len = 0};
    put_segment(&plain, true);
    put(frame, plain.bytes, 40);
    put(frame, extensions, len);
    put(frame, plain.bytes + 40, plain.len - 40);
    frame->bytes[6] = first;
    qcapint_put_be16(frame->bytes + 4, (uint32_t)frame->len - 40);
}

static void ipv6_extension_headers_are_skipped(void **state)
{
    /* hop-by-hop, routing without segments left, destination options of 16 bytes, authentication of 12 */
    static const char chain[] = "\x2b\0\1\4\0\0\0\0" "\x3c\0\0\0\0\0\0\0" "\x33\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\x06\1\0\0\0\0\0\0\0\0\0\0";
    frame_t frame = {.len = 0};
    (void)state;
    build_extended(&frame, 0, chain, sizeof chain - 1);
    assert_segment(DLT_RAW, &frame, 0);
}

static void other_addresses_are_noticed(void **state)
{
    static const struct {
        uint8_t first;
        const char *extension;
        size_t len;
        bool is_routed;
    } cases[] = {
        {43, "\6\2\2\1\0\0\0\0" "an address, later", 24, true},
        {43, "\6\2\2\0\0\0\0\0" "an address, before", 24, false},
        {60, "\6\2\1\2\0\0\xc9\x10" "the home address", 24, true},
        {60, "\6\2\1\2\0\0\0\0\xc8\xff" "no home address", 24, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        qcapint_headers_t h;
        frame_t frame = {.len = 0};
        build_extended(&frame, cases[i].first, cases[i].extension, cases[i].len);
        assert_int_equal(decode(DLT_RAW, &frame, &h), QCAPINT_DECODE_OK);
        assert_int_equal(h.is_routed, cases[i].is_routed);
        assert_int_equal(h.destination_port, 80);
    }
}

static void an_atomic_fragment_is_none(void **state)
{
    frame_t frame = {.len = 0};
    (void)state;
    build_extended(&frame, 44, "\x06\0\0\0\1\2\3\4", 8);
    assert_segment(DLT_RAW, &frame, 0);
}

static void a_fragment_says_where_it_belongs(void **state)
{
    qcapint_headers_t h;
    frame_t frame = {.len = 0};
    (void)state;
    build_extended(&frame, 44, "\x06\0\0\x11\1\2\3\4", 8);
    assert_int_equal(decode(DLT_RAW, &frame, &h), QCAPINT_DECODE_OK);
    assert_true(h.is_fragment);
    assert_true(h.has_more_fragments);
    assert_int_equal(h.fragment_begin, 16);
    assert_int_equal(h.identification, 0x01020304);
    assert_int_equal(h.fragment_field, 6);
    assert_int_equal(h.transport, 48);
}

static void udp_and_icmp_are_recognised(void **state)
{
    traffic_fragment_t datagram = {.bytes = "\0\x35\xc0\0\0\x0a\0\0hi--", .len = 12};
    traffic_fragment_t ping = {.protocol = 1, .bytes = "\x08\0\0\0\0\0\0\0", .len = 8};
    qcapint_headers_t h;
    frame_t udp, icmp;
    (void)state;
    udp.len = traffic_build_fragment(udp.bytes, &datagram);
    assert_int_equal(decode(DLT_RAW, &udp, &h), QCAPINT_DECODE_OK);
    assert_int_equal(h.source_port, 53);
    assert_int_equal(h.payload_len, 2);
    icmp.len = traffic_build_fragment(icmp.bytes, &ping);
    assert_int_equal(decode(DLT_RAW, &icmp, &h), QCAPINT_DECODE_OK);
    assert_int_equal(h.protocol, QCAPINT_PROTOCOL_ICMP);
    assert_int_equal(h.payload_len, 8);
}

/* ---------------------------------------------------------------- what is wrong */

/* Decodes from memory that ends, unreadable behind, where the frame does. */
static qcapint_decode_t decode_at_the_edge(int link_type, const frame_t *frame, size_t len, qcapint_headers_t *headers)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
    memcpy(map + page - len, frame->bytes, len);
    qcapint_decode_t result = qcapint_decode_frame(link_type, map + page - len, (uint32_t)len, headers);
    if (result == QCAPINT_DECODE_OK) {
        qcapint_checksum_network(map + page - len, headers);
        qcapint_checksum_transport(map + page - len, headers);
    }
    munmap(map, 2 * page);
    return result;
}

static void a_frame_cut_anywhere_is_safe(void **state)
{
    qcapint_headers_t h;
    (void)state;
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
        frame_t frame = {.len = 0};
        PUT(&frame, MACS "\x81\x00\x00\x07");
        put(&frame, is_ipv6 ? "\x86\xdd" : "\x08\x00", 2);
        put_segment(&frame, is_ipv6);
        size_t headers_len = frame.len - 9; /* without the options and the text */
        for (size_t len = 0; len < frame.len; len++) {
            qcapint_decode_t result = decode_at_the_edge(DLT_EN10MB, &frame, len, &h);
            assert_int_equal(result, len < headers_len ? QCAPINT_DECODE_BAD_HEADER : QCAPINT_DECODE_OK);
            if (result == QCAPINT_DECODE_OK)
                assert_int_equal(h.payload_wire, 5);
        }
    }
}

/* Of every link's header: random bytes, read at the edge of memory. */
static void any_bytes_may_be_any_link(void **state)
{
    static const int types[] = {DLT_EN10MB,      DLT_LINUX_SLL,  DLT_LINUX_SLL2,       DLT_NULL,
                                DLT_PPP,         DLT_PPP_SERIAL, DLT_PPP_ETHER,        DLT_PPP_PPPD,
                                DLT_C_HDLC,      DLT_IEEE802_11, DLT_IEEE802_11_RADIO, DLT_IEEE802_11_RADIO_AVS,
                                DLT_PRISM_HEADER, DLT_PPI};
    uint32_t random = 1;
    qcapint_headers_t h;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        frame_t frame = {.len = (size_t)round % 97};
        for (size_t i = 0; i < frame.len; i++) {
            random = random * 1664525u + 1013904223u;
            frame.bytes[i] = random >> 31 ? 0 : (unsigned char)(random >> 16);
        }
        decode_at_the_edge(types[(size_t)round % (sizeof types / sizeof types[0])], &frame, frame.len, &h);
        assert_true(h.payload + h.payload_len <= frame.len);
    }
}

static void any_byte_may_be_anything(void **state)
{
    qcapint_headers_t h;
    frame_t frame = {.len = 0};
    (void)state;
    build_extended(&frame, 0, "\x2c\0\1\4\0\0\0\0" "\x06\0\0\0\0\0\0\0", 16);
    for (size_t at = 0; at < frame.len; at++)
        for (int value = 0; value < 256; value++) {
            unsigned char old = frame.bytes[at];
            frame.bytes[at] = (unsigned char)value;
            decode_at_the_edge(DLT_RAW, &frame, frame.len, &h);
            assert_true(h.payload + h.payload_len <= frame.len);
            frame.bytes[at] = old;
        }
}

static void headers_that_contradict_themselves_are_bad(void **state)
{
    static const struct {
        size_t at;
        unsigned char value;
        const char *reason;
    } changes[] = {
        {0, 0x44, "IPv4: the header length is below 5"},
        {0, 0x55, "IP: the version is neither 4 nor 6"},
        {3, 10, "IPv4: the header is longer than the packet, or cut off"},
        {3, 30, "TCP: the header is cut off"},
        {32, 0x40, "TCP: the data offset is below 5, or behind the packet's end"},
        {32, 0xf0, "TCP: the data offset is below 5, or behind the packet's end"},
    };
    qcapint_headers_t h;
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        frame_t frame = {.len = 0};
        put_segment(&frame, false);
        frame.bytes[changes[i].at] = changes[i].value;
        assert_int_equal(decode(DLT_RAW, &frame, &h), QCAPINT_DECODE_BAD_HEADER);
        assert_string_equal(h.reason, changes[i].reason);
    }
}

/* ---------------------------------------------------------------- checksums */

static void checksums_are_told_from_none(void **state)
{
    static const qcapint_checksum_t expected[] = {
        [TRAFFIC_GOOD] = QCAPINT_CHECKSUM_GOOD,
        [TRAFFIC_BAD] = QCAPINT_CHECKSUM_BAD,
        [TRAFFIC_ZERO] = QCAPINT_CHECKSUM_UNKNOWN,
        [TRAFFIC_PARTIAL] = QCAPINT_CHECKSUM_UNKNOWN,
    };
    unsigned char packet[256];
    (void)state;
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
        for (int kind = TRAFFIC_GOOD; kind <= TRAFFIC_PARTIAL; kind++)
            for (uint32_t len = 1; len < 20; len++) {
                qcapint_headers_t h;
                traffic_segment_t segment = {.is_ipv6 = is_ipv6,
                                             .text = "odd and even lengths",
                                             .len = len,
                                             .checksum = (traffic_checksum_t)kind};
                size_t size = traffic_build_tcp(packet, &segment);
                qcapint_decode_network(packet, (uint32_t)size, &h);
                assert_int_equal(qcapint_checksum_transport(packet, &h), expected[kind]);
            }
}

/* What the short way for the usual frame finds is what the general one does, which begins at the IP header; likewise where it is
 * not quite that frame. */
static void the_usual_frame_is_decoded_like_any(void **state)
{
    uint32_t random = 12345;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        frame_t frame = {.len = 0};
        qcapint_headers_t h, inner;
        PUT(&frame, "ABCDEFabcdef\x08\x00");
        frame.len += traffic_build_tcp(frame.bytes + frame.len,
                                       &(traffic_segment_t){.seq = 77, .ack = 88, .text = "hello", .flags = "A"});
        for (int change = 0; change < round % 3; change++) {
            random = random * 1664525 + 1013904223;
            frame.bytes[14 + (random >> 16) % 40] ^= (unsigned char)(1u << (random >> 8) % 8);
        }
        frame.len -= round % 7 == 0 ? (size_t)round % 30 : 0;
        qcapint_decode_t whole = decode(DLT_EN10MB, &frame, &h);
        qcapint_decode_t part =
            qcapint_decode_inner(QCAPINT_ETHERTYPE_IPV4, frame.bytes + 14, (uint32_t)frame.len - 14, &inner);
        assert_int_equal(whole, part);
        if (whole != QCAPINT_DECODE_OK)
            continue;
        inner.network += 14;
        inner.transport += 14;
        inner.payload += 14;
        inner.ethertype = h.ethertype;
        assert_memory_equal(&h, &inner, sizeof h);
    }
}

/* A sum of RFC 1071, 1, byte by byte. */
static uint16_t slow_sum(const unsigned char *bytes, size_t len)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}

static uint16_t checksum_of_sum(uint64_t sum)
{
    unsigned char pair[2];
    uint16_t in_memory_order = (uint16_t)~qcapint_sum_fold(sum);
    memcpy(pair, &in_memory_order, sizeof pair);
    return qcapint_get_be16(pair);
}

/* By the sums that read what is before, too. */
static void check_sums_behind(const unsigned char *bytes, size_t len)
{
    assert_int_equal(checksum_of_sum(qcapint_sum_behind(bytes, len)), slow_sum(bytes, len));
    if (qcapint_sum_has_wide())
        assert_int_equal(checksum_of_sum(qcapint_sum_behind_wide(bytes, len)), slow_sum(bytes, len));
}

static void sums_of_any_length_and_place_are_right(void **state)
{
    unsigned char bytes[400];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i < 200 ? i * 37 + 11 : 0xff);
    for (size_t begin = 0; begin < 40; begin++)
        for (size_t len = 1; begin + len <= sizeof bytes; len++) {
            assert_int_equal(qcapint_checksum_of(bytes + begin, len), slow_sum(bytes + begin, len));
            if (begin >= QCAPINT_SUM_WIDE_BLOCK && len >= QCAPINT_SUM_BLOCK)
                check_sums_behind(bytes + begin, len);
        }
}

/* Longer than any packet of IP: where lengths of zero stand for the rest of the frame. */
static void sums_of_many_bytes_do_not_overflow(void **state)
{
    static const size_t lens[] = {65535, 65536, 65537, 131072, 524288 + 17, 1000000};
    unsigned char *bytes = malloc(1000000);
    (void)state;
    assert_non_null(bytes);
    for (int value = 0; value < 4; value++) {
        for (size_t i = 0; i < 1000000; i++)
            bytes[i] = (unsigned char)(value == 0 ? 0xff : value == 1 ? 0 : value == 2 ? 0x80 : i * 131 + i / 251);
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
            assert_int_equal(qcapint_checksum_of(bytes, lens[i]), slow_sum(bytes, lens[i]));
        for (size_t len = QCAPINT_SUM_PART - 40; len <= QCAPINT_SUM_PART; len++)
            check_sums_behind(bytes + QCAPINT_SUM_WIDE_BLOCK, len);
    }
    free(bytes);
}

static void the_ipv4_header_has_its_own(void **state)
{
    qcapint_headers_t h;
    frame_t frame = {.len = 0};
    (void)state;
    put_segment(&frame, false);
    decode(DLT_RAW, &frame, &h);
    assert_int_equal(qcapint_checksum_network(frame.bytes, &h), QCAPINT_CHECKSUM_GOOD);
    frame.bytes[8]--; /* time to live */
    assert_int_equal(qcapint_checksum_network(frame.bytes, &h), QCAPINT_CHECKSUM_BAD);
    memset(frame.bytes + 10, 0, 2);
    assert_int_equal(qcapint_checksum_network(frame.bytes, &h), QCAPINT_CHECKSUM_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_leads_to_the_segment),
        cmocka_unit_test(other_frames_are_left_alone),
        cmocka_unit_test(arp_is_recognised),
        cmocka_unit_test(links_are_not_peeled_without_end),
        cmocka_unit_test(what_is_no_ip_packet_is_left_alone),
        cmocka_unit_test(padding_behind_the_packet_is_no_payload),
        cmocka_unit_test(a_length_of_zero_is_the_rest_of_the_frame),
        cmocka_unit_test(ipv4_options_are_skipped),
        cmocka_unit_test(a_source_route_hides_the_destination),
        cmocka_unit_test(an_authentication_header_is_skipped_in_ipv4_too),
        cmocka_unit_test(ipv6_extension_headers_are_skipped),
        cmocka_unit_test(other_addresses_are_noticed),
        cmocka_unit_test(an_atomic_fragment_is_none),
        cmocka_unit_test(a_fragment_says_where_it_belongs),
        cmocka_unit_test(udp_and_icmp_are_recognised),
        cmocka_unit_test(a_frame_cut_anywhere_is_safe),
        cmocka_unit_test(any_bytes_may_be_any_link),
        cmocka_unit_test(any_byte_may_be_anything),
        cmocka_unit_test(headers_that_contradict_themselves_are_bad),
        cmocka_unit_test(checksums_are_told_from_none),
        cmocka_unit_test(the_usual_frame_is_decoded_like_any),
        cmocka_unit_test(sums_of_any_length_and_place_are_right),
        cmocka_unit_test(sums_of_many_bytes_do_not_overflow),
        cmocka_unit_test(the_ipv4_header_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
