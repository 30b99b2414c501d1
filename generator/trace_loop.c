/* trace_loop.c: where a trace goes round.
 *
 * note [loop]: a trace may come back to a state that it has passed. If what was known there is known again, but of later bytes, it
 * goes round: where the loop begins, every position that is known has a variable of its own, which is set anew. */
#include "trace.h"

static void compare(const passage_t *loop, const known_t *k, where_t then, where_t now, again_t *again)
{
    bool is_same = then.is_offset == now.is_offset && then.variable == now.variable && then.add == now.add;
    bool is_of_loop = !then.is_offset && then.variable >= loop->first && then.variable < loop->last;
    if (!is_of_loop) {
        again->is_right &= is_same;
        return;
    }
    where_t *set = &again->now[then.variable];
    bool is_new = !again->is_set[then.variable];
    bool is_known = is_new || (set->variable == now.variable && set->add == now.add);
    bool is_other = now.is_offset || (now.variable >= loop->first && now.variable < loop->last);
    bool is_behind = now.is_offset || (int)k->read_at[now.variable] + now.add >= (int)loop->known.read_at[then.variable];
    again->is_right &= is_known && (is_same || !is_other) && is_behind;
    again->is_set[then.variable] = true;
    *set = now;
}

static void compare_lists(const passage_t *loop, const known_t *k, again_t *again)
{
    const known_t *then = &loop->known;
    if (!then->has_list)
        return;
    again->is_right &= k->has_list && then->listed == k->listed;
    for (unsigned i = 0; i < TRACE_MARKS; i++)
        again->is_right &= k->has_mark[i] == then->has_mark[i] && (!k->has_mark[i] || k->marks[i] == then->marks[i]);
    for (unsigned i = 0; i < k->listed && again->is_right; i++) {
        const listed_t *a = &then->list[i], *b = &k->list[i];
        again->is_right &= a->op == b->op && a->word == b->word;
        compare(loop, k, a->at, b->at, again);
    }
}

again_t trace_compare(const passage_t *loop, const known_t *k)
{
    const known_t *then = &loop->known;
    again_t again = {.is_right = k->read >= then->read && (!then->has_depth || (k->has_depth && k->depth == then->depth))};
    compare_lists(loop, k, &again);
    for (unsigned d = 0; d < TRACE_DEPTH; d++) {
        const slot_t *a = &then->slots[d], *b = &k->slots[d];
        if (!a->is_open)
            continue;
        again.is_right &= b->is_open && a->element == b->element;
        compare(loop, k, a->begin, b->begin, &again);
    }
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        const item_t *a = &then->items[i], *b = &k->items[i];
        again.is_right &= (!a->has_place || b->has_place) && (!a->has_begin || b->has_begin) &&
                          (!a->has_word || (b->has_word && a->word == b->word));
        if (a->has_place)
            compare(loop, k, a->place, b->place, &again);
        if (a->has_begin)
            compare(loop, k, a->begin, b->begin, &again);
    }
    return again;
}

void trace_stop(const trace_t *t, const known_t *known, unsigned target, const char *indent)
{
    known_t k = *known;
    const char *inner = arena_print(t->l->arena, "%s    ", indent);
    text_print(t->text, "%sif (QCAP_UNLIKELY(qcap_must_stop(parser))) {\n", indent);
    trace_put_all(t, &k, target, inner);
    text_print(t->text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_PAUSED);\n%s}\n", inner, t->l->enumerators[target], indent);
}

/* Puts what was not known then. */
void trace_go_round(const trace_t *t, const passage_t *loop, known_t k, const again_t *again, done_t done, const char *indent)
{
    const known_t *then = &loop->known;
    if (done.may_stop)
        trace_stop(t, &k, loop->state, indent);
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        if (!then->slots[d].is_open)
            trace_put_slot(t, &k, d, indent);
    if (!then->has_depth)
        trace_put_depth(t, &k, indent);
    if (!then->is_confirmed)
        trace_put_confirmed(t, &k, indent);
    if (!then->has_list)
        trace_put_list(t, &k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (!then->items[i].has_place)
            trace_put_place(t, &k, i, loop->state, indent);
        if (!then->items[i].has_begin)
            trace_put_begin(t, &k, i, indent);
        if (!then->items[i].has_word)
            trace_put_word(t, &k, i, indent);
    }
    for (unsigned v = loop->first; v < loop->last; v++)
        if (again->is_set[v] && again->now[v].variable != v)
            text_print(t->text, "%sp%u = %s;\n", indent, v, trace_pointer(t, again->now[v]));
    text_print(t->text, "%sgoto on%u;\n", indent, loop->number);
}

/* A position gets a variable of its own; equal ones share it. */
static void own(const trace_t *t, passage_t *loop, const known_t *before, where_t *w, const char *indent)
{
    known_t *k = &loop->known;
    where_t old = *w;
    if (!trace_is_in_piece(before, old))
        return;
    for (unsigned v = loop->first; v < k->bytes; v++) {
        if (loop->owned[v].variable != old.variable || loop->owned[v].add != old.add)
            continue;
        *w = (where_t){.variable = v};
        return;
    }
    if (k->bytes + 8 >= TRACE_VARIABLES)
        return;
    unsigned variable = trace_take(&k->bytes, &t->all->bytes);
    text_print(t->text, "%sp%u = %s;\n", indent, variable, trace_pointer(t, old));
    k->read_at[variable] = before->read_at[old.variable] + (unsigned)old.add;
    loop->owned[variable] = old;
    *w = (where_t){.variable = variable};
}

void trace_begin_loop(const trace_t *t, passage_t *loop, const char *indent)
{
    known_t *k = &loop->known;
    const known_t before = *k;
    loop->is_loop = true;
    loop->first = k->bytes;
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        if (k->slots[d].is_open)
            own(t, loop, &before, &k->slots[d].begin, indent);
    for (unsigned i = 0; i < k->listed; i++)
        own(t, loop, &before, &k->list[i].at, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (k->items[i].has_place)
            own(t, loop, &before, &k->items[i].place, indent);
        if (k->items[i].has_begin)
            own(t, loop, &before, &k->items[i].begin, indent);
    }
    loop->last = k->bytes;
    k->has_at = false;
}
