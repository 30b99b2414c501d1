/* conversation.c: a conversation's block, and what can be asked of its parsers. */
#include "parsing.h"

#include <string.h>

/* What lies behind a parser needs no clearing: nothing of it is looked at before it is written. */
void qcapint_parser_init(qcap_conversation_t *c, qcap_parser_t *p, bool is_server, unsigned feed)
{
    memset(p, 0, sizeof *p);
    p->conversation = c;
    p->is_server = is_server;
    p->feed = (uint16_t)feed;
    p->piece = p->at = qcapint_no_bytes;
    uint16_t start = root_of(p)->start;
    p->state = start == QCAP_NONE ? 0 : start;
}

static void *in_block(void *block, uint32_t offset)
{
    return (unsigned char *)block + offset;
}

/* Each queue has room for one entry. */
static void init_queues(qcap_conversation_t *c, void *block)
{
    const qcap_protocol_t *protocol = c->protocol;
    qcap_queue_entry_t *first = in_block(block, protocol->queue_firsts);
    c->queues = in_block(block, protocol->queue_states);
    for (uint16_t i = 0; i < protocol->queue_count; first += protocol->queues[i++].stride)
        c->queues[i] = (qcap_queue_state_t){.entries = first, .size = 1};
}

/* In place of a handler, where there is none. */
static void ignore(qcap_parser_t *p, const qcap_event_t *event, void *user)
{
    (void)p;
    (void)event;
    (void)user;
}

void qcap_conversation_init(void *block, const qcap_protocol_t *protocol, qcap_event_handler_t on_event, void *user)
{
    qcap_conversation_t *c = block;
    memset(c, 0, sizeof *c);
    memset(in_block(block, protocol->shared), 0, protocol->size - protocol->shared); /* what both sides have lies last */
    c->protocol = protocol;
    c->on_event = on_event ? on_event : ignore;
    c->wanted = protocol->all_elements;
    c->user = user;
    c->limit = QCAP_LIMIT;
    c->decoded_size = QCAP_DECODED_SIZE;
    c->decoded_ratio = QCAP_DECODED_RATIO;
    c->shared = in_block(block, protocol->shared);
    c->shared_text = in_block(block, protocol->shared_text);
    init_queues(c, block);
    qcapint_parser_init(c, qcap_conversation_client(c), false, 0);
    qcapint_parser_init(c, qcap_conversation_server(c), true, 0);
}

void qcap_conversation_set_memory(qcap_conversation_t *c, qcap_memory_handler_t memory)
{
    c->memory = memory;
}

void qcap_conversation_set_find(qcap_conversation_t *c, qcap_find_handler_t find)
{
    c->find = find;
}

void qcap_conversation_set_decoders(qcap_conversation_t *c, const qcap_decoder_t *const *decoders)
{
    c->decoders = decoders;
}

void qcap_conversation_set_decoded_limits(qcap_conversation_t *c, uint64_t size, uint32_t ratio)
{
    c->decoded_size = size;
    c->decoded_ratio = ratio;
}

static void forget_limits(qcap_conversation_t *c)
{
    qcap_parser_t *sides[] = {qcap_conversation_client(c), qcap_conversation_server(c)};
    for (size_t i = 0; i < 2; i++)
        if (!sides[i]->is_datagram) { /* which has none */
            sides[i]->unlimited = 0;
            end_calm(sides[i]);
        }
}

void qcap_conversation_set_wanted(qcap_conversation_t *c, const uint64_t *wanted)
{
    c->wanted = wanted ? wanted : c->protocol->all_elements;
    forget_limits(c);
}

void qcap_conversation_set_limit(qcap_conversation_t *c, uint32_t limit)
{
    c->limit = limit ? limit : 1;
    forget_limits(c);
}

qcap_parser_t *qcap_conversation_client(qcap_conversation_t *c)
{
    return in_block(c, c->protocol->client_offset);
}

qcap_parser_t *qcap_conversation_server(qcap_conversation_t *c)
{
    return in_block(c, c->protocol->server_offset);
}

/* ---------------------------------------------------------------- looking at a parser */

qcap_parser_status_t qcap_parser_status(const qcap_parser_t *p)
{
    if (p->has_become)
        return QCAP_PARSER_BECAME;
    if (p->has_failed)
        return QCAP_PARSER_FAILED;
    if (p->is_finished)
        return QCAP_PARSER_FINISHED;
    if (p->is_waiting)
        return QCAP_PARSER_WAITING;
    if (p->is_paused)
        return QCAP_PARSER_PAUSED;
    return p->is_searching ? QCAP_PARSER_SEARCHING : QCAP_PARSER_READY;
}

uint64_t qcap_parser_offset(const qcap_parser_t *p)
{
    return p->piece_offset + p->ahead_len;
}

uint64_t qcap_parser_held(const qcap_parser_t *p)
{
    if (p->has_failed || p->has_become || p->is_finished || root_of(p)->start == QCAP_NONE)
        return p->piece_offset;
    uint64_t held = qcapint_driver_pending(p);
    const qcap_slot_t *slot = qcapint_driver_element(p);
    uint64_t begin = slot ? begin_of(p, slot) : held;
    return begin < held ? begin : held;
}

bool qcap_parser_is_confirmed(const qcap_parser_t *p)
{
    return p->is_confirmed;
}

bool qcap_parser_is_server(const qcap_parser_t *p)
{
    return p->is_server;
}

qcap_conversation_t *qcap_parser_conversation(const qcap_parser_t *p)
{
    return p->conversation;
}
