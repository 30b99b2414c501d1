/* walk.c: spots, made as readings get there.
 *
 * What an annotated rule or alternative does stands around its body in this order (generator/README.md):
 *
 *     enter, pop, atomic(, local(, reset, anomaly(, open, convert(, length( BODY ), )convert, set, push, close,
 * )anomaly, )local, )atomic, become, cut, leave
 *
 * so walk_wrap() makes that list from its end. Everything else follows a node's kind. */
#include "walker.h"

#include <stdlib.h>

#define LEVEL_MAX 4u     /* fallbacks within fallbacks: generator/README.md, "Fallbacks" */
#define ONE_BYTE_MAX 16u /* rules and brackets around a byte for it to count as one */

/* ---------------------------------------------------------------- notes */

const note_t *walk_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

static bool has_cut(const notes_t *notes)
{
    return walk_note(notes, NOTE_CUT) != NULL;
}

static bool has_cut_below(const node_t *node)
{
    if (has_cut(&node->notes))
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        if (has_cut_below(node->children.items[i]))
            return true;
    return false;
}

/* ---------------------------------------------------------------- one byte */

charset_t walk_letter(unsigned byte, bool is_case_sensitive)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    charset_t set = charset_range(byte, byte);
    return is_letter && !is_case_sensitive ? charset_union(set, charset_range(byte ^ 0x20u, byte ^ 0x20u)) : set;
}

/* Does the node read exactly one byte, and nothing more can be said of it? */
static bool is_one_byte(const node_t *node, unsigned depth, charset_t *set)
{
    charset_t one;
    if (depth == 0 || node->notes.count > 0)
        return false;
    switch (node->kind) {
    case NODE_SET:
        *set = node->set;
        return true;
    case NODE_STRING:
        *set = node->len == 1 ? walk_letter((unsigned char)node->text[0], node->is_case_sensitive) : charset_none();
        return node->len == 1;
    case NODE_RULE:
        return node->rule->notes.count == 0 && is_one_byte(node->rule->body, depth - 1, set);
    case NODE_CHOICE:
        *set = charset_none();
        for (size_t i = 0; i < node->children.count; i++) {
            if (!is_one_byte(node->children.items[i], depth - 1, &one))
                return false;
            *set = charset_union(*set, one);
        }
        return node->children.count > 0;
    case NODE_SEQUENCE:
        return node->children.count == 1 && is_one_byte(node->children.items[0], depth - 1, set);
    default:
        return false;
    }
}

const note_t *walk_count_of_bytes(const notes_t *notes, const node_t *body)
{
    charset_t set;
    bool is_of_bytes = body->kind == NODE_REPEAT && is_one_byte(body->children.items[0], ONE_BYTE_MAX, &set);
    return is_of_bytes ? walk_note(notes, NOTE_COUNT) : NULL;
}

const charset_t *walk_set(spot_t *spot)
{
    if (spot->has_first)
        return &spot->first;
    spot->has_first = true;
    if (spot->kind == SPOT_BYTE && spot->node->kind == NODE_SET)
        spot->first = spot->node->set; /* also where it is annotated */
    else if (spot->kind == SPOT_BYTE)
        is_one_byte(spot->node, ONE_BYTE_MAX, &spot->first);
    else
        spot->first = walk_letter((unsigned char)spot->node->text[spot->n], spot->node->is_case_sensitive);
    return &spot->first;
}

/* ---------------------------------------------------------------- spots of nodes */

static spot_t *make_items(walk_t *w, const node_t *node, size_t n, const note_t *refinement,
                          const refine_entry_t *entry, const frame_t *frame, spot_t *next)
{
    if (n >= node->children.count)
        return next;
    spot_t spot;
    walk_blank_spot(&spot, SPOT_ITEMS, frame, next);
    spot.node = node;
    spot.n = (unsigned)n;
    spot.note = refinement;
    spot.entry = entry;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_numbered(walk_t *w, spot_kind_t kind, const node_t *node, unsigned n, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, kind, frame, next);
    spot.node = node;
    spot.n = n;
    return walk_intern_spot(w, &spot);
}

static spot_t *make_node(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next)
{
    charset_t set;
    if (node->kind == NODE_SET || is_one_byte(node, ONE_BYTE_MAX, &set))
        return walk_numbered(w, SPOT_BYTE, node, 0, frame, next);
    switch (node->kind) {
    case NODE_SET:
    case NODE_EMPTY:
        return next;
    case NODE_STRING:
        return node->len ? walk_numbered(w, SPOT_TEXT, node, 0, frame, next) : next;
    case NODE_SEQUENCE:
        return make_items(w, node, 0, NULL, NULL, frame, next);
    case NODE_REPEAT:
        return walk_numbered(w, SPOT_REPEAT, node, 0, frame, next);
    case NODE_CHOICE:
    case NODE_RULE:
        return walk_numbered(w, SPOT_NODE, node, 0, frame, next);
    }
    return next;
}

static spot_t *make_effect(walk_t *w, const frame_t *frame, const effect_t *effect, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_EFFECT, frame, next);
    spot.effect = effect;
    return walk_intern_spot(w, &spot);
}

static spot_t *make_scope(walk_t *w, spot_kind_t kind, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    if (!w->has_cut)
        return next;
    walk_blank_spot(&spot, kind, frame, next);
    return walk_intern_spot(w, &spot);
}

/* `leave` is where the frame is left: it tells one round of a repeat from the next. */
static spot_t *make_enter(walk_t *w, const frame_t *frame, spot_t *leave, spot_t *next)
{
    spot_t spot;
    if (!w->has_cut)
        return next;
    walk_blank_spot(&spot, SPOT_ENTER, frame, next);
    spot.other = leave;
    return walk_intern_spot(w, &spot);
}

static spot_t *make_trace(walk_t *w, const frame_t *frame, unsigned n, spot_t *next)
{
    return w->is_traced ? walk_numbered(w, SPOT_TRACE, NULL, n, frame, next) : next;
}

static spot_t *make_stop(walk_t *w, stop_kind_t stop, const frame_t *frame, const note_t *note, const node_t *node,
                         spot_t *next, spot_t *other)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_STOP, frame, next);
    spot.stop = stop;
    spot.note = note;
    spot.node = node;
    spot.other = other;
    return walk_intern_spot(w, &spot);
}

/* ---------------------------------------------------------------- annotated things */

static spot_t *make_rule(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next);

static const frame_t *link_frame(walk_t *w, const frame_t *outer, const void *of, frame_t *frame)
{
    memset(frame, 0, sizeof *frame);
    frame->parent = outer;
    frame->of = of;
    frame->rule = outer->rule;
    frame->element = outer->element;
    frame->depth = outer->depth;
    frame->level = outer->level;
    frame->nest = outer->nest;
    frame->is_stream = outer->is_stream;
    frame->is_atomic = outer->is_atomic;
    return walk_intern_frame(w, frame);
}

static const frame_t *guard_frame(walk_t *w, const frame_t *outer, const void *of, bool is_choice)
{
    frame_t frame;
    link_frame(w, outer, of, &frame);
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
    link_frame(w, outer, x->notes, &frame);
    if (x->rule) {
        frame.rule = x->rule;
        frame.reference = x->reference;
        frame.is_rule = true;
    }
    if (x->returns) {
        frame.after = x->returns;
        frame.nest++;
        outer_element = frame.element = outermost_call(outer, x->rule)->element;
    }
    if (walk_note(x->notes, NOTE_COUNT) && !walk_count_of_bytes(x->notes, x->body))
        frame.nest++;
    if (walk_note(x->notes, NOTE_ANOMALY))
        frame.depth++;
    if (walk_note(x->notes, NOTE_ATOMIC) || walk_note(x->notes, NOTE_RESYNC))
        frame.is_atomic = true;
    if (emit) {
        frame.element = walk_element(w, outer_element, emit->name ? emit->name : x->name, emit->is_stream);
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
        return make_node(w, body, frame, next);
    while (by < body->children.count && body->children.items[by]->rule != note->by)
        by++;
    spot_t *spot = make_stop(w, STOP_REFINE, frame, note, body, next, NULL);
    spot = make_effect(w, frame, walk_noted_effect(w, EFFECT_CONVERT_CLOSE, frame, note, note->by), spot);
    spot = make_node(w, body->children.items[by], frame, spot);
    spot = make_effect(w, frame, walk_noted_effect(w, EFFECT_CONVERT_OPEN, frame, note, note->by), spot);
    for (size_t i = by; i-- > 0;)
        spot = make_node(w, body->children.items[i], frame, spot);
    return spot;
}

static spot_t *make_body(walk_t *w, const wrapped_t *x, const frame_t *frame, spot_t *next)
{
    const note_t *refine = walk_note(x->notes, NOTE_REFINE);
    if (refine)
        return make_refined(w, x->body, refine, frame, next);
    const note_t *count = walk_note(x->notes, NOTE_COUNT);
    if (count && !walk_count_of_bytes(x->notes, x->body))
        return make_stop(w, STOP_COUNT, frame, count, x->body, next, NULL);
    if (!x->entry)
        return make_node(w, x->body, frame, next);
    if (x->entry->is_strict)
        return make_rule(w, x->entry->rule, x->entry, frame, next);
    spot_t spot;
    const frame_t *guard = guard_frame(w, frame, x->entry, false);
    walk_blank_spot(&spot, SPOT_FALLBACK, frame, make_rule(w, x->entry->rule, x->entry, guard, next));
    spot.other = make_node(w, x->body, frame, next);
    spot.entry = x->entry;
    return walk_intern_spot(w, &spot);
}

static spot_t *make_close(walk_t *w, const wrapped_t *x, const frame_t *outer, const frame_t *inner, spot_t *next)
{
    const notes_t *notes = x->notes;
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_BECOME)
            next = make_stop(w, STOP_BECOME, outer, notes->items[i], NULL, next, NULL);
    if (walk_note(notes, NOTE_UNTIL))
        next = make_stop(w, STOP_SKIP, outer, walk_note(notes, NOTE_UNTIL), NULL, next, NULL);
    if (inner->is_atomic && !outer->is_atomic)
        next = make_effect(w, inner, walk_plain_effect(w, EFFECT_ATOMIC_END, inner), next);
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_LOCAL; k++)
            next = make_effect(
                w, inner, walk_register_effect(w, EFFECT_LOCAL_CLOSE, inner, notes->items[i]->regs.items[k]), next);
    const note_t *anomaly = walk_note(notes, NOTE_ANOMALY);
    if (anomaly)
        next = make_effect(w, inner, walk_anomaly_effect(w, EFFECT_ANOMALY_CLOSE, inner, outer->depth, anomaly->name),
                           next);
    if (walk_note(notes, NOTE_EMIT))
        next = make_effect(w, inner, walk_element_effect(w, EFFECT_CLOSE, inner), next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_PUSH)
            next = make_effect(w, inner, walk_noted_effect(w, EFFECT_PUSH, inner, notes->items[i], inner->rule), next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_SET)
            next = make_effect(w, inner, walk_noted_effect(w, EFFECT_SET, inner, notes->items[i], inner->rule), next);
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
        next = make_effect(w, inner, effects.items[i], next);
    if (x->resumed) {
        for (const frame_t *f = x->resumed; f; f = f->parent) {
            effects = walk_opening(w, f, true);
            for (size_t i = effects.count; i-- > 0;)
                next = make_effect(w, inner, effects.items[i], next);
        }
        next = make_effect(w, inner, walk_plain_effect(w, EFFECT_FOUND, inner), next);
    }
    if (inner->is_atomic && !outer->is_atomic)
        next = make_effect(w, inner, walk_plain_effect(w, EFFECT_ATOMIC_BEGIN, inner), next);
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
    return make_stop(w,
                     length  ? STOP_LENGTH
                     : until ? STOP_UNTIL
                             : STOP_CLOSE,
                     inner,
                     length  ? length
                     : until ? until
                             : close,
                     NULL, inside, next);
}

spot_t *walk_wrap(walk_t *w, const wrapped_t *x, const frame_t *outer, spot_t *next)
{
    const notes_t *notes = x->notes;
    const frame_t *inner = wrapped_frame(w, x, outer);
    next = make_trace(w, inner, 1, make_scope(w, SPOT_LEAVE, inner, next));
    spot_t *leave = next;
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_CUT && cut_frame(notes->items[i], outer))
            next = make_scope(w, SPOT_CUT, cut_frame(notes->items[i], outer), next);
    next = make_close(w, x, outer, inner, next);
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_CONVERT)
            next = make_effect(w, inner,
                               walk_noted_effect(w, EFFECT_CONVERT_CLOSE, inner, notes->items[i], inner->rule), next);
    next = make_region(w, x, inner, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_CONVERT)
            next = make_effect(w, inner, walk_noted_effect(w, EFFECT_CONVERT_OPEN, inner, notes->items[i], inner->rule),
                               next);
    next = make_opening(w, x, outer, inner, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_POP)
            next = make_stop(w, STOP_POP, outer, notes->items[i], NULL, next, NULL);
    return make_enter(w, inner, leave, make_trace(w, inner, 0, next));
}

static spot_t *make_return(walk_t *w, const rule_t *rule, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_STOP, frame, next);
    spot.stop = STOP_RETURN;
    spot.rule = rule;
    return walk_intern_spot(w, &spot);
}

/* A rule that contains itself, entered. Where nothing is left to do in such a rule but to return, the call is a jump.
 */
static spot_t *enter_call(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next)
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

static spot_t *make_rule(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next)
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

static spot_t *make_alternative(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next)
{
    bool is_wrapped = false;
    for (size_t i = 0; i < node->notes.count; i++)
        is_wrapped |= node->notes.items[i]->kind != NOTE_WHEN;
    if (!is_wrapped)
        return make_node(w, node, frame, next);
    wrapped_t x = {.notes = &node->notes, .name = node->kind == NODE_RULE ? node->rule->name : NULL, .body = node};
    return walk_wrap(w, &x, frame, next);
}

/* ---------------------------------------------------------------- choices */

static bool has_when(const node_t *choice)
{
    for (size_t i = 0; i < choice->children.count; i++)
        if (walk_note(&choice->children.items[i]->notes, NOTE_WHEN))
            return true;
    return false;
}

/* In an atomic rule, alternatives that are only tolerated, behind the others, are those others' fallback. */
static spot_t *make_tolerant(walk_t *w, const node_t *node, unsigned strict, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    const frame_t *guard = guard_frame(w, frame, node, true);
    walk_blank_spot(&spot, SPOT_FALLBACK, frame, NULL);
    spot.node = node;
    spot.next = walk_numbered(w, SPOT_NODE, node, 1, guard, next);
    spot.other = walk_numbered(w, SPOT_NODE, node, 1 + strict, frame, next);
    return make_effect(w, frame, walk_plain_effect(w, EFFECT_MARK, frame), walk_intern_spot(w, &spot));
}

/* n: 0 opens the whole choice; 1 the strict alternatives of a tolerant one; k + 1 those from number k on. */
static void open_choice(walk_t *w, spot_t *spot)
{
    const node_t *node = spot->node;
    unsigned count = (unsigned)node->children.count, strict = count;
    while (strict > 0 && walk_note(&node->children.items[strict - 1]->notes, NOTE_ANOMALY))
        strict--;
    unsigned begin = spot->n > 1 ? spot->n - 1 : 0, end = spot->n == 1 ? strict : count;
    const frame_t *frame = spot->frame;
    spot_t *next = spot->next, *first = NULL;
    if (spot->n == 0) {
        frame_t key;
        link_frame(w, frame, node, &key);
        key.is_choice = true;
        frame = walk_intern_frame(w, &key);
        next = make_scope(w, SPOT_LEAVE, frame, next);
        if (has_when(node))
            first = make_stop(w, STOP_CHOICE, frame, NULL, node, next, NULL);
        else if (frame->is_atomic && frame->level < LEVEL_MAX && strict > 0 && strict < count)
            first = make_tolerant(w, node, strict, frame, next);
        if (first) {
            vec_push(w->arena, &spot->branches, make_enter(w, frame, next, first));
            return;
        }
    }
    for (unsigned i = begin; i < end; i++) {
        spot_t *branch = make_alternative(w, node->children.items[i], frame, next);
        vec_push(w->arena, &spot->branches, spot->n == 0 ? make_enter(w, frame, next, branch) : branch);
    }
}

/* ---------------------------------------------------------------- opening spots */

static spot_t *open_items(walk_t *w, const spot_t *spot)
{
    const node_t *child = spot->node->children.items[spot->n];
    spot_t *next = make_items(w, spot->node, spot->n + 1u, spot->note, spot->entry, spot->frame, spot->next);
    if (!spot->note || child->kind != NODE_RULE || child->rule != spot->note->value)
        return make_node(w, child, spot->frame, next);
    wrapped_t x = {.notes = &child->rule->notes,
                   .name = child->rule->name,
                   .body = child->rule->body,
                   .rule = child->rule,
                   .entry = spot->entry,
                   .reference = child};
    return walk_wrap(w, &x, spot->frame, next);
}

static void open_repeat(walk_t *w, spot_t *spot)
{
    const node_t *node = spot->node;
    unsigned most = node->max == REPEAT_UNBOUNDED ? node->min : node->max;
    bool can_go_on = node->max == REPEAT_UNBOUNDED || spot->n < node->max;
    if (can_go_on) {
        bool is_last = node->max != REPEAT_UNBOUNDED && spot->n + 1 == node->max;
        spot_t *again =
            is_last ? spot->next
                    : walk_numbered(w, SPOT_REPEAT, node, spot->n < most ? spot->n + 1 : most, spot->frame, spot->next);
        vec_push(w->arena, &spot->branches, make_node(w, node->children.items[0], spot->frame, again));
    }
    if (spot->n >= node->min)
        vec_push(w->arena, &spot->branches, spot->next);
}

const spots_t *walk_open(walk_t *w, spot_t *spot)
{
    if (spot->is_open)
        return &spot->branches;
    spot->is_open = true;
    switch (spot->kind) {
    case SPOT_NODE:
        if (spot->node->kind == NODE_CHOICE)
            open_choice(w, spot);
        else
            vec_push(w->arena, &spot->branches, make_rule(w, spot->node->rule, spot->node, spot->frame, spot->next));
        break;
    case SPOT_ITEMS:
        vec_push(w->arena, &spot->branches, open_items(w, spot));
        break;
    case SPOT_REPEAT:
        open_repeat(w, spot);
        break;
    case SPOT_SEARCH:
        walk_open_search(w, spot);
        break;
    case SPOT_TEXT:
        vec_push(w->arena, &spot->branches,
                 spot->n + 1 < spot->node->len
                     ? walk_numbered(w, SPOT_TEXT, spot->node, spot->n + 1, spot->frame, spot->next)
                     : spot->next);
        break;
    case SPOT_BYTE:
    case SPOT_EFFECT:
    case SPOT_ENTER:
    case SPOT_LEAVE:
    case SPOT_TRACE:
    case SPOT_CUT:
    case SPOT_FALLBACK:
        vec_push(w->arena, &spot->branches, spot->next);
        break;
    case SPOT_STOP:
    case SPOT_END:
        break;
    }
    return &spot->branches;
}

spot_t *walk_target(walk_t *w, const spot_t *stop, size_t n)
{
    if (stop->stop == STOP_CHOICE)
        return make_alternative(w, stop->node->children.items[n], stop->frame, stop->next);
    if (stop->stop == STOP_CALL)
        return enter_call(w, stop->rule, stop->reference, stop->frame, stop->next);
    if (stop->stop == STOP_COUNT || stop->stop == STOP_ROUND) {
        n = stop->stop == STOP_COUNT ? n : stop->n;
        spot_t round;
        walk_blank_spot(&round, SPOT_STOP, stop->frame, stop->next);
        round.stop = STOP_ROUND;
        round.node = stop->node;
        round.n = (unsigned)(n < UINT32_MAX ? n : UINT32_MAX);
        if (stop->stop == STOP_COUNT)
            return walk_intern_spot(w, &round);
        if (n == 0)
            return stop->next;
        round.n--;
        return make_node(w, stop->node->children.items[0], stop->frame, walk_intern_spot(w, &round));
    }
    if (stop->stop != STOP_REFINE)
        return stop->next;
    size_t by = 0;
    while (by < stop->node->children.count && stop->node->children.items[by]->rule != stop->note->by)
        by++;
    const refine_entry_t *entry = n ? &stop->note->entries.items[n - 1] : NULL;
    return make_items(w, stop->node, by + 1, entry ? stop->note : NULL, entry, stop->frame, stop->next);
}

/* ---------------------------------------------------------------- the whole */

spot_t *walk_start(walk_t *w, const node_t *root)
{
    spot_t end;
    BLANK(frame_t, top);
    const frame_t *frame = walk_intern_frame(w, &top);
    return make_node(w, root, frame, walk_intern_spot(w, walk_blank_spot(&end, SPOT_END, frame, NULL)));
}

const char *walk_rule_name(const frame_t *frame)
{
    while (frame && frame->rule && frame->rule->is_core)
        frame = frame->parent;
    return frame && frame->rule ? frame->rule->name : "";
}

size_t walk_size(const walk_t *w)
{
    return w->spots.count;
}

bool walk_has_cut(const walk_t *w)
{
    return w->has_cut;
}

walk_t *walk_new(const grammar_t *grammar, bool is_traced)
{
    arena_t *arena = arena_new();
    walk_t *w = ARENA_NEW(arena, walk_t);
    w->arena = arena;
    w->grammar = grammar;
    w->is_traced = is_traced;
    w->spots = (table_t){.key = offsetof(spot_t, seen), .size = sizeof(spot_t)};
    w->frames = (table_t){.key = sizeof(frame_t), .size = sizeof(frame_t)};
    w->effects = (table_t){.key = sizeof(effect_t), .size = sizeof(effect_t)};
    w->names = (table_t){.key = offsetof(place_name_t, path), .size = sizeof(place_name_t)};
    w->resumable = ARENA_ARRAY(arena, unsigned, grammar->rules.count + 1);
    for (size_t i = 0; i < grammar->rules.count; i++)
        w->has_cut |= has_cut(&grammar->rules.items[i]->notes) || has_cut_below(grammar->rules.items[i]->body);
    return w;
}

void walk_free(walk_t *w)
{
    free(w->spots.slots);
    free(w->frames.slots);
    free(w->effects.slots);
    free(w->names.slots);
    arena_free(w->arena);
}
