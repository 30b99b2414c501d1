/* resolve_check.c: what only the whole grammar shows: recursion, reach, streams where they cannot be.
 *
 * Each check is a walk over rules and what they refer to. A rule is entered once, so walks are linear. The first walk
 * also measures how deep rules and their nodes lie inside each other: everything later may recurse over them. */
#include "resolver.h"

/* Levels of rules and nodes inside each other that a stack holds with ease. Grammars of RFCs have some 50. */
#define LEVEL_MAX 1000

/* ---------------------------------------------------------------- recursion
 *
 * There are three walks. The first goes everywhere: it measures depth, and marks the rules that a cycle comes back to. There may
 * be better ones to call (resolve_cycle.c); the second walk measures depth between those. The third follows only references
 * that have nothing before them that must read a byte: a cycle among these is left recursion, which would never read one. */

typedef enum { WALK_ALL, WALK_BETWEEN_CALLS, WALK_LEFT } walk_kind_t;

typedef struct walk {
    resolver_t *resolver; /* whose rules are walked */
    unsigned *heights;    /* of rules by index; 0: not entered yet */
    bool *is_open;        /* rules on the path */
    walk_kind_t kind;     /* where it goes */
    VEC(rule_t *) path;   /* from where the walk began */
    bool has_left;        /* there is left recursion */
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
            text_print(&text, "%s -> ", walk->path.items[i]->name);
        else if (i - begin == shown_max)
            text_print(&text, "... -> ");
    }
    text_print(&text, "%s", walk->path.items[begin]->name);
    return text.bytes;
}

/* The path has come back to `rule`. */
static void note_cycle(walk_t *walk, rule_t *rule)
{
    size_t begin = walk->path.count - 1;

    if (walk->kind == WALK_ALL)
        rule->is_called = true;
    if (walk->kind != WALK_LEFT)
        return;
    walk->has_left = true;
    while (walk->path.items[begin] != rule)
        begin--;
    diag_error(walk->resolver->diag, rule->place, "left recursion: `%s` begins with itself", rule->name);
    diag_note(walk->resolver->diag, "%s", cycle_text(walk, begin));
}

static unsigned follow(walk_t *walk, const rule_t *target, unsigned level)
{
    rule_t *rule = walk->resolver->wanted.items[target->index]->rule;

    if (walk->kind == WALK_BETWEEN_CALLS && rule->is_called)
        return 1;
    if (walk->is_open[target->index])
        note_cycle(walk, rule);
    else if (!walk->heights[target->index])
        return enter_rule(walk, rule, level);
    return walk->heights[target->index];
}

static unsigned follow_notes(walk_t *walk, const notes_t *notes, unsigned level)
{
    unsigned height = 0;

    for (size_t i = 0; i < notes->count && walk->kind != WALK_LEFT; i++)
        for (size_t k = 0; k < notes->items[i]->entries.count; k++) {
            unsigned below = follow(walk, notes->items[i]->entries.items[k].rule, level + 1);
            height = below > height ? below : height;
        }
    return height;
}

/* The height of the tree at node, rules included. */
static unsigned walk_node(walk_t *walk, const node_t *node, unsigned level)
{
    if (level > LEVEL_MAX)
        walk->has_failed = true;
    if (walk->has_failed)
        return 1;
    if (node->kind == NODE_RULE)
        return follow(walk, node->rule, level + 1) + 1;
    unsigned height = follow_notes(walk, &node->notes, level);
    for (size_t i = 0; i < node->children.count; i++) {
        unsigned below = walk_node(walk, node->children.items[i], level + 1);
        height = below > height ? below : height;
        if (walk->kind == WALK_LEFT && node->kind == NODE_SEQUENCE && !resolve_can_be_empty(walk->resolver, node->children.items[i]))
            break;
    }
    return height + 1;
}

static unsigned enter_rule(walk_t *walk, rule_t *rule, unsigned level)
{
    walk->is_open[rule->index] = true;
    vec_push(walk->resolver->arena, &walk->path, rule);
    unsigned height = walk_node(walk, rule->body, level + 1);
    unsigned below = follow_notes(walk, &rule->notes, level + 1);
    walk->path.count--;
    walk->is_open[rule->index] = false;
    walk->heights[rule->index] = (below > height ? below : height) + 1;
    walk->has_failed |= walk->heights[rule->index] > LEVEL_MAX;
    return walk->heights[rule->index];
}

/* False if rules lie too deep inside each other, or at the beginning of themselves. */
static bool walk_all(resolver_t *resolver, walk_kind_t kind)
{
    size_t count = resolver->wanted.count;
    walk_t walk = {.resolver = resolver,
                   .kind = kind,
                   .heights = ARENA_ARRAY(resolver->arena, unsigned, count + 1),
                   .is_open = ARENA_ARRAY(resolver->arena, bool, count + 1)};

    for (size_t i = 0; i < count && !walk.has_failed; i++) {
        rule_t *rule = resolver->wanted.items[i]->rule;
        if (walk.heights[i])
            continue;
        enter_rule(&walk, rule, 0);
        if (walk.has_failed)
            diag_error(resolver->diag, rule->place, "rules are more than %d levels deep inside `%s`", LEVEL_MAX,
                       rule->name);
    }
    return !walk.has_failed && !walk.has_left;
}

bool resolve_check_recursion(resolver_t *resolver)
{
    if (resolver->node_count > NODE_MAX) /* reported; rules may have no body */
        return false;
    if (!walk_all(resolver, WALK_ALL))
        return false;
    resolve_find_empty(resolver);
    if (!resolve_choose_called(resolver)) /* then any will do */
        walk_all(resolver, WALK_ALL);
    else if (!walk_all(resolver, WALK_BETWEEN_CALLS))
        return false;
    return walk_all(resolver, WALK_LEFT);
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

/* What is fed is no part of what feeds it. */
static void reach_fed(reach_t *reach, const rule_t *rule)
{
    const char *atomic = reach->atomic;
    reach->atomic = NULL;
    reach_rule(reach, rule);
    reach->atomic = atomic;
}

static void reach_notes(reach_t *reach, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        for (size_t k = 0; k < note->entries.count; k++)
            reach_rule(reach, note->entries.items[k].rule);
        for (size_t k = 0; k < note->parts.count; k++)
            if (note->parts.items[k].node)
                reach_node(reach, note->parts.items[k].node);
        if (note->kind == NOTE_FEED && note->rule)
            reach_fed(reach, note->rule);
        if (reach->atomic && note->kind == NOTE_FEED)
            diag_error(reach->resolver->diag, note->place, "`feed` cannot be part of `%s`, which is atomic", reach->atomic);
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

/* Of a joined element each part lies inside, or it is never there. */
static void check_joined(resolver_t *resolver, const note_t *note, const node_t *node, const char *name)
{
    reach_t reach = {.resolver = resolver, .is_reached = ARENA_ARRAY(resolver->arena, bool, resolver->wanted.count + 1)};

    reach_node(&reach, node);
    for (size_t i = 0; i < note->joined.count; i++)
        if (!reach.is_reached[note->joined.items[i]->index])
            diag_error(resolver->diag, note->place, "nothing can be joined: `%s` is no part of `%s`", note->joined.items[i]->name,
                       name);
}

static bool has_feed(const notes_t *notes, const note_t *finish)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == NOTE_FEED && note->rule == finish->rule && (note->rule || strcmp(note->name, finish->name) == 0))
            return true;
    }
    return false;
}

/* What nothing feeds cannot be finished. */
static void check_finish(resolver_t *resolver, const note_t *note)
{
    bool is_fed = false;

    for (size_t i = 0; i < resolver->wanted.count && !is_fed; i++) {
        const rule_t *rule = resolver->wanted.items[i]->rule;
        is_fed = has_feed(&rule->notes, note);
        for (size_t k = 0; k < rule->body->children.count && !is_fed; k++)
            is_fed = has_feed(&rule->body->children.items[k]->notes, note);
    }
    if (!is_fed)
        diag_error(resolver->diag, note->place, "nothing feeds `%s`", note->name);
}

static void check_parts_of(resolver_t *resolver, const notes_t *notes, const node_t *node, const char *name)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == NOTE_EMIT && note->separator)
            check_joined(resolver, note, node, name);
        if (note->kind == NOTE_FINISH)
            check_finish(resolver, note);
    }
}

static void check_parts(resolver_t *resolver)
{
    for (size_t i = 0; i < resolver->wanted.count; i++) {
        const rule_t *rule = resolver->wanted.items[i]->rule;
        check_parts_of(resolver, &rule->notes, rule->body, rule->name);
        for (size_t k = 0; k < rule->body->children.count; k++)
            check_parts_of(resolver, &rule->body->children.items[k]->notes, rule->body->children.items[k], rule->name);
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
    check_parts(resolver);
    warn_of_unreached(resolver);
}
