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
 * note [search]: after an error the parser looks for a `resync` rule, at one offset after the other. For that there is a second
 * start: a copy of the rule, in the elements in which it stands normally, which are opened as if they had been read. The
 * rule is atomic, so nothing happens unless it matches; then OP_FOUND, the first on its list, reports what was skipped, and
 * the normal graph goes on. Where the copy fails the driver begins anew (search_on() in recovery.c). */
#include "nfa_builder.h"

#define STATES_MAX 400000u
#define DEPTH_MAX 200u

/* ---------------------------------------------------------------- states */

unsigned nfa_add(builder_t *b, nfa_kind_t kind, const context_t *context, const node_t *node, unsigned next)
{
    nfa_state_t state = {.kind = kind, .context = context, .node = node, .next = next};
    const unsigned most = grammar_bound(b->nfa->grammar, STATES_MAX);
    if (b->nfa->states.count >= most) {
        const rule_t *rule = context->rule;
        if (!rule && context->procedure < b->nfa->procedures.count)
            rule = b->nfa->procedures.items[context->procedure].rule;
        if (!b->is_too_large)
            diag_error(b->diag, rule ? rule->place : grammar_root(b->nfa->grammar)->place,
                       "the grammar is too large here: more than %u states when written out", most);
        b->is_too_large = true;
        return 0;
    }
    vec_push(b->arena, &b->nfa->states, state);
    return (unsigned)b->nfa->states.count - 1;
}

unsigned nfa_add_op(builder_t *b, const context_t *context, op_t op, unsigned next)
{
    op.level = context->level;
    op.is_atomic = context->is_atomic;
    unsigned state = nfa_add(b, NFA_OP, context, NULL, next);
    b->nfa->states.items[state].op = regop_intern(b->arena, &b->nfa->ops, op);
    return state;
}

unsigned nfa_add_scope(builder_t *b, nfa_kind_t kind, const context_t *context, unsigned scope, unsigned next)
{
    unsigned state = nfa_add(b, kind, context, NULL, next);
    b->nfa->states.items[state].scope = scope;
    return state;
}

unsigned nfa_add_control(builder_t *b, const context_t *context, control_t control)
{
    if (context->is_atomic && control.kind != CONTROL_CALL && control.kind != CONTROL_RETURN)
        diag_error(b->diag, control.place, "a control point inside an atomic rule: nothing takes effect before that ends");
    vec_push(b->arena, &b->nfa->controls, control);
    unsigned state = nfa_add(b, NFA_CONTROL, context, NULL, STATE_NONE);
    b->nfa->states.items[state].control = (unsigned)b->nfa->controls.count - 1;
    return state;
}

context_t *nfa_nested(builder_t *b, const context_t *parent)
{
    context_t *context = ARENA_NEW(b->arena, context_t);
    if (parent) {
        context->rule = parent->rule;
        context->element = parent->element;
        context->depth = parent->depth;
        context->regions = parent->regions;
        context->untils = parent->untils;
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
context_t *nfa_guard(builder_t *b, const context_t *parent)
{
    context_t *guarded = nfa_nested(b, parent);
    guarded->level++;
    guarded->guard = guarded;
    return guarded;
}

/* ---------------------------------------------------------------- roots */

/* See note [search]. */
static unsigned build_search(builder_t *b, const context_t *top)
{
    size_t count = b->resumes.count; /* building the copies adds more */
    if (count == 0)
        return STATE_NONE;
    unsigned search = nfa_add(b, NFA_SPLIT, top, NULL, STATE_NONE);
    for (size_t i = 0; i < count && !b->is_too_large; i++) {
        resume_t resume = b->resumes.items[i];
        b->resuming = resume.context;
        unsigned start = nfa_build_rule(b, resume.rule, NULL, resume.context, resume.next);
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
    const context_t *top = nfa_nested(b, NULL);
    unsigned accept = nfa_add(b, NFA_ACCEPT, top, NULL, STATE_NONE);
    *start = nfa_build_node(b, root, top, accept);
    nfa_build_procedures(b);
    *search = build_search(b, top);
    nfa_build_procedures(b);
}

/* Does what reads the sub-stream feed it, too, if only through others? */
static bool is_loop(const builder_t *b, const feed_t *feed, const feed_t *wanted, unsigned depth)
{
    for (size_t i = 0; i < b->nfa->feeds.count && feed->rule; i++) {
        const feed_t *next = &b->nfa->feeds.items[i];
        const node_t reader = {.kind = NODE_RULE, .rule = feed->rule};
        if (nfa_is_within(b, &reader, NOTE_FEED, next) &&
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

/* Adds to `order` the elements in the order in which they are met by reading forwards, every alternative in turn. Who sends what
 * begins with `start` is `sender`, a bit of element_t's senders. */
static void meet_elements(nfa_t *nfa, unsigned start, unsigned sender, numbers_t *order, bool *is_met)
{
    numbers_t stack = {0};
    nfa->generation++;
    vec_push(nfa->arena, &stack, start);
    while (stack.count > 0) {
        unsigned state = stack.items[--stack.count];
        if (state == STATE_NONE || nfa->visited[state] == nfa->generation)
            continue;
        nfa->visited[state] = nfa->generation;
        const nfa_state_t *s = &nfa->states.items[state];
        const op_t *op = s->kind == NFA_OP ? &nfa->ops.items[s->op] : NULL;
        if (op && op->kind == OP_OPEN) {
            nfa->elements.items[op->element].senders |= sender;
            if (!is_met[op->element])
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
    meet_elements(nfa, nfa->client, 1, &order, is_met);
    meet_elements(nfa, nfa->server, 2, &order, is_met);
    meet_elements(nfa, nfa->datagram, 4, &order, is_met);
    for (size_t i = 0; i < nfa->feeds.count; i++)
        meet_elements(nfa, nfa->feeds.items[i].start, 8, &order, is_met);
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
    nfa_find_feeds(&b);
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
