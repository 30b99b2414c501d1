/* fuzz_capture.c: any bytes as a capture file: libFuzzer's target for everything below the parsers, and the built-in
 * parsers behind it.
 *
 * The file is read twice, with generous memory and with the least, which makes eviction and refusal run. What is
 * checked beside the sanitizers: each stream's bytes come at the offset where the last ones ended, its end comes
 * once, no conversation is left at the end, and memory stays below its ceiling and is given back. A packet that is read
 * again is the same; of those that were taken out of others, the carriers lead to one that was captured. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* How far a stream has come: kept in its user pointer, which starts at NULL. */
static void go_on(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    uint64_t expected = (uint64_t)(uintptr_t)qcap_tcpstr_user(str);
    require(offset == expected && len > 0);
    require(qcap_tcpstr_offset(str) == offset + len);
    qcap_tcpstr_set_user(str, (void *)(uintptr_t)(offset + len));
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    unsigned *sum = user;
    (void)packet;
    go_on(str, offset, len);
    for (size_t i = 0; i < len; i++)
        *sum += bytes[i];
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    (void)user;
    go_on(str, offset, len);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    (void)user;
    require(end < QCAP_END_COUNT);
    require(qcap_tcpstr_user(str) != (void *)UINTPTR_MAX);
    require((uint64_t)(uintptr_t)qcap_tcpstr_user(str) == qcap_tcpstr_offset(str));
    qcap_tcpstr_set_user(str, (void *)UINTPTR_MAX);
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    (void)user;
    require(qcap_tcpstr_user(client) == (void *)UINTPTR_MAX);
    require(qcap_tcpstr_user(qcap_tcpstr_other(client)) == (void *)UINTPTR_MAX);
}

static void on_match(const qcap_match_t *match, void *user)
{
    unsigned *sum = user;
    for (size_t i = 0; match->bytes && i < match->len; i++)
        *sum += match->bytes[i];
}

/* Of every protocol, subscribes to one element in SHARE, beginning with `first`: all of them would take longer than
 * what the target is for. */
#define SHARE 16
static void subscribe(qcap_t *q, size_t first, unsigned *sum)
{
    char path[256];
    for (size_t i = 0; i < qcap_protocol_count(q); i++) {
        const qcap_protocol_t *protocol = qcap_protocol_at(q, i);
        for (size_t at = first % SHARE; at < protocol->element_count; at += SHARE) {
            uint16_t element = (uint16_t)at;
            qcap_element_path(protocol, element, path, sizeof path);
            if (protocol->elements[element].is_stream)
                qcap_stream_handler_add(q, path, on_match, sum);
            else
                qcap_tcpstr_handler_add(q, path, on_match, sum);
        }
    }
}

/* Packets are read again while the trace is read, some of them. */
static void on_captured(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_place_t place;
    size_t len, len_again;
    (void)stage;
    require(qcap_packet_place(packet, &place) == QCAP_OK && place.number == qcap_packet_number(packet));
    if (place.number % 5 > 0)
        return;
    qcap_packet_t *again = qcap_packet_reread(user, &place);
    if (!again) /* for lack of memory */
        return;
    const unsigned char *bytes = qcap_packet_bytes(packet, &len), *bytes_again = qcap_packet_bytes(again, &len_again);
    require(len == len_again && memcmp(bytes, bytes_again, len) == 0);
    require(qcap_packet_time_ns(packet) == qcap_packet_time_ns(again));
    require(qcap_packet_payload(again, &len) == NULL || len <= len_again);
    qcap_packet_unref(again);
}

static void on_decapsulated(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    size_t depth = 0;
    (void)stage;
    (void)user;
    qcap_packet_t *kept = qcap_packet_ref(packet);
    for (const qcap_packet_t *p = packet; qcap_packet_flags(p) & QCAP_PACKET_ARTIFICIAL; depth++) {
        p = qcap_packet_constituent(p, 0);
        require(p && depth < 100);
    }
    qcap_packet_unref(kept);
}

static void read_capture(const char *path, size_t len, uint64_t memory)
{
    static const qcap_tap_t tap = {.on_data = on_data, .on_gap = on_gap, .on_end = on_end, .on_close = on_close};
    char errbuf[QCAP_ERRBUF_SIZE];
    unsigned sum = 0;
    qcap_stats_t stats;
    qcap_t *q = qcap_open_trace(path, errbuf);
    if (!q)
        return;
    qcap_options_t options;
    qcap_options(q, &options);
    options.memory = memory;
    require(qcap_set_options(q, &options) == QCAP_OK);
    qcap_protocols_builtin(q);
    qcap_tap_add(q, &tap, &sum);
    qcap_packet_handler_add(q, QCAP_STAGE_CAPTURED, on_captured, q);
    qcap_packet_handler_add(q, QCAP_STAGE_DECAPSULATED, on_decapsulated, NULL);
    subscribe(q, len, &sum);
    int status = qcap_loop(q, 0);
    require(status == QCAP_OK || status == QCAP_E_CAPTURE);
    qcap_stats(q, &stats);
    require(stats.conversations_open == 0);
    require(stats.memory_peak <= memory);
    qcap_close(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[32];
    int file = memfd_create("capture", 0);
    if (file < 0 || write(file, bytes, len) != (ssize_t)len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    read_capture(path, len, UINT64_C(64) << 20);
    read_capture(path, len, UINT64_C(1) << 20);
    close(file);
    return 0;
}
