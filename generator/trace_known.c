/* trace_known.c: what a trace knows: positions, and what would be in memory. */
#include "trace.h"

#include <stdlib.h>

const op_t *trace_op(const trace_t *t, unsigned op)
{
    return &t->l->dfa->nfa->ops.items[op];
}

const char *trace_pointer(const trace_t *t, where_t w)
{
    if (w.add == 0)
        return arena_print(t->l->arena, "p%u", w.variable);
    return arena_print(t->l->arena, "p%u %c %d", w.variable, w.add < 0 ? '-' : '+', abs(w.add));
}

const char *trace_offset(const trace_t *t, where_t w)
{
    const char *base = w.is_offset ? arena_print(t->l->arena, "h%u", w.variable)
                                   : arena_print(t->l->arena, "QCAP_HERE(p%u)", w.variable);
    if (w.add == 0)
        return base;
    return arena_print(t->l->arena, "%s %c %d", base, w.add < 0 ? '-' : '+', abs(w.add));
}

bool trace_is_in_piece(const known_t *k, where_t w)
{
    return !w.is_offset && (int)k->read_at[w.variable] + w.add >= 0;
}

unsigned trace_take(unsigned *used, unsigned *most)
{
    if (++*used > *most)
        *most = *used;
    return *used - 1;
}

void trace_set_at(const trace_t *t, known_t *k, const char *value, const char *indent)
{
    unsigned variable = trace_take(&k->bytes, &t->all->bytes);
    text_print(t->text, "%sp%u = %s;\n", indent, variable, value);
    k->read_at[variable] = k->read + k->ahead;
    k->at = (where_t){.variable = variable, .add = -(int)k->ahead};
    k->has_at = true;
}

where_t trace_here(const trace_t *t, known_t *k, const char *indent)
{
    if (!k->has_at)
        trace_set_at(t, k, "at", indent);
    return k->at;
}

where_t trace_place(const trace_t *t, known_t *k, stamp_t stamp, const char *indent)
{
    if (stamp.reg < 0) {
        where_t w = trace_here(t, k, indent);
        w.add -= (int)stamp.back;
        return w;
    }
    item_t *item = &k->items[stamp.reg];
    if (!item->has_place) {
        unsigned variable = trace_take(&k->offsets, &t->all->offsets);
        text_print(t->text, "%sh%u = qcap_position_at(side->positions[%d], QCAP_HERE(at));\n", indent, variable, stamp.reg);
        return (where_t){.is_offset = true, .variable = variable};
    }
    return item->place;
}

/* ---------------------------------------------------------------- memory */

const char *trace_base(const trace_t *t)
{
    return t->m->has_calls ? "parser->base + " : "";
}

void trace_put_begin(const trace_t *t, known_t *k, unsigned slot, const char *indent)
{
    item_t *item = &k->items[slot];
    if (item->has_begin)
        text_print(t->text, "%sside->underway[%u].begin = %s;\n", indent, slot, trace_offset(t, item->begin));
    item->has_begin = false;
}

void trace_put_word(const trace_t *t, known_t *k, unsigned slot, const char *indent)
{
    if (k->items[slot].has_word)
        text_print(t->text, "%sside->underway[%u].value = w%u;\n", indent, slot, k->items[slot].word);
    k->items[slot].has_word = false;
}

void trace_put_slot(const trace_t *t, known_t *k, unsigned depth, const char *indent)
{
    slot_t *slot = &k->slots[depth];
    if (slot->is_open)
        text_print(t->text, "%sqcap_slot_set(&side->slots[%s%u], %s, %s);\n", indent, trace_base(t), depth,
                   t->l->elements[slot->element], trace_offset(t, slot->begin));
    slot->is_open = false;
}

void trace_put_depth(const trace_t *t, known_t *k, const char *indent)
{
    if (k->has_depth)
        text_print(t->text, "%sparser->depth = (uint16_t)(%s%u);\n", indent, trace_base(t), k->depth);
    k->has_depth = false;
}

void trace_put_confirmed(const trace_t *t, known_t *k, const char *indent)
{
    if (k->is_confirmed)
        text_print(t->text, "%sparser->is_confirmed = true;\n", indent);
    k->is_confirmed = false;
}

void trace_put_elements(const trace_t *t, known_t *k, const char *indent)
{
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        trace_put_slot(t, k, d, indent);
    trace_put_depth(t, k, indent);
    trace_put_confirmed(t, k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        trace_put_begin(t, k, i, indent);
        trace_put_word(t, k, i, indent);
    }
}

void trace_put_listed(const trace_t *t, const listed_t *listed, const char *indent)
{
    bool has_value = trace_op(t, listed->op)->kind == OP_CONVERT_CLOSE;
    text_print(t->text, "%sqcap_op_list%s(parser, %u /* ", indent, has_value ? "_value" : "", listed->op);
    emit_op_name(t->l, trace_op(t, listed->op), t->text);
    text_print(t->text, " */, ");
    if (has_value)
        text_print(t->text, "w%u, ", listed->word);
    text_print(t->text, "%s);\n", trace_offset(t, listed->at));
}

void trace_put_list(const trace_t *t, known_t *k, const char *indent)
{
    for (unsigned i = 0; k->has_list && i <= k->listed; i++) {
        for (unsigned mark = 0; mark < TRACE_MARKS; mark++)
            if (k->has_mark[mark] && k->marks[mark] == i)
                text_print(t->text, "%sparser->marks[%u] = parser->later_count;\n", indent, mark);
        if (i < k->listed)
            trace_put_listed(t, &k->list[i], indent);
    }
    k->has_list = false;
    k->listed = 0;
    memset(k->has_mark, 0, sizeof k->has_mark);
}

void trace_put_place(const trace_t *t, known_t *k, unsigned position, unsigned state, const char *indent)
{
    item_t *item = &k->items[position];
    if (item->has_place && t->all->live[state] >> position & 1)
        text_print(t->text, "%sside->positions[%u] = (uint32_t)(%s);\n", indent, position, trace_offset(t, item->place));
    item->has_place = false;
}

void trace_put_all(const trace_t *t, known_t *k, unsigned state, const char *indent)
{
    trace_put_elements(t, k, indent);
    trace_put_list(t, k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++)
        trace_put_place(t, k, i, state, indent);
}
