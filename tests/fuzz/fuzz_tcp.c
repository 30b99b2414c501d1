/* fuzz_tcp.c: any segments of one conversation: libFuzzer's target for reassembly.
 *
 * The input is a byte of settings and a list of segments, STEP bytes each: flags, sequence number, acknowledgement, length, time.
 * Numbers may be of one window, or of all there are. Every byte of
 * payload is told by its sequence number, so whatever is dropped, doubled, overlapped or late, a byte that is delivered must be
 * the one of its place. With wrong checksums come wrong bytes: a receiver that has seen right ones must not take them, unless
 * it acknowledged them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "handle.h"
#include "traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define STEP 8u
#define LONGEST 256u

static void require(bool condition)
{
    if (!condition)
        abort();
}

static char letter_of(uint32_t seq)
{
    return (char)('a' + seq % 26);
}

/* Bytes come where the last ones ended, and are those of their place. */
static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    uint32_t seq = str->base_seq + (uint32_t)offset;
    (void)user;
    require(len > 0 && offset == (uintptr_t)qcap_tcpstr_user(str) && !str->has_ended);
    qcap_tcpstr_set_user(str, (void *)(uintptr_t)(offset + len));
    for (size_t i = 0; i < len && bytes[0] != '!'; i++)
        require(bytes[i] == (unsigned char)letter_of(seq + (uint32_t)i));
    require(qcap_packet_bytes(packet, &len) != NULL);
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    (void)user;
    require(len > 0 && offset == (uintptr_t)qcap_tcpstr_user(str) && !str->has_ended);
    qcap_tcpstr_set_user(str, (void *)(uintptr_t)(offset + len));
}

/* Two close calls would count one conversation twice. */
static void on_close(qcap_tcpstr_t *client, void *user)
{
    unsigned *closed = user;
    require(client->has_ended && qcap_tcpstr_other(client)->has_ended);
    ++*closed;
}

/* Both versions are there, and differ. */
static void on_conflict(const qcap_conflict_t *conflict, void *user)
{
    size_t len = (size_t)(conflict->end_offset - conflict->begin_offset);
    (void)user;
    require(len > 0 && memcmp(conflict->stored, conflict->newcomer, len) != 0);
    require(conflict->stored_packet != conflict->newcomer_packet);
}

/* Sends the segment that one step of the input describes; what lies between two numbers is `unit`. */
static void send_step(traffic_t *t, const uint8_t *step, uint32_t unit)
{
    static const char *const flags[] = {"A", "AU", "A", "AU", "S", "SA", "FAU", "R"};
    char text[LONGEST];
    bool is_bad = (step[0] & 0x70) == 0x70;
    traffic_segment_t segment = {.from_server = step[0] & 1,
                                 .flags = flags[step[0] >> 1 & 7],
                                 .seq = 0xffffff00u + ((uint32_t)step[1] | (uint32_t)step[2] << 8) * unit,
                                 .ack = 0xffffff00u + ((uint32_t)step[3] | (uint32_t)step[4] << 8) * unit,
                                 .len = step[5],
                                 .urgent = step[7],
                                 .window = (uint16_t)(step[6] << 4),
                                 .scale = step[6] & 7,
                                 .checksum = is_bad ? TRAFFIC_BAD : TRAFFIC_GOOD};
    uint32_t first_seq = segment.seq + (segment.flags[0] == 'S');
    for (uint32_t i = 0; i < segment.len; i++)
        text[i] = is_bad ? '!' : letter_of(first_seq + i);
    if (segment.len > 0)
        segment.text = text;
    if (step[0] & 0x80)
        segment.snap = (uint16_t)(segment.len / 2);
    traffic_wait_ms(t, step[7] & 0x80 ? (step[7] & 0x7f) * INT64_C(1000) : step[7]);
    traffic_send_tcp(t, &segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const policies[] = {"first", "last", "bsd", "linux", "solaris"};
    qcap_tap_t tap = {.on_data = on_data, .on_gap = on_gap, .on_close = on_close};
    unsigned closed = 0;
    qcap_stats_t stats;
    uint64_t ended = 0;
    if (len == 0)
        return 0;
    traffic_t *t = traffic_open();
    uint64_t before;
    require(qcap_tap_add(t->q, &tap, &closed) == QCAP_OK);
    require(qcap_set_policy(t->q, NULL, policies[bytes[0] % 5]) == QCAP_OK);
    require(qcap_set(t->q, bytes[0] & 0x80 ? "tcp.urgent=out-of-band" : "tcp.urgent=inline") == QCAP_OK);
    if (bytes[0] & 0x40)
        require(qcap_conflict_handler_add(t->q, on_conflict, NULL) == QCAP_OK);
    before = t->q->budget.used;
    for (size_t at = 1; at + STEP <= len; at += STEP)
        send_step(t, bytes + at, bytes[0] & 0x20 ? 50000 : 1);
    require(qcap_finish(t->q) == QCAP_OK);
    qcap_stats(t->q, &stats);
    require(stats.conversations_open == 0 && stats.conversations == closed);
    for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++)
        ended += stats.ended[stage];
    require(ended == stats.packets);
    require(t->q->budget.used <= before);
    traffic_close(t);
    return 0;
}
