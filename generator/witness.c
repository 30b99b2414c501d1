/* witness.c: see witness.h. A trail is compared with another from its beginning: the last state that both have passed is
 * where they part, and it is a choice of the grammar, since nothing else has two ways on. */
#include "witness.h"

#define LINE_MAX 160       /* bytes of a derivation */
#define REREAD_MAX 1000u /* bytes of one counted repeat; more of them change nothing */

/* ---------------------------------------------------------------- reading again */

/* Marks of this step get a number of their own, so that those of the next are others. */
static void number_marks(configs_t *configs, unsigned number)
{
    for (size_t i = 0; i < configs->count; i++)
        for (size_t k = 0; k < configs->items[i].scopes.count; k++)
            if (configs->items[i].scopes.items[k].mark == MARK_NOW)
                configs->items[i].scopes.items[k].mark = number;
}

/* What the automaton does after each byte; what is committed is of no interest here. */
static void settle(const dfa_t *dfa, arena_t *arena, configs_t *configs, unsigned number)
{
    pendings_t done = {0};
    closure_promote(dfa->nfa, arena, configs, (stamp_t){STAMP_BACK, 0}, &done);
    closure_commit(dfa->nfa, arena, configs, &done);
    for (size_t i = 0; i < configs->count; i++)
        for (size_t k = 0; k < configs->items[i].pendings.count; k++) {
            stamp_t *at = &configs->items[i].pendings.items[k].at;
            if (at->reg < 0)
                at->reg = (int)number;
        }
    for (size_t i = 0; i < configs->count; i++)
        if (configs->items[i].begin.reg < 0)
            configs->items[i].begin.reg = (int)number;
    number_marks(configs, number);
}

/* Reads on to where a reading has counted up to the step's limit: nothing comes of it if that cannot be. */
static configs_t read_count(const dfa_t *dfa, arena_t *arena, configs_t configs, const clash_t *step, unsigned *position,
                            watch_t *watch)
{
    const unsigned limit = step->limit;
    const config_t *counting = NULL;
    for (size_t i = 0; i < configs.count && !counting; i++) {
        const nfa_state_t *s = &dfa->nfa->states.items[configs.items[i].state];
        if (s->kind == NFA_COUNT && s->limit == limit)
            counting = &configs.items[i];
    }
    if (!counting)
        return (configs_t){0};
    const stamp_t begin = counting->begin;
    const unsigned end = (unsigned)begin.reg + limit;
    const unsigned byte = step->byte >= 0 ? (unsigned)step->byte : charset_first(&dfa->nfa->states.items[counting->state].set);
    for (unsigned read = 0; *position < end && read < REREAD_MAX; read++) {
        configs = closure_step(dfa->nfa, arena, &configs, byte, watch);
        settle(dfa, arena, &configs, ++*position);
    }
    *position = end;
    watch->meetings.count = 0;
    return closure_full(dfa->nfa, arena, &configs, begin, limit, watch);
}

/* The number of the counter that leads to a state; 0 for none. */
static unsigned limit_to(const dfa_t *dfa, unsigned state)
{
    const dfa_state_t *s = &dfa->states.items[state], *from = &dfa->states.items[s->from];
    for (size_t i = 0; (s->byte < 0 || s->times > 0) && i < from->edges.count; i++)
        if (from->edges.items[i].target == state)
            return from->edges.items[i].limit;
    return 0;
}

configs_t witness_readings(const dfa_t *dfa, arena_t *arena, const clash_t *where, watch_t *watch)
{
    VEC(clash_t) steps = {0};
    unsigned start = where->start, position = 0;
    watch->is_tracing = true;
    if (start == STATE_NONE && (where->byte >= 0 || where->limit > 0))
        vec_push(arena, &steps, *where);
    for (unsigned state = where->from; start == STATE_NONE; state = dfa->states.items[state].from) {
        const dfa_state_t *s = &dfa->states.items[state];
        clash_t step = {.byte = s->byte, .limit = limit_to(dfa, state)};
        start = s->start;
        if (start == STATE_NONE && s->byte < 0 && step.limit == 0)
            return (configs_t){0}; /* at a control point: no bytes lead further */
        if (start == STATE_NONE)
            vec_push(arena, &steps, step);
    }
    configs_t configs = closure_start(dfa->nfa, arena, start, watch);
    for (size_t i = steps.count; i-- > 0;) {
        settle(dfa, arena, &configs, position);
        watch->meetings.count = 0;
        if (steps.items[i].limit > 0)
            configs = read_count(dfa, arena, configs, &steps.items[i], &position, watch);
        else
            configs = closure_step(dfa->nfa, arena, &configs, (unsigned)steps.items[i].byte, watch);
        position += steps.items[i].limit == 0;
    }
    return configs;
}

const char *witness_input(const dfa_t *dfa, arena_t *arena, const clash_t *where)
{
    text_t text;
    text_init(&text, arena);
    if (where->from == STATE_NONE)
        return "\"\"";
    dfa_witness(dfa, where->from, &text);
    if (where->byte >= 0) {
        text.bytes[--text.len] = '\0';
        text_quoted_byte(&text, (unsigned)where->byte);
        text_print(&text, "\"");
    }
    return text.bytes;
}

/* ---------------------------------------------------------------- where they part */

static const nfa_state_t *state_of(const parting_t *parting, unsigned state)
{
    return &parting->nfa->states.items[state];
}

static bool is_within(const context_t *inner, const context_t *outer)
{
    while (inner && inner != outer)
        inner = inner->parent;
    return inner == outer;
}

static void unroll(arena_t *arena, const trail_t *trail, path_t *path)
{
    size_t count = 0;
    for (const trail_t *t = trail; t; t = t->before)
        count++;
    path->steps.items = ARENA_ARRAY(arena, trail_t, count + 1);
    path->steps.count = count;
    for (; trail; trail = trail->before)
        path->steps.items[--count] = *trail;
}

static void find_around(parting_t *parting)
{
    const context_t *around = state_of(parting, parting->split)->context;
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; i < parting->paths[which].steps.count; i++)
            while (!is_within(state_of(parting, parting->paths[which].steps.items[i].state)->context, around))
                around = around->parent;
    parting->around = around;
}

bool witness_part(const dfa_t *dfa, arena_t *arena, const config_t *first, const config_t *second, parting_t *parting)
{
    size_t same = 0;
    path_t *a = &parting->paths[0], *b = &parting->paths[1];
    parting->nfa = dfa->nfa;
    parting->arena = arena;
    parting->next = -1;
    unroll(arena, first->trail, a);
    unroll(arena, second->trail, b);
    a->end = first->state;
    b->end = second->state;
    while (same < a->steps.count && same < b->steps.count && a->steps.items[same].state == b->steps.items[same].state)
        same++;
    if (same == 0)
        return false;
    parting->common = same;
    parting->split = a->steps.items[same - 1].state;
    for (int which = 0; which < 2; which++) {
        parting->paths[which].steps.items += same;
        parting->paths[which].steps.count -= same;
    }
    find_around(parting);
    const nfa_state_t *split = state_of(parting, parting->split);
    return (split->kind == NFA_SPLIT || split->kind == NFA_FALLBACK) && split->node;
}

/* ---------------------------------------------------------------- where that is in the spec */

static unsigned first_state(const path_t *path)
{
    return path->steps.count ? path->steps.items[0].state : path->end;
}

/* Alternatives that are only tolerated may have a split of their own: they are the last. */
const node_t *witness_alternative(const parting_t *parting, unsigned which)
{
    const path_t *path = &parting->paths[which];
    const nfa_state_t *split = state_of(parting, parting->split);
    if (split->kind != NFA_SPLIT || split->node->kind != NODE_CHOICE)
        return NULL;
    size_t first = split->context->guard == split->context ? 0 : split->node->children.count - split->branches.count;
    for (size_t i = 0; i < split->branches.count; i++)
        if (split->branches.items[i] == first_state(path))
            return split->node->children.items[first + i];
    return NULL;
}

/* Where a state behind the split is in the rule that has the split, or in one around it; false if it does not say. */
static bool find_place(const parting_t *parting, unsigned state, place_t *place)
{
    const nfa_state_t *s = state_of(parting, state), *split = state_of(parting, parting->split);
    const node_t *node = s->node;
    for (const context_t *c = s->context; c && !is_within(split->context, c); c = c->parent)
        if (c->reference)
            node = c->reference;
    if (!node || state == parting->split)
        return false;
    *place = node->place;
    return true;
}

place_t witness_place(const parting_t *parting, unsigned which)
{
    const path_t *path = &parting->paths[which];
    const nfa_state_t *split = state_of(parting, parting->split);
    const node_t *alternative = witness_alternative(parting, which);
    place_t place = split->node->place;
    if (alternative)
        return alternative->place;
    if (split->kind == NFA_SPLIT && split->branches.count && first_state(path) == split->branches.items[0])
        return place; /* the repeat goes on */
    for (size_t i = 0; i < path->steps.count; i++)
        if (find_place(parting, path->steps.items[i].state, &place))
            return place;
    find_place(parting, path->end, &place);
    return place;
}

/* ---------------------------------------------------------------- derivations */

/* What had been printed when a rule was opened. */
typedef struct printed {
    size_t len;
    bool is_quoting, is_first;
} printed_t;

typedef struct derivation {
    const parting_t *parting;
    text_t text;
    const context_t *open;   /* the link in which it stands */
    VEC(printed_t) unopened; /* for each rule that is open: how things were before */
    bool is_quoting;
    bool is_first;           /* nothing stands behind the last parenthesis yet */
} derivation_t;

static bool begins_rule(const context_t *link)
{
    return link->rule && (!link->parent || link->rule != link->parent->rule || link->reference);
}

static void print_item(derivation_t *d, const char *text)
{
    if (d->is_quoting)
        text_print(&d->text, "\"");
    text_print(&d->text, "%s%s", d->is_first ? "" : " ", text);
    d->is_quoting = d->is_first = false;
}

/* A rule that read nothing, and does nothing, is as if it were not there. */
static void close_rule(derivation_t *d, const rule_t *rule)
{
    printed_t before = d->unopened.items[--d->unopened.count];
    if (d->is_first && rule->notes.count == 0) {
        d->text.bytes[d->text.len = before.len] = '\0';
        d->is_quoting = before.is_quoting;
        d->is_first = before.is_first;
        return;
    }
    text_print(&d->text, d->is_quoting ? "\")" : ")");
    d->is_quoting = d->is_first = false;
}

static void close_link(derivation_t *d)
{
    if (begins_rule(d->open))
        close_rule(d, d->open->rule);
    d->open = d->open->parent;
}

/* Did both readings read something in the link before they parted? */
static bool has_read(const parting_t *parting, const context_t *link)
{
    const trail_t *split = parting->paths[0].steps.items;
    for (size_t i = 1; i <= parting->common; i++) {
        if (!is_within(state_of(parting, (split - i)->state)->context, link))
            return false;
        if ((split - i)->byte >= 0)
            return true;
    }
    return false;
}

static void open_links(derivation_t *d, const context_t *to, bool is_before_split)
{
    if (to == d->open)
        return;
    open_links(d, to->parent, is_before_split);
    if (begins_rule(to)) {
        vec_push(d->parting->arena, &d->unopened, ((printed_t){d->text.len, d->is_quoting, d->is_first}));
        print_item(d, to->rule->name);
        text_print(&d->text, "(");
        d->is_first = true;
        if (is_before_split && has_read(d->parting, to))
            print_item(d, "...");
    }
    d->open = to;
}

static void move_to(derivation_t *d, const context_t *context)
{
    while (!is_within(context, d->open))
        close_link(d);
    open_links(d, context, false);
}

/* "...", unless that stands there already. */
static void print_rest(derivation_t *d)
{
    size_t len = d->text.len;
    if (d->is_quoting || len < 3 || strcmp(d->text.bytes + len - 3, "...") != 0)
        print_item(d, "...");
}

static void print_byte(derivation_t *d, unsigned byte)
{
    if (!d->is_quoting)
        print_item(d, "\"");
    d->is_quoting = true;
    text_quoted_byte(&d->text, byte);
}

/* What the reading does next, if there is a next byte to read. */
static void print_next(derivation_t *d, const nfa_state_t *end)
{
    const control_t *control = end->kind == NFA_CONTROL ? &d->parting->nfa->controls.items[end->control] : NULL;
    if (nfa_reads(end)) {
        move_to(d, end->context);
        print_byte(d, (unsigned)d->parting->next);
    } else if (control && control->kind == CONTROL_CALL) {
        move_to(d, end->context);
        print_item(d, arena_print(d->parting->arena, "%s(...)", control->rule->name));
    }
}

const char *witness_derivation(const parting_t *parting, unsigned which)
{
    const path_t *path = &parting->paths[which];
    const context_t *around = parting->around;
    while (around && around->parent && !begins_rule(around))
        around = around->parent;
    const context_t *outermost = around ? around->parent : NULL; /* what is called has nothing around it */
    derivation_t d = {.parting = parting, .open = outermost, .is_first = true};
    text_init(&d.text, parting->arena);
    open_links(&d, state_of(parting, parting->split)->context, true);
    for (size_t i = 0; i < path->steps.count; i++) {
        move_to(&d, state_of(parting, path->steps.items[i].state)->context);
        if (path->steps.items[i].byte >= 0)
            print_byte(&d, (unsigned)path->steps.items[i].byte);
    }
    if (parting->next >= 0)
        print_next(&d, state_of(parting, path->end));
    while (d.open != outermost) {
        if (begins_rule(d.open) && is_within(state_of(parting, path->end)->context, d.open))
            print_rest(&d);
        close_link(&d);
    }
    if (d.is_quoting)
        text_print(&d.text, "\"");
    if (d.text.len > LINE_MAX) /* the ends tell more than the middle */
        return arena_print(parting->arena, "%.*s ... %s", LINE_MAX / 2, d.text.bytes, d.text.bytes + d.text.len - LINE_MAX / 2);
    return d.text.len ? d.text.bytes : "nothing";
}

const char *witness_bytes(const parting_t *parting)
{
    text_t text;
    text_init(&text, parting->arena);
    for (size_t i = 0; i < parting->paths[0].steps.count; i++)
        if (parting->paths[0].steps.items[i].byte >= 0)
            text_quoted_byte(&text, (unsigned)parting->paths[0].steps.items[i].byte);
    return text.len ? arena_print(parting->arena, "\"%s\"", text.bytes) : NULL;
}
