/* resume.c: the places at which parsing may resume: by the grammar alone. */
#include "resume.h"

typedef struct search {
    const rule_t *rule;
    unsigned char *seen; /* by rule: what has been looked at, or is known */
} search_t;

enum { SEEN = 1, SEEN_REPEATED = 2, MUST = 4, NEED_NOT = 8 };

static bool is_loop(const node_t *node)
{
    return node->kind == NODE_REPEAT && node->max == REPEAT_UNBOUNDED;
}

/* Does a repeat without a bound lead to the rule? */
static bool is_repeated(search_t *s, const node_t *node, bool is_in_loop)
{
    is_in_loop |= is_loop(node);
    if (node->kind == NODE_RULE) {
        unsigned char seen = is_in_loop ? SEEN_REPEATED : SEEN;
        if (node->rule == s->rule)
            return is_in_loop;
        if (s->seen[node->rule->index] & seen)
            return false;
        s->seen[node->rule->index] |= seen;
        return is_repeated(s, node->rule->body, is_in_loop);
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (is_repeated(s, node->children.items[i], is_in_loop))
            return true;
    return false;
}

/* Can the node be read without the rule? */
static bool can_do_without(search_t *s, const node_t *node)
{
    size_t without = 0;
    if (node->kind == NODE_RULE) {
        unsigned char *seen = &s->seen[node->rule->index];
        if (node->rule == s->rule)
            return false;
        if (*seen & (MUST | NEED_NOT))
            return (*seen & NEED_NOT) != 0;
        *seen |= MUST; /* the answer for one that is within itself */
        if (can_do_without(s, node->rule->body))
            *seen |= NEED_NOT;
        return (*seen & NEED_NOT) != 0;
    }
    if (node->kind == NODE_REPEAT && node->min == 0)
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        without += can_do_without(s, node->children.items[i]);
    return node->kind == NODE_CHOICE ? without > 0 : without == node->children.count;
}

/* What is known of the way, from the rule up to the root. */
typedef struct way {
    bool is_behind;          /* the rule is read in front of it */
    bool is_in_loop;         /* it is in a repeat without a bound ... */
    bool is_behind_in_loop;  /* ... and behind the rule in the outermost of them */
} way_t;

/* Goes up from the reference to the node. False: it is not in there. */
static bool go_up(search_t *s, const node_t *node, const void *reference, way_t *way)
{
    size_t i = 0;
    if (node == reference)
        return true;
    while (i < node->children.count && !go_up(s, node->children.items[i], reference, way))
        i++;
    if (i == node->children.count)
        return false;
    for (size_t k = 0; k < i && node->kind == NODE_SEQUENCE; k++)
        way->is_behind |= !can_do_without(s, node->children.items[k]);
    if (is_loop(node)) {
        way->is_in_loop = true;
        way->is_behind_in_loop = way->is_behind;
    }
    return true;
}

bool resume_is_meant(arena_t *arena, const grammar_t *grammar, const node_t *root, const rule_t *rule, const resume_steps_t *steps)
{
    search_t s = {.rule = rule, .seen = ARENA_ARRAY(arena, unsigned char, grammar->rules.count + 1)};
    way_t way = {false, false, false};
    for (size_t i = 0; i < steps->count; i++)
        go_up(&s, steps->items[i].body, steps->items[i].reference, &way);
    return way.is_in_loop ? !way.is_behind_in_loop : !way.is_behind && !is_repeated(&s, root, false);
}
