/* walk_next.c: what can come next at a stop.
 *
 * A rule that contains itself can return to wherever it is referred to: what can follow any of these references counts
 * for each return. So parsers have it, too: which of them is meant is not known before the return. The rest is looked
 * up in the spots behind the stop. */
#include "walk.h"

/* ---------------------------------------------------------------- behind references */

typedef struct trace {
    walk_t *walk;
    next_t *returns;          /* by rule: what can come behind a reference */
    next_t *starts;           /* by rule: what it can begin with, or what comes behind if it can be empty */
    VEC(const rule_t *) open; /* that contain themselves, and that the trace is in */
    bool is_changed;
} trace_t;

static next_t trace_node(trace_t *t, const node_t *node, next_t after);
static next_t trace_notes(trace_t *t, const notes_t *notes, const node_t *body, next_t after);

static const next_t nothing, end_of_input = {.is_end = true};

static next_t either(next_t a, next_t b)
{
    return (next_t){charset_union(a.set, b.set), a.is_end || b.is_end};
}

static void add_to(trace_t *t, next_t *to, next_t more)
{
    next_t all = either(*to, more);
    t->is_changed |= !charset_equal(&all.set, &to->set) || all.is_end != to->is_end;
    *to = all;
}

static bool is_open(const trace_t *t, const rule_t *rule)
{
    for (size_t i = 0; i < t->open.count; i++)
        if (t->open.items[i] == rule)
            return true;
    return false;
}

/* The first of a rule that contains itself returns to nowhere: it is written out where it stands. */
static next_t trace_rule(trace_t *t, const rule_t *rule, next_t after)
{
    if (is_open(t, rule)) {
        add_to(t, &t->returns[rule->index], after);
        return t->starts[rule->index];
    }
    if (rule->is_called)
        vec_push(t->walk->arena, &t->open, rule);
    next_t first = trace_notes(t, &rule->notes, rule->body, after);
    t->open.count -= rule->is_called;
    return first;
}

/* The items from number `i` on; the refined VALUE among them may be read by any of the rules. */
static next_t trace_items(trace_t *t, const node_t *node, size_t i, const note_t *refine, next_t after)
{
    for (size_t k = node->children.count; k-- > i;) {
        const node_t *item = node->children.items[k];
        next_t before = trace_node(t, item, after);
        if (refine && item->kind == NODE_RULE && item->rule == refine->value)
            for (size_t e = 0; e < refine->entries.count; e++)
                before = either(before, trace_rule(t, refine->entries.items[e].rule, after));
        after = before;
    }
    return after;
}

static next_t trace_notes(trace_t *t, const notes_t *notes, const node_t *body, next_t after)
{
    const next_t around = after;
    const note_t *at = walk_note(notes, NOTE_AT);
    if (at) /* what is read elsewhere says nothing of what follows here */
        after = nothing;
    const note_t *refine = walk_note(notes, NOTE_REFINE);
    bool is_open = walk_note(notes, NOTE_UNTIL_CLOSE) || walk_note(notes, NOTE_UNTIL);
    bool is_region = walk_note(notes, NOTE_LENGTH) || walk_count_of_bytes(notes, body);
    const note_t *become = walk_note(notes, NOTE_BECOME);
    if (become)
        after = (next_t){become->before, after.is_end && charset_count(&become->before) == 256};
    next_t inside = is_open || is_region ? nothing : after;
    next_t first = refine ? trace_items(t, body, 0, refine, inside) : trace_node(t, body, inside);
    if (is_open)
        first.set = charset_range(0, 255);
    if (at)
        return around;
    if (walk_note(notes, NOTE_UNTIL)) /* the text, at least, has to be read */
        return (next_t){first.set, false};
    return is_open || is_region ? either((next_t){first.set, false}, after) : first;
}

static next_t trace_node(trace_t *t, const node_t *node, next_t after)
{
    next_t first = nothing;
    switch (node->kind) {
    case NODE_EMPTY:
        return after;
    case NODE_SET:
        first.set = node->set;
        return first;
    case NODE_STRING:
        first.set = node->len ? walk_letter((unsigned char)node->text[0], node->is_case_sensitive) : after.set;
        first.is_end = !node->len && after.is_end;
        return first;
    case NODE_SEQUENCE:
        return trace_items(t, node, 0, NULL, after);
    case NODE_CHOICE:
        for (size_t i = 0; i < node->children.count; i++)
            first = either(first, trace_notes(t, &node->children.items[i]->notes, node->children.items[i], after));
        return first;
    case NODE_REPEAT:
        first = trace_node(t, node->children.items[0], after);
        first = trace_node(t, node->children.items[0], node->max > 1 ? either(first, after) : after);
        return node->min ? first : either(first, after);
    case NODE_RULE:
        return trace_rule(t, node->rule, after);
    }
    return after;
}

/* What can come where the rule returns. */
static const next_t *returns_of(walk_t *w, const rule_t *rule)
{
    const grammar_t *g = w->grammar;
    if (w->returns)
        return &w->returns[rule->index];
    trace_t t = {.walk = w, .is_changed = true};
    t.returns = w->returns = ARENA_ARRAY(w->arena, next_t, g->rules.count + 1);
    t.starts = ARENA_ARRAY(w->arena, next_t, g->rules.count + 1);
    while (t.is_changed) {
        t.is_changed = false;
        const node_t *const roots[] = {g->client, g->server, g->datagram};
        for (int i = 0; i < 3; i++)
            if (roots[i])
                trace_node(&t, roots[i], end_of_input);
        for (size_t i = 0; i < w->feeds.count; i++)
            if (w->feeds.items[i]->root)
                trace_node(&t, w->feeds.items[i]->root, end_of_input);
        for (size_t i = 0; i < g->rules.count; i++) {
            const rule_t *called = g->rules.items[i];
            if (!called->is_called)
                continue;
            t.open.count = 0;
            vec_push(w->arena, &t.open, called);
            add_to(&t, &t.starts[i], trace_notes(&t, &called->notes, called->body, t.returns[i]));
            t.open.count = 0;
        }
    }
    return &w->returns[rule->index];
}

/* ---------------------------------------------------------------- behind stops */

typedef struct firsts {
    walk_t *walk;
    VEC(const spot_t *) seen;
    charset_t set;
    bool can_end;
} firsts_t;

static void find_first(firsts_t *f, spot_t *spot, bool is_region);

/* Everything that a stop can lead to. Where a region ends is not the end of what is around it. */
static void find_behind(firsts_t *f, spot_t *stop, bool is_region)
{
    if (stop->stop == STOP_RETURN) {
        const next_t *next = returns_of(f->walk, stop->rule);
        f->set = charset_union(f->set, next->set);
        f->can_end |= next->is_end && !is_region;
        return;
    }
    if (stop->stop == STOP_REJOIN) /* readings never stand there with others */
        return;
    if (stop->stop == STOP_BECOME)
        f->set = charset_union(f->set, stop->note->before);
    if (stop->stop == STOP_BECOME && charset_count(&stop->note->before) < 256)
        return;
    if (stop->stop == STOP_UNTIL) { /* its text, at least, has to be read */
        f->set = charset_range(0, 255);
        return;
    }
    bool begins = stop->stop == STOP_LENGTH || stop->stop == STOP_CLOSE;
    size_t ways = stop->stop == STOP_CHOICE   ? stop->node->children.count
                  : stop->stop == STOP_REFINE ? stop->note->entries.count + 1
                  : stop->stop == STOP_COUNT  ? 2
                                              : 1;
    for (size_t i = stop->stop == STOP_AT; i < ways; i++) /* that lies elsewhere */
        find_first(f, walk_target(f->walk, stop, i), is_region || begins);
    if (stop->other)
        find_first(f, stop->other, is_region);
    if (stop->stop == STOP_ROUND) { /* the last one, or not: as for returns, how many there are does not matter */
        spot_t again = *stop;
        again.n = 1;
        find_first(f, walk_target(f->walk, &again, 0), is_region);
        find_first(f, stop->next, is_region);
    }
    if (stop->stop == STOP_CLOSE)
        f->set = charset_range(0, 255);
}

static void find_first(firsts_t *f, spot_t *spot, bool is_region)
{
    for (size_t i = 0; i < f->seen.count; i++)
        if (f->seen.items[i] == spot)
            return;
    vec_push(f->walk->arena, &f->seen, spot);
    f->can_end |= spot->kind == SPOT_END && !is_region;
    if (spot->kind == SPOT_BYTE || spot->kind == SPOT_TEXT) {
        f->set = charset_union(f->set, *walk_set(spot));
    } else if (spot->kind == SPOT_STOP) {
        find_behind(f, spot, is_region);
    } else {
        const spots_t *branches = walk_open(f->walk, spot);
        for (size_t i = 0; i < branches->count; i++)
            find_first(f, branches->items[i], is_region);
        if (spot->kind == SPOT_FALLBACK)
            find_first(f, spot->other, is_region);
    }
}

charset_t walk_first(walk_t *w, spot_t *spot)
{
    firsts_t f = {.walk = w};
    if (spot->kind == SPOT_BYTE || spot->kind == SPOT_TEXT)
        return *walk_set(spot);
    if (spot->kind != SPOT_STOP || spot->has_first)
        return spot->first;
    find_behind(&f, spot, false);
    spot->has_first = true;
    spot->first = f.set;
    spot->can_end = f.can_end;
    return spot->first;
}

static spot_t *find_skip(spot_t *until)
{
    spot_t *spot = until->other;
    while (spot->kind != SPOT_STOP || spot->stop != STOP_SKIP) /* what closes the rule is on the way */
        spot = spot->next;
    return spot;
}

const charset_t *walk_behind(walk_t *w, spot_t *until)
{
    spot_t *skip = find_skip(until);
    walk_first(w, skip);
    return &skip->first;
}

/* Adds to `second` what can come behind each spot that reads `first`. */
static void add_second(firsts_t *passed, spot_t *spot, unsigned first, firsts_t *second)
{
    walk_t *w = passed->walk;
    for (size_t i = 0; i < passed->seen.count; i++)
        if (passed->seen.items[i] == spot)
            return;
    vec_push(w->arena, &passed->seen, spot);
    if (spot->kind == SPOT_BYTE || spot->kind == SPOT_TEXT) {
        if (charset_has(walk_set(spot), first))
            find_first(second, spot->kind == SPOT_BYTE ? spot->next : walk_open(w, spot)->items[0], false);
    } else if (spot->kind == SPOT_STOP) {
        charset_t set = walk_first(w, spot);
        if (charset_has(&set, first))
            second->set = charset_range(0, 255);
    } else {
        const spots_t *branches = walk_open(w, spot);
        for (size_t i = 0; i < branches->count; i++)
            add_second(passed, branches->items[i], first, second);
        if (spot->kind == SPOT_FALLBACK)
            add_second(passed, spot->other, first, second);
    }
}

charset_t walk_second(walk_t *w, spot_t *until, unsigned first)
{
    firsts_t passed = {.walk = w}, second = {.walk = w};
    add_second(&passed, walk_target(w, find_skip(until), 0), first, &second);
    return second.set;
}

bool walk_can_end(walk_t *w, spot_t *stop)
{
    walk_first(w, stop);
    return stop->can_end;
}
