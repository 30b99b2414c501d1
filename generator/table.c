/* table.c: DFA → rows of numbers. */
#include "table.h"

#include "position.h"

#define INDEX_MAX 65536u

static unsigned place_of(stamp_t at)
{
    return at.reg >= 0 ? (unsigned)at.reg : PLACE_BACK + at.back;
}

/* ---------------------------------------------------------------- actions */

/* One more step. */
static void add_step(const layout_t *l, table_t *t, unsigned what, stamp_t at, words_t *words)
{
    vec_push(l->arena, words, pool_add(&t->steps, (unsigned[]){what, place_of(at)}, 2));
    words->items[0]++;
}

static unsigned add_action(const layout_t *l, table_t *t, const pendings_t *commits, const moves_t *moves, bool is_peek)
{
    words_t words = {0};
    vec_push(l->arena, &words, is_peek ? ACTION_PEEK : 0);
    for (size_t i = 0; i < commits->count; i++) {
        const pending_t *p = &commits->items[i];
        if (l->dfa->nfa->ops.items[p->op].kind != OP_ATOMIC_BEGIN) /* which means something at build time only */
            add_step(l, t, p->op, p->at, &words);
    }
    for (size_t i = 0; moves && i < moves->count; i++)
        add_step(l, t, STEP_MOVE + moves->items[i].to, moves->items[i].from, &words);
    return pool_place(&t->actions, words.items, words.count);
}

static unsigned add_edge_action(const layout_t *l, table_t *t, const edge_t *edge)
{
    moves_t moves = position_moves(l->dfa, edge, l->position_count);
    return add_action(l, t, &edge->commits, &moves, edge->is_peek);
}

/* ---------------------------------------------------------------- states */

static unsigned add_edge(const layout_t *l, table_t *t, const edge_t *edge, unsigned *used, words_t *edges)
{
    unsigned words[] = {edge->target, add_edge_action(l, t, edge)};
    vec_push(l->arena, edges, pool_add(&t->edges, words, 2));
    return ++*used;
}

/* Edges of counters come first, then that of the end. Which edge each class follows: those are numbered in the order in which
 * classes meet them, so that states that divide the bytes in the same way have the same row. */
static void add_bytes(const layout_t *l, table_t *t, const dfa_state_t *s, table_state_t *state)
{
    words_t row = {0}, edges = {0};
    unsigned *number = ARENA_ARRAY(l->arena, unsigned, s->edges.count);
    unsigned used = 0;
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].limit)
            number[i] = add_edge(l, t, &s->edges.items[i], &used, &edges);
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_end)
            number[i] = add_edge(l, t, &s->edges.items[i], &used, &edges);
    const unsigned before = used;
    for (unsigned class = 0; class < l->dfa->class_count; class++) {
        unsigned byte = 0, of_class = 0;
        while (l->dfa->class_of[byte] != class)
            byte++;
        for (size_t i = 0; i < s->edges.count; i++) {
            if (!charset_has(&s->edges.items[i].set, byte))
                continue;
            if (number[i] == 0)
                number[i] = add_edge(l, t, &s->edges.items[i], &used, &edges);
            of_class = number[i];
        }
        vec_push(l->arena, &row, of_class);
    }
    state->row = pool_add(&t->rows, row.items, row.count);
    state->edges = pool_place(&t->lists, edges.items, edges.count);
    for (size_t i = 0; i < edges.count && i + 1 < LOOP_NONE; i++) {
        const unsigned *edge = &t->edges.words.items[2 * edges.items[i]];
        if (&t->states[edge[0]] == state && edge[1] == ACTION_NONE && i >= before)
            state->loop = (unsigned)i + 1;
    }
}

static void add_entry(const layout_t *l, table_t *t, const edge_t *edge, table_state_t *state)
{
    words_t edges = {0};
    unsigned used = 0;
    add_edge(l, t, edge, &used, &edges);
    state->edges = pool_place(&t->lists, edges.items, edges.count);
}

/* What has to be kept of a piece that ends in the state: first of the suspends and their number, the distance behind the
 * position and the position registers (one bit each) at which something pending began, where the open stream element may
 * have ended. */
static unsigned add_keep(const layout_t *l, table_t *t, const dfa_state_t *s)
{
    words_t suspends = {0}, counters = {0};
    for (size_t i = 0; i < s->underway.count; i++) {
        const underway_t *u = &s->underway.items[i];
        vec_push(l->arena, &suspends, u->conversion);
        vec_push(l->arena, &suspends, u->is_committed ? PLACE_COMMITTED : place_of(u->begin));
        vec_push(l->arena, &suspends, place_of(u->end));
    }
    unsigned held = 0, first = pool_place(&t->suspends, suspends.items, suspends.count);
    for (size_t i = 0; i < s->held_registers.count; i++)
        held |= 1u << s->held_registers.items[i];
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].limit) {
            vec_push(l->arena, &counters, s->edges.items[i].limit);
            vec_push(l->arena, &counters, place_of(s->edges.items[i].begin));
        }
    unsigned counter = pool_place(&t->counters, counters.items, counters.count);
    bool has_end = s->kind == DFA_BYTES, ends_vary = has_end && s->ends_vary;
    unsigned end = ends_vary ? PLACE_OLDEST : place_of(has_end ? s->stream_end : (stamp_t){STAMP_BACK, 0});
    unsigned words[] = {suspends.count ? first / 3 : 0, (unsigned)s->underway.count, s->held_back, held, end,
                        counters.count ? counter / 2 : 0, (unsigned)counters.count / 2,
                        s->is_accepting ? add_action(l, t, &s->accept, NULL, false) : ACTION_NONE};
    return pool_add(&t->keeps, words, sizeof words / sizeof *words);
}

/* What the tables refer to by two bytes. */
static bool has_room(const table_t *t)
{
    const size_t counts[] = {t->actions.words.count, t->edges.entries.count, t->keeps.entries.count, t->rows.entries.count,
                             t->abouts.entries.count, t->steps.entries.count, t->suspends.words.count / 3, t->counters.words.count / 2};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > INDEX_MAX)
            return false;
    return true;
}

const table_t *table_build(layout_t *l, diag_t *diag)
{
    table_t *t = ARENA_NEW(l->arena, table_t);
    pool_t *const pools[] = {&t->rows, &t->lists, &t->edges, &t->actions, &t->abouts, &t->keeps, &t->suspends, &t->counters, &t->steps};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        pools[i]->arena = l->arena;
    t->states = ARENA_ARRAY(l->arena, table_state_t, l->dfa->states.count);
    add_action(l, t, &(pendings_t){0}, NULL, false); /* ACTION_NONE */
    for (unsigned i = 0; i < l->dfa->states.count; i++) {
        const dfa_state_t *s = &l->dfa->states.items[i];
        table_state_t *state = &t->states[i];
        state->loop = LOOP_NONE;
        if (s->kind == DFA_BYTES)
            add_bytes(l, t, s, state);
        else if (s->kind == DFA_ENTRY)
            add_entry(l, t, &s->edges.items[0], state);
        state->about = pool_add(&t->abouts, (unsigned[]){l->rule_text[i], l->expected_text[i]}, 2);
        state->keep = add_keep(l, t, s);
    }
    if (has_room(t))
        return t;
    diag_error(diag, grammar_root(l->grammar)->place, "the tables of this parser have more than %u rows", INDEX_MAX);
    return NULL;
}
