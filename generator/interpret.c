/* interpret.c: what the interpreter's callers see: it is made, fed, asked and freed. */
#include "interpreter.h"

#include <stdlib.h>

#define SPOTS_KEPT ((size_t)1 << 17) /* a walk larger than this is not kept for the next conversation */

size_t interpret_feed(interpret_t *it, bool is_server, const unsigned char *bytes, size_t len)
{
    return drive_feed(&it->sides[is_server], bytes, len);
}

void interpret_finish(interpret_t *it, bool is_server)
{
    drive_finish(&it->sides[is_server]);
}

void interpret_absent(interpret_t *it, bool is_server)
{
    it->sides[is_server].is_absent = true;
}

void interpret_hurry(interpret_t *it, bool is_server)
{
    it->sides[is_server].is_hurried = it->sides[is_server].is_waiting;
}

void interpret_search(interpret_t *it, bool is_server)
{
    side_t *side = &it->sides[is_server];
    if (side->search)
        drive_search(side, side->offset);
}

void interpret_set_limit(interpret_t *it, uint32_t limit)
{
    it->limit = limit ? limit : 1;
}

/* ---------------------------------------------------------------- looking at it */

interpret_status_t interpret_status(const interpret_t *it, bool is_server)
{
    const side_t *side = &it->sides[is_server];
    if (it->complaint)
        return INTERPRET_BROKEN;
    if (side->has_become)
        return INTERPRET_BECAME;
    if (side->has_failed)
        return INTERPRET_FAILED;
    if (side->is_finished)
        return INTERPRET_FINISHED;
    if (side->is_waiting)
        return INTERPRET_WAITING;
    return side->is_searching ? INTERPRET_SEARCHING : INTERPRET_READY;
}

uint64_t interpret_offset(const interpret_t *it, bool is_server)
{
    return it->sides[is_server].bytes.count;
}

bool interpret_register(const interpret_t *it, bool is_server, const reg_t *reg, interpret_value_t *value)
{
    number_t n = reg->is_shared ? it->shared[reg->index] : it->sides[is_server].registers[reg->index];
    *value = (interpret_value_t){n.value, n.bytes, n.is_cut};
    return n.state == NUMBER_SET;
}

const char *interpret_complaint(const interpret_t *it)
{
    return it->complaint ? it->complaint : "";
}

const char *interpret_kind_name(interpret_kind_t kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        INTERPRET_EVENT_MAP(X)
#undef X
    };
    return names[kind];
}

const char *interpret_code_text(interpret_code_t code)
{
    static const char *const texts[] = {
#define X(name, text) text,
        INTERPRET_ERROR_MAP(X)
#undef X
    };
    return texts[code];
}

/* ---------------------------------------------------------------- life */

static void init_registers(arena_t *arena, number_t **registers, size_t count)
{
    *registers = ARENA_ARRAY(arena, number_t, count + 1);
    for (size_t i = 0; i < count; i++)
        (*registers)[i].state = NUMBER_UNSET;
}

void drive_init(interpret_t *it, side_t *side, const node_t *root, bool is_server)
{
    memset(side, 0, sizeof *side);
    side->owner = it;
    side->is_server = is_server;
    side->subs = ARENA_ARRAY(it->arena, sub_t, it->walk->feeds.count + 1);
    if (it->grammar->datagram)
        side->datagram = walk_start(it->walk, it->grammar->datagram);
    init_registers(it->arena, &side->registers, it->grammar->registers.count);
    if (!root)
        return;
    side->start = walk_start(it->walk, root);
    side->search = walk_search(it->walk, root);
    drive_begin_at(side, side->start);
}

static void free_others(interpret_t *it)
{
    for (size_t i = 0; i < it->others.count; i++)
        interpret_free(it->others.items[i]);
    memset(&it->others, 0, sizeof it->others);
    memset(&it->readers, 0, sizeof it->readers);
}

void interpret_set_find(interpret_t *it, interpret_find_t find)
{
    it->find = find;
}

void interpret_set_decode(interpret_t *it, interpret_decode_t decode)
{
    it->decode = decode;
}

void interpret_restart(interpret_t *it)
{
    const grammar_t *grammar = it->grammar;
    free_others(it);
    if (it->arena) {
        arena_free(it->arena);
        arena_free(it->readings);
    }
    if (walk_size(it->walk) > SPOTS_KEPT) {
        bool is_traced = it->walk->is_traced;
        walk_free(it->walk);
        it->walk = walk_new(grammar, is_traced);
    }
    it->arena = arena_new();
    it->readings = arena_new();
    it->becomes = it->complaint = NULL;
    it->age = 0;
    init_registers(it->arena, &it->shared, grammar->shared.count);
    it->queues = ARENA_ARRAY(it->arena, entries_t, grammar->queues.count + 1);
    drive_init(it, &it->sides[0], it->root ? it->root : grammar->client, false);
    drive_init(it, &it->sides[1], it->root ? NULL : grammar->server, true);
}

interpret_t *interpret_new(const grammar_t *grammar, interpret_handler_t on_event, void *user)
{
    interpret_t *it = calloc(1, sizeof *it);
    if (!it)
        abort();
    it->grammar = grammar;
    it->walk = walk_new(grammar, false);
    it->on_event = on_event;
    it->user = user;
    it->limit = 65536;
    interpret_restart(it);
    return it;
}

void interpret_set_root(interpret_t *it, const rule_t *rule)
{
    node_t *root = ARENA_NEW(it->grammar->arena, node_t);
    root->kind = NODE_RULE;
    root->rule = rule;
    it->root = root;
    interpret_restart(it);
}

void interpret_free(interpret_t *it)
{
    free_others(it);
    walk_free(it->walk);
    arena_free(it->arena);
    arena_free(it->readings);
    free(it);
}
