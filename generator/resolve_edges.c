/* resolve_edges.c: with which bytes rules begin, go on where they could have ended, and are followed.
 *
 * These are the sets that LL(1) parsers are made with (Aho, Lam, Sethi, Ullman: Compilers, 4.4), by rule and not by place. They
 * grow until nothing changes: each is right when it is as large as the others make it. */
#include "resolver.h"

typedef struct builder {
    const resolver_t *resolver;
    edges_t *edges;
    bool is_changed;
} builder_t;

static void add(builder_t *b, charset_t *to, charset_t from)
{
    charset_t all = charset_union(*to, from);

    b->is_changed |= !charset_equal(to, &all);
    *to = all;
}

static charset_t begin_of_string(const node_t *node)
{
    unsigned byte = (unsigned char)node->text[0], other = byte ^ 0x20u;
    charset_t set = charset_range(byte, byte);
    bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';

    return is_letter && !node->is_case_sensitive ? charset_union(set, charset_range(other, other)) : set;
}

/* ---------------------------------------------------------------- how nodes begin and go on */

static charset_t begin_of(const builder_t *b, const node_t *node)
{
    charset_t set = charset_none();

    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_SET:
        return node->set;
    case NODE_STRING:
        return begin_of_string(node);
    case NODE_RULE:
        return b->edges[node->rule->index].begin;
    case NODE_SEQUENCE:
    case NODE_CHOICE:
    case NODE_REPEAT:
        for (size_t i = 0; i < node->children.count; i++) {
            set = charset_union(set, begin_of(b, node->children.items[i]));
            if (node->kind == NODE_SEQUENCE && !resolve_can_be_empty(b->resolver, node->children.items[i]))
                break;
        }
    }
    return set;
}

static charset_t more_of(const builder_t *b, const node_t *node)
{
    charset_t set = charset_none();

    if (node->kind == NODE_RULE)
        return b->edges[node->rule->index].more;
    for (size_t i = node->children.count; i-- > 0;) {
        const node_t *child = node->children.items[i];
        set = charset_union(set, more_of(b, child));
        if (node->kind == NODE_REPEAT && node->max > 1)
            set = charset_union(set, begin_of(b, child));
        if (node->kind != NODE_SEQUENCE)
            continue;
        if (!resolve_can_be_empty(b->resolver, child))
            break;
        set = charset_union(set, begin_of(b, child));
    }
    return set;
}

/* ---------------------------------------------------------------- what follows */

static void follow_node(builder_t *b, const node_t *node, charset_t after)
{
    if (node->kind == NODE_RULE)
        add(b, &b->edges[node->rule->index].behind, after);
    if (node->kind == NODE_REPEAT && node->max > 1)
        after = charset_union(after, begin_of(b, node->children.items[0]));
    for (size_t i = node->children.count; i-- > 0;) {
        const node_t *child = node->children.items[i];
        follow_node(b, child, after);
        if (node->kind != NODE_SEQUENCE)
            continue;
        charset_t begin = begin_of(b, child);
        after = resolve_can_be_empty(b->resolver, child) ? charset_union(after, begin) : begin;
    }
}

/* ---------------------------------------------------------------- all rules */

#define ROUNDS_MAX 100u /* a set that is not complete by then is nearly so */

const edges_t *resolve_find_edges(const resolver_t *resolver)
{
    size_t count = resolver->wanted.count;
    builder_t b = {.resolver = resolver, .edges = ARENA_ARRAY(resolver->arena, edges_t, count + 1), .is_changed = true};

    for (unsigned round = 0; b.is_changed && round < ROUNDS_MAX; round++) {
        b.is_changed = false;
        for (size_t i = count; i-- > 0;) {
            const node_t *body = resolver->wanted.items[i]->rule->body;
            add(&b, &b.edges[i].begin, begin_of(&b, body));
            add(&b, &b.edges[i].more, more_of(&b, body));
        }
        for (size_t i = 0; i < count; i++)
            follow_node(&b, resolver->wanted.items[i]->rule->body, b.edges[i].behind);
    }
    return b.edges;
}
