/* closure.c: one step of the subset construction over ordered configurations.
 *
 * A configuration is an NFA state together with the operations that the reading which stands there has performed and on
 * which not all readings agree yet, each stamped with a position. After every byte the set of configurations is closed over
 * the states that read nothing; operations met on the way are stamped with the position reached. Two readings in the same
 * NFA state behave alike from then on: the later one in order is dropped, which is what makes alternatives ordered and
 * repetition greedy. What is then common to the beginnings of all lists is certain: it is committed (earliest commit).
 * As in tagged automata (Laurikari 2000; Trofimovich 2017) and streaming transducers (Grathwohl, Henglein et al. 2016).
 *
 * note [cut]: a reading remembers the scopes (alternations, rules) that it has entered, with a mark for the place where it
 * did. Passing a cut kills the later readings with the same scope and mark; the reading itself, and what comes of it in
 * this step, forgets the mark and so survives.
 *
 * note [counter]: a large repeat of one class of bytes is one state, not one for each byte. How many bytes it has read is told by
 * where it began, so a reading that counts carries that position, and what it does when the number is reached is an edge that is
 * taken at an offset instead of on a byte (closure_full). Two readings in one such state that began at different places are not
 * alike, and any number of them may come: the later one is dropped here, but its repeat is noted in nfa->unrolled, and
 * everything is built once more with that repeat written out.
 *
 * note [fallback]: `refine` reads VALUE by another rule R, and by VALUE's own rule if R does not fit. The second reading must
 * not delay what R reports, so it is a fallback: it comes after all main readings and has no say in what is committed
 * inside R. Outside R it has. When the last main reading dies, the fallback becomes the main reading and an anomaly is
 * reported. In an atomic rule, where what was committed can be taken back, alternatives marked `anomaly` are fallbacks of those
 * before them. A fallback that reaches the NFA state of a main reading is dropped as any later reading is. */
#include "closure.h"

#include <stdlib.h>

typedef struct closure {
    nfa_t *nfa;
    arena_t *arena;
    watch_t *watch;          /* NULL: nobody wants to know */
    configs_t out;
    configs_t deferred;      /* fallbacks found on the way, to be closed after their betters */
    VEC(unsigned) killed;    /* scopes of the cuts passed in this step ... */
    VEC(unsigned) killed_marks; /* ... and the marks that die */
} closure_t;

static config_t copy(arena_t *arena, const config_t *config)
{
    config_t c = *config;
    c.pendings = (pendings_t){0};
    for (size_t i = 0; i < config->pendings.count; i++)
        vec_push(arena, &c.pendings, config->pendings.items[i]);
    memset(&c.scopes, 0, sizeof c.scopes);
    for (size_t i = 0; i < config->scopes.count; i++)
        vec_push(arena, &c.scopes, config->scopes.items[i]);
    return c;
}

static bool is_visited(const closure_t *c, unsigned state)
{
    return c->nfa->visited[state] == c->nfa->generation;
}

static bool is_killed(const closure_t *c, const config_t *config)
{
    for (size_t i = 0; i < c->killed.count; i++)
        for (size_t k = 0; k < config->scopes.count; k++)
            if (config->scopes.items[k].scope == c->killed.items[i] &&
                config->scopes.items[k].mark == c->killed_marks.items[i])
                return true;
    return false;
}

/* See note [cut]. */
static void pass_cut(closure_t *c, config_t *config, unsigned scope)
{
    for (size_t k = 0; k < config->scopes.count; k++) {
        if (config->scopes.items[k].scope != scope)
            continue;
        vec_push(c->arena, &c->killed, scope);
        vec_push(c->arena, &c->killed_marks, config->scopes.items[k].mark);
        for (size_t i = k + 1; i < config->scopes.count; i++)
            config->scopes.items[i - 1] = config->scopes.items[i];
        config->scopes.count--;
        return;
    }
}

static void leave_scope(config_t *config, unsigned scope)
{
    if (config->scopes.count && config->scopes.items[config->scopes.count - 1].scope == scope)
        config->scopes.count--;
}

/* Another reading stands in the counting state already: one that began elsewhere is not the same. See note [counter]. */
static void compare_counts(closure_t *c, const config_t *config)
{
    const node_t *node = c->nfa->states.items[config->state].node;
    for (size_t i = 0; i < c->out.count; i++) {
        const config_t *other = &c->out.items[i];
        if (other->state != config->state || (other->begin.reg == config->begin.reg && other->begin.back == config->begin.back))
            continue;
        for (size_t k = 0; k < c->nfa->unrolled.count; k++)
            if (c->nfa->unrolled.items[k] == node)
                return;
        vec_push(c->nfa->arena, &c->nfa->unrolled, node);
        return;
    }
}

/* Tells of a reading that is dropped, since another one has been at its state: unless it has done just the same. What a
 * reading had performed there stays as it was, since operations are only ever added to a list. */
static void note_meeting(closure_t *c, const config_t *later)
{
    for (size_t i = 0; c->watch && i < c->watch->passed.count; i++) {
        const config_t *earlier = &c->watch->passed.items[i];
        if (earlier->state != later->state)
            continue;
        if (earlier->level == later->level && !closure_pendings_equal(&earlier->pendings, &later->pendings))
            vec_push(c->arena, &c->watch->meetings, ((meeting_t){*earlier, *later}));
        return;
    }
}

static bool is_within(const context_t *inner, const context_t *outer)
{
    while (inner && inner != outer)
        inner = inner->parent;
    return inner == outer;
}

void closure_take(nfa_t *nfa, unsigned from, unsigned to)
{
    if (from == STATE_NONE || nfa->came_from[to] == from)
        return;
    nfa->came_from[to] = from;
    const context_t *context = nfa->states.items[to].context;
    for (const context_t *c = nfa->states.items[from].context; c && !is_within(context, c); c = c->parent)
        if (c->alternative)
            nfa->alternatives.items[c->alternative - 1].is_taken = true;
}

/* False if the reading is dropped. */
static bool enter(closure_t *c, const config_t *config)
{
    if (is_killed(c, config))
        return false;
    if (is_visited(c, config->state)) {
        if (c->nfa->states.items[config->state].kind == NFA_COUNT)
            compare_counts(c, config);
        note_meeting(c, config);
        return false;
    }
    c->nfa->visited[config->state] = c->nfa->generation;
    if (c->watch) {
        vec_push(c->arena, &c->watch->passed, *config);
        closure_take(c->nfa, config->last, config->state);
    }
    return true;
}

static void go(config_t *config, unsigned state)
{
    config->last = config->state;
    config->state = state;
}

/* Notes on its trail that a reading passes its state, reading `byte` or (-1) nothing. */
static void leave_trail(const closure_t *c, config_t *config, int byte)
{
    if (!c->watch || !c->watch->is_tracing)
        return;
    trail_t *trail = ARENA_NEW(c->arena, trail_t);
    *trail = (trail_t){config->trail, config->state, byte};
    config->trail = trail;
}

/* Adds a reading that counts and has read another byte, or none yet. False if it stays there; else `config` has left. */
static bool leave_count(closure_t *c, config_t *config)
{
    const nfa_state_t *s = &c->nfa->states.items[config->state];
    vec_push(c->arena, &c->out, copy(c->arena, config));
    config->begin = (stamp_t){STAMP_BACK, 0};
    go(config, s->next);
    return s->is_optional;
}

/* Closes over `config`, which may be changed. */
static void close_over(closure_t *c, config_t *config)
{
    arena_t *arena = c->arena;
    while (enter(c, config)) {
        const nfa_state_t *s = &c->nfa->states.items[config->state];
        if (!nfa_reads(s))
            leave_trail(c, config, -1);
        switch (s->kind) {
        case NFA_COUNT:
            if (!leave_count(c, config))
                return;
            continue;
        case NFA_BYTE:
        case NFA_CONTROL:
        case NFA_ACCEPT:
            vec_push(arena, &c->out, *config);
            return;
        case NFA_SPLIT:
            for (size_t i = 0; i + 1 < s->branches.count; i++) {
                config_t branch = copy(arena, config);
                go(&branch, s->branches.items[i]);
                close_over(c, &branch);
            }
            if (s->branches.count == 0)
                return;
            go(config, s->branches.items[s->branches.count - 1]); /* no recursion for the last: chains are long */
            continue;
        case NFA_OP: {
            pending_t pending = {.op = s->op, .at = {STAMP_BACK, 0}, .guard = s->context->guard};
            vec_push(arena, &config->pendings, pending);
            break;
        }
        case NFA_SCOPE:
            if (c->nfa->scope_used.items[s->scope]) {
                scope_mark_t entered = {s->scope, MARK_NOW};
                vec_push(arena, &config->scopes, entered);
            }
            break;
        case NFA_LEAVE:
            leave_scope(config, s->scope);
            break;
        case NFA_CUT:
            pass_cut(c, config, s->scope);
            break;
        case NFA_FALLBACK: {
            config_t other = copy(arena, config);
            go(&other, s->other);
            if (config->level > s->level) {
                other.level = s->level;
                other.fallback = config->state;
                other.forked = (unsigned)config->pendings.count;
                vec_push(arena, &c->deferred, other);
            } else { /* a fallback's own fallback: an alternative like any other */
                config_t first = copy(arena, config);
                go(&first, s->next);
                close_over(c, &first);
                *config = other;
                continue;
            }
            break;
        }
        }
        go(config, s->next);
    }
}

static void init(closure_t *c, nfa_t *nfa, arena_t *arena, watch_t *watch)
{
    memset(c, 0, sizeof *c);
    c->nfa = nfa;
    c->arena = arena;
    c->watch = watch;
    if (watch)
        watch->passed.count = 0;
    nfa->generation++;
}

/* Closes over the fallbacks of `level` that were met on the way. */
static void close_deferred(closure_t *c, unsigned level)
{
    for (size_t i = 0; i < c->deferred.count; i++)
        if (c->deferred.items[i].level == level) {
            config_t config = c->deferred.items[i];
            close_over(c, &config);
        }
}

static unsigned highest_level(const configs_t *from, const configs_t *deferred, unsigned below)
{
    unsigned level = 0;
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].level < below && from->items[i].level > level)
            level = from->items[i].level;
    for (size_t i = 0; i < deferred->count; i++)
        if (deferred->items[i].level < below && deferred->items[i].level > level)
            level = deferred->items[i].level;
    return level;
}

configs_t closure_start(nfa_t *nfa, arena_t *arena, unsigned state, watch_t *watch)
{
    closure_t c;
    init(&c, nfa, arena, watch);
    config_t config = {.state = state, .last = STATE_NONE, .begin = {STAMP_BACK, 0}, .level = LEVEL_MAIN, .fallback = STATE_NONE};
    close_over(&c, &config);
    configs_t none = {0};
    for (unsigned level = highest_level(&none, &c.deferred, LEVEL_MAIN); level > 0;
         level = highest_level(&none, &c.deferred, level))
        close_deferred(&c, level);
    return c.out;
}

configs_t closure_step(nfa_t *nfa, arena_t *arena, const configs_t *from, unsigned byte, watch_t *watch)
{
    closure_t c;
    init(&c, nfa, arena, watch);
    for (unsigned level = LEVEL_MAIN; level > 0; level = highest_level(from, &c.deferred, level)) {
        for (size_t i = 0; i < from->count; i++) {
            const nfa_state_t *s = &nfa->states.items[from->items[i].state];
            if (from->items[i].level != level || !nfa_reads(s) || !charset_has(&s->set, byte))
                continue;
            config_t config = copy(arena, &from->items[i]);
            leave_trail(&c, &config, (int)byte);
            if (s->kind == NFA_BYTE)
                go(&config, s->next);
            close_over(&c, &config);
        }
        close_deferred(&c, level);
    }
    return c.out;
}

/* Adds a reading that stays where it is. */
static void keep(closure_t *c, const config_t *config)
{
    if (enter(c, config))
        vec_push(c->arena, &c->out, *config);
}

configs_t closure_full(nfa_t *nfa, arena_t *arena, const configs_t *from, stamp_t begin, unsigned limit, watch_t *watch)
{
    closure_t c;
    init(&c, nfa, arena, watch);
    for (unsigned level = LEVEL_MAIN; level > 0; level = highest_level(from, &c.deferred, level)) {
        for (size_t i = 0; i < from->count; i++) {
            const nfa_state_t *s = &nfa->states.items[from->items[i].state];
            bool is_full = s->kind == NFA_COUNT && s->limit == limit && from->items[i].begin.reg == begin.reg;
            if (from->items[i].level != level || (is_full && s->is_optional)) /* it has left at this place already */
                continue;
            config_t config = copy(arena, &from->items[i]);
            if (!is_full) {
                keep(&c, &config);
                continue;
            }
            leave_trail(&c, &config, -1);
            go(&config, s->next);
            config.begin = (stamp_t){STAMP_BACK, 0};
            close_over(&c, &config);
        }
        close_deferred(&c, level);
    }
    return c.out;
}

configs_t closure_return(nfa_t *nfa, arena_t *arena, const configs_t *from, watch_t *watch)
{
    closure_t c;
    init(&c, nfa, arena, watch);
    for (size_t i = 0; i < from->count; i++) {
        config_t config = copy(arena, &from->items[i]);
        const control_t *call = &nfa->controls.items[nfa->states.items[config.state].control];
        config.state = call->targets.items[1];
        close_over(&c, &config);
    }
    for (unsigned level = highest_level(from, &c.deferred, LEVEL_MAIN); level > 0;
         level = highest_level(from, &c.deferred, level))
        close_deferred(&c, level);
    return c.out;
}

unsigned closure_main_count(const configs_t *configs)
{
    unsigned count = 0;
    while (count < configs->count && configs->items[count].level == LEVEL_MAIN)
        count++;
    return count;
}

void closure_promote(nfa_t *nfa, arena_t *arena, configs_t *configs, stamp_t at, pendings_t *done)
{
    if (configs->count == 0 || configs->items[0].level == LEVEL_MAIN)
        return;
    unsigned level = configs->items[0].level;
    const nfa_state_t *fallback = &nfa->states.items[configs->items[0].fallback];
    const context_t *context = fallback->context;
    op_t failed = {.kind = fallback->name ? OP_MISMATCH : OP_ROLLBACK, .depth = context->depth, .name = fallback->name,
                   .is_atomic = context->is_atomic, .level = context->level};
    if (fallback->name || configs->items[0].forked == 0) { /* else the mark to go back to has not been made yet */
        pending_t report = {.op = regop_intern(nfa->arena, &nfa->ops, failed), .at = at};
        vec_push(arena, done, report);
    }
    for (size_t i = 0; i < configs->count && configs->items[i].level == level; i++) {
        configs->items[i].level = LEVEL_MAIN;
        configs->items[i].fallback = STATE_NONE;
        configs->items[i].forked = 0;
    }
}

static bool pending_equal(const pending_t *a, const pending_t *b)
{
    return a->op == b->op && a->at.reg == b->at.reg && a->at.back == b->at.back;
}

bool closure_pendings_equal(const pendings_t *a, const pendings_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!pending_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* Was it performed inside what `fallback` is the fallback of? */
static bool is_inside(const nfa_t *nfa, const pending_t *pending, const config_t *fallback)
{
    const context_t *wanted = nfa->states.items[fallback->fallback].guard;
    const context_t *guard = pending->guard;
    while (guard && guard != wanted)
        guard = guard->parent ? guard->parent->guard : NULL;
    return guard != NULL;
}

/* Has the fallback, which shares `shared` of those before it, a say in it? In one round of a loop, what it stands by for may have been
 * performed in the round before: that it shares. */
static bool is_its(const nfa_t *nfa, const pending_t *pending, const config_t *fallback, size_t shared)
{
    return shared < fallback->forked || !is_inside(nfa, pending, fallback);
}

/* How many operations at the front all main readings share. */
static size_t common_prefix(const configs_t *configs, unsigned mains)
{
    const pendings_t *first = &configs->items[0].pendings;
    size_t len = first->count;
    for (unsigned i = 1; i < mains; i++) {
        const pendings_t *other = &configs->items[i].pendings;
        size_t k = 0;
        while (k < len && k < other->count && pending_equal(&first->items[k], &other->items[k]))
            k++;
        len = k;
    }
    return len;
}

static void drop_front(pendings_t *pendings, size_t count)
{
    if (count == 0) /* perhaps there are no items */
        return;
    pendings->items += count;
    pendings->count -= count;
    pendings->capacity -= count;
}

/* Walks over the first `len` operations of the main readings and, in each fallback, over those it shares (`shared` counts
 * them). Returns how many may be committed: those before the first that a fallback contests. */
static size_t agreed(const nfa_t *nfa, const configs_t *configs, unsigned mains, size_t len, size_t *shared)
{
    const pendings_t *first = &configs->items[0].pendings;
    for (size_t i = 0; i < len; i++) {
        for (size_t f = mains; f < configs->count; f++) {
            const config_t *fallback = &configs->items[f];
            size_t next = shared[f - mains];
            if (is_its(nfa, &first->items[i], fallback, next) &&
                (next == fallback->pendings.count || !pending_equal(&fallback->pendings.items[next], &first->items[i])))
                return i;
        }
        for (size_t f = mains; f < configs->count; f++)
            shared[f - mains] += is_its(nfa, &first->items[i], &configs->items[f], shared[f - mains]);
    }
    return len;
}

void closure_commit(const nfa_t *nfa, arena_t *arena, configs_t *configs, pendings_t *done)
{
    unsigned mains = closure_main_count(configs);
    if (mains == 0)
        return;
    size_t fallbacks = configs->count - mains;
    size_t *shared = calloc(fallbacks + 1, sizeof *shared);
    size_t count = agreed(nfa, configs, mains, common_prefix(configs, mains), shared);
    for (size_t i = 0; i < count; i++)
        vec_push(arena, done, configs->items[0].pendings.items[i]);
    for (unsigned i = 0; i < mains; i++)
        drop_front(&configs->items[i].pendings, count);
    for (size_t f = 0; f < fallbacks; f++) {
        config_t *fallback = &configs->items[mains + f];
        drop_front(&fallback->pendings, shared[f]);
        fallback->forked -= shared[f] < fallback->forked ? (unsigned)shared[f] : fallback->forked;
    }
    free(shared);
}
