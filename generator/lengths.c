/* lengths.c: sets of lengths, as bits, from the bottom up.
 *
 * A rule that is within itself is worked out again and again until nothing is added; sets only grow, so that ends. Bit
 * LENGTHS_MAX stands for everything from there on. */
#include "lengths.h"

#include <stdlib.h>

#define WORDS (LENGTHS_MAX / 64 + 1)

typedef struct set {
    uint64_t bits[WORDS];
} set_t;

struct lengths {
    arena_t *arena;
    const grammar_t *grammar;
    set_t *rules;         /* by index */
    size_t *costs;        /* by index */
    const node_t *repeat; /* whose further items have ... */
    unsigned more;        /* ... so many of them that must be, ... */
    set_t rest;           /* ... these lengths: asked for each item, worked out once */
};

#define COST_UNKNOWN (SIZE_MAX / 4)

static bool has(const set_t *set, size_t len)
{
    len = len < LENGTHS_MAX ? len : LENGTHS_MAX;
    return set->bits[len / 64] >> (len % 64) & 1;
}

static void add(set_t *set, size_t len)
{
    len = len < LENGTHS_MAX ? len : LENGTHS_MAX;
    set->bits[len / 64] |= (uint64_t)1 << (len % 64);
}

static void unite(set_t *set, const set_t *other)
{
    for (size_t i = 0; i < WORDS; i++)
        set->bits[i] |= other->bits[i];
}

static bool is_equal(const set_t *a, const set_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool is_empty(const set_t *set)
{
    set_t none = {{0}};
    return is_equal(set, &none);
}

/* Adds every length of `set`, `by` longer. */
static void add_shifted(set_t *all, const set_t *set, size_t by)
{
    size_t words = by / 64, bits = by % 64;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t low = set->bits[i] << bits, high = bits ? set->bits[i] >> (64 - bits) : 0;
        if (i + words < WORDS)
            all->bits[i + words] |= low;
        else if (low)
            add(all, LENGTHS_MAX);
        if (high && i + words + 1 < WORDS)
            all->bits[i + words + 1] |= high;
        else if (high)
            add(all, LENGTHS_MAX);
    }
    if (all->bits[WORDS - 1] >> 1) { /* beyond the last bit that has a meaning */
        all->bits[WORDS - 1] = 0;
        add(all, LENGTHS_MAX);
    }
}

/* Every sum of one of each. */
static set_t sum(const set_t *a, const set_t *b)
{
    set_t all = {{0}};
    if (is_empty(b))
        return all;
    for (size_t i = 0; i <= LENGTHS_MAX; i++)
        if (has(a, i))
            add_shifted(&all, b, i);
    return all;
}

static set_t only(size_t len)
{
    set_t set = {{0}};
    add(&set, len);
    return set;
}

static set_t lengths_of(const lengths_t *l, const node_t *node);

/* Of `min` to `max` items. Beyond LENGTHS_MAX items nothing new comes. */
static set_t repeated(const set_t *item, unsigned min, unsigned max)
{
    set_t one = only(1), sums = only(0), all = {{0}};
    if (is_equal(item, &one)) {
        for (size_t len = min; len <= LENGTHS_MAX && len <= max; len++)
            add(&all, len);
        if (min > LENGTHS_MAX)
            add(&all, min);
        return all;
    }
    for (unsigned i = 0; i < min && i <= LENGTHS_MAX; i++)
        sums = sum(&sums, item);
    for (unsigned i = min; i <= max && i - min <= LENGTHS_MAX; i++) {
        set_t before = all;
        unite(&all, &sums);
        if (is_equal(&before, &all))
            break;
        sums = sum(&sums, item);
    }
    return all;
}

static set_t lengths_of(const lengths_t *l, const node_t *node)
{
    set_t set = {{0}};
    switch (node->kind) {
    case NODE_EMPTY:
        return only(0);
    case NODE_SET:
        return only(1);
    case NODE_STRING:
        return only(node->len);
    case NODE_SEQUENCE:
        set = only(0);
        for (size_t i = 0; i < node->children.count; i++) {
            set_t part = lengths_of(l, node->children.items[i]);
            set = sum(&set, &part);
        }
        return set;
    case NODE_CHOICE:
        for (size_t i = 0; i < node->children.count; i++) {
            set_t part = lengths_of(l, node->children.items[i]);
            unite(&set, &part);
        }
        return set;
    case NODE_REPEAT:
        set = lengths_of(l, node->children.items[0]);
        return repeated(&set, node->min, node->max);
    case NODE_RULE:
        return l->rules[node->rule->index];
    }
    return set;
}

static size_t capped(size_t cost)
{
    return cost < COST_UNKNOWN ? cost : COST_UNKNOWN;
}

static size_t cost_of(const lengths_t *l, const node_t *node)
{
    size_t cost = 0;
    switch (node->kind) {
    case NODE_EMPTY:
        return 0;
    case NODE_SET:
        return 1;
    case NODE_STRING:
        return node->len;
    case NODE_SEQUENCE:
        for (size_t i = 0; i < node->children.count; i++)
            cost = capped(cost + cost_of(l, node->children.items[i]));
        return cost;
    case NODE_CHOICE:
        cost = COST_UNKNOWN;
        for (size_t i = 0; i < node->children.count; i++) {
            size_t one = cost_of(l, node->children.items[i]);
            cost = one < cost ? one : cost;
        }
        return cost;
    case NODE_REPEAT:
        cost = node->min ? cost_of(l, node->children.items[0]) : 0;
        return node->min && cost > COST_UNKNOWN / node->min ? COST_UNKNOWN : cost * node->min;
    case NODE_RULE:
        return capped(l->costs[node->rule->index] + 1);
    }
    return cost;
}

lengths_t *lengths_new(arena_t *arena, const grammar_t *grammar)
{
    lengths_t *l = ARENA_NEW(arena, lengths_t);
    size_t count = grammar->rules.count;
    l->arena = arena;
    l->grammar = grammar;
    l->rules = ARENA_ARRAY(arena, set_t, count + 1);
    l->costs = ARENA_ARRAY(arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++)
        l->costs[i] = COST_UNKNOWN;
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = count; i-- > 0;) { /* what is used mostly stands behind its users */
            const node_t *body = grammar->rules.items[i]->body;
            set_t set = lengths_of(l, body);
            size_t cost = cost_of(l, body);
            is_changed |= !is_equal(&set, &l->rules[i]) || cost != l->costs[i];
            l->rules[i] = set;
            l->costs[i] = cost;
        }
    }
    return l;
}

bool lengths_has(lengths_t *l, const node_t *node, size_t len)
{
    set_t set = lengths_of(l, node);
    return has(&set, len);
}

size_t lengths_shortest(lengths_t *l, const node_t *choice)
{
    size_t best = 0;
    for (size_t i = 1; i < choice->children.count; i++)
        if (cost_of(l, choice->children.items[i]) < cost_of(l, choice->children.items[best]))
            best = i;
    return best;
}

/* One of the lengths in `first` that leaves one of `rest`. */
static size_t pick(const set_t *first, const set_t *rest, size_t extent, uint64_t random)
{
    size_t count = 0, n;
    for (size_t len = 0; len <= extent && len <= LENGTHS_MAX; len++)
        count += has(first, len) && has(rest, extent - len);
    if (count == 0) /* only all of it, if that is longer than what is told apart */
        return has(first, extent) && has(rest, 0) ? extent : LENGTHS_NONE;
    if (extent >= LENGTHS_MAX && has(first, extent) && has(rest, 0))
        return extent;
    n = (size_t)(random % count);
    for (size_t len = 0;; len++)
        if (has(first, len) && has(rest, extent - len) && n-- == 0)
            return len;
}

size_t lengths_pick_part(lengths_t *l, const node_t *sequence, size_t item, size_t extent, uint64_t random)
{
    set_t first = lengths_of(l, sequence->children.items[item]), rest = only(0);
    for (size_t i = item + 1; i < sequence->children.count; i++) {
        set_t part = lengths_of(l, sequence->children.items[i]);
        rest = sum(&rest, &part);
    }
    return pick(&first, &rest, extent, random);
}

size_t lengths_pick_item(lengths_t *l, const node_t *repeat, unsigned done, size_t extent, uint64_t random)
{
    if (repeat->max != REPEAT_UNBOUNDED && done >= repeat->max)
        return LENGTHS_NONE;
    set_t item = lengths_of(l, repeat->children.items[0]), one = only(1);
    if (is_equal(&item, &one))
        return extent > 0 ? 1 : LENGTHS_NONE;
    unsigned min = repeat->min > done + 1 ? repeat->min - done - 1 : 0;
    bool is_unbounded = repeat->max == REPEAT_UNBOUNDED;
    if (l->repeat != repeat || l->more != min || !is_unbounded)
        l->rest = repeated(&item, min, is_unbounded ? REPEAT_UNBOUNDED : repeat->max - done - 1);
    l->repeat = repeat;
    l->more = min;
    return pick(&item, &l->rest, extent, random);
}
