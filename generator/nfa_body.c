/* nfa_body.c: the bodies of rules → NFA: strings, sets, choices, sequences, repeats.
 *
 * note [repeat]: how often something other than a class of bytes has been repeated is counted on the stack, if the number is the
 * input's (`count`) or if it is large. Between two rounds stands a control point, which knows whether there must be another,
 * may be, or is not:
 *
 *     REPEAT -> AGAIN -must-> body -> AGAIN        DONE -> what follows
 *                     -may--> body / DONE
 *                     -no---> DONE */
#include "nfa_builder.h"

#define UNROLLED_MAX 8u /* larger repeats of one class of bytes are counted */
#define WRITTEN_MAX 1000u /* states: other repeats are counted if they would be more */
#define FALLBACK_MAX 4u /* fallbacks within fallbacks; QCAP_MARKS in parser.h */

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
        next = nfa_add(b, NFA_BYTE, context, node, next);
        b->nfa->states.items[next].set = byte_set(node, i);
        b->nfa->states.items[next].before = (unsigned)i;
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
    unsigned state = nfa_add(b, NFA_COUNT, context, node, next);
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
        next = nfa_build_node(b, node->children.items[0], context, next);
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
        unsigned body = nfa_build_node(b, node->children.items[0], context, next);
        unsigned split = nfa_add(b, NFA_SPLIT, context, node, STATE_NONE);
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
        return nfa_build_counted(b, node, NULL, context, next);
    if (node->max == REPEAT_UNBOUNDED) {
        unsigned loop = nfa_add(b, NFA_SPLIT, context, node, STATE_NONE);
        unsigned body = nfa_build_node(b, child, context, loop);
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

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void grow_nest(nest_t *nest, const context_t *context)
{
    nest->depth = larger(nest->depth, context->depth);
    nest->regions = larger(nest->regions, context->regions);
    nest->untils = larger(nest->untils, context->untils);
    nest->repeats = larger(nest->repeats, context->repeats);
    nest->saved = larger(nest->saved, context->saved);
}

void nfa_note_nest(builder_t *b, const context_t *context)
{
    grow_nest(context->procedure == PROCEDURE_NONE ? &b->nfa->nest : &b->nfa->call_nest, context);
}

void nfa_note_call(builder_t *b, const context_t *context)
{
    grow_nest(context->procedure == PROCEDURE_NONE ? &b->nfa->nest_of_calls : &b->nfa->call_nest_of_calls, context);
}

static control_t repeat_control(control_kind_t kind, const node_t *node, const note_t *count, const context_t *context)
{
    return (control_t){.kind = kind, .place = count ? count->place : node->place, .rule = context->rule, .repeat = node,
                       .expr = count ? count->expr : NULL};
}

/* See note [repeat]. `count` is NULL if the repeat's own bounds say how often. */
unsigned nfa_build_counted(builder_t *b, const node_t *node, const note_t *count, const context_t *around, unsigned next)
{
    context_t *context = nfa_nested(b, around);
    context->repeats++;
    nfa_note_nest(b, context);

    control_t done = repeat_control(CONTROL_DONE, node, count, context);
    vec_push(b->arena, &done.targets, next);
    unsigned end = nfa_add_control(b, context, done);
    unsigned again = nfa_add_control(b, context, repeat_control(CONTROL_AGAIN, node, count, context));
    unsigned must = nfa_build_node(b, node->children.items[0], context, again), may = end;
    if (b->is_too_large)
        return next;
    if (!count) {
        may = nfa_add(b, NFA_SPLIT, context, node, STATE_NONE);
        vec_push(b->arena, &b->nfa->states.items[may].branches, must);
        vec_push(b->arena, &b->nfa->states.items[may].branches, end);
    }
    control_t *control = &b->nfa->controls.items[b->nfa->states.items[again].control];
    vec_push(b->arena, &control->targets, must);
    vec_push(b->arena, &control->targets, may);
    vec_push(b->arena, &control->targets, end);
    control_t repeat = repeat_control(CONTROL_REPEAT, node, count, context);
    repeat.is_shared = count && nfa_is_shared(count->expr);
    vec_push(b->arena, &repeat.targets, again);
    return nfa_add_control(b, context, repeat);
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
    unsigned state = nfa_add(b, NFA_BYTE, context, node, next);
    b->nfa->states.items[state].set = *set;
    return state;
}

static bool is_tolerated(const node_t *alternative)
{
    return nfa_find_note(&alternative->notes, NOTE_ANOMALY) != NULL;
}

/* An ordered choice among the alternatives from `first` up to `end`. */
static unsigned build_split(builder_t *b, const node_t *node, size_t first, size_t end, const context_t *context,
                            unsigned next)
{
    if (end - first == 1)
        return nfa_build_alternative(b, node->children.items[first], context, next);
    unsigned split = nfa_add(b, NFA_SPLIT, context, node, STATE_NONE);
    for (size_t i = first; i < end && !b->is_too_large; i++) {
        unsigned branch = nfa_build_alternative(b, node->children.items[i], context, next);
        vec_push(b->arena, &b->nfa->states.items[split].branches, branch);
    }
    return split;
}

/* Alternatives that are only tolerated, behind the others: see note [fallback] in closure.c. What the others have put onto the
 * list of the atomic rule is taken back if they fail. */
static unsigned build_tolerant(builder_t *b, const node_t *node, size_t tolerated, const context_t *context, unsigned next)
{
    context_t *guarded = nfa_guard(b, context);
    guarded->choice = node;
    unsigned others = build_split(b, node, tolerated, node->children.count, context, next);
    unsigned preferred = build_split(b, node, 0, tolerated, guarded, next);
    unsigned state = nfa_add(b, NFA_FALLBACK, context, node, preferred);
    b->nfa->states.items[state].other = others;
    b->nfa->states.items[state].level = guarded->level;
    b->nfa->states.items[state].guard = guarded;
    return nfa_add_op(b, context, (op_t){.kind = OP_MARK}, state);
}

static unsigned build_when(builder_t *b, const node_t *node, const context_t *context, unsigned next)
{
    control_t control = {.kind = CONTROL_CHOICE, .place = node->place, .rule = context->rule};
    for (size_t i = 0; i < node->children.count; i++) {
        const note_t *when = nfa_find_note(&node->children.items[i]->notes, NOTE_WHEN);
        control.is_shared |= when && nfa_is_shared(when->expr);
        vec_push(b->arena, &control.guards, when ? when->expr : NULL);
        vec_push(b->arena, &control.targets, nfa_build_alternative(b, node->children.items[i], context, next));
    }
    return nfa_add_control(b, context, control);
}

static unsigned build_choice(builder_t *b, const node_t *node, const context_t *outer, unsigned next)
{
    context_t *context = nfa_nested(b, outer);
    context->choice = node;
    next = nfa_add_scope(b, NFA_LEAVE, outer, context->scope, next);

    bool is_when = false;
    size_t tolerated = node->children.count; /* how many do not count as tolerated; those that do are the last */
    for (size_t i = 0; i < node->children.count; i++)
        is_when |= nfa_find_note(&node->children.items[i]->notes, NOTE_WHEN) != NULL;
    while (tolerated > 0 && is_tolerated(node->children.items[tolerated - 1]))
        tolerated--;
    unsigned state = is_when ? build_when(b, node, context, next)
                     : context->is_atomic && context->level < FALLBACK_MAX && tolerated > 0 && tolerated < node->children.count
                         ? build_tolerant(b, node, tolerated, context, next)
                         : build_split(b, node, 0, node->children.count, context, next);
    return nfa_add_scope(b, NFA_SCOPE, outer, context->scope, state);
}

/* A sequence from its item `first` on; the refined VALUE among them is read as `entry` says. */
unsigned nfa_build_items(builder_t *b, const node_t *node, size_t first, const note_t *refinement,
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
            next = nfa_build_wrapped(b, &w, context, next);
        } else {
            next = nfa_build_node(b, child, context, next);
        }
    }
    return next;
}

unsigned nfa_build_node(builder_t *b, const node_t *node, const context_t *context, unsigned next)
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
        return nfa_build_items(b, node, 0, NULL, NULL, context, next);
    case NODE_CHOICE:
        return build_choice(b, node, context, next);
    case NODE_REPEAT:
        return build_repeat(b, node, context, next);
    case NODE_RULE:
        return nfa_build_rule(b, node->rule, node, context, next);
    }
    return next;
}
