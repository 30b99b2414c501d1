/* resolve_empty.c: loops whose content can be empty.
 *
 * `*( *WSP )` could go round for ever without reading a byte. Going round empty adds nothing to what is read, so such a
 * loop means the same as one whose content reads at least a byte; that is what the grammar is given:
 *
 *     without(a*)    is  1*without(a)
 *     without([a])   is  without(a)
 *     without(a / b) is  without(a) / without(b)
 *     without(a b)   is  without(a) b / without(b)       if a and b can both be empty, else  a b
 *
 * and a rule is replaced by its body's. That must not lose annotations: what can be empty, is repeated, and has annotations
 * that hold where it is empty would emit elements, or set registers, any number of times. It is refused.
 *
 * Nothing is changed in place: nodes that differ are copies, others are shared with the tree before. */
#include "resolver.h"

typedef enum { UNKNOWN, NO, YES } answer_t;

typedef struct empty {
    resolver_t *resolver;   /* whose rules are looked at */
    answer_t *is_noted;     /* rules by index: see is_noted() */
    bool *is_repaired;      /* rules by index: their loops are as they should be */
    const rule_t *obstacle; /* the rule that cannot be replaced by its body */
    bool has_failed;        /* there is one, in the loop at hand */
} empty_t;

/* ---------------------------------------------------------------- what can be empty */

static bool has_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return true;
    return false;
}

bool resolve_can_be_empty(const resolver_t *resolver, const node_t *node)
{
    if (has_note(&node->notes, NOTE_AT)) /* of what follows here, nothing is read */
        return true;
    if (has_note(&node->notes, NOTE_UNTIL)) /* what ends it is read with it */
        return false;
    switch (node->kind) {
    case NODE_EMPTY:
        return true;
    case NODE_SET:
    case NODE_STRING:
        return false;
    case NODE_SEQUENCE:
        for (size_t i = 0; i < node->children.count; i++)
            if (!resolve_can_be_empty(resolver, node->children.items[i]))
                return false;
        return true;
    case NODE_CHOICE:
        for (size_t i = 0; i < node->children.count; i++)
            if (resolve_can_be_empty(resolver, node->children.items[i]))
                return true;
        return false;
    case NODE_REPEAT:
        return node->min == 0 || resolve_can_be_empty(resolver, node->children.items[0]);
    case NODE_RULE:
        break;
    }
    return resolver->can_be_empty[node->rule->index];
}

/* At first no rule can; what the others allow is added until nothing changes. Backwards, since rules mostly stand before
 * those that they refer to. */
void resolve_find_empty(resolver_t *resolver)
{
    bool is_changed = true;

    resolver->can_be_empty = ARENA_ARRAY(resolver->arena, bool, resolver->wanted.count + 1);
    while (is_changed) {
        is_changed = false;
        for (size_t i = resolver->wanted.count; i-- > 0;) {
            const rule_t *rule = resolver->wanted.items[i]->rule;
            bool is_empty = has_note(&rule->notes, NOTE_AT) ||
                            (!has_note(&rule->notes, NOTE_UNTIL) && resolve_can_be_empty(resolver, rule->body));
            if (resolver->can_be_empty[i] || !is_empty)
                continue;
            resolver->can_be_empty[i] = is_changed = true;
        }
    }
}

static bool can_be_empty(const empty_t *empty, const node_t *node)
{
    return resolve_can_be_empty(empty->resolver, node);
}

static bool is_noted(empty_t *empty, const node_t *node);

static bool is_any_noted(empty_t *empty, const node_t *node)
{
    for (size_t i = 0; i < node->children.count; i++)
        if (can_be_empty(empty, node->children.items[i]) && is_noted(empty, node->children.items[i]))
            return true;
    return false;
}

/* Whether annotations say something where a node, which can be empty, is. */
static bool is_noted(empty_t *empty, const node_t *node)
{
    if (node->notes.count || is_any_noted(empty, node))
        return true;
    if (node->kind != NODE_RULE)
        return false;
    answer_t *answer = &empty->is_noted[node->rule->index];
    if (*answer == UNKNOWN) /* a rule that is called stays one */
        *answer = node->rule->is_called || node->rule->notes.count || is_noted(empty, node->rule->body) ? YES : NO;
    return *answer == YES;
}

/* ---------------------------------------------------------------- without the empty reading */

static const node_t *without(empty_t *empty, const node_t *node);
static void repair_rule(empty_t *empty, unsigned index);

static node_t *copy_node(empty_t *empty, const node_t *node)
{
    node_t *copy = resolve_new_node(empty->resolver, node->kind, node->place);

    *copy = *node;
    memset(&copy->children, 0, sizeof copy->children);
    return copy;
}

/* A node stands in a tree once; so what is needed twice is copied. */
static const node_t *copy_tree(empty_t *empty, const node_t *node)
{
    node_t *copy = copy_node(empty, node);

    for (size_t i = 0; i < node->children.count && empty->resolver->node_count <= NODE_MAX; i++)
        vec_push(empty->resolver->arena, &copy->children, copy_tree(empty, node->children.items[i]));
    return copy;
}

/* a* and [a] at least once; 2a where a can be empty, likewise. */
static const node_t *without_in_repeat(empty_t *empty, const node_t *node)
{
    const node_t *child = without(empty, node->children.items[0]);

    if (!child || node->max == 1)
        return child;
    node_t *copy = copy_node(empty, node);
    copy->min = 1;
    vec_push(empty->resolver->arena, &copy->children, child);
    return copy;
}

/* One alternative for each part: it is the first that is not empty. */
static const node_t *without_in_sequence(empty_t *empty, const node_t *node)
{
    arena_t *arena = empty->resolver->arena;
    node_t *choice = resolve_new_node(empty->resolver, NODE_CHOICE, node->place);

    for (size_t i = 0; i < node->children.count; i++) {
        const node_t *first = without(empty, node->children.items[i]);
        if (!first)
            continue;
        node_t *sequence = resolve_new_node(empty->resolver, NODE_SEQUENCE, node->place);
        vec_push(arena, &sequence->children, first);
        for (size_t k = i + 1; k < node->children.count; k++)
            vec_push(arena, &sequence->children, copy_tree(empty, node->children.items[k]));
        vec_push(arena, &choice->children, sequence);
    }
    return choice->children.count ? choice : NULL;
}

static const node_t *without_in_choice(empty_t *empty, const node_t *node)
{
    node_t *copy = copy_node(empty, node);

    for (size_t i = 0; i < node->children.count; i++) {
        const node_t *child = without(empty, node->children.items[i]);
        if (child)
            vec_push(empty->resolver->arena, &copy->children, child);
    }
    return copy->children.count ? copy : NULL;
}

static const node_t *without_in_rule(empty_t *empty, const node_t *node)
{
    if (!is_noted(empty, node)) {
        repair_rule(empty, node->rule->index);
        return without(empty, node->rule->body);
    }
    empty->has_failed = true;
    empty->obstacle = node->rule;
    return NULL;
}

/* What the node reads but for nothing at all; NULL if it reads nothing else. */
static const node_t *without(empty_t *empty, const node_t *node)
{
    if (empty->resolver->node_count > NODE_MAX)
        return NULL;
    if (!can_be_empty(empty, node))
        return copy_tree(empty, node);
    switch (node->kind) {
    case NODE_SEQUENCE:
        return without_in_sequence(empty, node);
    case NODE_CHOICE:
        return without_in_choice(empty, node);
    case NODE_REPEAT:
        return without_in_repeat(empty, node);
    case NODE_RULE:
        return without_in_rule(empty, node);
    case NODE_EMPTY:
    case NODE_SET:
    case NODE_STRING:
        break;
    }
    return NULL;
}

/* ---------------------------------------------------------------- loops */

static const node_t *loop_without(empty_t *empty, const node_t *loop)
{
    empty->has_failed = false;
    const node_t *content = without(empty, loop->children.items[0]);

    if (empty->has_failed) {
        diag_error(empty->resolver->diag, loop->place,
                   "what is repeated here can be empty, so nothing ends the repeat");
        diag_note(empty->resolver->diag, empty->obstacle->is_called
                                             ? "`%s` can be empty, and contains itself"
                                             : "`%s` can be empty, and has annotations that would go on for ever",
                  empty->obstacle->name);
    }
    if (!content)
        return resolve_new_node(empty->resolver, NODE_EMPTY, loop->place);
    node_t *copy = copy_node(empty, loop);
    copy->min = 0; /* as often as one likes it was empty, which counted */
    vec_push(empty->resolver->arena, &copy->children, content);
    return copy;
}

/* The tree with each of its loops as it should be: inner ones first. */
static const node_t *repair(empty_t *empty, const node_t *node)
{
    node_t *copy = NULL;

    for (size_t i = 0; i < node->children.count; i++) {
        const node_t *child = repair(empty, node->children.items[i]);
        if (child == node->children.items[i] && !copy)
            continue;
        if (!copy) {
            copy = copy_node(empty, node);
            for (size_t k = 0; k < i; k++)
                vec_push(empty->resolver->arena, &copy->children, node->children.items[k]);
        }
        vec_push(empty->resolver->arena, &copy->children, child);
    }
    node = copy ? copy : node;
    if (node->kind == NODE_REPEAT && node->max == REPEAT_UNBOUNDED && can_be_empty(empty, node->children.items[0]))
        return loop_without(empty, node);
    return node;
}

static void repair_rule(empty_t *empty, unsigned index)
{
    rule_t *rule = empty->resolver->wanted.items[index]->rule;

    if (!empty->is_repaired[index])
        rule->body = repair(empty, rule->body);
    empty->is_repaired[index] = true;
}

void resolve_empty_loops(resolver_t *resolver)
{
    grammar_t *grammar = resolver->grammar;
    const node_t **roots[] = {&grammar->client, &grammar->server, &grammar->datagram};
    size_t count = resolver->wanted.count;
    empty_t empty = {.resolver = resolver,
                     .is_noted = ARENA_ARRAY(resolver->arena, answer_t, count + 1),
                     .is_repaired = ARENA_ARRAY(resolver->arena, bool, count + 1)};

    for (size_t i = 0; i < count; i++)
        repair_rule(&empty, (unsigned)i);
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (*roots[i])
            *roots[i] = repair(&empty, *roots[i]);
}
