/* nfa.c: grammar → NFA.
 *
 * The graph is built from its end: each builder gets the state that follows and returns the state that begins. Every
 * reference to a rule is written out anew, so that a state knows the whole path of rules around it (context_t): which
 * element it belongs to, how deep it is nested, which conversions are under way. Around the body of an annotated rule or
 * alternative stand its annotations, always in this order:
 *
 *     at(, scope, pop, atomic(, local(, reset, anomaly(, open, convert(, length( BODY ), )convert, set, push, close, )anomaly,
 *     )local, )atomic, skip, become, cut, leave, )at
 *
 * so that a register has its value when the element that sets it is reported.
 *
 * note [call]: a rule that contains itself cannot be written out. So one rule of each cycle (is_called) is written out once where
 * it is met first, and references inside it become control points that call: what follows is remembered on a stack, and the
 * rule, built once more, returns to it. What begins like it is thus told from it byte by byte, as long as it is not nested. A
 * call with nothing behind it but a return is a jump.
 *
 * note [repeat]: how often something other than a class of bytes has been repeated is counted on the stack, if the number is the
 * input's (`count`) or if it is large. Between two rounds stands a control point, which knows whether there must be another,
 * may be, or is not:
 *
 *     REPEAT -> AGAIN -must-> body -> AGAIN        DONE -> what follows
 *                     -may--> body / DONE
 *                     -no---> DONE
 *
 * note [search]: after an error the parser looks for a `resync` rule, at one offset after the other. For that there is a second
 * start: a copy of the rule, in the elements in which it stands normally, which are opened as if they had been read. The
 * rule is atomic, so nothing happens unless it matches; then OP_FOUND, the first on its list, reports what was skipped, and
 * the normal graph goes on. Where the copy fails the driver begins anew, at the byte that did not fit. */
#include "nfa.h"

#include "until.h"

#define STATES_MAX 400000u
#define REGISTERS_MAX 64u /* bits of a parser's set of registers */
#define DEPTH_MAX 200u
#define ELEMENTS_MAX 5000u
#define UNROLLED_MAX 8u /* larger repeats of one class of bytes are counted */
#define WRITTEN_MAX 1000u /* states: other repeats are counted if they would be more */
#define FALLBACK_MAX 4u /* fallbacks within fallbacks; QCAP_MARKS in parser.h */

/* An occurrence of a rule that parsing can resume at. */
typedef struct resume {
    const rule_t *rule;
    const context_t *context; /* around it */
    unsigned next;
} resume_t;

typedef struct builder {
    nfa_t *nfa;
    arena_t *arena;
    diag_t *diag;
    size_t built;          /* procedures that have a body; others are built in turn */
    VEC(resume_t) resumes; /* of the root being built */
    const repeats_t *unrolled; /* repeats that are not to be counted; NULL: none is */
    const context_t *resuming; /* a copy to search for is being built: what to open first; see note [search] */
    unsigned *sizes;       /* of rules by index: see size_of() */
    bool is_datagram;          /* the root being built reads datagrams */
    bool is_fed;               /* or a sub-stream */
    const node_t *root;        /* that one */
    bool is_too_large;
} builder_t;

static unsigned build_node(builder_t *b, const node_t *node, const context_t *context, unsigned next);
static unsigned build_rule(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next);
static unsigned build_call(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next);
static unsigned build_counted(builder_t *b, const node_t *node, const note_t *count, const context_t *around, unsigned next);

/* ---------------------------------------------------------------- states */

static unsigned add(builder_t *b, nfa_kind_t kind, const context_t *context, const node_t *node, unsigned next)
{
    nfa_state_t state = {.kind = kind, .context = context, .node = node, .next = next};
    const unsigned most = grammar_bound(b->nfa->grammar, STATES_MAX);
    if (b->nfa->states.count >= most) {
        const rule_t *rule = context->rule;
        if (!rule && context->procedure < b->nfa->procedures.count)
            rule = b->nfa->procedures.items[context->procedure].rule;
        if (!b->is_too_large)
            diag_error(b->diag, rule ? rule->place : (place_t){0},
                       "the grammar is too large here: more than %u states when written out", most);
        b->is_too_large = true;
        return 0;
    }
    vec_push(b->arena, &b->nfa->states, state);
    return (unsigned)b->nfa->states.count - 1;
}

static unsigned add_op(builder_t *b, const context_t *context, op_t op, unsigned next)
{
    op.level = context->level;
    op.is_atomic = context->is_atomic;
    unsigned state = add(b, NFA_OP, context, NULL, next);
    b->nfa->states.items[state].op = regop_intern(b->arena, &b->nfa->ops, op);
    return state;
}

static unsigned add_scope(builder_t *b, nfa_kind_t kind, const context_t *context, unsigned scope, unsigned next)
{
    unsigned state = add(b, kind, context, NULL, next);
    b->nfa->states.items[state].scope = scope;
    return state;
}

static unsigned add_control(builder_t *b, const context_t *context, control_t control)
{
    if (context->is_atomic && control.kind != CONTROL_CALL && control.kind != CONTROL_RETURN)
        diag_error(b->diag, control.place, "a control point inside an atomic rule: nothing takes effect before that ends");
    vec_push(b->arena, &b->nfa->controls, control);
    unsigned state = add(b, NFA_CONTROL, context, NULL, STATE_NONE);
    b->nfa->states.items[state].control = (unsigned)b->nfa->controls.count - 1;
    return state;
}

static context_t *nested(builder_t *b, const context_t *parent)
{
    context_t *context = ARENA_NEW(b->arena, context_t);
    if (parent) {
        context->rule = parent->rule;
        context->element = parent->element;
        context->depth = parent->depth;
        context->regions = parent->regions;
        context->repeats = parent->repeats;
        context->procedure = parent->procedure;
        context->level = parent->level;
        context->saved = parent->saved;
        context->guard = parent->guard;
        context->is_stream = parent->is_stream;
        context->is_atomic = parent->is_atomic;
    } else {
        context->element = ELEMENT_NONE;
        context->procedure = PROCEDURE_NONE;
    }
    context->parent = parent;
    context->conversion = -1;
    vec_push(b->arena, &b->nfa->scope_used, false);
    context->scope = (unsigned)b->nfa->scope_used.count - 1;
    return context;
}

/* The context of a reading that has a fallback. */
static context_t *guard(builder_t *b, const context_t *parent)
{
    context_t *guarded = nested(b, parent);
    guarded->level++;
    guarded->guard = guarded;
    return guarded;
}

/* ---------------------------------------------------------------- elements and conversions */

static unsigned element_find(const nfa_t *nfa, unsigned parent, const char *name)
{
    for (unsigned i = 0; i < nfa->elements.count; i++)
        if (nfa->elements.items[i].parent == parent && strcmp(nfa->elements.items[i].name, name) == 0)
            return i;
    return ELEMENT_NONE;
}

static unsigned element_intern(builder_t *b, unsigned parent, const char *name)
{
    unsigned found = element_find(b->nfa, parent, name);
    if (found != ELEMENT_NONE)
        return found;
    if (b->nfa->elements.count == ELEMENTS_MAX && !b->is_too_large) {
        diag_error(b->diag, (place_t){0}, "more than %u elements; `%s` is among the last", ELEMENTS_MAX, name);
        b->is_too_large = true;
    }
    element_t element = {.name = name, .parent = parent, .selector = ELEMENT_NONE};
    vec_push(b->arena, &b->nfa->elements, element);
    return (unsigned)b->nfa->elements.count - 1;
}

static unsigned text_size_of(const conversion_t *conversion)
{
    unsigned longest = 0;
    switch (conversion->kind) {
    case CONVERT_KEYWORD:
        for (size_t i = 0; i < conversion->keywords.count; i++)
            if (strlen(conversion->keywords.items[i]) > longest)
                longest = (unsigned)strlen(conversion->keywords.items[i]);
        return longest;
    case CONVERT_JOIN: /* one more shows that there are too many */
        return JOINED_MAX + 1;
    case CONVERT_BYTES: /* likewise */
        return conversion->reg->size + 1;
    case CONVERT_UNQUOTE: /* likewise, each behind a backslash, and the quote before them */
        return 2 * (conversion->reg->size + 1) + 1;
    default:
        return 0;
    }
}

static unsigned conversion_intern(builder_t *b, const note_t *note, const rule_t *rule)
{
    nfa_t *nfa = b->nfa;
    for (unsigned i = 0; i < nfa->conversions.count; i++) {
        const conversion_t *c = &nfa->conversions.items[i];
        if (c->reg == note->reg && c->kind == note->convert->kind && c->is_unique == note->is_unique && c->rule == rule)
            return i;
    }
    conversion_t conversion = {.kind = note->convert->kind, .reg = note->reg, .is_unique = note->is_unique, .rule = rule};
    for (size_t i = 0; note->reg && i < note->reg->keywords.count; i++)
        vec_push(b->arena, &conversion.keywords, note->reg->keywords.items[i]);
    b->nfa->has_joined |= note->kind == NOTE_PART;
    conversion.text_size = text_size_of(&conversion);
    vec_push(b->arena, &nfa->conversions, conversion);
    return (unsigned)nfa->conversions.count - 1;
}

static const note_t *find_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

/* The name under which a rule is emitted, or NULL. */
static const char *emitted_name(const rule_t *rule)
{
    const note_t *emit = find_note(&rule->notes, NOTE_EMIT);
    if (!emit)
        return NULL;
    return emit->name ? emit->name : rule->name;
}

/* ---------------------------------------------------------------- sub-streams */

/* A `feed` or `finish` means this sub-stream, as far as its name says. */
static bool is_fed_by(const feed_t *feed, const note_t *note)
{
    return note->rule ? feed->rule == note->rule : !feed->rule && strcmp(feed->protocol, note->name) == 0;
}

/* Is it decoded as the notes say? */
static bool is_decoded_by(const feed_t *feed, const notes_t *notes)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_DECODE)
            continue;
        const note_t *decoder = count < feed->decoders.count ? feed->decoders.items[count] : NULL;
        if (!decoder || decoder->reg != note->reg || !decoder->name != !note->name ||
            (note->name && strcmp(decoder->name, note->name) != 0))
            return false;
        count++;
    }
    return count == feed->decoders.count;
}

static unsigned find_feed(const nfa_t *nfa, const note_t *note, const notes_t *notes)
{
    unsigned i = 0;
    for (; i < nfa->feeds.count; i++) {
        const feed_t *feed = &nfa->feeds.items[i];
        if (feed->is_datagram == note->is_datagram && is_fed_by(feed, note) && is_decoded_by(feed, notes))
            break;
    }
    return i;
}

static void add_feed(builder_t *b, const notes_t *notes)
{
    const note_t *note = find_note(notes, NOTE_FEED);
    if (!note || find_feed(b->nfa, note, notes) < b->nfa->feeds.count)
        return;
    feed_t feed = {.rule = note->rule, .protocol = note->name, .is_datagram = note->is_datagram, .start = STATE_NONE,
                   .search = STATE_NONE};
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_DECODE)
            vec_push(b->arena, &feed.decoders, notes->items[i]);
    vec_push(b->arena, &b->nfa->feeds, feed);
}

/* All sub-streams, before anything is built: what ends with a message depends on what is in it. */
static void find_feeds(builder_t *b)
{
    for (size_t i = 0; i < b->nfa->grammar->rules.count; i++) {
        const rule_t *rule = b->nfa->grammar->rules.items[i];
        add_feed(b, &rule->notes);
        for (size_t k = 0; k < rule->body->children.count; k++)
            add_feed(b, &rule->body->children.items[k]->notes);
    }
}

/* A search for what feeds a sub-stream, or finishes it. */
typedef struct search {
    const nfa_t *nfa;
    const feed_t *feed;
    note_kind_t kind; /* NOTE_FEED or NOTE_FINISH */
    bool *is_seen;    /* rules by index */
} search_t;

static bool is_found_in(search_t *search, const node_t *node);

static bool is_found_among(search_t *search, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == search->kind && is_fed_by(search->feed, note) &&
            (note->kind == NOTE_FINISH || &search->nfa->feeds.items[find_feed(search->nfa, note, notes)] == search->feed))
            return true;
        for (size_t k = 0; k < note->entries.count; k++) {
            const node_t reference = {.kind = NODE_RULE, .rule = note->entries.items[k].rule};
            if (is_found_in(search, &reference))
                return true;
        }
    }
    return false;
}

static bool is_found_in(search_t *search, const node_t *node)
{
    if (is_found_among(search, &node->notes))
        return true;
    if (node->kind == NODE_RULE && !search->is_seen[node->rule->index]) {
        search->is_seen[node->rule->index] = true;
        return is_found_among(search, &node->rule->notes) || is_found_in(search, node->rule->body);
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (is_found_in(search, node->children.items[i]))
            return true;
    return false;
}

/* Can reading the node feed the sub-stream, or finish it? */
static bool is_within(const builder_t *b, const node_t *node, note_kind_t kind, const feed_t *feed)
{
    search_t search = {b->nfa, feed, kind, ARENA_ARRAY(b->arena, bool, b->nfa->grammar->rules.count + 1)};
    return is_found_in(&search, node);
}

/* ---------------------------------------------------------------- expressions */

static bool is_shared_expr(const expr_t *expr)
{
    if (!expr)
        return false;
    return (expr->reg && expr->reg->is_shared) || is_shared_expr(expr->left) || is_shared_expr(expr->right);
}

/* ---------------------------------------------------------------- bodies */

/* The bytes that a string's byte i stands for. */
static charset_t byte_set(const node_t *node, size_t i)
{
    unsigned byte = (unsigned char)node->text[i];
    charset_t set = charset_range(byte, byte);
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    if (is_letter && !node->is_case_sensitive)
        set = charset_union(set, charset_range(byte ^ 0x20u, byte ^ 0x20u));
    return set;
}

static unsigned build_string(builder_t *b, const node_t *node, const context_t *context, unsigned next)
{
    for (size_t i = node->len; i-- > 0;) {
        next = add(b, NFA_BYTE, context, node, next);
        b->nfa->states.items[next].set = byte_set(node, i);
    }
    return next;
}

static bool is_unrolled(const builder_t *b, const node_t *node)
{
    for (size_t i = 0; b->unrolled && i < b->unrolled->count; i++)
        if (b->unrolled->items[i] == node)
            return true;
    return !b->unrolled;
}

/* `count` bytes of a class that a repeat goes through, or (is_optional) at most so many: see note [counter]. */
static unsigned build_count(builder_t *b, const node_t *node, const charset_t *set, unsigned count, bool is_optional,
                            const context_t *context, unsigned next)
{
    unsigned state = add(b, NFA_COUNT, context, node, next);
    b->nfa->states.items[state].set = *set;
    b->nfa->states.items[state].limit = count;
    b->nfa->states.items[state].is_optional = is_optional;
    return state;
}

/* X X X */
static unsigned build_copies(builder_t *b, const node_t *node, unsigned count, const context_t *context, unsigned next)
{
    charset_t set;
    if (count > UNROLLED_MAX && nfa_set_of(node->children.items[0], &set) && !is_unrolled(b, node))
        return build_count(b, node, &set, count, false, context, next);
    for (; count > 0 && !b->is_too_large; count--)
        next = build_node(b, node->children.items[0], context, next);
    return next;
}

/* [ X [ X [ X ] ] ] */
static unsigned build_options(builder_t *b, const node_t *node, unsigned count, const context_t *context, unsigned next)
{
    const unsigned exit = next;
    charset_t set;
    if (count > UNROLLED_MAX && nfa_set_of(node->children.items[0], &set) && !is_unrolled(b, node))
        return build_count(b, node, &set, count, true, context, next);
    for (; count > 0 && !b->is_too_large; count--) {
        unsigned body = build_node(b, node->children.items[0], context, next);
        unsigned split = add(b, NFA_SPLIT, context, node, STATE_NONE);
        if (b->is_too_large)
            return exit;
        vec_push(b->arena, &b->nfa->states.items[split].branches, body);
        vec_push(b->arena, &b->nfa->states.items[split].branches, exit);
        next = split;
    }
    return next;
}

/* About how many states the node is, written out; no more than one above WRITTEN_MAX. */
static unsigned size_of(builder_t *b, const node_t *node)
{
    uint64_t size = node->kind == NODE_STRING ? node->len : 1;
    charset_t set;
    for (size_t i = 0; i < node->children.count; i++)
        size += size_of(b, node->children.items[i]);
    if (node->kind == NODE_REPEAT && !nfa_set_of(node->children.items[0], &set))
        size *= node->max == REPEAT_UNBOUNDED ? node->min + 1 : node->max;
    if (node->kind == NODE_RULE && !node->rule->is_called) {
        unsigned *known = &b->sizes[node->rule->index];
        *known = *known ? *known : size_of(b, node->rule->body);
        size = *known;
    }
    return size > WRITTEN_MAX ? WRITTEN_MAX + 1 : (unsigned)size;
}

/* Would it be too large, written out? Where control points cannot stand it must be. */
static bool is_counted(builder_t *b, const node_t *node, const context_t *context)
{
    charset_t set;
    bool has_conversion = false;
    for (const context_t *c = context; c; c = c->parent)
        has_conversion |= c->conversion >= 0;
    if (node->max == REPEAT_UNBOUNDED || node->max <= UNROLLED_MAX || context->is_atomic || context->level > 0 || has_conversion ||
        is_unrolled(b, node) || nfa_set_of(node->children.items[0], &set))
        return false;
    return size_of(b, node) > WRITTEN_MAX;
}

static unsigned build_repeat(builder_t *b, const node_t *node, const context_t *context, unsigned next)
{
    const node_t *child = node->children.items[0];
    unsigned copies = node->min;
    if (is_counted(b, node, context))
        return build_counted(b, node, NULL, context, next);
    if (node->max == REPEAT_UNBOUNDED) {
        unsigned loop = add(b, NFA_SPLIT, context, node, STATE_NONE);
        unsigned body = build_node(b, child, context, loop);
        if (b->is_too_large)
            return next;
        vec_push(b->arena, &b->nfa->states.items[loop].branches, body);
        vec_push(b->arena, &b->nfa->states.items[loop].branches, next);
        next = loop;
        if (copies > 0) { /* 1*X: the loop's own body is the last of the copies */
            next = body;
            copies--;
        }
    } else {
        next = build_options(b, node, node->max - node->min, context, next);
    }
    return build_copies(b, node, copies, context, next);
}

static nest_t *nest_of(builder_t *b, const context_t *context)
{
    return context->procedure == PROCEDURE_NONE ? &b->nfa->nest : &b->nfa->call_nest;
}

static control_t repeat_control(control_kind_t kind, const node_t *node, const note_t *count, const context_t *context)
{
    return (control_t){.kind = kind, .place = count ? count->place : node->place, .rule = context->rule, .repeat = node,
                       .expr = count ? count->expr : NULL};
}

/* See note [repeat]. `count` is NULL if the repeat's own bounds say how often. */
static unsigned build_counted(builder_t *b, const node_t *node, const note_t *count, const context_t *around, unsigned next)
{
    context_t *context = nested(b, around);
    nest_t *nest = nest_of(b, context);
    context->repeats++;
    nest->repeats = context->repeats > nest->repeats ? context->repeats : nest->repeats;

    control_t done = repeat_control(CONTROL_DONE, node, count, context);
    vec_push(b->arena, &done.targets, next);
    unsigned end = add_control(b, context, done);
    unsigned again = add_control(b, context, repeat_control(CONTROL_AGAIN, node, count, context));
    unsigned must = build_node(b, node->children.items[0], context, again), may = end;
    if (b->is_too_large)
        return next;
    if (!count) {
        may = add(b, NFA_SPLIT, context, node, STATE_NONE);
        vec_push(b->arena, &b->nfa->states.items[may].branches, must);
        vec_push(b->arena, &b->nfa->states.items[may].branches, end);
    }
    control_t *control = &b->nfa->controls.items[b->nfa->states.items[again].control];
    vec_push(b->arena, &control->targets, must);
    vec_push(b->arena, &control->targets, may);
    vec_push(b->arena, &control->targets, end);
    control_t repeat = repeat_control(CONTROL_REPEAT, node, count, context);
    repeat.is_shared = count && is_shared_expr(count->expr);
    vec_push(b->arena, &repeat.targets, again);
    return add_control(b, context, repeat);
}

/* Everything that `notes` put around a body; `body` is built by build_body. */
typedef struct wrapped {
    const notes_t *notes;
    const char *name; /* under which a bare `emit` reports it */
    const node_t *body;
    const rule_t *rule;          /* the rule whose body it is; NULL for an alternative */
    const refine_entry_t *entry; /* how a refined VALUE is read; NULL: by its own body */
    const node_t *reference;     /* the node that refers to the rule */
    bool is_there;               /* `at` has been seen to */
} wrapped_t;

static unsigned build_wrapped(builder_t *b, const wrapped_t *w, const context_t *outer, unsigned next);

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

/* The context of the body: one link for what is opened, and one for each conversion. */
static context_t *open_context(builder_t *b, const wrapped_t *w, const context_t *outer)
{
    context_t *inner = nested(b, outer);
    nest_t *nest = nest_of(b, inner);
    if (w->rule) {
        inner->rule = w->rule;
        inner->reference = w->reference;
    }
    for (size_t i = 0; i < w->notes->count; i++) {
        const note_t *note = w->notes->items[i];
        if (note->kind == NOTE_ANOMALY)
            inner->depth++;
        for (size_t k = 0; k < note->regs.count && note->kind == NOTE_LOCAL; k++)
            inner->saved += saved_words(note->regs.items[k]);
    }
    nest->saved = inner->saved > nest->saved ? inner->saved : nest->saved;
    inner->is_atomic |= find_note(w->notes, NOTE_ATOMIC) || find_note(w->notes, NOTE_RESYNC);
    const note_t *feed = find_note(w->notes, NOTE_FEED);
    if (feed && inner->is_stream)
        diag_error(b->diag, feed->place, "`feed` inside a stream element, or inside another `feed`");
    const note_t *emit = find_note(w->notes, NOTE_EMIT);
    if (emit && emit->is_stream && inner->is_stream)
        diag_error(b->diag, emit->place, "`emit stream` inside another stream element");
    if (emit) {
        inner->element = element_intern(b, outer->element, emit->name ? emit->name : w->name);
        shape_element(b, emit, inner);
        inner->depth++;
        inner->is_stream |= emit->is_stream;
    }
    inner->depth += feed != NULL;
    inner->is_stream |= feed != NULL;
    nest->depth = inner->depth > nest->depth ? inner->depth : nest->depth;
    return inner;
}

static unsigned build_sequence_from(builder_t *b, const node_t *node, size_t first, const note_t *refinement,
                                    const refine_entry_t *entry, const context_t *context, unsigned next);

/* VALUE can be selected by the text of NAME. */
static void note_selector(builder_t *b, const note_t *note, const context_t *context)
{
    const char *by = emitted_name(note->by), *value = emitted_name(note->value);
    if (!by || !value)
        return;
    unsigned element = element_intern(b, context->element, value);
    unsigned selector = element_intern(b, context->element, by);
    b->nfa->elements.items[element].selector = selector;
}

/* NAME ... VALUE: what stands behind NAME is built once for each listed name and once for all others; a control point
 * where NAME ends chooses. Its conversion recognises the listed names. */
/* The first entry that reads VALUE in the same way as entry `i`; it may be that one. */
static size_t find_alike(const note_t *note, size_t i)
{
    const refine_entry_t *entries = note->entries.items;
    size_t k = 0;
    while (k < i && (entries[k].rule != entries[i].rule || entries[k].is_strict != entries[i].is_strict))
        k++;
    return k;
}

static unsigned build_refined(builder_t *b, const node_t *body, const note_t *note, const context_t *context,
                              unsigned next)
{
    nfa_t *nfa = b->nfa;
    note_selector(b, note, context);
    if (note->entries.count == 0)
        return build_node(b, body, context, next);
    size_t by = 0;
    while (by < body->children.count && body->children.items[by]->rule != note->by)
        by++;

    conversion_t conversion = {.kind = CONVERT_KEYWORD, .rule = note->by};
    control_t control = {.kind = CONTROL_REFINE, .place = note->place, .rule = context->rule};
    vec_push(b->arena, &control.targets, build_sequence_from(b, body, by + 1, NULL, NULL, context, next));
    for (size_t i = 0; i < note->entries.count; i++) {
        const refine_entry_t *entry = &note->entries.items[i];
        vec_push(b->arena, &conversion.keywords, entry->name);
        const size_t alike = find_alike(note, i);
        vec_push(b->arena, &control.targets,
                 alike < i ? control.targets.items[1 + alike]
                           : build_sequence_from(b, body, by + 1, note, entry, context, next));
    }
    conversion.text_size = text_size_of(&conversion);
    vec_push(b->arena, &nfa->conversions, conversion);
    control.conversion = (unsigned)nfa->conversions.count - 1;

    unsigned chosen = add_control(b, context, control);
    context_t *named = nested(b, context);
    named->conversion = (int)control.conversion;
    chosen = add_op(b, named, (op_t){.kind = OP_CONVERT_CLOSE, .conversion = control.conversion}, chosen);
    unsigned name = build_node(b, body->children.items[by], named, chosen);
    name = add_op(b, named, (op_t){.kind = OP_CONVERT_OPEN, .conversion = control.conversion}, name);
    for (size_t i = by; i-- > 0;)
        name = build_node(b, body->children.items[i], context, name);
    return name;
}

/* `count` of a repeat of one class of bytes. */
static bool is_count_of_bytes(const wrapped_t *w)
{
    charset_t set;
    return find_note(w->notes, NOTE_COUNT) && w->body->kind == NODE_REPEAT && nfa_set_of(w->body->children.items[0], &set);
}

static unsigned build_body(builder_t *b, const wrapped_t *w, context_t *context, unsigned next)
{
    const note_t *refine = find_note(w->notes, NOTE_REFINE);
    if (refine)
        return build_refined(b, w->body, refine, context, next);
    const note_t *count = find_note(w->notes, NOTE_COUNT);
    if (count && !is_count_of_bytes(w))
        return build_counted(b, w->body, count, context, next);
    if (!w->entry)
        return build_node(b, w->body, context, next);
    if (w->entry->is_strict)
        return build_rule(b, w->entry->rule, NULL, context, next);

    const context_t *guarded = guard(b, context);
    unsigned own = build_node(b, w->body, context, next);
    unsigned refined = build_rule(b, w->entry->rule, NULL, guarded, next);
    unsigned state = add(b, NFA_FALLBACK, context, w->body, refined);
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
        bool is_meant = is_message && is_within(b, &message, NOTE_FEED, feed) && !is_within(b, b->root, NOTE_FINISH, feed);
        for (size_t k = 0; k < w->notes->count && !is_meant; k++)
            is_meant = w->notes->items[k]->kind == NOTE_FINISH && is_fed_by(feed, w->notes->items[k]);
        if (is_meant)
            next = add_op(b, outer, (op_t){.kind = OP_FINISH, .feed = i}, next);
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
                                 .reg = note->reg};
            vec_push(b->arena, &control.targets, next);
            next = add_control(b, outer, control);
        }
    }
    const note_t *until = find_note(notes, NOTE_UNTIL);
    if (until) {
        control_t control = {.kind = CONTROL_SKIP, .place = until->place, .rule = inner->rule};
        vec_push(b->arena, &control.targets, next);
        inner->skip = (unsigned)b->nfa->controls.count;
        next = add_control(b, outer, control);
    }
    next = build_finishes(b, w, outer, next);
    if (inner->is_atomic && !outer->is_atomic)
        next = add_op(b, inner, (op_t){.kind = OP_ATOMIC_END}, next);
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == NOTE_LOCAL; k++)
            next = add_op(b, inner, (op_t){.kind = OP_LOCAL_CLOSE, .reg = notes->items[i]->regs.items[k]}, next);
    const note_t *anomaly = find_note(notes, NOTE_ANOMALY);
    if (anomaly)
        next = add_op(b, inner, (op_t){.kind = OP_ANOMALY_CLOSE, .depth = outer->depth, .name = anomaly->name}, next);
    const note_t *feed = find_note(notes, NOTE_FEED);
    unsigned feed_depth = outer->depth + (anomaly ? 1 : 0);
    if (feed)
        next = add_op(b, inner, (op_t){.kind = OP_FEED_CLOSE, .depth = feed_depth, .feed = find_feed(b->nfa, feed, notes)},
                      next);
    if (find_note(notes, NOTE_EMIT))
        next = add_op(b, inner, (op_t){.kind = OP_CLOSE, .element = inner->element, .depth = inner->depth - 1,
                                       .is_joined = b->nfa->elements.items[inner->element].separator != NULL,
                                       .is_stream = b->nfa->elements.items[inner->element].is_stream}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_EXPECT)
            next = add_op(b, inner, (op_t){.kind = OP_EXPECT, .expect = notes->items[i]}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_PUSH)
            next = add_op(b, inner, (op_t){.kind = OP_PUSH, .queue = notes->items[i]->queue, .reg = notes->items[i]->reg,
                                           .key = notes->items[i]->key}, next);
    for (size_t i = notes->count; i-- > 0;)
        if (notes->items[i]->kind == NOTE_SET)
            next = add_op(b, inner, (op_t){.kind = OP_SET, .reg = notes->items[i]->reg, .expr = notes->items[i]->expr,
                                           .is_unique = notes->items[i]->is_unique,
                                           .name = inner->rule ? inner->rule->name : ""}, next);
    return next;
}

/* The operations that open everything around a copy; the outermost is performed first. See note [search]. */
static unsigned build_openings(builder_t *b, const context_t *context, const context_t *around, unsigned next)
{
    for (; context; context = context->parent)
        for (size_t i = context->open_ops.count; i-- > 0;) {
            next = add(b, NFA_OP, around, NULL, next);
            b->nfa->states.items[next].op = context->open_ops.items[i];
        }
    return next;
}

/* Adds what a kind of note does to its registers where the rule opens. */
static void add_openings(builder_t *b, const notes_t *notes, note_kind_t note, op_kind_t op, ops_t *opening)
{
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == note; k++)
            vec_push(b->arena, opening, ((op_t){.kind = op, .reg = notes->items[i]->regs.items[k]}));
}

/* The operations that open, from the last to the first. They are also noted in `inner`: see note [search]. */
static unsigned build_open(builder_t *b, const wrapped_t *w, const context_t *outer, context_t *inner, unsigned next)
{
    const notes_t *notes = w->notes;
    ops_t opening = {0};
    add_openings(b, notes, NOTE_LOCAL, OP_LOCAL_OPEN, &opening);
    add_openings(b, notes, NOTE_RESET, OP_RESET, &opening);
    if (find_note(notes, NOTE_ANOMALY))
        vec_push(b->arena, &opening, ((op_t){.kind = OP_ANOMALY_OPEN, .depth = outer->depth}));
    const note_t *feed = find_note(notes, NOTE_FEED);
    unsigned feed_depth = outer->depth + (find_note(notes, NOTE_ANOMALY) ? 1 : 0);
    if (feed)
        vec_push(b->arena, &opening, ((op_t){.kind = OP_FEED_OPEN, .depth = feed_depth,
                                             .feed = find_feed(b->nfa, feed, notes)}));
    if (find_note(notes, NOTE_EMIT))
        vec_push(b->arena, &opening, ((op_t){.kind = OP_OPEN, .element = inner->element, .depth = inner->depth - 1,
                                             .is_joined = b->nfa->elements.items[inner->element].separator != NULL,
                                             .is_stream = b->nfa->elements.items[inner->element].is_stream}));
    for (size_t i = opening.count; i-- > 0;)
        next = add_op(b, inner, opening.items[i], next);
    if (b->resuming && find_note(notes, NOTE_RESYNC)) {
        next = build_openings(b, b->resuming, inner, next);
        next = add_op(b, inner, (op_t){.kind = OP_FOUND}, next);
    }
    for (size_t i = 0; i < opening.count; i++) {
        opening.items[i].level = inner->level;
        opening.items[i].is_atomic = true; /* in a copy they are performed with the rule */
        vec_push(b->arena, &inner->open_ops, regop_intern(b->arena, &b->nfa->ops, opening.items[i]));
    }
    if (inner->is_atomic && !outer->is_atomic)
        next = add_op(b, inner, (op_t){.kind = OP_ATOMIC_BEGIN}, next);
    return next;
}

/* What says where the body ends, or NULL. */
static const note_t *find_extent(const wrapped_t *w)
{
    static const note_kind_t kinds[] = {NOTE_LENGTH, NOTE_UNTIL, NOTE_UNTIL_CLOSE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (find_note(w->notes, kinds[i]))
            return find_note(w->notes, kinds[i]);
    return is_count_of_bytes(w) ? find_note(w->notes, NOTE_COUNT) : NULL; /* each is one: so many bytes */
}

static void add_pieces(builder_t *b, const note_t *until, unsigned skip, control_t *control)
{
    unsigned *most = &b->nfa->until_max;
    control->kind = CONTROL_UNTIL;
    control->skip = skip;
    control->is_line = until->is_line;
    control->pieces = until_pieces(b->arena, until, b->diag);
    *most = until_max(&control->pieces) > *most ? until_max(&control->pieces) : *most;
}

/* `length`, `until` and `until close`: the body becomes a region of its own, with an end of its own. `skip` is the number of the
 * control point that passes over what ends it. */
static unsigned build_region(builder_t *b, const wrapped_t *w, context_t *around, unsigned skip, unsigned after)
{
    const note_t *extent = find_extent(w);
    if (!extent)
        return build_body(b, w, around, after);
    context_t *inner = nested(b, around);
    nest_t *nest = nest_of(b, inner);
    inner->regions++;
    nest->regions = inner->regions > nest->regions ? inner->regions : nest->regions;
    unsigned start = build_body(b, w, inner, add(b, NFA_ACCEPT, inner, NULL, STATE_NONE));
    control_t control = {.kind = extent->expr ? CONTROL_LENGTH : CONTROL_CLOSE, .place = extent->place, .rule = inner->rule,
                         .expr = extent->expr, .is_shared = is_shared_expr(extent->expr)};
    if (extent->kind == NOTE_UNTIL)
        add_pieces(b, extent, skip, &control);
    vec_push(b->arena, &control.targets, start);
    vec_push(b->arena, &control.targets, after);
    return add_control(b, around, control);
}

/* `at`: the rule, with all that is said of it, is a region that lies somewhere else. */
static unsigned build_elsewhere(builder_t *b, const wrapped_t *w, const note_t *at, const context_t *outer, unsigned next)
{
    if (!b->is_datagram)
        diag_error(b->diag, at->place, "`at` stands in what `datagram` reads: of a stream, what was before is gone");
    context_t *inner = nested(b, outer);
    nest_t *nest = nest_of(b, inner);
    wrapped_t there = *w;
    there.is_there = true;
    inner->regions++;
    nest->regions = inner->regions > nest->regions ? inner->regions : nest->regions;
    unsigned start = build_wrapped(b, &there, inner, add(b, NFA_ACCEPT, inner, NULL, STATE_NONE));
    control_t control = {.kind = CONTROL_AT, .place = at->place, .rule = w->rule ? w->rule : outer->rule, .expr = at->expr,
                         .is_shared = is_shared_expr(at->expr)};
    vec_push(b->arena, &control.targets, start);
    vec_push(b->arena, &control.targets, next);
    return add_control(b, outer, control);
}

static unsigned build_wrapped(builder_t *b, const wrapped_t *w, const context_t *outer, unsigned next)
{
    const notes_t *notes = w->notes;
    const note_t *at = find_note(notes, NOTE_AT);
    if (at && !w->is_there)
        return build_elsewhere(b, w, at, outer, next);
    context_t *inner = open_context(b, w, outer);
    next = add_scope(b, NFA_LEAVE, outer, inner->scope, next);
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_CUT)
            continue;
        const context_t *scope = outer;
        while (scope && !(note->rule ? scope->rule == note->rule && (!scope->parent || scope->parent->rule != note->rule)
                                     : scope->choice != NULL))
            scope = scope->parent;
        if (!scope) {
            diag_error(b->diag, note->place, note->rule ? "`cut %s`: that rule does not enclose this one"
                                                        : "`cut`: no alternation encloses this", note->rule ? note->rule->name : "");
            continue;
        }
        b->nfa->scope_used.items[scope->scope] = true;
        next = add_scope(b, NFA_CUT, outer, scope->scope, next);
    }
    next = build_close(b, w, outer, inner, next);

    context_t *body = inner;
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->items[i]->kind != NOTE_CONVERT && notes->items[i]->kind != NOTE_PART)
            continue;
        unsigned conversion = conversion_intern(b, notes->items[i], inner->rule);
        body = nested(b, body);
        body->conversion = (int)conversion;
        next = add_op(b, body, (op_t){.kind = OP_CONVERT_CLOSE, .conversion = conversion}, next);
    }
    next = build_region(b, w, body, inner->skip, next);
    for (const context_t *c = body; c != inner; c = c->parent)
        next = add_op(b, c, (op_t){.kind = OP_CONVERT_OPEN, .conversion = (unsigned)c->conversion}, next);
    next = build_open(b, w, outer, inner, next);

    for (size_t i = notes->count; i-- > 0;) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_POP)
            continue;
        control_t control = {.kind = CONTROL_POP, .place = note->place, .rule = inner->rule, .queue = note->queue,
                             .reg = note->reg, .key = note->key, .is_shared = true};
        vec_push(b->arena, &control.targets, next);
        next = add_control(b, outer, control);
    }
    return add_scope(b, NFA_SCOPE, outer, inner->scope, next);
}

static unsigned build_alternative(builder_t *b, const node_t *node, const context_t *outer, unsigned next)
{
    context_t *context = nested(b, outer);
    vec_push(b->arena, &b->nfa->alternatives, ((alternative_t){.node = node, .choice = outer->choice, .rule = outer->rule}));
    context->alternative = (unsigned)b->nfa->alternatives.count;
    wrapped_t w = {.notes = &node->notes, .body = node};
    bool is_wrapped = false;
    for (size_t i = 0; i < node->notes.count; i++)
        is_wrapped |= node->notes.items[i]->kind != NOTE_WHEN;
    if (!is_wrapped)
        return build_node(b, node, context, next);
    w.name = node->kind == NODE_RULE ? node->rule->name : NULL;
    return build_wrapped(b, &w, context, next);
}

static bool is_one_byte(const node_t *node, unsigned depth, charset_t *set);

static bool is_any_of(const node_t *node, unsigned depth, charset_t *set)
{
    charset_t one;
    *set = charset_none();
    for (size_t i = 0; i < node->children.count; i++) {
        if (!is_one_byte(node->children.items[i], depth, &one))
            return false;
        *set = charset_union(*set, one);
    }
    return node->children.count > 0;
}

static bool is_one_byte(const node_t *node, unsigned depth, charset_t *set)
{
    if (depth == 0 || node->notes.count > 0)
        return false;
    switch (node->kind) {
    case NODE_SET:
        *set = node->set;
        return true;
    case NODE_STRING:
        *set = node->len == 1 ? byte_set(node, 0) : charset_none();
        return node->len == 1;
    case NODE_RULE:
        return node->rule->notes.count == 0 && is_one_byte(node->rule->body, depth - 1, set);
    case NODE_CHOICE:
        return is_any_of(node, depth - 1, set);
    case NODE_SEQUENCE:
        return node->children.count == 1 && is_one_byte(node->children.items[0], depth - 1, set);
    default:
        return false;
    }
}

bool nfa_set_of(const node_t *node, charset_t *set)
{
    return is_one_byte(node, 16, set);
}

static unsigned build_set(builder_t *b, const node_t *node, const charset_t *set, const context_t *context, unsigned next)
{
    unsigned state = add(b, NFA_BYTE, context, node, next);
    b->nfa->states.items[state].set = *set;
    return state;
}

static bool is_tolerated(const node_t *alternative)
{
    return find_note(&alternative->notes, NOTE_ANOMALY) != NULL;
}

/* An ordered choice among the alternatives from `first` up to `end`. */
static unsigned build_split(builder_t *b, const node_t *node, size_t first, size_t end, const context_t *context,
                            unsigned next)
{
    if (end - first == 1)
        return build_alternative(b, node->children.items[first], context, next);
    unsigned split = add(b, NFA_SPLIT, context, node, STATE_NONE);
    for (size_t i = first; i < end && !b->is_too_large; i++) {
        unsigned branch = build_alternative(b, node->children.items[i], context, next);
        vec_push(b->arena, &b->nfa->states.items[split].branches, branch);
    }
    return split;
}

/* Alternatives that are only tolerated, behind the others: see note [fallback] in closure.c. What the others have put onto the
 * list of the atomic rule is taken back if they fail. */
static unsigned build_tolerant(builder_t *b, const node_t *node, size_t tolerated, const context_t *context, unsigned next)
{
    context_t *guarded = guard(b, context);
    guarded->choice = node;
    unsigned others = build_split(b, node, tolerated, node->children.count, context, next);
    unsigned preferred = build_split(b, node, 0, tolerated, guarded, next);
    unsigned state = add(b, NFA_FALLBACK, context, node, preferred);
    b->nfa->states.items[state].other = others;
    b->nfa->states.items[state].level = guarded->level;
    b->nfa->states.items[state].guard = guarded;
    return add_op(b, context, (op_t){.kind = OP_MARK}, state);
}

static unsigned build_when(builder_t *b, const node_t *node, const context_t *context, unsigned next)
{
    control_t control = {.kind = CONTROL_CHOICE, .place = node->place, .rule = context->rule};
    for (size_t i = 0; i < node->children.count; i++) {
        const note_t *when = find_note(&node->children.items[i]->notes, NOTE_WHEN);
        control.is_shared |= when && is_shared_expr(when->expr);
        vec_push(b->arena, &control.guards, when ? when->expr : NULL);
        vec_push(b->arena, &control.targets, build_alternative(b, node->children.items[i], context, next));
    }
    return add_control(b, context, control);
}

static unsigned build_choice(builder_t *b, const node_t *node, const context_t *outer, unsigned next)
{
    context_t *context = nested(b, outer);
    context->choice = node;
    next = add_scope(b, NFA_LEAVE, outer, context->scope, next);

    bool is_when = false;
    size_t tolerated = node->children.count; /* how many do not count as tolerated; those that do are the last */
    for (size_t i = 0; i < node->children.count; i++)
        is_when |= find_note(&node->children.items[i]->notes, NOTE_WHEN) != NULL;
    while (tolerated > 0 && is_tolerated(node->children.items[tolerated - 1]))
        tolerated--;
    unsigned state = is_when ? build_when(b, node, context, next)
                     : context->is_atomic && context->level < FALLBACK_MAX && tolerated > 0 && tolerated < node->children.count
                         ? build_tolerant(b, node, tolerated, context, next)
                         : build_split(b, node, 0, node->children.count, context, next);
    return add_scope(b, NFA_SCOPE, outer, context->scope, state);
}

/* A sequence from its item `first` on; the refined VALUE among them is read as `entry` says. */
static unsigned build_sequence_from(builder_t *b, const node_t *node, size_t first, const note_t *refinement,
                                    const refine_entry_t *entry, const context_t *context, unsigned next)
{
    for (size_t i = node->children.count; i-- > first;) {
        const node_t *child = node->children.items[i];
        if (refinement && child->kind == NODE_RULE && child->rule == refinement->value) {
            if (child->rule->is_called) {
                diag_error(b->diag, refinement->place, "`%s` contains itself, so it cannot be refined", child->rule->name);
                diag_note(b->diag, "a rule that only refers to it, `NAME = %s`, can", child->rule->name);
                return next;
            }
            wrapped_t w = {.notes = &child->rule->notes, .name = child->rule->name, .body = child->rule->body,
                           .rule = child->rule, .entry = entry, .reference = child};
            next = build_wrapped(b, &w, context, next);
        } else {
            next = build_node(b, child, context, next);
        }
    }
    return next;
}

/* ---------------------------------------------------------------- calls
 * See note [call]. */

static bool is_without_effect(const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind != NOTE_CUT)
            return false;
    return true;
}

static bool is_plain_rule(const rule_t *rule, bool *is_seen);

static bool is_plain_node(const node_t *node, bool *is_seen)
{
    bool is_plain = is_without_effect(&node->notes);
    for (size_t i = 0; i < node->children.count && is_plain; i++)
        is_plain = is_plain_node(node->children.items[i], is_seen);
    return is_plain && (node->kind != NODE_RULE || is_plain_rule(node->rule, is_seen));
}

/* No annotation in the rule, or in what it refers to, does anything. */
static bool is_plain_rule(const rule_t *rule, bool *is_seen)
{
    if (is_seen[rule->index])
        return true;
    is_seen[rule->index] = true;
    return is_without_effect(&rule->notes) && is_plain_node(rule->body, is_seen);
}

static bool is_inside_called(const context_t *context)
{
    for (const context_t *c = context; c; c = c->parent)
        if (c->procedure != PROCEDURE_NONE || (c->rule && c->rule->is_called))
            return true;
    return false;
}

/* What is around the rule where it is written out, if that is around `context`; else that. So elements inside have one path. */
static const context_t *around_outermost(const context_t *context, const rule_t *rule)
{
    const context_t *around = context;
    for (const context_t *c = context; c; c = c->parent)
        if (c->rule == rule && c->parent && c->parent->rule != rule)
            around = c->parent;
    return around;
}

static bool fits(const procedure_t *p, const rule_t *rule, const context_t *context)
{
    return p->rule == rule && (p->is_plain || (p->is_stream == context->is_stream && p->is_atomic == context->is_atomic));
}

/* The procedure that a call of the rule enters: one that the call is in, so that paths do not grow; or one for the same element. */
static unsigned find_procedure(const builder_t *b, const rule_t *rule, const context_t *context)
{
    const nfa_t *nfa = b->nfa;
    for (unsigned i = context->procedure; i != PROCEDURE_NONE; i = nfa->procedures.items[i].outer)
        if (fits(&nfa->procedures.items[i], rule, context))
            return i;
    for (unsigned i = 0; i < nfa->procedures.count; i++)
        if (fits(&nfa->procedures.items[i], rule, context) &&
            (nfa->procedures.items[i].is_plain || nfa->procedures.items[i].element == context->element))
            return i;
    return PROCEDURE_NONE;
}

static unsigned new_procedure(builder_t *b, const rule_t *rule, const context_t *context)
{
    bool *is_seen = ARENA_ARRAY(b->arena, bool, b->nfa->grammar->rules.count + 1);
    procedure_t p = {.rule = rule, .element = context->element, .is_stream = context->is_stream,
                     .is_atomic = context->is_atomic, .is_plain = is_plain_rule(rule, is_seen),
                     .outer = context->procedure};
    unsigned index = (unsigned)b->nfa->procedures.count;
    if (p.is_atomic && !p.is_plain && !find_note(&rule->notes, NOTE_RESYNC)) {
        diag_error(b->diag, rule->place, "`%s` contains itself, and annotations, inside an atomic rule", rule->name);
        diag_note(b->diag, "there is no bound for what would have to wait until that has matched");
    }
    context_t *top = nested(b, NULL);
    top->element = p.element;
    top->is_stream = p.is_stream;
    top->is_atomic = p.is_atomic;
    top->procedure = index;
    control_t end = {.kind = CONTROL_RETURN, .place = rule->place, .rule = rule, .procedure = index};
    p.end = add_control(b, top, end);
    p.head = add(b, NFA_SPLIT, top, NULL, STATE_NONE);
    vec_push(b->arena, &b->nfa->procedures, p);
    return index;
}

/* Procedures may need others: the list grows while it is gone through. */
static void build_procedures(builder_t *b)
{
    for (; b->built < b->nfa->procedures.count && !b->is_too_large; b->built++) {
        const procedure_t p = b->nfa->procedures.items[b->built];
        const context_t *top = b->nfa->states.items[p.head].context;
        if (find_note(&p.rule->notes, NOTE_RESYNC))
            diag_error(b->diag, p.rule->place, "parsing cannot resume at `%s`, which contains itself", p.rule->name);
        wrapped_t w = {.notes = &p.rule->notes, .name = p.rule->name, .body = p.rule->body, .rule = p.rule};
        unsigned start = build_wrapped(b, &w, top, p.end);
        if (!b->is_too_large)
            vec_push(b->arena, &b->nfa->states.items[p.head].branches, start);
    }
}

/* Nothing but scopes is left between `state` and the end of the procedure that `context` is in. */
static bool is_tail(const builder_t *b, const context_t *context, unsigned state)
{
    if (context->procedure == PROCEDURE_NONE || context->depth > 0)
        return false;
    while (b->nfa->states.items[state].kind == NFA_LEAVE)
        state = b->nfa->states.items[state].next;
    return state == b->nfa->procedures.items[context->procedure].end;
}

/* Leaves the scopes that are left on the way from `state` to the end of the procedure, then goes to `next`. */
static unsigned build_leaving(builder_t *b, unsigned state, unsigned next)
{
    VEC(unsigned) left = {0};
    for (; b->nfa->states.items[state].kind == NFA_LEAVE; state = b->nfa->states.items[state].next)
        vec_push(b->arena, &left, state);
    while (left.count > 0 && !b->is_too_large) {
        const nfa_state_t *s = &b->nfa->states.items[left.items[--left.count]];
        next = add_scope(b, NFA_LEAVE, s->context, s->scope, next);
    }
    return next;
}

static unsigned build_call(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next)
{
    nfa_t *nfa = b->nfa;
    for (const context_t *c = context; c; c = c->parent) {
        if (c->conversion < 0)
            continue;
        diag_error(b->diag, at ? at->place : rule->place, "`%s` contains itself, so it cannot be part of a text that is converted",
                   rule->name);
        diag_note(b->diag, "rule `%s` is converted", nfa->conversions.items[c->conversion].rule->name);
        return next;
    }
    const context_t *around = around_outermost(context, rule);
    unsigned index = find_procedure(b, rule, around);
    if (index == PROCEDURE_NONE)
        index = new_procedure(b, rule, around);
    const procedure_t p = nfa->procedures.items[index];
    bool is_jump = !b->is_too_large && is_tail(b, context, next);
    unsigned follows = is_jump ? nfa->procedures.items[context->procedure].end : next;
    if (follows != p.end)
        vec_push(b->arena, &nfa->controls.items[nfa->states.items[p.end].control].returns, follows);
    if (is_jump)
        return build_leaving(b, next, p.head);
    control_t control = {.kind = CONTROL_CALL, .place = at ? at->place : rule->place, .rule = rule, .procedure = index,
                         .depth = context->depth};
    vec_push(b->arena, &control.targets, p.head);
    vec_push(b->arena, &control.targets, next);
    return add_control(b, context, control);
}

static unsigned build_rule(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next)
{
    if (rule->is_called && is_inside_called(context))
        return build_call(b, rule, at, context, next);
    if (find_note(&rule->notes, NOTE_RESYNC) && context->procedure != PROCEDURE_NONE)
        diag_error(b->diag, rule->place, "parsing cannot resume at `%s`, which is part of a rule that contains itself",
                   rule->name);
    if (find_note(&rule->notes, NOTE_RESYNC)) {
        resume_t resume = {.rule = rule, .context = context, .next = next};
        vec_push(b->arena, &b->resumes, resume);
    }
    wrapped_t w = {.notes = &rule->notes, .name = rule->name, .body = rule->body, .rule = rule, .reference = at};
    return build_wrapped(b, &w, context, next);
}

static unsigned build_node(builder_t *b, const node_t *node, const context_t *context, unsigned next)
{
    if (b->is_too_large)
        return next;
    charset_t set;
    if (nfa_set_of(node, &set))
        return build_set(b, node, &set, context, next);
    switch (node->kind) {
    case NODE_EMPTY:
        return next;
    case NODE_SET:
        return build_set(b, node, &node->set, context, next);
    case NODE_STRING:
        return build_string(b, node, context, next);
    case NODE_SEQUENCE:
        return build_sequence_from(b, node, 0, NULL, NULL, context, next);
    case NODE_CHOICE:
        return build_choice(b, node, context, next);
    case NODE_REPEAT:
        return build_repeat(b, node, context, next);
    case NODE_RULE:
        return build_rule(b, node->rule, node, context, next);
    }
    return next;
}

/* ---------------------------------------------------------------- roots */

/* See note [search]. */
static unsigned build_search(builder_t *b, const context_t *top)
{
    size_t count = b->resumes.count; /* building the copies adds more */
    if (count == 0)
        return STATE_NONE;
    unsigned search = add(b, NFA_SPLIT, top, NULL, STATE_NONE);
    for (size_t i = 0; i < count && !b->is_too_large; i++) {
        resume_t resume = b->resumes.items[i];
        b->resuming = resume.context;
        unsigned start = build_rule(b, resume.rule, NULL, resume.context, resume.next);
        b->resuming = NULL;
        if (!b->is_too_large)
            vec_push(b->arena, &b->nfa->states.items[search].branches, start);
    }
    return search;
}

static void build_root(builder_t *b, const node_t *root, unsigned *start, unsigned *search)
{
    *start = *search = STATE_NONE;
    if (!root)
        return;
    b->resumes.count = 0;
    b->root = root;
    const context_t *top = nested(b, NULL);
    unsigned accept = add(b, NFA_ACCEPT, top, NULL, STATE_NONE);
    *start = build_node(b, root, top, accept);
    build_procedures(b);
    *search = build_search(b, top);
    build_procedures(b);
}

/* Does what reads the sub-stream feed it, too, if only through others? */
static bool is_loop(const builder_t *b, const feed_t *feed, const feed_t *wanted, unsigned depth)
{
    for (size_t i = 0; i < b->nfa->feeds.count && feed->rule; i++) {
        const feed_t *next = &b->nfa->feeds.items[i];
        const node_t reader = {.kind = NODE_RULE, .rule = feed->rule};
        if (is_within(b, &reader, NOTE_FEED, next) &&
            (next == wanted || depth == b->nfa->feeds.count || is_loop(b, next, wanted, depth + 1)))
            return true;
    }
    return false;
}

static void build_feeds(builder_t *b)
{
    b->is_fed = true;
    for (size_t i = 0; i < b->nfa->feeds.count; i++) {
        feed_t *feed = &b->nfa->feeds.items[i];
        if (!feed->rule)
            continue;
        if (is_loop(b, feed, feed, 0)) {
            diag_error(b->diag, feed->rule->place, "`%s` reads a sub-stream that it feeds itself", feed->rule->name);
            continue;
        }
        node_t *node = ARENA_NEW(b->arena, node_t);
        node->kind = NODE_RULE;
        node->place = feed->rule->place;
        node->rule = feed->rule;
        b->is_datagram = feed->is_datagram;
        build_root(b, node, &feed->start, &feed->search);
    }
}

typedef VEC(unsigned) numbers_t;

/* Puts what follows a state onto the stack, so that the first of it is on top. */
static void push_following(const nfa_t *nfa, const nfa_state_t *s, numbers_t *stack)
{
    if (s->kind == NFA_FALLBACK)
        vec_push(nfa->arena, stack, s->other);
    if (s->next != STATE_NONE)
        vec_push(nfa->arena, stack, s->next);
    for (size_t i = s->branches.count; i-- > 0;)
        vec_push(nfa->arena, stack, s->branches.items[i]);
    if (s->kind != NFA_CONTROL)
        return;
    const control_t *control = &nfa->controls.items[s->control];
    for (size_t i = control->targets.count; i-- > 0;)
        vec_push(nfa->arena, stack, control->targets.items[i]);
}

/* Adds to `order` the elements in the order in which they are met by reading forwards, every alternative in turn. */
static void meet_elements(nfa_t *nfa, unsigned start, numbers_t *order, bool *is_met)
{
    numbers_t stack = {0};
    vec_push(nfa->arena, &stack, start);
    while (stack.count > 0) {
        unsigned state = stack.items[--stack.count];
        if (state == STATE_NONE || nfa->visited[state] == nfa->generation)
            continue;
        nfa->visited[state] = nfa->generation;
        const nfa_state_t *s = &nfa->states.items[state];
        const op_t *op = s->kind == NFA_OP ? &nfa->ops.items[s->op] : NULL;
        if (op && op->kind == OP_OPEN && !is_met[op->element]) {
            vec_push(nfa->arena, order, op->element);
            is_met[op->element] = true;
        }
        push_following(nfa, s, &stack);
    }
}

/* The graph was built from its end; elements are numbered from the beginning, as an author would list them. */
static void number_elements(nfa_t *nfa)
{
    unsigned total = (unsigned)nfa->elements.count;
    numbers_t order = {0};
    unsigned *number = ARENA_ARRAY(nfa->arena, unsigned, total + 1);
    bool *is_met = ARENA_ARRAY(nfa->arena, bool, total + 1);
    element_t *elements = ARENA_ARRAY(nfa->arena, element_t, total + 1);
    nfa->generation++;
    meet_elements(nfa, nfa->client, &order, is_met);
    meet_elements(nfa, nfa->server, &order, is_met);
    meet_elements(nfa, nfa->datagram, &order, is_met);
    for (size_t i = 0; i < nfa->feeds.count; i++)
        meet_elements(nfa, nfa->feeds.items[i].start, &order, is_met);
    for (unsigned i = 0; i < total; i++)
        if (!is_met[i])
            vec_push(nfa->arena, &order, i);
    for (unsigned i = 0; i < total; i++)
        number[order.items[i]] = i;
    for (unsigned i = 0; i < total; i++) {
        elements[i] = nfa->elements.items[order.items[i]];
        if (elements[i].parent != ELEMENT_NONE)
            elements[i].parent = number[elements[i].parent];
        if (elements[i].selector != ELEMENT_NONE)
            elements[i].selector = number[elements[i].selector];
    }
    nfa->elements.items = elements;
    for (size_t i = 0; i < nfa->ops.count; i++)
        if (nfa->ops.items[i].kind == OP_OPEN || nfa->ops.items[i].kind == OP_CLOSE)
            nfa->ops.items[i].element = number[nfa->ops.items[i].element];
}

nfa_t *nfa_build(const grammar_t *grammar, const repeats_t *unrolled, diag_t *diag)
{
    nfa_t *nfa = ARENA_NEW(grammar->arena, nfa_t);
    nfa->arena = grammar->arena;
    nfa->grammar = grammar;
    builder_t b = {.nfa = nfa, .arena = grammar->arena, .diag = diag, .unrolled = unrolled,
                   .sizes = ARENA_ARRAY(grammar->arena, unsigned, grammar->rules.count + 1)};
    find_feeds(&b);
    build_root(&b, grammar->client, &nfa->client, &nfa->client_search);
    build_root(&b, grammar->server, &nfa->server, &nfa->server_search);
    b.is_datagram = true;
    unsigned no_search; /* the next datagram is where to go on */
    build_root(&b, grammar->datagram, &nfa->datagram, &no_search);
    build_feeds(&b);
    nfa->visited = ARENA_ARRAY(b.arena, unsigned, nfa->states.count + 1);
    nfa->came_from = ARENA_ARRAY(b.arena, unsigned, nfa->states.count + 1);
    for (size_t i = 0; i < nfa->states.count; i++)
        nfa->came_from[i] = STATE_NONE;
    number_elements(nfa);
    if (grammar->registers.count > REGISTERS_MAX || grammar->shared.count > REGISTERS_MAX)
        diag_error(diag, (place_t){0}, "more than %u registers", REGISTERS_MAX);
    if (nfa->nest.depth > DEPTH_MAX || nfa->call_nest.depth > DEPTH_MAX)
        diag_error(diag, (place_t){0}, "elements are nested more than %u deep", DEPTH_MAX);
    return diag_has_errors(diag) ? NULL : nfa;
}

bool nfa_is_telling(const nfa_t *nfa, const op_t *op)
{
    switch (op->kind) {
    case OP_MARK:
    case OP_ROLLBACK:
    case OP_FOUND:
    case OP_ATOMIC_BEGIN:
    case OP_ATOMIC_END:
        return false;
    case OP_CONVERT_OPEN:
    case OP_CONVERT_CLOSE:
        return nfa->conversions.items[op->conversion].reg != NULL;
    default:
        return true;
    }
}

/* ---------------------------------------------------------------- printing */

static void print_targets(const control_t *control, text_t *text)
{
    for (size_t i = 0; i < control->targets.count; i++)
        text_print(text, " %u", control->targets.items[i]);
}

void nfa_print(const nfa_t *nfa, text_t *text)
{
    static const char *const controls[] = {"choice", "refine", "length", "at",   "close", "pop",   "become",
                                           "call",   "return", "repeat", "again", "done",  "until", "skip"};
    for (unsigned i = 0; i < nfa->states.count; i++) {
        const nfa_state_t *s = &nfa->states.items[i];
        text_print(text, "%u %s: ", i, s->context->rule ? s->context->rule->name : "-");
        switch (s->kind) {
        case NFA_BYTE:
            charset_print(&s->set, text);
            text_print(text, " -> %u", s->next);
            break;
        case NFA_COUNT:
            text_print(text, s->is_optional ? "*%u" : "%u", s->limit);
            charset_print(&s->set, text);
            text_print(text, " -> %u", s->next);
            break;
        case NFA_SPLIT:
            text_print(text, "split");
            for (size_t k = 0; k < s->branches.count; k++)
                text_print(text, " %u", s->branches.items[k]);
            break;
        case NFA_OP:
            regop_print(&nfa->ops.items[s->op], text);
            text_print(text, " -> %u", s->next);
            break;
        case NFA_SCOPE:
        case NFA_LEAVE:
        case NFA_CUT:
            text_print(text, "%s %u -> %u", s->kind == NFA_SCOPE ? "scope" : s->kind == NFA_CUT ? "cut" : "leave", s->scope,
                       s->next);
            break;
        case NFA_FALLBACK:
            text_print(text, "%s -> %u, else %u", s->name ? s->name : "alternatives", s->next, s->other);
            break;
        case NFA_CONTROL:
            text_print(text, "%s", controls[nfa->controls.items[s->control].kind]);
            print_targets(&nfa->controls.items[s->control], text);
            break;
        case NFA_ACCEPT:
            text_print(text, "accept");
            break;
        }
        text_print(text, "\n");
    }
}
