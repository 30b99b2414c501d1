/* dialogue.c: who has said what, and what came of it, as text. */
#include "dialogue.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dialogue_init(dialogue_t *dialogue, qcap_t *q, uint16_t server_port)
{
    *dialogue = (dialogue_t){
        .q = q,
        .server_port = server_port,
        .first_seq = {TRAFFIC_CLIENT_SEQ, TRAFFIC_SERVER_SEQ},
        .now_ns = INT64_C(1000000000) * 1000,
    };
}

static void push(dialogue_t *dialogue, bool is_server, const char *flags, uint32_t seq, uint32_t ack, const char *text)
{
    static unsigned char packet[TRAFFIC_MAX];
    const traffic_segment_t segment = {.from_server = is_server,
                                       .flags = flags,
                                       .seq = seq,
                                       .ack = ack,
                                       .text = text,
                                       .server_port = dialogue->server_port};
    uint32_t len = (uint32_t)traffic_build_tcp(packet, &segment);
    qcap_push(dialogue->q, packet, len, len, dialogue->now_ns);
    dialogue->now_ns += 1000000;
}

void dialogue_open(dialogue_t *dialogue)
{
    const uint32_t *first = dialogue->first_seq;
    push(dialogue, CLIENT, "S", first[0] - 1, 0, "");
    push(dialogue, SERVER, "SA", first[1] - 1, first[0], "");
    push(dialogue, CLIENT, "A", first[0], first[1], "");
}

void dialogue_segment(dialogue_t *dialogue, bool is_server, uint32_t offset, const char *text, uint32_t heard)
{
    uint32_t end = offset + (uint32_t)strlen(text);
    push(dialogue, is_server, "A", dialogue->first_seq[is_server] + offset,
         dialogue->first_seq[!is_server] + heard, text);
    if (end > dialogue->said[is_server])
        dialogue->said[is_server] = end;
}

void dialogue_say(dialogue_t *dialogue, bool is_server, const char *text)
{
    dialogue_segment(dialogue, is_server, dialogue->said[is_server], text, dialogue->said[!is_server]);
}

static void end(dialogue_t *dialogue, bool is_server, const char *flags)
{
    push(dialogue, is_server, flags, dialogue->first_seq[is_server] + dialogue->said[is_server],
         dialogue->first_seq[!is_server] + dialogue->said[!is_server], "");
}

void dialogue_fin(dialogue_t *dialogue, bool is_server)
{
    end(dialogue, is_server, "FA");
}

void dialogue_reset(dialogue_t *dialogue, bool is_server)
{
    end(dialogue, is_server, "RA");
}

/* ---------------------------------------------------------------- what came of it */

static void __attribute__((format(printf, 2, 3))) add(chronicle_t *chronicle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(chronicle->text + chronicle->len, sizeof chronicle->text - chronicle->len, format, args);
    va_end(args);
    if (len > 0 && chronicle->len + (size_t)len < sizeof chronicle->text)
        chronicle->len += (size_t)len;
}

static void add_text(chronicle_t *chronicle, const unsigned char *text, size_t len)
{
    add(chronicle, " \"");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\r')
            add(chronicle, "\\r");
        else if (text[i] == '\n')
            add(chronicle, "\\n");
        else
            add(chronicle, "%c", text[i]);
    }
    add(chronicle, "\"");
}

static const char *side_name(bool is_server)
{
    return is_server ? "server" : "client";
}

void chronicle_match(const qcap_match_t *match, void *user)
{
    chronicle_t *chronicle = user;
    add(chronicle, "%s ", side_name(match->is_server));
    if (match->kind != QCAP_EVENT_ELEMENT)
        add(chronicle, "%s ", qcap_event_kind_name(match->kind));
    add(chronicle, "%s %" PRIu64, match->path, match->begin_offset);
    if (match->depth > 0)
        add(chronicle, "..%" PRIu64 " (%u: %" PRIu64 "..%" PRIu64 ")", match->end_offset, match->depth, match->own_begin,
            match->own_end);
    if (match->kind == QCAP_EVENT_GAP)
        add(chronicle, " %" PRIu64, match->end_offset - match->begin_offset);
    if (match->bytes)
        add_text(chronicle, match->bytes, match->len);
    if (match->flags & QCAP_MATCH_TRUNCATED)
        add(chronicle, " truncated");
    if (match->flags & QCAP_MATCH_ABORTED)
        add(chronicle, " aborted");
    if (match->flags & QCAP_MATCH_LOST)
        add(chronicle, " lost");
    add(chronicle, "\n");
}

void chronicle_report(const qcap_report_t *report, void *user)
{
    static const char *const kinds[] = {
        [QCAP_REPORT_ANOMALY] = "anomaly", [QCAP_REPORT_GAP] = "gap", [QCAP_REPORT_ERROR] = "error"};
    add(user, "%s %s %" PRIu64, side_name(report->is_server), kinds[report->kind], report->begin_offset);
    if (report->depth > 0)
        add(user, " (%u: %s)", report->depth, report->protocol->name);
    add(user, " %s\n", report->text);
}

void chronicle_spoken(const qcap_spoken_t *spoken, void *user)
{
    add(user, "%s %s%s from %" PRIu64 " %" PRIu64 ": %s", spoken->is_over ? "spoke" : "speaks",
        spoken->name ? spoken->name : "?",
        spoken->protocol || !spoken->name ? "" : " (not added)", spoken->begin_offset[0], spoken->begin_offset[1],
        qcap_known_text(spoken->known));
    if (spoken->is_encrypted)
        add(user, ", encrypted");
    if (spoken->parent)
        add(user, ", announced by %s %s %" PRIu64, spoken->parent->protocol->name, side_name(spoken->parent->is_server),
            spoken->parent->offset);
    add(user, "\n");
}
