/* resolve_check.c: what only the whole grammar shows: recursion, reach, streams where they cannot be.
 *
 * Each check is a walk over rules and what they refer to. A rule is entered once, so walks are linear. The first walk
 * also measures how deep rules and their nodes lie inside each other: everything later may recurse over them. */
#include "resolver.h"

/* Levels of rules and nodes inside each other that a stack holds with ease. Grammars of RFCs have some 50. */
#define LEVEL_MAX 1000

/* ---------------------------------------------------------------- recursion */

typedef struct step {
    rule_t *rule;     /* that has been entered */
    bool is_leftmost; /* the reference that leads on from here has nothing before it that reads a byte */
} step_t;

typedef struct walk {
    resolver_t *resolver; /* whose rules are walked */
    unsigned *heights;    /* of rules by index; 0: not entered yet */
    bool *is_open;        /* rules on the path */
    VEC(step_t) path;     /* from where the walk began */
    bool has_failed;      /* too deep: the walk has been given up */
} walk_t;

static unsigned enter_rule(walk_t *walk, rule_t *rule, unsigned level);

/* "a → b → a" */
static const char *cycle_text(const walk_t *walk, size_t begin)
{
    const size_t shown_max = 8;
    text_t text;

    text_init(&text, walk->resolver->arena);
    for (size_t i = begin; i < walk->path.count; i++) {
        if (i - begin < shown_max)
            text_print(&text, "%s -> ", walk->path.items[i].rule->name);
        else if (i - begin == shown_max)
            text_print(&text, "... -> ");
    }
    text_print(&text, "%s", walk->path.items[begin].rule->name);
    return text.bytes;
}

/* The path has come back to `rule`. A rule of two cycles is reported with the first. */
static void report_cycle(walk_t *walk, const rule_t *rule)
{
    size_t begin = walk->path.count - 1;
    bool is_left = walk->path.items[begin].is_leftmost;

    while (walk->path.items[begin].rule != rule)
        is_left &= walk->path.items[--begin].is_leftmost;
    if (rule->is_recursive)
        return;
    for (size_t i = begin; i < walk->path.count; i++)
        walk->path.items[i].rule->is_recursive = true;
    if (is_left)
        diag_error(walk->resolver->diag, rule->place, "left recursion: `%s` begins with itself", rule->name);
    else
        diag_error(walk->resolver->diag, rule->place, "recursive rules are not supported yet");
    diag_note(walk->resolver->diag, "%s", cycle_text(walk, begin));
}

static unsigned follow(walk_t *walk, const rule_t *target, bool is_leftmost, unsigned level)
{
    walk->path.items[walk->path.count - 1].is_leftmost = is_leftmost;
    if (walk->is_open[target->index])
        report_cycle(walk, target);
    else if (!walk->heights[target->index])
        return enter_rule(walk, walk->resolver->wanted.items[target->index]->rule, level);
    return walk->heights[target->index];
}

/* Whether a node may read nothing, as far as it shows without looking into rules. */
static bool is_plainly_empty(const node_t *node)
{
    return node->kind == NODE_EMPTY || (node->kind == NODE_REPEAT && node->min == 0);
}

static unsigned follow_notes(walk_t *walk, const notes_t *notes, unsigned level)
{
    unsigned height = 0;

    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->entries.count; k++) {
            unsigned below = follow(walk, notes->items[i]->entries.items[k].rule, false, level + 1);
            height = below > height ? below : height;
        }
    return height;
}

/* The height of the tree at node, rules included. */
static unsigned walk_node(walk_t *walk, const node_t *node, bool is_leftmost, unsigned level)
{
    if (level > LEVEL_MAX)
        walk->has_failed = true;
    if (walk->has_failed)
        return 1;
    if (node->kind == NODE_RULE)
        return follow(walk, node->rule, is_leftmost, level + 1) + 1;
    unsigned height = follow_notes(walk, &node->notes, level);
    for (size_t i = 0; i < node->children.count; i++) {
        unsigned below = walk_node(walk, node->children.items[i], is_leftmost, level + 1);
        height = below > height ? below : height;
        if (node->kind == NODE_SEQUENCE && !is_plainly_empty(node->children.items[i]))
            is_leftmost = false;
    }
    return height + 1;
}

static unsigned enter_rule(walk_t *walk, rule_t *rule, unsigned level)
{
    step_t step = {.rule = rule};

    walk->is_open[rule->index] = true;
    vec_push(walk->resolver->arena, &walk->path, step);
    unsigned height = walk_node(walk, rule->body, true, level + 1);
    unsigned below = follow_notes(walk, &rule->notes, level + 1);
    walk->path.count--;
    walk->is_open[rule->index] = false;
    walk->heights[rule->index] = (below > height ? below : height) + 1;
    walk->has_failed |= walk->heights[rule->index] > LEVEL_MAX;
    return walk->heights[rule->index];
}

bool resolve_check_recursion(resolver_t *resolver)
{
    size_t count = resolver->wanted.count;
    walk_t walk = {.resolver = resolver,
                   .heights = ARENA_ARRAY(resolver->arena, unsigned, count + 1),
                   .is_open = ARENA_ARRAY(resolver->arena, bool, count + 1)};

    if (resolver->node_count > NODE_MAX) /* reported; rules may have no body */
        return false;
    for (size_t i = 0; i < count && !walk.has_failed; i++) {
        rule_t *rule = resolver->wanted.items[i]->rule;
        if (walk.heights[i])
            continue;
        enter_rule(&walk, rule, 0);
        if (walk.has_failed)
            diag_error(resolver->diag, rule->place, "rules are more than %d levels deep inside `%s`", LEVEL_MAX,
                       rule->name);
    }
    if (walk.has_failed)
        return false;
    for (size_t i = 0; i < count; i++)
        if (resolver->wanted.items[i]->rule->is_recursive)
            return false;
    return true;
}

/* ---------------------------------------------------------------- reach */

typedef struct reach {
    resolver_t *resolver; /* whose rules are walked */
    bool *is_reached;     /* rules by index */
    const char *atomic;   /* walking from a rule that is atomic: its name; else NULL */
} reach_t;

static void reach_node(reach_t *reach, const node_t *node);

/* A stream is told of as it comes, and what is atomic only when all of it is there. */
static void reach_notes(reach_t *reach, const notes_t *notes);

static void reach_rule(reach_t *reach, const rule_t *rule)
{
    if (reach->is_reached[rule->index])
        return;
    reach->is_reached[rule->index] = true;
    reach_notes(reach, &rule->notes);
    reach_node(reach, rule->body);
}

static void reach_notes(reach_t *reach, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        for (size_t k = 0; k < note->entries.count; k++)
            reach_rule(reach, note->entries.items[k].rule);
        if (reach->atomic && note->kind == NOTE_EMIT && note->is_stream)
            diag_error(reach->resolver->diag, note->place, "a stream cannot be part of `%s`, which is atomic",
                       reach->atomic);
    }
}

static void reach_node(reach_t *reach, const node_t *node)
{
    reach_notes(reach, &node->notes);
    if (node->kind == NODE_RULE)
        reach_rule(reach, node->rule);
    for (size_t i = 0; i < node->children.count; i++)
        reach_node(reach, node->children.items[i]);
}

static bool is_atomic(const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_ATOMIC || notes->items[i]->kind == NOTE_RESYNC)
            return true;
    return false;
}

/* Walks from every rule and alternative that is atomic. One walk: what one has reached, the next need not see again. */
static void check_streams(resolver_t *resolver)
{
    size_t count = resolver->wanted.count;
    reach_t reach = {.resolver = resolver, .is_reached = ARENA_ARRAY(resolver->arena, bool, count + 1)};

    for (size_t i = 0; i < count; i++) {
        const rule_t *rule = resolver->wanted.items[i]->rule;
        reach.atomic = rule->name;
        if (is_atomic(&rule->notes))
            reach_rule(&reach, rule);
        for (size_t k = 0; k < rule->body->children.count; k++)
            if (is_atomic(&rule->body->children.items[k]->notes))
                reach_node(&reach, rule->body->children.items[k]);
    }
}

/* Rules of the main file that no root needs: probably forgotten somewhere. A file without roots is there to be
 * imported. */
static void warn_of_unreached(resolver_t *resolver)
{
    const grammar_t *grammar = resolver->grammar;
    const node_t *roots[ROOT_COUNT] = {grammar->client, grammar->server, grammar->datagram};
    reach_t reach = {.resolver = resolver,
                     .is_reached = ARENA_ARRAY(resolver->arena, bool, resolver->wanted.count + 1)};
    bool has_root = false;

    for (int i = 0; i < ROOT_COUNT; i++) {
        has_root |= roots[i] != NULL;
        if (roots[i])
            reach_node(&reach, roots[i]);
    }
    for (size_t i = 0; has_root && i < resolver->wanted.count; i++) {
        const definition_t *definition = resolver->wanted.items[i];
        if (definition->is_main && !reach.is_reached[i])
            diag_warning(resolver->diag, definition->place, "nothing that is read needs rule `%s`", definition->name);
    }
}

void resolve_check_reach(resolver_t *resolver)
{
    check_streams(resolver);
    warn_of_unreached(resolver);
}
