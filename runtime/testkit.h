/* testkit.h: a test kit: feeds a generated parser with messages, in every cut, and compares what it says with what it
 * should.
 *
 * `qcapgen kit` makes a program of this header, messages made up from a spec, and what the spec, read directly, says of
 * them. Each scene is fed whole, byte by byte, and with each message cut in two at every place; each time the same
 * lines must come of it, the bytes of elements must be those of the input, and the pieces of streams must be all of it.
 * Needs stdio and memory, which nothing else that is embedded does. */
#ifndef QCAP_TESTKIT_H
#define QCAP_TESTKIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qcap_kit_step {
    int is_server;     /* who sends it */
    const char *bytes; /* borrowed */
    size_t len;
} qcap_kit_step_t;

/* What both sides send, one step after the other; then both end. */
typedef struct qcap_kit_scene {
    const qcap_kit_step_t *steps;
    size_t step_count;
    const char *says[2]; /* lines that must come of the client, of the server */
} qcap_kit_scene_t;

#define QCAP_KIT_LIMIT 4096u               /* bytes of a whole element */
#define QCAP_KIT_BYTE_BY_BYTE ((size_t)-1) /* in place of the step that is cut */
#define QCAP_KIT_WHOLE ((size_t)-2)

/* One direction of one run. */
typedef struct qcap_kit_side {
    qcap_parser_t *parser;
    qcap_keeper_t keeper;
    unsigned char *store;       /* the keeper's */
    unsigned char *said;        /* all that the side sends */
    size_t len, arrived, taken; /* all of it, how much may be taken, and how much was */
    const char *expected;       /* what is left of the lines that must come */
    uint64_t streamed;          /* the open stream element has come up to here */
    size_t event_count;
} qcap_kit_side_t;

typedef struct qcap_kit_run {
    const qcap_protocol_t *protocol;
    qcap_conversation_t *conversation;
    qcap_kit_side_t sides[2];
    const char *wrong; /* the first thing that was; NULL: nothing */
    char line[600];    /* what was said then */
} qcap_kit_run_t;

static inline void *qcap_kit_allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static inline void *qcap_kit_memory(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return qcap_kit_allocate(size);
    free(block);
    return NULL;
}

static inline void qcap_kit_fail(qcap_kit_run_t *run, const char *wrong)
{
    if (!run->wrong)
        run->wrong = wrong;
}

/* ---------------------------------------------------------------- what the parser says */

static inline void qcap_kit_check_element(qcap_kit_run_t *run, const qcap_kit_side_t *side, const qcap_event_t *event)
{
    size_t len = (size_t)(event->end - event->begin);
    if (event->end > side->len) {
        qcap_kit_fail(run, "an element ends behind the input");
        return;
    }
    unsigned char *text = (unsigned char *)qcap_kit_allocate(len);
    if (qcap_keeper_copy(&side->keeper, event->begin, event->end, text) != len ||
        memcmp(text, side->said + event->begin, len) != 0)
        qcap_kit_fail(run, "an element has other bytes than the input, or they were not kept");
    free(text);
}

static inline void qcap_kit_check_piece(qcap_kit_run_t *run, qcap_kit_side_t *side, const qcap_event_t *event)
{
    size_t len = (size_t)(event->end - event->begin);
    if (event->begin != side->streamed)
        qcap_kit_fail(run, "a piece of a stream is missing");
    else if (event->end > side->len || memcmp(event->bytes, side->said + event->begin, len) != 0)
        qcap_kit_fail(run, "a piece of a stream has other bytes than the input");
    side->streamed = event->end;
}

/* The event as a line, without its end. */
static inline void qcap_kit_print(const qcap_kit_run_t *run, const qcap_event_t *event, char *line, size_t size)
{
    char path[300] = "";
    if (event->kind == QCAP_EVENT_ERROR) {
        snprintf(line, size, "error %llu code %d byte %d in %s", (unsigned long long)event->error->offset,
                 (int)event->error->code, event->error->byte, event->error->rule);
        return;
    }
    if (event->element != QCAP_NONE)
        qcap_element_path(run->protocol, event->element, path, sizeof path);
    snprintf(line, size, "%s %llu..%llu %s%s%s%s", qcap_event_kind_name(event->kind), (unsigned long long)event->begin,
             (unsigned long long)event->end, path, event->text ? event->text : "",
             event->flags & QCAP_EVENT_TRUNCATED ? " truncated" : "",
             event->flags & QCAP_EVENT_ABORTED ? " aborted" : "");
}

static inline void qcap_kit_compare(qcap_kit_run_t *run, qcap_kit_side_t *side, const char *line)
{
    size_t len = strlen(line);
    if (strncmp(side->expected, line, len) == 0 && side->expected[len] == '\n')
        side->expected += len + 1;
    else
        qcap_kit_fail(run, "something else is said");
}

static inline void qcap_kit_on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    qcap_kit_run_t *run = (qcap_kit_run_t *)user;
    qcap_kit_side_t *side = &run->sides[qcap_parser_is_server(parser)];
    if (run->wrong || qcap_parser_parent(parser) || event->flags & QCAP_EVENT_FED) /* of sub-streams: depends on what can decode them */
        return;
    side->event_count++;
    qcap_kit_print(run, event, run->line, sizeof run->line);
    if (event->kind == QCAP_EVENT_PIECE) {
        qcap_kit_check_piece(run, side, event);
        return;
    }
    if (event->kind == QCAP_EVENT_ELEMENT && !event->text && !(event->flags & QCAP_EVENT_TRUNCATED))
        qcap_kit_check_element(run, side, event);
    if (event->kind == QCAP_EVENT_END && side->streamed != event->end)
        qcap_kit_fail(run, "a piece at the end of a stream is missing");
    if (event->kind == QCAP_EVENT_BEGIN)
        side->streamed = event->begin;
    if (event->kind == QCAP_EVENT_SKIPPED || event->kind == QCAP_EVENT_GAP)
        side->streamed = event->end;
    qcap_kit_compare(run, side, run->line);
}

/* ---------------------------------------------------------------- feeding */

/* Offers a side what has arrived, from memory of its own, so that tools see what is read behind it. 1 if it moved. */
static inline int qcap_kit_offer(qcap_kit_side_t *side)
{
    size_t len = side->arrived - side->taken, events = side->event_count;
    unsigned char *piece = (unsigned char *)qcap_kit_allocate(len);
    memcpy(piece, side->said + side->taken, len);
    size_t taken = qcap_keeper_feed(&side->keeper, side->parser, piece, len);
    free(piece);
    side->taken += taken;
    return taken > 0 || side->event_count > events;
}

static inline void qcap_kit_arrive(qcap_kit_run_t *run, int is_server, size_t len)
{
    run->sides[is_server].arrived += len;
    qcap_kit_offer(&run->sides[is_server]);
    while (qcap_kit_offer(&run->sides[0]) | qcap_kit_offer(&run->sides[1]))
        ;
}

static inline void qcap_kit_feed(qcap_kit_run_t *run, const qcap_kit_scene_t *scene, size_t cut_step, size_t cut)
{
    for (size_t i = 0; i < scene->step_count; i++) {
        const qcap_kit_step_t *step = &scene->steps[i];
        if (i == cut_step) {
            qcap_kit_arrive(run, step->is_server, cut);
            qcap_kit_arrive(run, step->is_server, step->len - cut);
        } else if (cut_step == QCAP_KIT_BYTE_BY_BYTE) {
            for (size_t n = 0; n < step->len; n++)
                qcap_kit_arrive(run, step->is_server, 1);
        } else {
            qcap_kit_arrive(run, step->is_server, step->len);
        }
    }
    for (int side = 0; side < 2; side++) {
        qcap_parser_finish(run->sides[side].parser);
        while (qcap_kit_offer(&run->sides[0]) | qcap_kit_offer(&run->sides[1]))
            ;
    }
}

/* ---------------------------------------------------------------- runs */

static inline void qcap_kit_lay_out(qcap_kit_run_t *run, const qcap_kit_scene_t *scene)
{
    for (int i = 0; i < 2; i++) {
        qcap_kit_side_t *side = &run->sides[i];
        side->expected = scene->says[i];
        for (size_t k = 0; k < scene->step_count; k++)
            side->len += scene->steps[k].is_server == i ? scene->steps[k].len : 0;
        side->said = (unsigned char *)qcap_kit_allocate(side->len);
        side->store = (unsigned char *)qcap_kit_allocate(QCAP_KIT_LIMIT);
        qcap_keeper_init(&side->keeper, side->store, QCAP_KIT_LIMIT);
        size_t at = 0;
        for (size_t k = 0; k < scene->step_count; k++)
            if (scene->steps[k].is_server == i) {
                memcpy(side->said + at, scene->steps[k].bytes, scene->steps[k].len);
                at += scene->steps[k].len;
            }
    }
}

static inline void qcap_kit_report(const qcap_kit_run_t *run, size_t scene, size_t cut_step, size_t cut)
{
    printf("%s: scene %zu, ", run->protocol->name, scene + 1);
    if (cut_step == QCAP_KIT_WHOLE)
        printf("whole");
    else if (cut_step == QCAP_KIT_BYTE_BY_BYTE)
        printf("byte by byte");
    else
        printf("message %zu cut at %zu", cut_step + 1, cut);
    printf(": %s\n  said:     %s\n", run->wrong, run->line);
    for (int i = 0; i < 2; i++)
        printf("  expected of the %s: %.*s\n", i ? "server" : "client", (int)strcspn(run->sides[i].expected, "\n"),
               run->sides[i].expected);
}

/* 0 if all went well. */
static inline int qcap_kit_run_once(const qcap_protocol_t *protocol, const qcap_kit_scene_t *scenes, size_t number,
                                    size_t cut_step, size_t cut)
{
    qcap_kit_run_t run;
    memset(&run, 0, sizeof run);
    run.protocol = protocol;
    run.conversation = (qcap_conversation_t *)qcap_kit_allocate(protocol->size);
    qcap_conversation_init(run.conversation, protocol, qcap_kit_on_event, &run);
    qcap_conversation_set_memory(run.conversation, qcap_kit_memory);
    qcap_conversation_set_limit(run.conversation, QCAP_KIT_LIMIT);
    run.sides[0].parser = qcap_conversation_client(run.conversation);
    run.sides[1].parser = qcap_conversation_server(run.conversation);
    qcap_kit_lay_out(&run, &scenes[number]);
    qcap_kit_feed(&run, &scenes[number], cut_step, cut);
    run.line[0] = run.wrong ? run.line[0] : '\0';
    if (*run.sides[0].expected || *run.sides[1].expected)
        qcap_kit_fail(&run, "something is not said");
    if (run.wrong)
        qcap_kit_report(&run, number, cut_step, cut);
    for (int i = 0; i < 2; i++) {
        free(run.sides[i].said);
        free(run.sides[i].store);
    }
    qcap_conversation_fini(run.conversation);
    free(run.conversation);
    return run.wrong != NULL;
}

/* All scenes in every cut. Prints the first thing that is wrong with each scene, and a line at the end. 0 if nothing
 * was wrong. */
static inline int qcap_kit_run(const qcap_protocol_t *protocol, const qcap_kit_scene_t *scenes, size_t count)
{
    size_t runs = 0, failures = 0;
    for (size_t s = 0; s < count; s++) {
        int is_wrong = qcap_kit_run_once(protocol, scenes, s, QCAP_KIT_WHOLE, 0) ||
                       qcap_kit_run_once(protocol, scenes, s, QCAP_KIT_BYTE_BY_BYTE, 0);
        runs += 2;
        for (size_t i = 0; i < scenes[s].step_count; i++)
            for (size_t cut = 1; cut < scenes[s].steps[i].len && !is_wrong; cut++, runs++)
                is_wrong = qcap_kit_run_once(protocol, scenes, s, i, cut);
        failures += is_wrong != 0;
    }
    printf("%s: %zu scenes, %zu runs, %zu scenes failed\n", protocol->name, count, runs, failures);
    return failures > 0;
}

#ifdef __cplusplus
}
#endif
#endif
