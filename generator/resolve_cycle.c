/* resolve_cycle.c: which rules are called.
 *
 * Rules that contain themselves, by way of others or not, are called where they are referred to; the others are written out.
 * One rule of each cycle is enough, and some are better than others: what was called must end where the bytes show it, and
 * the fewer are called, the better. Here `element` is better than `alternation`:
 *
 *     alternation = element *( *SP "/" *SP element )         does the blank behind it belong to it?
 *     element     = name / group                             no question
 *     group       = "(" *SP alternation *SP ")"
 *
 * So the best rule of each cycle is called, those that are still in one another without it are looked at again, and so on: a
 * cycle is where a walk comes back to (Tarjan: Depth-first search and linear graph algorithms). */
#include "resolver.h"

#define ROUNDS_MAX 100u /* of looking; the grammars of RFCs need one or two */
#define LEVEL_MAX 1000u /* of rules in each other, on the way */
#define CYCLE_MAX 200u  /* rules in a cycle, of which each is tried */

typedef enum { OUTSIDE, WAITING, ON_PATH, DONE } mark_t;

typedef struct cycles {
    resolver_t *resolver;
    unsigned *number;        /* rules by index: in the order of being entered, from 1; 0: not entered */
    unsigned *lowest;        /* of the numbers that can be reached, of rules in no cycle that is known */
    bool *is_waiting;        /* entered, and in no cycle that is known */
    VEC(rule_t *) waiting;   /* those, in order */
    const edges_t *edges;    /* rules by index: how they begin, how they end */
    mark_t *marks;           /* rules by index, while what is left of a cycle is walked */
    unsigned entered;        /* how many */
    unsigned level;          /* rules on the way */
    bool has_found;          /* a cycle, in this round */
    bool has_failed;         /* too deep */
} cycles_t;

/* ---------------------------------------------------------------- how good a rule is */

static bool comes_back(cycles_t *c, const rule_t *rule);

static bool notes_come_back(cycles_t *c, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->entries.count; k++)
            if (comes_back(c, notes->items[i]->entries.items[k].rule))
                return true;
    return false;
}

static bool node_comes_back(cycles_t *c, const node_t *node)
{
    if (notes_come_back(c, &node->notes) || (node->kind == NODE_RULE && comes_back(c, node->rule)))
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        if (node_comes_back(c, node->children.items[i]))
            return true;
    return false;
}

/* Whether a cycle can be walked from a rule on. */
static bool comes_back(cycles_t *c, const rule_t *rule)
{
    mark_t *mark = &c->marks[rule->index];

    if (*mark != WAITING)
        return *mark == ON_PATH;
    *mark = ON_PATH;
    if (notes_come_back(c, &rule->notes) || node_comes_back(c, rule->body))
        return true;
    *mark = DONE;
    return false;
}

static bool is_in_itself(cycles_t *c, const rule_t *rule)
{
    c->marks[rule->index] = WAITING;
    bool is_in = comes_back(c, rule);
    c->marks[rule->index] = OUTSIDE;
    return is_in;
}

/* Whether every way round the rules that wait, from number `begin` on, goes through a rule. */
static bool is_in_every_way(cycles_t *c, size_t begin, const rule_t *rule)
{
    bool is_every = c->waiting.count - begin <= CYCLE_MAX;

    if (!is_every)
        return false;
    for (size_t i = begin; i < c->waiting.count; i++)
        c->marks[c->waiting.items[i]->index] = WAITING;
    c->marks[rule->index] = OUTSIDE;
    for (size_t i = begin; i < c->waiting.count && is_every; i++)
        is_every = !comes_back(c, c->waiting.items[i]);
    for (size_t i = begin; i < c->waiting.count; i++)
        c->marks[c->waiting.items[i]->index] = OUTSIDE;
    return is_every;
}

/* How good it is to call a rule of those that wait: does the byte behind it tell that it has ended, are others needed, does its
 * first byte tell that it begins. */
static int worth(cycles_t *c, size_t begin, const rule_t *rule)
{
    const edges_t *edges = &c->edges[rule->index];
    charset_t unclear = charset_intersect(edges->more, edges->behind);

    return 4 * charset_is_empty(&unclear) + 2 * is_in_every_way(c, begin, rule) + (charset_count(&edges->begin) == 1);
}

/* ---------------------------------------------------------------- cycles */

static void enter_rule(cycles_t *c, rule_t *rule);

static void follow(cycles_t *c, const rule_t *from, const rule_t *target)
{
    unsigned *lowest = &c->lowest[from->index];

    if (target->is_called)
        return;
    if (!c->number[target->index])
        enter_rule(c, c->resolver->wanted.items[target->index]->rule);
    if (c->is_waiting[target->index] && c->lowest[target->index] < *lowest)
        *lowest = c->lowest[target->index];
}

static void follow_notes(cycles_t *c, const rule_t *from, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->entries.count; k++)
            follow(c, from, notes->items[i]->entries.items[k].rule);
}

static void follow_node(cycles_t *c, const rule_t *from, const node_t *node)
{
    follow_notes(c, from, &node->notes);
    if (node->kind == NODE_RULE)
        follow(c, from, node->rule);
    for (size_t i = 0; i < node->children.count; i++)
        follow_node(c, from, node->children.items[i]);
}

/* The first of the best rules that wait, from number `begin` on. */
static rule_t *find_best(cycles_t *c, size_t begin)
{
    rule_t *best = NULL;
    int most = -1;

    for (size_t i = begin; i < c->waiting.count; i++) {
        int found = worth(c, begin, c->waiting.items[i]);
        if (found <= most)
            continue;
        best = c->waiting.items[i];
        most = found;
    }
    return best;
}

/* The rules from `first` on that wait are all in each other, or one alone, which may be in itself. */
static void leave_cycle(cycles_t *c, rule_t *first)
{
    size_t begin = c->waiting.count;

    while (c->waiting.items[--begin] != first)
        continue;
    if (c->waiting.count - begin > 1)
        find_best(c, begin)->is_called = c->has_found = true;
    else if (is_in_itself(c, first))
        first->is_called = c->has_found = true;
    for (size_t i = begin; i < c->waiting.count; i++)
        c->is_waiting[c->waiting.items[i]->index] = false;
    c->waiting.count = begin;
}

static void enter_rule(cycles_t *c, rule_t *rule)
{
    c->number[rule->index] = c->lowest[rule->index] = ++c->entered;
    if (c->has_failed || ++c->level > LEVEL_MAX) {
        c->has_failed = true;
        return;
    }
    c->is_waiting[rule->index] = true;
    vec_push(c->resolver->arena, &c->waiting, rule);
    follow_notes(c, rule, &rule->notes);
    follow_node(c, rule, rule->body);
    if (c->lowest[rule->index] == c->number[rule->index] && !c->has_failed)
        leave_cycle(c, rule);
    c->level--;
}

/* One round: calls the best rule of each cycle that no called rule is in. False if there was none. */
static bool call_best(cycles_t *c)
{
    size_t count = c->resolver->wanted.count;

    memset(c->number, 0, count * sizeof *c->number);
    memset(c->is_waiting, 0, count * sizeof *c->is_waiting);
    c->waiting.count = c->entered = c->level = 0;
    c->has_found = false;
    for (size_t i = 0; i < count && !c->has_failed; i++) {
        rule_t *rule = c->resolver->wanted.items[i]->rule;
        if (!c->number[i] && !rule->is_called)
            enter_rule(c, rule);
    }
    return c->has_found;
}

bool resolve_choose_called(resolver_t *resolver)
{
    size_t count = resolver->wanted.count;
    unsigned rounds = 0;
    cycles_t c = {.resolver = resolver,
                  .number = ARENA_ARRAY(resolver->arena, unsigned, count + 1),
                  .lowest = ARENA_ARRAY(resolver->arena, unsigned, count + 1),
                  .is_waiting = ARENA_ARRAY(resolver->arena, bool, count + 1),
                  .edges = resolve_find_edges(resolver),
                  .marks = ARENA_ARRAY(resolver->arena, mark_t, count + 1)};


    for (size_t i = 0; i < count; i++)
        resolver->wanted.items[i]->rule->is_called = false;
    while (call_best(&c) && !c.has_failed)
        if (++rounds > ROUNDS_MAX)
            c.has_failed = true;
    return !c.has_failed;
}
