/* walk_wrap.c: what annotations put around a rule or an alternative:
 *
 *     enter, pop, atomic(, local(, reset, anomaly(, feed(, open, convert(, length( BODY ), )convert, set, push, expect,
 *     close, )feed, )anomaly, )local, )atomic, finish, become, cut, leave
 *
 * With `at`, all of it stands somewhere else. Spots are made from the last to the first. */
#include "walker.h"

const frame_t *walk_link_frame(walk_t *w, const frame_t *outer, const void *of, frame_t *frame)
{
    memset(frame, 0, sizeof *frame);
    frame->parent = outer;
    frame->of = of;
    frame->root = outer->root;
    frame->rule = outer->rule;
    frame->element = outer->element;
    frame->depth = outer->depth;
    frame->level = outer->level;
    frame->calls = outer->calls;
    frame->is_stream = outer->is_stream;
    frame->is_atomic = outer->is_atomic;
    return walk_intern_frame(w, frame);
}

const frame_t *walk_guard_frame(walk_t *w, const frame_t *outer, const void *of, bool is_choice)
{
    frame_t frame;
    walk_link_frame(w, outer, of, &frame);
    frame.level++;
    frame.is_guard = true;
    frame.is_choice = is_choice;
    return walk_intern_frame(w, &frame);
}

/* What is around the first call of a rule that contains itself: so that paths do not grow. */
static const frame_t *outermost_call(const frame_t *outer, const rule_t *rule)
{
    const frame_t *found = outer;
    for (const frame_t *f = outer; f; f = f->parent)
        if (f->is_rule && f->rule == rule && f->is_stream == f->parent->is_stream)
            found = f->parent;
    return found;
}

static const frame_t *wrapped_frame(walk_t *w, const wrapped_t *x, const frame_t *outer)
{
    frame_t frame;
    const note_t *emit = walk_note(x->notes, NOTE_EMIT);
    const place_name_t *outer_element = outer->element;
    walk_link_frame(w, outer, x->notes, &frame);
    if (x->rule) {
        frame.rule = x->rule;
        frame.reference = x->reference;
        frame.is_rule = true;
    }
    if (x->returns) {
        frame.after = x->returns;
        frame.calls++;
        outer_element = frame.element = outermost_call(outer, x->rule)->element;
    }
    if (walk_note(x->notes, NOTE_ANOMALY))
        frame.depth++;
    if (walk_note(x->notes, NOTE_FEED)) {
        frame.depth++;
        frame.is_stream = true;
    }
    if (walk_note(x->notes, NOTE_ATOMIC) || walk_note(x->notes, NOTE_RESYNC))
        frame.is_atomic = true;
    if (emit) {
        frame.element = walk_element(w, outer_element, emit, emit->name ? emit->name : x->name);
        frame.depth++;
        frame.is_stream |= emit->is_stream;
    }
    return walk_intern_frame(w, &frame);
}

/* NAME ... VALUE, where NAME's text decides how VALUE is read. */
static spot_t *make_refined(walk_t *w, const node_t *body, const note_t *note, const frame_t *frame, spot_t *next)
{
    size_t by = 0;
    if (note->entries.count == 0)
        return walk_make_node(w, body, frame, next);
    while (by < body->children.count && body->children.items[by]->rule != note->by)
        by++;
    spot_t *spot = walk_make_stop(w, STOP_REFINE, frame, note, body, next, NULL);
    spot = walk_make_effect(w, frame, walk_noted_effect(w, EFFECT_CONVERT_CLOSE, frame, note, note->by), spot);
    spot = walk_make_node(w, body->children.items[by], frame, spot);
    spot = walk_make_effect(w, frame, walk_noted_effect(w, EFFECT_CONVERT_OPEN, frame, note, note->by), spot);
    for (size_t i = by; i-- > 0;)
        spot = walk_make_node(w, body->children.items[i], frame, spot);
    return spot;
}

static spot_t *make_body(walk_t *w, const wrapped_t *x, const frame_t *frame, spot_t *next)
{
    const note_t *refine = walk_note(x->notes, NOTE_REFINE);
    if (refine)
        return make_refined(w, x->body, refine, frame, next);
    const note_t *count = walk_note(x->notes, NOTE_COUNT);
    if (count && !walk_count_of_bytes(x->notes, x->body))
        return walk_make_stop(w, STOP_COUNT, frame, count, x->body, next, NULL);
    if (!x->entry)
        return walk_make_node(w, x->body, frame, next);
    if (x->entry->is_strict)
        return walk_make_rule(w, x->entry->rule, x->entry, frame, next);
    spot_t spot;
    const frame_t *guard = walk_guard_frame(w, frame, x->entry, false);
    walk_blank_spot(&spot, SPOT_FALLBACK, frame, walk_make_rule(w, x->entry->rule, x->entry, guard, next));
    spot.other = walk_make_node(w, x->body, frame, next);
    spot.entry = x->entry;
    return walk_intern_spot(w, &spot);
}

static spot_t *make_close(walk_t *w, const wrapped_t *x, const frame_t *outer, const frame_t *inner, spot_t *next)
{
    const notes_t *notes = x->notes;
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_BECOME)
            next = walk_make_stop(w, STOP_BECOME, outer, notes->items[i], NULL, next, NULL);
    if (walk_note(notes, NOTE_UNTIL))
        next = walk_make_stop(w, STOP_SKIP, outer, walk_note(notes, NOTE_UNTIL), NULL, next, NULL);
    for (size_t i = w->feeds.count; i-- > 0;)
        if (walk_finishes(w, w->feeds.items[i], notes, x->rule, outer))
            next = walk_make_effect(w, outer, walk_feed_effect(w, EFFECT_FINISH, outer, 0, w->feeds.items[i]), next);
    if (inner->is_atomic && !outer->is_atomic)
        next = walk_make_effect(w, inner, walk_plain_effect(w, EFFECT_ATOMIC_END, inner), next);
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_LOCAL; k++)
            next = walk_make_effect(
                w, inner, walk_register_effect(w, EFFECT_LOCAL_CLOSE, inner, notes->items[i]->regs.items[k]), next);
    const note_t *anomaly = walk_note(notes, NOTE_ANOMALY);
    if (anomaly)
        next = walk_make_effect(w, inner, walk_anomaly_effect(w, EFFECT_ANOMALY_CLOSE, inner, outer->depth, anomaly->name),
                           next);
    const feed_kind_t *feed = walk_feed(w, notes);
    if (feed)
        next = walk_make_effect(w, inner,
                                walk_feed_effect(w, EFFECT_FEED_CLOSE, inner, outer->depth + (anomaly ? 1u : 0u), feed),
                                next);
    if (walk_note(notes, NOTE_EMIT))
        next = walk_make_effect(w, inner, walk_element_effect(w, EFFECT_CLOSE, inner), next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_EXPECT)
            next = walk_make_effect(w, inner, walk_noted_effect(w, EFFECT_EXPECT, inner, notes->items[i], inner->rule),
                                    next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_PUSH)
            next = walk_make_effect(w, inner, walk_push_effect(w, inner, notes->items[i]), next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_SET)
            next = walk_make_effect(w, inner, walk_noted_effect(w, EFFECT_SET, inner, notes->items[i], inner->rule), next);
    return next;
}

/* The frame that a cut closes; NULL if there is none around. */
static const frame_t *cut_frame(const note_t *cut, const frame_t *frame)
{
    for (; frame; frame = frame->parent)
        if (cut->rule ? frame->is_rule && frame->rule == cut->rule : frame->is_choice)
            return frame;
    return NULL;
}

static spot_t *make_opening(walk_t *w, const wrapped_t *x, const frame_t *outer, const frame_t *inner, spot_t *next)
{
    effects_t effects = walk_opening(w, inner, false);
    for (size_t i = effects.count; i-- > 0;)
        next = walk_make_effect(w, inner, effects.items[i], next);
    if (x->resumed) {
        for (const frame_t *f = x->resumed; f; f = f->parent) {
            effects = walk_opening(w, f, true);
            for (size_t i = effects.count; i-- > 0;)
                next = walk_make_effect(w, inner, effects.items[i], next);
        }
        next = walk_make_effect(w, inner, walk_plain_effect(w, EFFECT_FOUND, inner), next);
    }
    if (inner->is_atomic && !outer->is_atomic)
        next = walk_make_effect(w, inner, walk_plain_effect(w, EFFECT_ATOMIC_BEGIN, inner), next);
    return next;
}

static spot_t *make_region(walk_t *w, const wrapped_t *x, const frame_t *inner, spot_t *next)
{
    const note_t *length = walk_note(x->notes, NOTE_LENGTH);
    const note_t *close = walk_note(x->notes, NOTE_UNTIL_CLOSE), *until = walk_note(x->notes, NOTE_UNTIL);
    if (!length && !close && !until)
        length = walk_count_of_bytes(x->notes, x->body);
    if (!length && !close && !until)
        return make_body(w, x, inner, next);
    spot_t end;
    spot_t *inside = make_body(w, x, inner, walk_intern_spot(w, walk_blank_spot(&end, SPOT_END, inner, NULL)));
    return walk_make_stop(w,
                     length  ? STOP_LENGTH
                     : until ? STOP_UNTIL
                             : STOP_CLOSE,
                     inner,
                     length  ? length
                     : until ? until
                             : close,
                     NULL, inside, next);
}

/* `at`: its end is that of a region, and what follows it is read here. */
static spot_t *make_elsewhere(walk_t *w, const wrapped_t *x, const note_t *at, const frame_t *outer, spot_t *next)
{
    spot_t end, stop;
    wrapped_t there = *x;
    there.is_there = true;
    walk_blank_spot(&end, SPOT_END, outer, NULL);
    walk_blank_spot(&stop, SPOT_STOP, outer, walk_wrap(w, &there, outer, walk_intern_spot(w, &end)));
    stop.stop = STOP_AT;
    stop.note = at;
    stop.rule = x->rule ? x->rule : outer->rule;
    stop.other = next;
    return walk_intern_spot(w, &stop);
}

static bool is_converted(const note_t *note)
{
    return note->kind == NOTE_CONVERT || note->kind == NOTE_PART;
}

spot_t *walk_wrap(walk_t *w, const wrapped_t *x, const frame_t *outer, spot_t *next)
{
    const notes_t *notes = x->notes;
    const note_t *at = walk_note(notes, NOTE_AT);
    if (at && !x->is_there)
        return make_elsewhere(w, x, at, outer, next);
    const frame_t *inner = wrapped_frame(w, x, outer);
    next = walk_make_trace(w, inner, 1, walk_make_scope(w, SPOT_LEAVE, inner, next));
    spot_t *leave = next;
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_CUT && cut_frame(notes->items[i], outer))
            next = walk_make_scope(w, SPOT_CUT, cut_frame(notes->items[i], outer), next);
    next = make_close(w, x, outer, inner, next);
    for (size_t i = 0; i < notes->count; i++)
        if (is_converted(notes->items[i]))
            next = walk_make_effect(w, inner,
                               walk_noted_effect(w, EFFECT_CONVERT_CLOSE, inner, notes->items[i], inner->rule), next);
    next = make_region(w, x, inner, next);
    for (size_t i = notes->count; i-- > 0;)
        if (is_converted(notes->items[i]))
            next = walk_make_effect(w, inner, walk_noted_effect(w, EFFECT_CONVERT_OPEN, inner, notes->items[i], inner->rule),
                               next);
    next = make_opening(w, x, outer, inner, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_POP)
            next = walk_make_stop(w, STOP_POP, outer, notes->items[i], NULL, next, NULL);
    return walk_make_enter(w, inner, leave, walk_make_trace(w, inner, 0, next));
}

static spot_t *make_return(walk_t *w, const rule_t *rule, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_STOP, frame, next);
    spot.stop = STOP_RETURN;
    spot.rule = rule;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_enter_call(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next)
{
    spot_t *tail = next;
    const frame_t *caller = frame;
    spots_t left = {0};
    for (; tail->kind == SPOT_LEAVE || tail->kind == SPOT_TRACE; tail = tail->next)
        vec_push(w->arena, &left, tail);
    while (caller && !caller->after)
        caller = caller->parent;
    bool is_jump = caller && caller->after == tail && caller->parent->depth == frame->depth;
    if (is_jump)
        frame = caller->parent;
    else
        tail = make_return(w, rule, frame, next);
    wrapped_t x = {.notes = &rule->notes,
                   .name = rule->name,
                   .body = rule->body,
                   .rule = rule,
                   .returns = tail,
                   .reference = reference};
    spot_t *spot = walk_wrap(w, &x, frame, tail);
    for (size_t i = left.count; i-- > 0 && is_jump;) {
        spot_t leaving = *left.items[i];
        walk_blank_spot(&leaving, left.items[i]->kind, left.items[i]->frame, spot);
        leaving.n = left.items[i]->n;
        spot = walk_intern_spot(w, &leaving);
    }
    return spot;
}

/* The outermost of rules inside each other is no call. */
static bool is_inside_called(const frame_t *frame)
{
    for (const frame_t *f = frame; f; f = f->parent)
        if (f->is_rule && f->rule->is_called)
            return true;
    return false;
}

spot_t *walk_make_rule(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next)
{
    if (rule->is_called && is_inside_called(frame)) {
        spot_t call;
        walk_blank_spot(&call, SPOT_STOP, frame, next);
        call.stop = STOP_CALL;
        call.rule = rule;
        call.reference = reference;
        return walk_intern_spot(w, &call);
    }
    wrapped_t x = {.notes = &rule->notes, .name = rule->name, .body = rule->body, .rule = rule, .reference = reference};
    return walk_wrap(w, &x, frame, next);
}

spot_t *walk_make_alternative(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next)
{
    bool is_wrapped = false;
    for (size_t i = 0; i < node->notes.count; i++)
        is_wrapped |= node->notes.items[i]->kind != NOTE_WHEN;
    if (!is_wrapped)
        return walk_make_node(w, node, frame, next);
    wrapped_t x = {.notes = &node->notes, .name = node->kind == NODE_RULE ? node->rule->name : NULL, .body = node};
    return walk_wrap(w, &x, frame, next);
}
