/* qcap.h: everything an application sees of qcap.
 *
 * qcap reads network traffic, puts IP fragments and TCP streams together the way the receiving host did, finds out
 * which protocol a conversation speaks, and calls the application with the elements of that protocol it asked for:
 *
 *     char errbuf[QCAP_ERRBUF_SIZE];
 *     qcap_t *q = qcap_open_trace("file.pcap", errbuf);
 *     qcap_protocols_builtin(q);
 *     qcap_tcpstr_handler_add(q, "http.request-target", on_target, NULL);
 *     if (qcap_loop(q, 0) < 0)
 *         fprintf(stderr, "%s\n", qcap_geterr(q));
 *     qcap_close(q);
 *
 * Conventions, for every function below unless it says otherwise:
 *   - No pointer may be NULL.
 *   - An `int` result is 0 or a count, or one of the negative codes of QCAP_STATUS_MAP; qcap_geterr() then has a line
 *     for people. A failed call changes nothing.
 *   - What a handler is given is borrowed: it is valid until the handler returns. To keep a packet, qcap_packet_ref();
 *     to keep a place in a stream and the bytes from there on, qcap_tcpstr_pos_copy().
 *   - A handle, and all that came from it, belongs to one thread at a time. Different handles are independent.
 *   - Handlers may call any function but qcap_loop(), qcap_dispatch(), qcap_push(), qcap_finish() and qcap_close();
 *     they add no handlers.
 *   - Malformed traffic is not an error of a call: it is a stage, an anomaly or a counter.
 *   - Times are nanoseconds since 1970 (UTC), as the capture recorded them; every time-out runs in that time. While a
 *     device is silent, it is the clock's, a second late.
 *   - Lengths are bytes. An offset counts the bytes of one direction from the first one after its SYN, or from the
 *     first one seen of a conversation met in the middle. Lost bytes count. */
#ifndef QCAP_QCAP_H
#define QCAP_QCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qcap qcap_t;                       /* a capture in progress */
typedef struct qcap_packet qcap_packet_t;         /* one packet; counted references */
typedef struct qcap_tcpstr qcap_tcpstr_t;         /* one direction of a TCP conversation */
typedef struct qcap_tcpstr_pos qcap_tcpstr_pos_t; /* a place in such a direction */
typedef struct qcap_getter qcap_getter_t;         /* a compiled query for fields */

#define QCAP_VERSION "0.1.0"

/* ---------------------------------------------------------------- status */

/* What calls return: name, number, text. */
#define QCAP_STATUS_MAP(X)                                                                                             \
    X(OK, 0, "success")                                                                                                \
    X(E_CAPTURE, -1, "the capture cannot be read (further)")                                                           \
    X(E_BREAK, -2, "stopped by qcap_breakloop()")                                                                      \
    X(E_MEMORY, -3, "out of memory, or over the ceiling")                                                              \
    X(E_ARGUMENT, -4, "an argument makes no sense")                                                                    \
    X(E_STATE, -5, "not at this time: the capture has begun, or is of another kind")                                   \
    X(E_NAME, -6, "no such name")                                                                                      \
    X(E_FILTER, -7, "the filter is not understood")                                                                    \
    X(E_GONE, -8, "those bytes are lost or were never kept")

enum {
#define X(name, number, text) QCAP_##name = number,
    QCAP_STATUS_MAP(X)
#undef X
    QCAP_STATUS_LAST /* no status: ends the list */
};

/* The name ("E_NAME") and the text of a status; "?" if there is none of that number. Static. */
const char *qcap_status_name(int status);
const char *qcap_status_text(int status);

/* ---------------------------------------------------------------- opening and closing */

#define QCAP_ERRBUF_SIZE 256

/* Opens a capture file, pcap or pcapng; "-" is standard input. Either may be compressed by gzip, zstd or xz: the first
 * bytes tell. Returns NULL if it cannot be opened or is no capture file, or a pcap file of a link type that is not
 * decoded, and says why in errbuf, which has QCAP_ERRBUF_SIZE bytes. Packets of pcapng that have such a link type come to
 * the stage OTHER; those that have no time have that of the packet before. */
qcap_t *qcap_open_trace(const char *path, char *errbuf);

/* How to listen at a device. All zero, or a NULL instead, means the defaults. */
typedef struct qcap_device_options {
    bool is_promiscuous;    /* also what is not for this machine; default false */
    bool is_immediate;      /* no batching: sooner, but more work a packet; default false */
    uint32_t snap_len;      /* at most that many bytes of a packet; 0: 262144 */
    uint32_t buffer_size;   /* of the operating system's buffer; 0: 64 MiB */
    uint32_t timeout_ms;    /* how long a batch may take to fill; 0: 100 */
} qcap_device_options_t;

/* Opens a network device and begins to capture there; "any" is all of them where the system has it. `options` may be
 * NULL. Returns NULL, and the reason in errbuf, if there is no such device or the right to capture is missing. */
qcap_t *qcap_open_device(const char *device, const qcap_device_options_t *options, char *errbuf);

/* Opens a handle that reads nothing by itself: the application pushes packets with qcap_push(). `link_type` is one
 * of libpcap's DLT_ numbers (1 is Ethernet). Returns NULL, and the reason in errbuf, for a link type that is not
 * decoded. */
qcap_t *qcap_open_pushed(int link_type, char *errbuf);

/* Closes the handle. Conversations still open are dropped without a word: after a loop that came to the end of its
 * trace, or qcap_finish(), there are none. Release kept packets and positions before. NULL is allowed. */
void qcap_close(qcap_t *q);

/* The text of the last failure on this handle; "" if there was none. Valid until the next failure. */
const char *qcap_geterr(const qcap_t *q);

/* ---------------------------------------------------------------- settings
 *
 * Before the first packet; later they fail with QCAP_E_STATE. */

/* Whether to discard packets because of their checksums. */
typedef enum {
    QCAP_CHECKSUMS_AUTO,   /* if the sender's checksums in that conversation were right before; a sender whose
                              hardware computes them after the capture, or a rewritten capture, loses nothing */
    QCAP_CHECKSUMS_VERIFY, /* if they are wrong and the packet was captured whole */
    QCAP_CHECKSUMS_IGNORE  /* never; they are not even computed */
} qcap_checksums_t;

/* What the urgent byte is, that a TCP segment points to. The pointer names the byte behind it, as all systems have it: RFC 6093,
 * 3.1. */
typedef enum {
    QCAP_URGENT_INLINE,     /* a byte of the stream like any other */
    QCAP_URGENT_OUT_OF_BAND /* no byte of the stream: receivers that do not ask for SO_OOBINLINE read on behind it. It has no
                               offset; QCAP_STAGE_TCP_URGENT shows the packet that carries it. */
} qcap_urgent_t;

/* Time-outs: name, as it is written in settings, default in seconds, what waits so long. Where many conversations wait, some do so
 * an eighth longer. */
#define QCAP_TIMEOUT_MAP(X)                                                                                            \
    X(FRAGMENT, "fragment", 30, "a datagram whose fragments do not all come")                                          \
    X(OPENING, "opening", 60, "a conversation of which nothing but the opening was seen")                              \
    X(IDLE, "idle", 3600, "a conversation in which nothing happens")                                                   \
    X(CLOSED, "closed", 10, "a conversation that is over: late copies are still recognised")                           \
    X(HOLE, "hole", 1, "a byte that was acknowledged but not captured: a late copy may be on its way")                 \
    X(EXCHANGE, "exchange", 60, "two endpoints that send datagrams to each other, and are silent")                     \
    X(WAIT, "wait", 5, "bytes that are read after what they acknowledge, if that does not come")                       \
    X(EXPECTED, "expected", 120, "a conversation that was announced in another one, and does not come")

typedef enum {
#define X(name, setting, seconds, text) QCAP_TIMEOUT_##name,
    QCAP_TIMEOUT_MAP(X)
#undef X
    QCAP_TIMEOUT_COUNT
} qcap_timeout_t;

/* The limits, and how captures are read. To change some of them:
 *
 *     qcap_options_t options;
 *     qcap_options(q, &options);
 *     options.memory = (uint64_t)64 << 20;
 *     qcap_set_options(q, &options); */
typedef struct qcap_options {
    /* The most memory, in bytes, that conversations, queued segments, fragments, kept bytes and parsers may use together.
     * Default 512 MiB; at least 1 MiB. Near the ceiling the conversations that were idle longest are evicted; what still does
     * not fit is dropped and counted. */
    uint64_t memory;

    /* The most bytes of one direction that wait to be read after what they acknowledge of the other one; with more, the first
     * of them go on. Default 1 MiB; 0: nothing waits. They wait no longer than QCAP_TIMEOUT_WAIT either. */
    uint64_t wait_limit;

    /* The most bytes of an element that comes whole; longer ones are cut. Default QCAP_LIMIT; at least 1. */
    uint32_t element_limit;

    /* What a decoder may make of one body, attachment or other sub-stream: so many bytes, and so many times what it has read. The
     * rest is passed over, and an anomaly "decoded-too-much" tells. Defaults QCAP_DECODED_SIZE and QCAP_DECODED_RATIO; 0: any. */
    uint64_t decoded_size;
    uint32_t decoded_ratio;

    uint32_t timeouts_ms[QCAP_TIMEOUT_COUNT]; /* by qcap_timeout_t, of capture time; defaults in QCAP_TIMEOUT_MAP */
    qcap_checksums_t checksums;               /* default AUTO */
    qcap_urgent_t urgent;                     /* default INLINE */

    /* An overlap of IPv6 fragments discards the whole datagram (RFC 8200, 4.5). Default false: the policy decides. */
    bool is_ipv6_overlap_strict;
} qcap_options_t;

/* Gets what is set now: at first, the defaults. */
void qcap_options(const qcap_t *q, qcap_options_t *options);

/* Sets all of them. QCAP_E_ARGUMENT, and nothing is set, if one makes no sense. */
int qcap_set_options(qcap_t *q, const qcap_options_t *options);

/* Makes the setting that a text "NAME=VALUE" says, as in "memory=64M", "tcp.policy=10.0.0.0/8:windows", "timeout.idle=10m". Case
 * means nothing in names. QCAP_E_NAME if there is none of that name, or no such policy; QCAP_E_ARGUMENT for a value that makes no
 * sense. */
int qcap_set(qcap_t *q, const char *setting);

/* What can be set by text: all of qcap_options_t, and policies. */
typedef struct qcap_option {
    const char *name;
    const char *standard; /* the value unless it is set */
    const char *text;     /* what it is; one line */
    const char *values;   /* what they are: "a time, as in 250ms, 30s, 10m, 1h" */
} qcap_option_t;

/* The index-th of them, from 0; NULL behind the last. */
const qcap_option_t *qcap_option(size_t index);

/* Only packets that match the pcap-filter(7) expression are looked at. QCAP_E_FILTER if it is not understood. Where a
 * trace has several link types and the expression means nothing on one of them, the loop fails at its first packet.
 * Filters that name ports do not match later fragments, nor packets with VLAN tags unless they say `vlan` first. */
int qcap_set_filter(qcap_t *q, const char *expression);

/* Who wins where fragments or segments overlap. Each rule has nine letters, for how the newcomer N lies to the stored
 * piece S: N begins before S, with S, behind S (three groups), and ends before S, with S, behind S (within each group).
 * 'n': N's bytes are kept, 's': S's. Blanks are skipped: "nnn sss sss" is `N.begin < S.begin`. */
typedef struct qcap_policy {
    const char *name;
    const char *fragments; /* IP */
    const char *segments;  /* TCP */
    const char *ends;      /* IP: fragments that reach behind the end of the datagram, once the last one has told it: "refuse": they
                              are dropped; "trim": so is only what is behind it, even if it came before. NULL: refuse */
} qcap_policy_t;

/* Adds a policy under a name of its own, or replaces the one of that name. The texts are copied. QCAP_E_ARGUMENT if a
 * rule is not nine letters, or `ends` something else. */
int qcap_policy_add(qcap_t *q, const qcap_policy_t *policy);

/* The receivers in `network` ("10.0.0.0/8", "2001:db8::/32", "192.0.2.1"; NULL: all others) resolve overlaps by that
 * policy: first last bsd bsd-right linux linux-old windows windows-old macos solaris hp-ux, or one that was added.
 * The narrowest network wins. Default for all: linux. QCAP_E_NAME if there is no such policy, QCAP_E_ARGUMENT for a
 * network that is none. */
int qcap_set_policy(qcap_t *q, const char *network, const char *policy);

/* ---------------------------------------------------------------- running */

/* None of these may be called from a handler, but qcap_breakloop(): QCAP_E_STATE. */

/* Reads packets and calls handlers until the end of the trace, or until `count` packets were read if it is not 0. At
 * the end of a trace the conversations still open are brought to their end. Returns 0; QCAP_E_BREAK after
 * qcap_breakloop(); QCAP_E_CAPTURE where the trace is damaged or cut off, or the device fails: what came before has
 * then been delivered, as at the end of a trace. On a handle for pushed packets: QCAP_E_STATE. */
int qcap_loop(qcap_t *q, uint64_t count);

/* As qcap_loop(), but on a device returns once the packets at hand are done, or after its time-out without any. Returns
 * the number of packets read; 0 at the end of a trace. */
int qcap_dispatch(qcap_t *q, int count);

/* Makes qcap_loop() or qcap_dispatch() return QCAP_E_BREAK after the packet at hand. May be called from a handler, or a
 * signal handler. */
void qcap_breakloop(qcap_t *q);

/* Processes one packet now: `len` bytes captured of `wire_len`. Not from a handler. */
int qcap_push(qcap_t *q, const void *bytes, uint32_t len, uint32_t wire_len, int64_t time_ns);

/* Brings all conversations to their end, as the end of a trace does. What comes afterwards opens new ones. */
int qcap_finish(qcap_t *q);

/* The link type (DLT_ number) of the latest packet; before the first one, that of the trace's first interface, or -1 if
 * no interface is known. */
int qcap_link_type(const qcap_t *q);

/* ---------------------------------------------------------------- packets */

/* What can happen to a packet, in the order of the way it takes: name, number, text. A packet goes through several; the one
 * that it has come to last is how it ended: see QCAP_STAGE_END_MAP. */
#define QCAP_STAGE_MAP(X)                                                                                              \
    X(CAPTURED, 0, "captured")                                                                                         \
    X(LINK_DECODED, 1, "link decoded")                                                                                 \
    X(BAD_HEADER, 2, "bad header")                                                                                     \
    X(BAD_CHECKSUM, 3, "bad checksum")                                                                                 \
    X(FRAGMENT_QUEUED, 4, "fragment queued")                                                                           \
    X(FRAGMENT_OVERLAP, 5, "fragment overlap")                                                                         \
    X(FRAGMENT_EXPIRED, 6, "fragment expired")                                                                         \
    X(DEFRAGMENTED, 7, "defragmented")                                                                                 \
    X(UDP_DELIVERED, 8, "UDP delivered")                                                                               \
    X(ICMP, 9, "ICMP")                                                                                                 \
    X(TCP_OPENED, 10, "TCP opened")                                                                                    \
    X(TCP_QUEUED, 11, "TCP queued")                                                                                    \
    X(TCP_DELIVERED, 12, "TCP delivered")                                                                              \
    X(TCP_RETRANSMITTED, 13, "TCP retransmission")                                                                     \
    X(TCP_OVERLAP, 14, "TCP overlap trimmed")                                                                          \
    X(TCP_OUTSIDE, 15, "TCP outside the window")                                                                       \
    X(TCP_KEEPALIVE, 16, "TCP keep-alive")                                                                             \
    X(TCP_CLOSED, 17, "TCP closed")                                                                                    \
    X(TCP_RESET, 18, "TCP reset")                                                                                      \
    X(TCP_EXPIRED, 19, "TCP expired")                                                                                  \
    X(TCP_EVICTED, 20, "TCP evicted")                                                                                  \
    X(OTHER, 21, "other protocol")                                                                                     \
    X(NO_MEMORY, 22, "dropped for lack of memory")                                                                     \
    X(TCP_CONTROL, 23, "TCP without new bytes")                                                                        \
    X(TCP_URGENT, 24, "TCP with an urgent byte that is out of band")                                                   \
    X(ARP, 25, "ARP")                                                                                                  \
    X(TUNNEL, 26, "tunnel")                                                                                            \
    X(DECAPSULATED, 27, "taken out of a tunnel")

typedef enum {
#define X(name, number, text) QCAP_STAGE_##name = number,
    QCAP_STAGE_MAP(X)
#undef X
    QCAP_STAGE_COUNT
} qcap_stage_t;

const char *qcap_stage_text(qcap_stage_t stage);

/* The stages that end a packet's way: name, what it means to end there. Every packet that was read is counted in exactly one
 * of them in qcap_stats_t.ended, so that their sum is the number of packets (in a handler: but for the one at hand); a packet
 * that has to wait is counted where it waits, and moves on when it does. What is made of packets is not counted again: datagrams
 * put together from fragments, packets made up. */
#define QCAP_STAGE_END_MAP(X)                                                                                          \
    X(BAD_HEADER, "a header is cut off or contradicts itself or others")                                               \
    X(BAD_CHECKSUM, "the receiver does not take it")                                                                   \
    X(FRAGMENT_QUEUED, "it waits for the others; after the end: there is none")                                        \
    X(FRAGMENT_OVERLAP, "likewise; or its datagram was discarded for that")                                            \
    X(FRAGMENT_EXPIRED, "the others did not come")                                                                     \
    X(DEFRAGMENTED, "a fragment: its datagram was put together")                                                       \
    X(UDP_DELIVERED, "UDP")                                                                                            \
    X(ICMP, "ICMP or ICMPv6")                                                                                          \
    X(TCP_CONTROL, "it opens, acknowledges or tells a window")                                                         \
    X(TCP_QUEUED, "it waits; after the end: none of its bytes was the receiver's")                                     \
    X(TCP_DELIVERED, "all of its bytes were new")                                                                      \
    X(TCP_RETRANSMITTED, "none of its bytes was new")                                                                  \
    X(TCP_OVERLAP, "some of its bytes were new, or it waits")                                                          \
    X(TCP_OUTSIDE, "the receiver does not take it")                                                                    \
    X(TCP_KEEPALIVE, "it only asks for an answer")                                                                     \
    X(TCP_CLOSED, "the last of its direction")                                                                         \
    X(TCP_RESET, "a RST that counts, or of no conversation")                                                                                  \
    X(ARP, "ARP or RARP")                                                                                              \
    X(TUNNEL, "it carries others, which go on")                                                                        \
    X(OTHER, "nothing that is looked into")                                                                            \
    X(NO_MEMORY, "lost, or in part")

/* Whether packets end at that stage. */
bool qcap_stage_is_end(qcap_stage_t stage);

/* Called for a packet that is at `stage`. The packet of TCP_EXPIRED and TCP_EVICTED is artificial and empty: it has the
 * addresses of the conversation, client first. */
typedef void (*qcap_packet_handler_t)(qcap_packet_t *packet, qcap_stage_t stage, void *user);

/* Handlers of one stage are called in the order they were added. One may be added at any time but in a handler: it is called for
 * what happens from then on. */
int qcap_packet_handler_add(qcap_t *q, qcap_stage_t stage, qcap_packet_handler_t handler, void *user);

#define QCAP_PACKET_DISCARDED 1u  /* the receiver ignores it, in whole: see the stage */
#define QCAP_PACKET_ARTIFICIAL 2u /* not captured: put together from its constituents, taken out of one, or made up */
#define QCAP_PACKET_FRAGMENT 4u   /* an IP fragment */
#define QCAP_PACKET_SNAPPED 8u    /* the capture has only its beginning */

/* One end of a packet's or a conversation's way. */
typedef struct qcap_endpoint {
    uint8_t version;     /* of IP: 4, 6; 0: none */
    uint8_t address[16]; /* network order; the first 4 of IPv4, then zeros */
    uint16_t port;       /* of TCP or UDP; else 0 */
} qcap_endpoint_t;

#define QCAP_ENDPOINT_SIZE 56

/* Writes "192.0.2.1:80" or "[2001:db8::1]:80" (qcap_address_print: no port, no brackets) to `text`, which has `size`
 * bytes: QCAP_ENDPOINT_SIZE is always enough. Returns text. */
const char *qcap_endpoint_print(const qcap_endpoint_t *endpoint, char *text, size_t size);
const char *qcap_address_print(const qcap_endpoint_t *endpoint, char *text, size_t size);

/* The captured bytes, from the link header on; of a packet put together from fragments, from the IP header on; of one
 * that was taken out of a tunnel, from behind the tunnel's header on. */
const unsigned char *qcap_packet_bytes(const qcap_packet_t *packet, size_t *len);
/* The bytes of the network (IP) packet, without what the link added behind it; NULL and 0 if there is none. */
const unsigned char *qcap_packet_network(const qcap_packet_t *packet, size_t *len);
/* What TCP or UDP (ICMP, other: the IP packet) carries; NULL and 0 if there is no such. */
const unsigned char *qcap_packet_payload(const qcap_packet_t *packet, size_t *len);

size_t qcap_packet_wire_len(const qcap_packet_t *packet); /* bytes on the wire, captured or not */
int64_t qcap_packet_time_ns(const qcap_packet_t *packet);
uint64_t qcap_packet_number(const qcap_packet_t *packet); /* 1, 2, ... in the capture; that of the last constituent */
qcap_stage_t qcap_packet_stage(const qcap_packet_t *packet);
unsigned qcap_packet_flags(const qcap_packet_t *packet); /* QCAP_PACKET_ */
uint8_t qcap_packet_protocol(const qcap_packet_t *packet); /* that it carries, as IP numbers it; 255: none */
uint16_t qcap_packet_ethertype(const qcap_packet_t *packet); /* that its link carries, as IEEE numbers it; 0: none */
int qcap_packet_link_type(const qcap_packet_t *packet);    /* of the frame that was captured: a DLT_ number */

/* Why a packet came to the stage BAD_HEADER, in a line for people: "IPv4: the header is cut off"; or to OTHER although it
 * carries what could be looked into: "802.11: a fragment". Static; NULL if decoding found nothing in its way. */
const char *qcap_packet_reason(const qcap_packet_t *packet);

void qcap_packet_source(const qcap_packet_t *packet, qcap_endpoint_t *endpoint);
void qcap_packet_destination(const qcap_packet_t *packet, qcap_endpoint_t *endpoint);

/* The packets it was put together from, in the order they came: 0 .. count - 1. NULL beyond. That of a packet that was
 * taken out of a tunnel is its carrier, which may be artificial as well.
 *
 * Tunnels are IPv4 and IPv6 in either, GRE, EtherIP, MPLS in IP, VXLAN, Geneve, GTP-U, Teredo, and aggregates of
 * 802.11; packets lie at most 8 deep in one another. Which tunnel a packet came through is no part of a conversation's
 * identity. */
size_t qcap_packet_constituent_count(const qcap_packet_t *packet);
const qcap_packet_t *qcap_packet_constituent(const qcap_packet_t *packet, size_t index);

/* Keeps a packet beyond the handler. Returns what to keep: the packet at hand lies in the capture's buffer, so it
 * may be a copy; every later call for the same packet gives that copy again. NULL if there is no memory for it, or the
 * packet was made up (TCP_EXPIRED, TCP_EVICTED). */
qcap_packet_t *qcap_packet_ref(qcap_packet_t *packet);
void qcap_packet_unref(qcap_packet_t *packet); /* NULL is allowed */

/* Where a packet lies in its file, and what the file says of it. To be kept instead of the packet. */
typedef struct qcap_place {
    uint64_t offset;   /* of its bytes, from the beginning of the (unpacked) file */
    uint64_t number;   /* of the packet */
    int64_t time_ns;
    uint32_t len;      /* captured */
    uint32_t wire_len; /* on the wire */
    int link_type;     /* DLT_ number */
} qcap_place_t;

/* Where the packet lies. QCAP_E_GONE if it was not read from a file; an artificial packet's constituents were. */
int qcap_packet_place(const qcap_packet_t *packet, qcap_place_t *place);

/* Reads a packet of this handle's trace again, at any time until qcap_close(). It is decoded, at the stage that ended
 * its decoding (LINK_DECODED if all is well), and counted nowhere; no handler is called. To be released by
 * qcap_packet_unref(). NULL, and qcap_geterr() says why, if the trace is no regular file, or has become shorter, or there is no memory.
 *
 * A compressed trace is unpacked up to the place: from the last place that was read again, or from the beginning if the
 * place lies before that. So read in the order of the file what is to be read again from one. */
qcap_packet_t *qcap_packet_reread(qcap_t *q, const qcap_place_t *place);

/* ---------------------------------------------------------------- streams */

qcap_tcpstr_t *qcap_tcpstr_other(const qcap_tcpstr_t *str);   /* the opposite direction of the same conversation */
bool qcap_tcpstr_is_server(const qcap_tcpstr_t *str);         /* true: from the server to the client, as is known by now */
uint64_t qcap_tcpstr_number(const qcap_tcpstr_t *str);        /* of the conversation: 1, 2, ... as they opened */
int64_t qcap_tcpstr_opened_ns(const qcap_tcpstr_t *str);      /* its first packet */
bool qcap_tcpstr_has_syn(const qcap_tcpstr_t *str);           /* offset 0 is the true beginning */
uint64_t qcap_tcpstr_offset(const qcap_tcpstr_t *str);        /* bytes delivered and lost so far */
const qcap_endpoint_t *qcap_tcpstr_source(const qcap_tcpstr_t *str);
const qcap_endpoint_t *qcap_tcpstr_destination(const qcap_tcpstr_t *str);

/* What a TCP endpoint is doing, by the names of RFC 9293, 3.3.2. */
#define QCAP_TCP_STATE_MAP(X)                                                                                          \
    X(CLOSED, "CLOSED")                                                                                                \
    X(LISTEN, "LISTEN")                                                                                                \
    X(SYN_SENT, "SYN-SENT")                                                                                            \
    X(SYN_RECEIVED, "SYN-RECEIVED")                                                                                    \
    X(ESTABLISHED, "ESTABLISHED")                                                                                      \
    X(FIN_WAIT_1, "FIN-WAIT-1")                                                                                        \
    X(FIN_WAIT_2, "FIN-WAIT-2")                                                                                        \
    X(CLOSE_WAIT, "CLOSE-WAIT")                                                                                        \
    X(CLOSING, "CLOSING")                                                                                              \
    X(LAST_ACK, "LAST-ACK")                                                                                            \
    X(TIME_WAIT, "TIME-WAIT")

typedef enum {
#define X(name, text) QCAP_TCP_##name,
    QCAP_TCP_STATE_MAP(X)
#undef X
} qcap_tcp_state_t;

const char *qcap_tcp_state_text(qcap_tcp_state_t state);

/* The state of the endpoint that sends this direction, as far as the packets until now tell; whatever was captured is
 * taken to have arrived. LISTEN: there was a SYN for it, and no answer yet. Of a conversation met in the middle it is at
 * least ESTABLISHED. CLOSED also after a RST that counts; TIME_WAIT until the conversation leaves, after
 * QCAP_TIMEOUT_CLOSED. */
qcap_tcp_state_t qcap_tcp_state(const qcap_tcpstr_t *str);

/* Calls the handler with the direction from the client of each TCP conversation that is in memory: open ones, and those
 * that are over, for a while. Returns how many there were. */
typedef void (*qcap_tcpstr_visitor_t)(qcap_tcpstr_t *client, void *user);
uint64_t qcap_tcpstr_each(qcap_t *q, qcap_tcpstr_visitor_t visitor, void *user);

/* One pointer for the application to keep with each direction; NULL at first. */
void qcap_tcpstr_set_user(qcap_tcpstr_t *str, void *user);
void *qcap_tcpstr_user(const qcap_tcpstr_t *str);

/* Positions. A position that was copied keeps its stream, and every byte of the stream from it on, until it is
 * freed; the memory is charged to the ceiling. Advance it, or free it, as soon as possible. It survives the
 * conversation. */

/* A new position at the same place; NULL if there is no memory. */
qcap_tcpstr_pos_t *qcap_tcpstr_pos_copy(const qcap_tcpstr_pos_t *pos);
void qcap_tcpstr_pos_free(qcap_tcpstr_pos_t *pos); /* NULL is allowed */

qcap_tcpstr_t *qcap_tcpstr_pos_stream(const qcap_tcpstr_pos_t *pos);
uint64_t qcap_tcpstr_pos_offset(const qcap_tcpstr_pos_t *pos);

/* Moves a copied position forward by `count` bytes; the bytes left behind may be forgotten. QCAP_E_ARGUMENT if that is
 * beyond what was delivered. */
int qcap_tcpstr_pos_advance(qcap_tcpstr_pos_t *pos, uint64_t count);

/* The byte at the position, 0 .. 255; QCAP_E_GONE if it was lost or has not come yet. */
int qcap_tcpstr_pos_byte(const qcap_tcpstr_pos_t *pos);

/* The packet that carried the byte at the position, borrowed as long as the position; NULL where there is no byte. */
qcap_packet_t *qcap_tcpstr_pos_packet(const qcap_tcpstr_pos_t *pos);

/* All bytes from `begin` to before `end`, two positions of one stream, in one piece. They lie in a packet, or in a
 * buffer of the handle: valid until the next call, and until the handler returns. NULL if some are lost or there is
 * no memory. */
const unsigned char *qcap_tcpstr_bytes(const qcap_tcpstr_pos_t *begin, const qcap_tcpstr_pos_t *end, size_t *len);

/* ---------------------------------------------------------------- streams without a parser */

/* How a direction ended. */
#define QCAP_END_MAP(X)                                                                                                \
    X(FIN, "closed")                                                                                                   \
    X(RESET, "reset")                                                                                                  \
    X(EXPIRED, "idle for too long")                                                                                    \
    X(EVICTED, "evicted: memory ran short")                                                                            \
    X(REPLACED, "its addresses were used again")                                                                       \
    X(CAPTURE, "the capture ended")

typedef enum {
#define X(name, text) QCAP_END_##name,
    QCAP_END_MAP(X)
#undef X
    QCAP_END_COUNT
} qcap_end_t;

const char *qcap_end_text(qcap_end_t end);

/* What is called with the bytes that the receiver reads, in order, each exactly once. Each may be NULL. */
typedef struct qcap_tap {
    /* A conversation was met; `client` is the direction from the client. Before anything else about it. Where its beginning was
     * not captured, that is a guess: if what both say tells that the roles are the other way, they are from then on, and the
     * qcap_spoken_handler_t that says what is spoken is the first to be told so. So keep what belongs to the conversation with
     * both directions. */
    void (*on_open)(qcap_tcpstr_t *client, void *user);
    /* The next `len` bytes, carried by `packet`. */
    void (*on_data)(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user);
    /* The next `len` bytes were not captured. */
    void (*on_gap)(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user);
    /* This direction has ended: once for each. */
    void (*on_end)(qcap_tcpstr_t *str, qcap_end_t end, void *user);
    /* The conversation is over: the last that is heard of it, after both on_end. `client` is the client by now. */
    void (*on_close)(qcap_tcpstr_t *client, void *user);
} qcap_tap_t;

/* Adds a tap; `tap` is copied. Taps are called in the order they were added, before the parsers. One that is added after the
 * first packet hears of conversations that are open then, too, from where they are: without their on_open. */
int qcap_tap_add(qcap_t *q, const qcap_tap_t *tap, void *user);

/* Two copies of the same bytes that differ: of a TCP stream, or of a datagram's fragments. */
typedef struct qcap_conflict {
    qcap_tcpstr_t *str;             /* the direction; NULL: fragments */
    uint64_t begin_offset;          /* of the first byte that both packets have, in the stream or the datagram's data */
    uint64_t end_offset;            /* behind the last one */
    const unsigned char *stored;    /* what was there: end_offset - begin_offset bytes */
    const unsigned char *newcomer;  /* what came later: as many */
    qcap_packet_t *stored_packet;   /* that carried the one */
    qcap_packet_t *newcomer_packet; /* and the other */
    bool is_newcomer_kept;          /* the receiver reads the newcomer's bytes, says its policy; else those that were there */
    int64_t time_ns;                /* when the newcomer came */
} qcap_conflict_t;

typedef void (*qcap_conflict_handler_t)(const qcap_conflict_t *conflict, void *user);

/* Adds a handler for conflicts. From then on the last QCAP_CONFLICT_BYTES of each direction of a TCP conversation are kept, and
 * charged to the memory ceiling, so that late copies can be compared with what was delivered. Before the first packet. */
int qcap_conflict_handler_add(qcap_t *q, qcap_conflict_handler_t handler, void *user);

#define QCAP_CONFLICT_BYTES 16384u

/* ---------------------------------------------------------------- protocols and their elements */

/* Adds a protocol that a generated file defines; it is borrowed until qcap_close(). Before the first packet.
 *
 * The first bytes of a TCP conversation tell its protocol, on any port, or the first datagrams between two endpoints, if the
 * protocol has a `datagram` root: it is the one whose parser reads them, and would have refused most others; of several, the one
 * that the other direction fits, too, then the one whose port it is. What fits none is unknown. Of a conversation that is met in the
 * middle, both directions have to say it, or the port, unless both speak otherwise. All datagrams between two
 * endpoints are one conversation of the protocol, so that its queues relate responses to requests. */
int qcap_protocol_add(qcap_t *q, const qcap_protocol_t *protocol);

/* Adds every protocol that the library was built with. */
int qcap_protocols_builtin(qcap_t *q);

/* The protocols added so far: 0 .. count - 1; NULL beyond. */
size_t qcap_protocol_count(const qcap_t *q);
const qcap_protocol_t *qcap_protocol_at(const qcap_t *q, size_t index);

/* Who announced a conversation: a data connection, for example. */
typedef struct qcap_parent {
    const qcap_protocol_t *protocol; /* that it speaks */
    qcap_tcpstr_t *str;   /* the direction in which the announcement stood, which may be over; NULL: in a datagram */
    uint64_t exchange;    /* of the datagram, as in qcap_match_t; 0: in a stream */
    bool is_server;       /* whether the server of that conversation announced it */
    uint64_t offset;      /* behind the announcement, in that direction */
    int64_t announced_ns; /* when it was read */
} qcap_parent_t;

/* How the protocol of a conversation became known. */
#define QCAP_KNOWN_MAP(X)                                                                                              \
    X(NOT, "unknown")                                                                                                  \
    X(BY_BYTES, "its bytes fit")                                                                                       \
    X(BY_PORT, "the port is its own, and nothing speaks against it")                                                   \
    X(BY_CHANGE, "the protocol before agreed upon it")                                                                 \
    X(BY_PARENT, "another conversation announced it")

typedef enum {
#define X(name, text) QCAP_KNOWN_##name,
    QCAP_KNOWN_MAP(X)
#undef X
} qcap_known_t;

const char *qcap_known_text(qcap_known_t known);

/* What a conversation speaks. */
typedef struct qcap_spoken {
    qcap_tcpstr_t *client;           /* the direction from the client; NULL: datagrams */
    uint64_t exchange;               /* of datagrams: as in qcap_match_t; else 0 */
    const qcap_endpoint_t *ends;     /* two of them, the client's first */
    const qcap_protocol_t *protocol; /* NULL: none that was added */
    const char *name;                /* its name; where another protocol named one that was not added, that; NULL: unknown */
    qcap_known_t known;              /* how */
    bool is_encrypted;               /* it is unknown, and looks like noise: encrypted, or compressed */
    uint64_t begin_offset[2];        /* from where on, in the direction of [0] the client, [1] the server */
    const qcap_parent_t *parent;     /* who announced the conversation; NULL: nobody */
    bool is_over;                    /* of datagrams: nothing more comes, or they are forgotten: that is the last that is heard */
    int64_t time_ns;                 /* when that became known */
} qcap_spoken_t;

typedef void (*qcap_spoken_handler_t)(const qcap_spoken_t *spoken, void *user);

/* Calls the handler when it is known what a conversation speaks, or that this is not to be known: before its first match,
 * and again when it goes over to another protocol. A conversation that carries nothing speaks nothing. Once more when
 * datagrams between two endpoints are over (of a stream, qcap_tap_t tells). Before the first packet. */
int qcap_spoken_handler_add(qcap_t *q, qcap_spoken_handler_t handler, void *user);

/* The protocol that the stream's conversation speaks now; NULL if that is not known, or not known yet. */
const qcap_protocol_t *qcap_tcpstr_protocol(const qcap_tcpstr_t *str);

/* Whether it is unknown what the conversation speaks, and its first bytes look like noise: encrypted, or compressed. What is
 * encrypted by a protocol that is known has that one's name instead. */
bool qcap_tcpstr_is_encrypted(const qcap_tcpstr_t *str);

/* Who announced the stream's conversation; NULL: nobody. Borrowed until the conversation is over. */
const qcap_parent_t *qcap_tcpstr_parent(const qcap_tcpstr_t *str);

#define QCAP_MATCH_TRUNCATED 1u /* longer than the limit: these are its first bytes */
#define QCAP_MATCH_ABORTED 2u   /* a stream element that ended by an error, a gap or the end of the stream */
#define QCAP_MATCH_LOST 4u      /* its bytes could not be kept for lack of memory: bytes is NULL */

/* An element that was subscribed to, or a piece of one. */
typedef struct qcap_match {
    qcap_event_kind_t kind;          /* ELEMENT; in a stream handler BEGIN, PIECE, GAP or END */
    unsigned flags;                  /* QCAP_MATCH_ */
    const qcap_protocol_t *protocol; /* that it belongs to */
    uint16_t element;                /* index in protocol->elements */
    const char *path;                /* its full name: "http.request.request-target" */
    qcap_tcpstr_t *str;              /* the direction it was found in; NULL: in a datagram */
    const qcap_tcpstr_pos_t *begin;  /* its first byte; NULL: in a datagram */
    const qcap_tcpstr_pos_t *end;    /* behind its last byte; NULL: in a datagram */
    qcap_packet_t *packet;           /* the datagram; NULL: in a stream, see qcap_tcpstr_pos_packet() */
    qcap_packet_t *last;             /* the packet whose bytes completed it; NULL: the end of the stream did, or a gap */
    uint64_t exchange;               /* which two endpoints sent the datagram, 1, 2, ... as they were met; 0: a stream */
    bool is_server;                  /* sent by the server; of datagrams: by the known port, or whoever was not the first */
    uint64_t begin_offset;           /* of its first byte, in the stream or in what the datagram carries */
    uint64_t end_offset;             /* behind its last byte */
    unsigned depth;                  /* of streams in one another: 0: the one of the packets; see note [streams in streams] */
    uint64_t own_begin, own_end;     /* the same two offsets in the stream that it was read from; those above if depth is 0 */
    const unsigned char *bytes;      /* ELEMENT, PIECE: in one piece; else NULL. Not terminated by a NUL */
    size_t len;                      /* of bytes */
    int64_t time_ns;                 /* when the packet came that completed it */
} qcap_match_t;

typedef void (*qcap_match_handler_t)(const qcap_match_t *match, void *user);

/* note [streams in streams]: a protocol may carry others: a mail in a session, what was compressed, a datagram in a stream. An
 * element is found wherever its protocol is read, to a depth of QCAP_NESTING. Its begin and end are then where it was in the
 * stream of the packets: of what was encoded, where that was, so that both may be the same; and its bytes are the decoded ones. */

/* Calls the handler with each element that `name` fits, when it is complete. A name is the protocol and any tail of
 * the path of the enclosing elements: "http.request-target", "http.request.request-target". Case does not matter.
 * Every element that fits is delivered. "http.field-value[Cookie]" fits those whose selector (here the field-name)
 * has that text, in any case. QCAP_E_NAME if no protocol added so far has such an element, or it is one that comes
 * in pieces. Before the first packet, as all handlers of elements and reports; later, QCAP_E_STATE. */
int qcap_tcpstr_handler_add(qcap_t *q, const char *name, qcap_match_handler_t handler, void *user);

/* The same for elements that may be long and come in pieces: BEGIN, then PIECE and GAP in order, then END. BEGIN has
 * no end yet: its end is its begin. QCAP_E_NAME if there is no such element, or it is one that comes whole. */
int qcap_stream_handler_add(qcap_t *q, const char *name, qcap_match_handler_t handler, void *user);

/* What is not right with a stream. */
typedef enum {
    QCAP_REPORT_ANOMALY, /* input that its grammar only tolerates: [begin, end), named by text */
    QCAP_REPORT_GAP,     /* bytes [begin, end) were not captured; also of streams that no protocol was found for */
    QCAP_REPORT_ERROR    /* the input cannot be read at begin: text says it all, error in detail. QCAP_ERROR_MISSING at offset 0: a
                            conversation was met in the middle, and the bytes up to where it can be read are part of what came
                            before */
} qcap_report_kind_t;

typedef struct qcap_report {
    qcap_report_kind_t kind;
    const qcap_protocol_t *protocol; /* NULL if none was found */
    uint16_t element;                /* GAP: the stream element it lies in; else QCAP_NONE */
    qcap_tcpstr_t *str;              /* these five as in qcap_match_t */
    qcap_packet_t *packet;
    qcap_packet_t *last;
    uint64_t exchange;
    bool is_server;
    uint64_t begin_offset, end_offset;
    unsigned depth;            /* likewise */
    const char *text;          /* for people, one line */
    const qcap_error_t *error; /* ERROR, else NULL; its offset, as the one in text, is in the stream that was read: that of depth */
    int64_t time_ns;           /* of the packet at hand */
} qcap_report_t;

typedef void (*qcap_report_handler_t)(const qcap_report_t *report, void *user);

/* Each adds a handler for one kind of report, of all protocols. Before the first packet. */
int qcap_anomaly_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user);
int qcap_gap_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user);
int qcap_error_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user);

/* ---------------------------------------------------------------- getters
 *
 * A getter is a query in the words of Wireshark's display filters: a field, `ip.src`, or a condition about fields:
 *
 *     tcp.port in {80, 8080..8090} and not ip.addr == 10.0.0.0/8
 *     vlan.id == 5 && (arp or icmp.type == 8) && frame.len > 1000
 *     tcp.flags & 0x3f == 2 or tcp.payload[0:4] == "GET "
 *     http.host contains "example"
 *
 * Fields are those of qcap_field(), and elements of protocols: names as for qcap_tcpstr_handler_add(), without a text in
 * brackets; or a protocol alone, `http`: any of its elements. A name means nothing by its case.
 *
 * Comparisons are == != < <= > >= (or eq ne lt le gt ge), `contains`, `in {...}` and `not in {...}`; of a field with a value, or
 * with another field of its type. They are joined by `not`, `and`, `or` (! && ||), of which the first binds closest, and
 * parentheses. Values are
 *     80  0x50  true              numbers; those of an element are its text, read as a decimal number
 *     1300000000.25  "2011-03-13 07:06:40.25"     times, UTC; the zeros behind the last part that counts may be left out
 *     10.0.0.1  10.0.0.0/8        of IPv4 (ip.src);  2001:db8::1  2001:db8::/32  of IPv6;  00:0c:29:01:02:03  of Ethernet
 *     "text"  0a:0b               of bytes and elements; in quotes, \" \\ \n \r \t \x0a stand for one byte
 * and in braces ranges of these, 8080..8090. FIELD[4:2] is the two bytes from the fifth one on, FIELD[4] that one, FIELD[:2],
 * FIELD[4:]; FIELD & 0x0f some bits of a number.
 *
 * A field may have several values: ip.addr has two, vlan.id as many as there are tags. The headers of a packet are those in its
 * bytes, from the link inwards; then those of the packet that it was taken out of, or of the last fragment that it was put
 * together from, and so on outwards. So of a packet in a tunnel, ip.src has the inner address first, then the tunnel's. (The
 * packet that was captured has only the outer one: what it carries is a packet of its own.)
 * A comparison is true if it is for any value; but != and `not in` are if they are for each, and there is one. Of a field that
 * has no value every comparison is false. A field alone is true if it has a value, whatever that is: `tcp.flags.syn` is true for
 * all of TCP, and == 1 for a SYN.
 *
 * There are no regular expressions: they would be another library, and another language. */

/* What a value is, and the member of qcap_value_t that has it. */
#define QCAP_VALUE_MAP(X)                                                                                              \
    X(BOOL, "true or false: number is 1 or 0")                                                                         \
    X(UINT, "number")                                                                                                  \
    X(TIME, "time_ns")                                                                                                 \
    X(BYTES, "bytes, of any kind")                                                                                     \
    X(STRING, "bytes, of an element")                                                                                  \
    X(ETHERNET, "bytes: an address, 6 of them")                                                                        \
    X(IPV4, "bytes: an address, 4 of them")                                                                            \
    X(IPV6, "bytes: an address, 16 of them")

typedef enum {
#define X(name, text) QCAP_VALUE_##name,
    QCAP_VALUE_MAP(X)
#undef X
} qcap_value_type_t;

typedef struct qcap_value {
    qcap_value_type_t type;
    uint64_t number;            /* BOOL, UINT */
    int64_t time_ns;            /* TIME: since 1970 */
    const unsigned char *bytes; /* the others: in the packet, or the match; borrowed like these */
    size_t len;                 /* of bytes */
} qcap_value_t;

#define QCAP_VALUE_SIZE 64

/* Writes the value as getters read it to `text`, which has `size` bytes: QCAP_VALUE_SIZE is enough, but for BYTES and STRING,
 * which are cut: they take three for each of theirs. Returns text. */
const char *qcap_value_print(const qcap_value_t *value, char *text, size_t size);

/* A field of a header. */
typedef struct qcap_field {
    const char *name;
    qcap_value_type_t type;
    const char *text; /* what it is; one line */
} qcap_field_t;

/* The index-th of them, from 0; NULL behind the last. */
const qcap_field_t *qcap_field(size_t index);

/* Compiles a getter, of at most QCAP_GETTER_SIZE bytes. Names of elements are those of the protocols that were added before.
 * NULL if it is not understood: qcap_geterr() begins with "column N: ", where N counts the characters of its one line from 1;
 * or if there is no memory. To be freed before the handle is closed. */
qcap_getter_t *qcap_getter_compile(qcap_t *q, const char *text);
void qcap_getter_free(qcap_getter_t *getter); /* NULL is allowed */

#define QCAP_GETTER_SIZE 65536

/* What the values of a getter are: of its field, or BOOL if it is a condition. */
qcap_value_type_t qcap_getter_type(const qcap_getter_t *getter);

/* Gets the values of a field in a packet of the same handle, as far as there are `max`. Returns how many there are, which may be
 * more. A condition has one value. Elements have none in a packet: they are no part of it. */
size_t qcap_getter_apply(const qcap_getter_t *getter, const qcap_packet_t *packet, qcap_value_t *values, size_t max);

/* Whether the condition is true, or the field has a value. */
bool qcap_getter_holds(const qcap_getter_t *getter, const qcap_packet_t *packet);

/* The same for an element that a handler was called with: it has a value under its own name, under no other, and only if its
 * bytes are there; headers are those of match->last, the packet that completed it. */
size_t qcap_getter_apply_match(const qcap_getter_t *getter, const qcap_match_t *match, qcap_value_t *values, size_t max);
bool qcap_getter_holds_match(const qcap_getter_t *getter, const qcap_match_t *match);

/* Only packets that the condition is true for are looked at; asked of what was captured, behind qcap_set_filter(). Others are not
 * counted, but have a number. Names of elements make no sense here: QCAP_E_FILTER, as for what is not understood. Before the
 * first packet. */
int qcap_set_where(qcap_t *q, const char *condition);

/* ---------------------------------------------------------------- numbers */

typedef struct qcap_stats {
    uint64_t packets;       /* read, after the filter */
    uint64_t bytes;         /* captured of them */
    uint64_t wire_bytes;    /* they had on the wire */
    int64_t first_ns;       /* time of the first one, */
    int64_t last_ns;        /* and the latest time so far */
    uint64_t stages[QCAP_STAGE_COUNT]; /* how often each was reached */
    uint64_t ended[QCAP_STAGE_COUNT];  /* packets by the stage they have come to last: see QCAP_STAGE_END_MAP */

    uint64_t conversations;      /* TCP, met so far */
    uint64_t conversations_open; /* now */
    uint64_t conversations_peak; /* most at a time */
    uint64_t stream_bytes;       /* delivered in order */
    uint64_t gaps;               /* holes, */
    uint64_t gap_bytes;          /* and how much they lack */
    uint64_t retransmitted_bytes; /* came again */
    uint64_t conflicting_bytes;  /* came again with another value, while the first copy was still there */
    uint64_t datagrams;          /* put together from fragments */

    uint64_t elements;  /* matches delivered */
    uint64_t anomalies; /* reported by parsers */
    uint64_t errors;    /* reported by parsers */

    uint64_t memory;         /* bytes in use, */
    uint64_t memory_peak;    /* the most so far, */
    uint64_t memory_limit;   /* and the ceiling */
    uint64_t memory_refused; /* allocations refused */
    uint64_t system_drops;   /* packets the operating system dropped: of a device, or as pcapng tells */
    uint64_t device_drops;   /* packets the hardware dropped: likewise */
} qcap_stats_t;

void qcap_stats(qcap_t *q, qcap_stats_t *stats);

#ifdef __cplusplus
}
#endif
#endif
