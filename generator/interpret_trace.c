/* interpret_trace.c: what readings have been through, for those who ask. */
#include "interpreter.h"

void interpret_set_trace(interpret_t *it)
{
    walk_free(it->walk);
    it->walk = walk_new(it->grammar, true);
    interpret_restart(it);
}

/* Turns the trail round. */
interpret_spans_t interpret_trace(const interpret_t *it, bool is_server, arena_t *arena)
{
    const side_t *side = &it->sides[is_server];
    const trail_t *last = side->has_ended || side->readings.count == 0 ? side->trail : side->readings.items[0].trail;
    size_t count = 0, depth = 0;
    for (const trail_t *t = last; t; t = t->before)
        count++;
    const trail_t **steps = ARENA_ARRAY(arena, const trail_t *, count + 1);
    for (const trail_t *t = last; t; t = t->before)
        steps[--count] = t;
    interpret_spans_t spans = {0};
    VEC(size_t) open = {0};
    for (; steps[count]; count++) {
        const trail_t *t = steps[count];
        if (!t->is_end) {
            interpret_span_t span = {.rule = t->frame->is_rule ? t->frame->rule : NULL,
                                     .notes = t->frame->of,
                                     .begin = t->at,
                                     .end = side->offset,
                                     .depth = (unsigned)depth++,
                                     .is_open = true};
            vec_push(arena, &open, spans.count);
            vec_push(arena, &spans, span);
        } else if (open.count) {
            interpret_span_t *span = &spans.items[open.items[--open.count]];
            span->end = t->at;
            span->is_open = false;
            depth--;
        }
    }
    return spans;
}

interpret_hopes_t interpret_hopes(const interpret_t *it, bool is_server, arena_t *arena)
{
    interpret_hopes_t hopes = {0};
    const side_t *side = &it->sides[is_server];
    for (size_t i = 0; i < side->readings.count; i++) {
        spot_t *spot = side->readings.items[i].spot;
        const char *rule = walk_rule_name(spot->frame);
        bool can_end = spot->kind == SPOT_END || (spot->kind == SPOT_STOP && walk_can_end(it->walk, spot));
        charset_t set = walk_first(it->walk, spot);
        size_t k = 0;
        while (k < hopes.count && strcmp(hopes.items[k].rule, rule) != 0)
            k++;
        if (k == hopes.count)
            vec_push(arena, &hopes, ((interpret_hope_t){.rule = rule, .set = charset_none()}));
        hopes.items[k].set = charset_union(hopes.items[k].set, set);
        hopes.items[k].can_end |= can_end;
    }
    return hopes;
}
