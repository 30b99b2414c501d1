/* nfa_wrap.c: what annotations put around a body: operations before and behind it, in the order that nfa.c gives, regions, choices
 * of refined values. */
#include "nfa_builder.h"

#include "until.h"

/* The room that a saved register takes: its text, its value, and what tells of them. As qcap_op_local_open() has it. */
static unsigned saved_words(const reg_t *reg)
{
    return (reg->size + 7) / 8 + 2;
}

/* The element is a stream, or its value joined, as the note says; all of one name alike, and no joined one in another. */
static void shape_element(builder_t *b, const note_t *emit, const context_t *context)
{
    element_t *element = &b->nfa->elements.items[context->element];
    bool is_new = !element->is_used;
    element->is_used = true;
    for (unsigned e = element->parent; emit->separator && e != ELEMENT_NONE; e = b->nfa->elements.items[e].parent)
        if (b->nfa->elements.items[e].separator)
            diag_error(b->diag, emit->place, "a joined element inside a joined element, `%s`",
                       b->nfa->elements.items[e].name);
    if (is_new) {
        element->separator = emit->separator;
        element->is_stream = emit->is_stream;
    } else if (element->is_stream != emit->is_stream) {
        diag_error(b->diag, emit->place, "`%s` is a stream in one place, and comes whole in another", element->name);
    } else if (!element->separator != !emit->separator ||
             (emit->separator && strcmp(element->separator, emit->separator) != 0)) {
        diag_error(b->diag, emit->place, "`%s` is joined in another way elsewhere", element->name);
    }
}

/* If what is read here fails, the same bytes are read in another way. */
static bool is_refined(const context_t *context)
{
    const context_t *c = context;
    while (c && (!c->guard || c->guard->choice))
        c = c->guard ? c->guard->parent : NULL;
    return c != NULL;
}

/* The context of the body: one link for what is opened, and one for each conversion. */
static context_t *open_context(builder_t *b, const wrapped_t *w, const context_t *outer)
{
    context_t *inner = nfa_nested(b, outer);
    if (w->rule) {
        inner->rule = w->rule;
        inner->reference = w->reference;
    }
    for (size_t i = 0; i < w->notes->count; i++) {
        const note_t *note = w->notes->items[i];
        if (note->kind == NOTE_ANOMALY)
            inner->depth++;
        if (note->kind == NOTE_LOCAL && is_refined(outer))
            diag_error(b->diag, note->place, "`local` inside a refined value that has a fallback: write `!` behind its name");
        for (size_t k = 0; k < note->regs.count && note->kind == NOTE_LOCAL; k++)
            inner->saved += saved_words(note->regs.items[k]);
    }
    inner->is_atomic |= nfa_find_note(w->notes, NOTE_ATOMIC) || nfa_find_note(w->notes, NOTE_RESYNC);
    const note_t *feed = nfa_find_note(w->notes, NOTE_FEED);
    if (feed && inner->is_stream)
        diag_error(b->diag, feed->place, "`feed` inside a stream element, or inside another `feed`");
    const note_t *emit = nfa_find_note(w->notes, NOTE_EMIT);
    if (emit && emit->is_stream && inner->is_stream)
        diag_error(b->diag, emit->place, "`emit stream` inside another stream element");
    if (emit) {
        inner->element = nfa_element(b, outer->element, emit->name ? emit->name : w->name);
        shape_element(b, emit, inner);
        inner->depth++;
        inner->is_stream |= emit->is_stream;
    }
    inner->depth += feed != NULL;
    inner->is_stream |= feed != NULL;
    nfa_note_nest(b, inner);
    return inner;
}

/* VALUE can be selected by the text of NAME. */
static void note_selector(builder_t *b, const note_t *note, const context_t *context)
{
    const char *by = nfa_emitted_name(note->by), *value = nfa_emitted_name(note->value);
    if (!by || !value)
        return;
    unsigned element = nfa_element(b, context->element, value);
    unsigned selector = nfa_element(b, context->element, by);
    b->nfa->elements.items[element].selector = selector;
}

/* The first entry that reads VALUE in the same way as entry `i`; it may be that one. */
static size_t find_alike(const note_t *note, size_t i)
{
    const refine_entry_t *entries = note->entries.items;
    size_t k = 0;
    while (k < i && (entries[k].rule != entries[i].rule || entries[k].is_strict != entries[i].is_strict))
        k++;
    return k;
}

/* The conversion that recognises the listed names: one, wherever the rule is written out. */
static unsigned name_conversion(builder_t *b, const note_t *note)
{
    nfa_t *nfa = b->nfa;
    for (unsigned i = 0; i < nfa->conversions.count; i++)
        if (nfa->conversions.items[i].refine == note)
            return i;
    conversion_t conversion = {.kind = CONVERT_KEYWORD, .refine = note, .rule = note->by};
    for (size_t i = 0; i < note->entries.count; i++)
        vec_push(b->arena, &conversion.keywords, note->entries.items[i].name);
    conversion.text_size = nfa_text_size(&conversion);
    vec_push(b->arena, &nfa->conversions, conversion);
    return (unsigned)nfa->conversions.count - 1;
}

/* NAME ... VALUE: what stands behind NAME is built once for each listed name and once for all others; a control point
 * where NAME ends chooses. */
static unsigned build_refined(builder_t *b, const node_t *body, const note_t *note, const context_t *context,
                              unsigned next)
{
    note_selector(b, note, context);
    if (note->entries.count == 0)
        return nfa_build_node(b, body, context, next);
    size_t by = 0;
    while (by < body->children.count && body->children.items[by]->rule != note->by)
        by++;

    control_t control = {.kind = CONTROL_REFINE, .place = note->place, .rule = context->rule};
    vec_push(b->arena, &control.targets, nfa_build_items(b, body, by + 1, NULL, NULL, context, next));
    for (size_t i = 0; i < note->entries.count; i++) {
        const refine_entry_t *entry = &note->entries.items[i];
        const size_t alike = find_alike(note, i);
        vec_push(b->arena, &control.targets,
                 alike < i ? control.targets.items[1 + alike] : nfa_build_items(b, body, by + 1, note, entry, context, next));
    }
    control.conversion = name_conversion(b, note);

    unsigned chosen = nfa_add_control(b, context, control);
    context_t *named = nfa_nested(b, context);
    named->conversion = (int)control.conversion;
    chosen = nfa_add_op(b, named, (op_t){.kind = OP_CONVERT_CLOSE, .conversion = control.conversion}, chosen);
    unsigned name = nfa_build_node(b, body->children.items[by], named, chosen);
    name = nfa_add_op(b, named, (op_t){.kind = OP_CONVERT_OPEN, .conversion = control.conversion}, name);
    for (size_t i = by; i-- > 0;)
        name = nfa_build_node(b, body->children.items[i], context, name);
    return name;
}

/* `count` of a repeat of one class of bytes. */
static bool is_count_of_bytes(const wrapped_t *w)
{
    charset_t set;
    return nfa_find_note(w->notes, NOTE_COUNT) && w->body->kind == NODE_REPEAT && nfa_set_of(w->body->children.items[0], &set);
}

static unsigned build_body(builder_t *b, const wrapped_t *w, context_t *context, unsigned next)
{
    const note_t *refine = nfa_find_note(w->notes, NOTE_REFINE);
    if (refine)
        return build_refined(b, w->body, refine, context, next);
    const note_t *count = nfa_find_note(w->notes, NOTE_COUNT);
    if (count && !is_count_of_bytes(w))
        return nfa_build_counted(b, w->body, count, context, next);
    if (!w->entry)
        return nfa_build_node(b, w->body, context, next);
    if (w->entry->is_strict)
        return nfa_build_rule(b, w->entry->rule, NULL, context, next);

    const context_t *guarded = nfa_guard(b, context);
    unsigned own = nfa_build_node(b, w->body, context, next);
    unsigned refined = nfa_build_rule(b, w->entry->rule, NULL, guarded, next);
    unsigned state = nfa_add(b, NFA_FALLBACK, context, w->body, refined);
    b->nfa->states.items[state].other = own;
    b->nfa->states.items[state].level = guarded->level;
    b->nfa->states.items[state].guard = guarded;
    b->nfa->states.items[state].name = w->entry->rule->name;
    return state;
}

/* Which sub-streams end behind the rule: those it says, and if it is a message, those that nothing else ends. */
static unsigned build_finishes(builder_t *b, const wrapped_t *w, const context_t *outer, unsigned next)
{
    bool is_message = w->rule && !outer->rule && outer->procedure == PROCEDURE_NONE;
    for (unsigned i = (unsigned)b->nfa->feeds.count; i-- > 0;) {
        const feed_t *feed = &b->nfa->feeds.items[i];
        const node_t message = {.kind = NODE_RULE, .rule = w->rule};
        bool is_meant = is_message && nfa_is_within(b, &message, NOTE_FEED, feed) && !nfa_is_within(b, b->root, NOTE_FINISH, feed);
        for (size_t k = 0; k < w->notes->count && !is_meant; k++)
            is_meant = w->notes->items[k]->kind == NOTE_FINISH && nfa_is_fed_by(feed, w->notes->items[k]);
        if (is_meant)
            next = nfa_add_op(b, outer, (op_t){.kind = OP_FINISH, .feed = i}, next);
    }
    return next;
}

/* The operations that close, from the last to the first. */
static unsigned build_close(builder_t *b, const wrapped_t *w, const context_t *outer, context_t *inner,
                            unsigned next)
{
    const notes_t *notes = w->notes;
    for (size_t i = notes->count; i-- > 0;) {
        const note_t *note = notes->items[i];
        if (note->kind == NOTE_BECOME && b->is_fed)
            diag_error(b->diag, note->place, "`become` in a sub-stream, which has no other side");
        if (note->kind == NOTE_BECOME) {
            control_t control = {.kind = CONTROL_BECOME, .place = note->place, .rule = inner->rule, .protocol = note->name,
                                 .reg = note->reg, .next = note->before};
            vec_push(b->arena, &control.targets, next);
            next = nfa_add_control(b, outer, control);
        }
    }
    const note_t *until = nfa_find_note(notes, NOTE_UNTIL);
    if (until) {
        control_t control = {.kind = CONTROL_SKIP, .place = until->place, .rule = inner->rule};
        vec_push(b->arena, &control.targets, next);
        inner->skip = (unsigned)b->nfa->controls.count;
        next = nfa_add_control(b, outer, control);
    }
    next = build_finishes(b, w, outer, next);
    if (inner->is_atomic && !outer->is_atomic)
        next = nfa_add_op(b, inner, (op_t){.kind = OP_ATOMIC_END}, next);
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_LOCAL; k++)
            next = nfa_add_op(b, inner, (op_t){.kind = OP_LOCAL_CLOSE, .reg = notes->items[i]->regs.items[k]}, next);
    const note_t *anomaly = nfa_find_note(notes, NOTE_ANOMALY);
    if (anomaly)
        next = nfa_add_op(b, inner, (op_t){.kind = OP_ANOMALY_CLOSE, .depth = outer->depth, .name = anomaly->name}, next);
    const note_t *feed = nfa_find_note(notes, NOTE_FEED);
    unsigned feed_depth = outer->depth + (anomaly ? 1 : 0);
    if (feed)
        next = nfa_add_op(b, inner, (op_t){.kind = OP_FEED_CLOSE, .depth = feed_depth, .feed = nfa_find_feed(b->nfa, feed, notes)},
                          next);
    if (nfa_find_note(notes, NOTE_EMIT))
        next = nfa_add_op(b, inner, (op_t){.kind = OP_CLOSE, .element = inner->element, .depth = inner->depth - 1,
                                       .is_joined = b->nfa->elements.items[inner->element].separator != NULL,
                                       .is_stream = b->nfa->elements.items[inner->element].is_stream}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_EXPECT)
            next = nfa_add_op(b, inner, (op_t){.kind = OP_EXPECT, .expect = notes->items[i]}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_PUSH)
            next = nfa_add_op(b, inner, (op_t){.kind = OP_PUSH, .queue = notes->items[i]->queue, .reg = notes->items[i]->reg,
                                           .key = notes->items[i]->key}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_SET)
            next = nfa_add_op(b, inner, (op_t){.kind = OP_SET, .reg = notes->items[i]->reg, .expr = notes->items[i]->expr,
                                           .is_unique = notes->items[i]->is_unique,
                                           .name = inner->rule ? inner->rule->name : ""}, next);
    return next;
}

/* The operations that open everything around a copy; the outermost is performed first. See note [search]. */
static unsigned build_openings(builder_t *b, const context_t *context, const context_t *around, unsigned next)
{
    for (; context; context = context->parent)
        for (size_t i = context->open_ops.count; i-- > 0;) {
            next = nfa_add(b, NFA_OP, around, NULL, next);
            b->nfa->states.items[next].op = context->open_ops.items[i];
        }
    return next;
}

/* `local`: where the rule opens. */
static void add_saves(builder_t *b, const notes_t *notes, ops_t *opening)
{
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_LOCAL; k++)
            vec_push(b->arena, opening, ((op_t){.kind = OP_LOCAL_OPEN, .reg = notes->items[i]->regs.items[k]}));
}

static void add_reset(builder_t *b, const notes_t *notes, unsigned first, bool is_shared, ops_t *opening)
{
    op_t op = {.kind = OP_RESET, .is_shared = is_shared, .reg_names = ""};
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_RESET; k++) {
            const reg_t *reg = notes->items[i]->regs.items[k];
            if (reg->is_shared != is_shared || reg->index / RESET_SLICE != first / RESET_SLICE || op.regs >> reg->index & 1)
                continue;
            op.reg_names = arena_print(b->arena, "%s%s%s", op.reg_names, op.regs ? " " : "", reg->name);
            op.regs |= (uint64_t)1 << reg->index;
        }
    if (op.regs)
        vec_push(b->arena, opening, op);
}

/* `reset`: one operation for as many registers as it has bits for. */
static void add_resets(builder_t *b, const notes_t *notes, ops_t *opening)
{
    for (unsigned first = 0; first < REGISTERS_MAX; first += RESET_SLICE) {
        add_reset(b, notes, first, false, opening);
        add_reset(b, notes, first, true, opening);
    }
}

/* The operations that open, from the last to the first. They are also noted in `inner`: see note [search]. */
static unsigned build_open(builder_t *b, const wrapped_t *w, const context_t *outer, context_t *inner, unsigned next)
{
    const notes_t *notes = w->notes;
    ops_t opening = {0};
    add_saves(b, notes, &opening);
    add_resets(b, notes, &opening);
    if (nfa_find_note(notes, NOTE_ANOMALY))
        vec_push(b->arena, &opening, ((op_t){.kind = OP_ANOMALY_OPEN, .depth = outer->depth}));
    const note_t *feed = nfa_find_note(notes, NOTE_FEED);
    unsigned feed_depth = outer->depth + (nfa_find_note(notes, NOTE_ANOMALY) ? 1 : 0);
    if (feed)
        vec_push(b->arena, &opening, ((op_t){.kind = OP_FEED_OPEN, .depth = feed_depth,
                                             .feed = nfa_find_feed(b->nfa, feed, notes)}));
    if (nfa_find_note(notes, NOTE_EMIT))
        vec_push(b->arena, &opening, ((op_t){.kind = OP_OPEN, .element = inner->element, .depth = inner->depth - 1,
                                             .is_joined = b->nfa->elements.items[inner->element].separator != NULL,
                                             .is_stream = b->nfa->elements.items[inner->element].is_stream}));
    for (size_t i = opening.count; i-- > 0;)
        next = nfa_add_op(b, inner, opening.items[i], next);
    if (b->resuming && nfa_find_note(notes, NOTE_RESYNC)) {
        next = build_openings(b, b->resuming, inner, next);
        next = nfa_add_op(b, inner, (op_t){.kind = OP_FOUND}, next);
    }
    for (size_t i = 0; i < opening.count; i++) {
        opening.items[i].level = inner->level;
        opening.items[i].is_atomic = true; /* in a copy they are performed with the rule */
        vec_push(b->arena, &inner->open_ops, regop_intern(b->arena, &b->nfa->ops, opening.items[i]));
    }
    if (inner->is_atomic && !outer->is_atomic)
        next = nfa_add_op(b, inner, (op_t){.kind = OP_ATOMIC_BEGIN}, next);
    return next;
}

/* What says where the body ends, or NULL. */
static const note_t *find_extent(const wrapped_t *w)
{
    static const note_kind_t kinds[] = {NOTE_LENGTH, NOTE_UNTIL, NOTE_UNTIL_CLOSE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (nfa_find_note(w->notes, kinds[i]))
            return nfa_find_note(w->notes, kinds[i]);
    return is_count_of_bytes(w) ? nfa_find_note(w->notes, NOTE_COUNT) : NULL; /* each is one: so many bytes */
}

static void add_pieces(builder_t *b, const note_t *until, unsigned skip, control_t *control)
{
    unsigned *most = &b->nfa->until_max;
    control->kind = CONTROL_UNTIL;
    control->skip = skip;
    control->is_line = until->is_line;
    control->pieces = until_pieces(b->arena, until, b->diag);
    *most = until_max(&control->pieces) > *most ? until_max(&control->pieces) : *most;
    for (size_t i = 0; i < control->pieces.count; i++)
        b->nfa->until_is_folded |= !control->pieces.items[i].is_case_sensitive;
}

/* `length`, `until` and `until close`: the body becomes a region of its own, with an end of its own. `skip` is the number of the
 * control point that passes over what ends it. */
static unsigned build_region(builder_t *b, const wrapped_t *w, context_t *around, unsigned skip, unsigned after)
{
    const note_t *extent = find_extent(w);
    if (!extent)
        return build_body(b, w, around, after);
    context_t *inner = nfa_nested(b, around);
    inner->regions++;
    inner->untils += extent->kind == NOTE_UNTIL;
    nfa_note_nest(b, inner);
    unsigned start = build_body(b, w, inner, nfa_add(b, NFA_ACCEPT, inner, NULL, STATE_NONE));
    control_t control = {.kind = extent->expr ? CONTROL_LENGTH : CONTROL_CLOSE, .place = extent->place, .rule = inner->rule,
                         .expr = extent->expr, .is_shared = nfa_is_shared(extent->expr)};
    if (extent->kind == NOTE_UNTIL)
        add_pieces(b, extent, skip, &control);
    vec_push(b->arena, &control.targets, start);
    vec_push(b->arena, &control.targets, after);
    return nfa_add_control(b, around, control);
}

/* `at`: the rule, with all that is said of it, is a region that lies somewhere else. */
static unsigned build_elsewhere(builder_t *b, const wrapped_t *w, const note_t *at, const context_t *outer, unsigned next)
{
    if (!b->is_datagram)
        diag_error(b->diag, at->place, "`at` stands in what `datagram` reads: of a stream, what was before is gone");
    context_t *inner = nfa_nested(b, outer);
    wrapped_t there = *w;
    there.is_there = true;
    inner->regions++;
    nfa_note_nest(b, inner);
    unsigned start = nfa_build_wrapped(b, &there, inner, nfa_add(b, NFA_ACCEPT, inner, NULL, STATE_NONE));
    control_t control = {.kind = CONTROL_AT, .place = at->place, .rule = w->rule ? w->rule : outer->rule, .expr = at->expr,
                         .is_shared = nfa_is_shared(at->expr)};
    vec_push(b->arena, &control.targets, start);
    vec_push(b->arena, &control.targets, next);
    return nfa_add_control(b, outer, control);
}

unsigned nfa_build_wrapped(builder_t *b, const wrapped_t *w, const context_t *outer, unsigned next)
{
    const notes_t *notes = w->notes;
    const note_t *at = nfa_find_note(notes, NOTE_AT);
    if (at && !w->is_there)
        return build_elsewhere(b, w, at, outer, next);
    context_t *inner = open_context(b, w, outer);
    next = nfa_add_scope(b, NFA_LEAVE, outer, inner->scope, next);
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_CUT)
            continue;
        const context_t *scope = outer;
        while (scope && !(note->rule ? scope->rule == note->rule && (!scope->parent || scope->parent->rule != note->rule)
                                     : scope->choice != NULL))
            scope = scope->parent;
        if (!scope) {
            if (note->rule)
                diag_error(b->diag, note->place, "`cut %s`: that rule does not enclose this one", note->rule->name);
            else
                diag_error(b->diag, note->place, "`cut`: no alternation encloses this");
            continue;
        }
        b->nfa->scope_used.items[scope->scope] = true;
        next = nfa_add_scope(b, NFA_CUT, outer, scope->scope, next);
    }
    next = build_close(b, w, outer, inner, next);

    context_t *body = inner;
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->items[i]->kind != NOTE_CONVERT && notes->items[i]->kind != NOTE_PART)
            continue;
        unsigned conversion = nfa_conversion(b, notes->items[i], inner->rule);
        body = nfa_nested(b, body);
        body->conversion = (int)conversion;
        next = nfa_add_op(b, body, (op_t){.kind = OP_CONVERT_CLOSE, .conversion = conversion}, next);
    }
    next = build_region(b, w, body, inner->skip, next);
    for (const context_t *c = body; c != inner; c = c->parent)
        next = nfa_add_op(b, c, (op_t){.kind = OP_CONVERT_OPEN, .conversion = (unsigned)c->conversion}, next);
    next = build_open(b, w, outer, inner, next);

    for (size_t i = notes->count; i-- > 0;) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_POP)
            continue;
        control_t control = {.kind = CONTROL_POP, .place = note->place, .rule = inner->rule, .queue = note->queue,
                             .reg = note->reg, .key = note->key, .is_shared = true};
        vec_push(b->arena, &control.targets, next);
        next = nfa_add_control(b, outer, control);
    }
    return nfa_add_scope(b, NFA_SCOPE, outer, inner->scope, next);
}

unsigned nfa_build_alternative(builder_t *b, const node_t *node, const context_t *outer, unsigned next)
{
    context_t *context = nfa_nested(b, outer);
    vec_push(b->arena, &b->nfa->alternatives, ((alternative_t){.node = node, .choice = outer->choice, .rule = outer->rule}));
    context->alternative = (unsigned)b->nfa->alternatives.count;
    wrapped_t w = {.notes = &node->notes, .body = node};
    bool is_wrapped = false;
    for (size_t i = 0; i < node->notes.count; i++)
        is_wrapped |= node->notes.items[i]->kind != NOTE_WHEN;
    if (!is_wrapped)
        return nfa_build_node(b, node, context, next);
    w.name = node->kind == NODE_RULE ? node->rule->name : NULL;
    return nfa_build_wrapped(b, &w, context, next);
}
