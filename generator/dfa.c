/* dfa.c: NFA → DFA, by subset construction over ordered configurations (closure.c).
 *
 * States are sets of readings, equal if they differ only in the names of position registers; so the registers of a state
 * are numbered in the order in which its readings mention them, and an edge says how those of the target come from those
 * of the source. States are found breadth first: their numbers are stable under small changes of the spec, and the first
 * way to a state is a shortest one.
 *
 * note [control]: a control point looks at something other than the next byte, so it must be clear that it has been reached.
 * Either a single reading is left and stands there: then it runs at once. Or the next byte tells: no other reading can go
 * on with it, and what follows the control point can (an edge that peeks). Anything else is refused.
 *
 * note [joint]: an address of RFC 5322 may begin with a comment, whatever kind of address it is; so several readings come to
 * call the same rule. If nothing in that rule takes effect, they call it together: it is read once, and what the readings
 * have performed stays pending until it has returned. The state of the call has their position registers, which what is
 * called leaves alone (position.c), and an edge for the return. */
#include "dfa.h"

#include <stdlib.h>

#include "follow.h"
#include "until.h"

#define REFUSALS_MAX 10u
#define PENDING_MAX 100u
#define FOLLOWED_MAX 20000000u /* readings: some seconds */
#define KEPT_MAX 3000000u      /* some hundred megabytes */
#define PENDING_MANY 8u /* where there are too many states, too */
#define ENDS_MAX 100u
#define CLASHES_MAX 4000u /* kept; one ambiguity has many kinds of clashes */

typedef struct builder {
    dfa_t *dfa;
    nfa_t *nfa;
    arena_t *arena;       /* of the automaton */
    arena_t *scratch;     /* of one step */
    diag_t *diag;
    VEC(unsigned) table;  /* hash table of states: number + 1, or 0; open addressing */
    VEC(unsigned) entries; /* by NFA state: number + 1 of the DFA state that begins there, or 0 */
    unsigned bytes[256];   /* by class: a byte of it, for examples */
    unsigned order[256];   /* of classes: in which they are tried */
    follow_t *follows;     /* by control: what can come next */
    VEC(uint64_t) clash_kinds; /* hash table of those that are known, or 0; open addressing */
    unsigned states_max, followed_max, kept_max; /* where building gives up */
    size_t followed;      /* readings that have been followed over a byte */
    size_t kept;          /* what the automaton consists of: readings, operations, scopes, edges, moves */
    bool is_refused;       /* the step under way */
    bool is_failed;
} builder_t;

/* ---------------------------------------------------------------- witnesses */

void dfa_witness(const dfa_t *dfa, unsigned state, text_t *text)
{
    unsigned path[512];
    unsigned len = 0;
    while (dfa->states.items[state].from != state && len < 512) {
        if (dfa->states.items[state].byte >= 0)
            path[len++] = state;
        state = dfa->states.items[state].from;
    }
    text_print(text, "\"");
    while (len > 0) {
        const dfa_state_t *s = &dfa->states.items[path[--len]];
        text_quoted_byte(text, (unsigned)s->byte);
        if (s->times > 0)
            text_print(text, "{%u}", s->times);
    }
    text_print(text, "\"");
}

static char *example(const builder_t *b, unsigned state, int byte)
{
    text_t text;
    text_init(&text, b->arena);
    dfa_witness(b->dfa, state, &text);
    if (byte >= 0) {
        text_print(&text, " then \"");
        text_quoted_byte(&text, (unsigned)byte);
        text_print(&text, "\"");
    }
    return text.bytes;
}

/* ---------------------------------------------------------------- canonical states */

/* Gives the stamp the next canonical number, or the one that the same stamp has. */
static void number_stamp(builder_t *b, stamp_t *at, edge_t *edge)
{
    unsigned r = 0;
    while (r < edge->moves.count && (edge->moves.items[r].reg != at->reg || edge->moves.items[r].back != at->back))
        r++;
    if (r == edge->moves.count)
        vec_push(b->arena, &edge->moves, *at);
    *at = (stamp_t){.reg = (int)r};
}

/* Gives the registers and scope marks of `configs` their canonical numbers; fills `moves` with what they were. */
static void canonicalise(builder_t *b, configs_t *configs, edge_t *edge, unsigned *register_count)
{
    VEC(unsigned) marks = {0};
    for (size_t i = 0; i < configs->count; i++) {
        config_t *c = &configs->items[i];
        if (b->nfa->states.items[c->state].kind == NFA_COUNT)
            number_stamp(b, &c->begin, edge);
        for (size_t k = 0; k < c->pendings.count; k++)
            number_stamp(b, &c->pendings.items[k].at, edge);
        for (size_t k = 0; k < c->scopes.count; k++) {
            unsigned m = 0;
            while (m < marks.count && marks.items[m] != c->scopes.items[k].mark)
                m++;
            if (m == marks.count)
                vec_push(b->scratch, &marks, c->scopes.items[k].mark);
            c->scopes.items[k].mark = m;
        }
    }
    *register_count = (unsigned)edge->moves.count;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

static uint64_t hash_configs(const configs_t *configs)
{
    uint64_t hash = configs->count;
    for (size_t i = 0; i < configs->count; i++) {
        const config_t *c = &configs->items[i];
        hash = mix(mix(mix(hash, c->state), c->level), (unsigned)c->begin.reg);
        for (size_t k = 0; k < c->pendings.count; k++)
            hash = mix(hash, (uint64_t)c->pendings.items[k].op << 16 | (unsigned)c->pendings.items[k].at.reg);
        for (size_t k = 0; k < c->scopes.count; k++)
            hash = mix(hash, (uint64_t)c->scopes.items[k].scope << 16 | c->scopes.items[k].mark);
    }
    return hash;
}

static bool config_equal(const config_t *a, const config_t *b)
{
    if (a->state != b->state || a->level != b->level || a->fallback != b->fallback || a->begin.reg != b->begin.reg ||
        a->pendings.count != b->pendings.count || a->scopes.count != b->scopes.count)
        return false;
    for (size_t k = 0; k < a->pendings.count; k++)
        if (a->pendings.items[k].op != b->pendings.items[k].op ||
            a->pendings.items[k].at.reg != b->pendings.items[k].at.reg ||
            a->pendings.items[k].guard != b->pendings.items[k].guard)
            return false;
    for (size_t k = 0; k < a->scopes.count; k++)
        if (a->scopes.items[k].scope != b->scopes.items[k].scope || a->scopes.items[k].mark != b->scopes.items[k].mark)
            return false;
    return true;
}

static bool configs_equal(const configs_t *a, const configs_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!config_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static configs_t keep_configs(builder_t *b, const configs_t *configs)
{
    configs_t kept = {0};
    for (size_t i = 0; i < configs->count; i++) {
        config_t c = configs->items[i];
        c.pendings = (pendings_t){0};
        memset(&c.scopes, 0, sizeof c.scopes);
        for (size_t k = 0; k < configs->items[i].pendings.count; k++)
            vec_push(b->arena, &c.pendings, configs->items[i].pendings.items[k]);
        for (size_t k = 0; k < configs->items[i].scopes.count; k++)
            vec_push(b->arena, &c.scopes, configs->items[i].scopes.items[k]);
        vec_push(b->arena, &kept, c);
        b->kept += 1 + c.pendings.count + c.scopes.count;
    }
    return kept;
}

static unsigned push_state(builder_t *b, dfa_state_t state, unsigned from, int byte)
{
    unsigned number = (unsigned)b->dfa->states.count;
    state.from = from == STATE_NONE ? number : from;
    state.byte = byte;
    state.start = STATE_NONE;
    vec_push(b->arena, &b->dfa->states, state);
    return number;
}

static void insert(builder_t *b, unsigned number)
{
    uint64_t slot = hash_configs(&b->dfa->states.items[number].configs) % b->table.count;
    while (b->table.items[slot])
        slot = (slot + 1) % b->table.count;
    b->table.items[slot] = number + 1;
}

static const nfa_state_t *nfa_state(const builder_t *b, const config_t *config)
{
    return &b->nfa->states.items[config->state];
}

static const control_t *call_of(const builder_t *b, const config_t *config)
{
    const nfa_state_t *s = nfa_state(b, config);
    const control_t *control = s->kind == NFA_CONTROL ? &b->nfa->controls.items[s->control] : NULL;
    return control && control->kind == CONTROL_CALL ? control : NULL;
}

/* What is pending can wait for a return: it needs no byte that is read till then. */
static bool can_wait(const builder_t *b, const config_t *config)
{
    for (size_t i = 0; i < config->pendings.count; i++) {
        const op_t *op = &b->nfa->ops.items[config->pendings.items[i].op];
        if (op->kind == OP_CONVERT_OPEN || op->kind == OP_CONVERT_CLOSE || op->is_stream)
            return false;
    }
    return nfa_state(b, config)->context->level == 0;
}

/* Do both call the same rule, in which nothing takes effect? See note [joint]. */
static bool is_joint(const builder_t *b, const config_t *one, const config_t *other)
{
    const control_t *call = call_of(b, one), *same = call_of(b, other);
    return call && same && call->procedure == same->procedure && b->nfa->procedures.items[call->procedure].is_plain &&
           can_wait(b, one) && can_wait(b, other);
}

static bool is_joint_call(const builder_t *b, const configs_t *configs)
{
    for (size_t i = 1; i < configs->count; i++)
        if (!is_joint(b, &configs->items[0], &configs->items[i]))
            return false;
    return configs->count > 1;
}

/* The state of these readings, made if it is new; `edge` gets the moves that lead to it. */
static unsigned intern(builder_t *b, configs_t *configs, edge_t *edge, unsigned from, int byte)
{
    dfa_state_t state = {.kind = DFA_BYTES};
    canonicalise(b, configs, edge, &state.register_count);
    uint64_t slot = hash_configs(configs) % b->table.count;
    for (; b->table.items[slot]; slot = (slot + 1) % b->table.count)
        if (configs_equal(&b->dfa->states.items[b->table.items[slot] - 1].configs, configs))
            return b->table.items[slot] - 1;
    state.configs = keep_configs(b, configs);
    if (configs->count == 1 && b->nfa->states.items[configs->items[0].state].kind == NFA_CONTROL) {
        state.kind = DFA_CONTROL;
        state.control = b->nfa->states.items[configs->items[0].state].control;
    } else if (is_joint_call(b, configs)) {
        control_t call = b->dfa->controls.items[b->nfa->states.items[configs->items[0].state].control];
        memset(&call.targets, 0, sizeof call.targets);
        call.is_joint = true;
        vec_push(b->arena, &b->dfa->controls, call);
        state.kind = DFA_CONTROL;
        state.control = (unsigned)b->dfa->controls.count - 1;
    }
    unsigned number = push_state(b, state, from, byte);
    insert(b, number);
    return number;
}

/* ---------------------------------------------------------------- steps */

/* Notes why there is no automaton; the search for other reasons goes on, but not for long. */
static void refuse(builder_t *b, refusal_t refusal)
{
    const rule_t *rule = b->nfa->states.items[refusal.first].context->rule;
    b->is_refused = true;
    for (size_t i = 0; i < b->dfa->refusals.count; i++) {
        const refusal_t *known = &b->dfa->refusals.items[i];
        if (known->kind == refusal.kind && known->op == refusal.op &&
            b->nfa->states.items[known->first].context->rule == rule)
            return;
    }
    if (b->dfa->refusals.count < REFUSALS_MAX)
        vec_push(b->arena, &b->dfa->refusals, refusal);
    unsigned most = 2 * (unsigned)b->dfa->states.count + 1000;
    b->states_max = most < b->states_max ? most : b->states_max;
}

/* Is it one that does not agree on the first operation that is pending in `config`? */
static bool disagrees(const config_t *other, const config_t *config)
{
    return other->pendings.count == 0 || other->pendings.items[0].op != config->pendings.items[0].op ||
           other->pendings.items[0].at.reg != config->pendings.items[0].at.reg ||
           other->pendings.items[0].at.back != config->pendings.items[0].at.back;
}

static void refuse_undecided(builder_t *b, const configs_t *configs, size_t which, clash_t where)
{
    const config_t *config = &configs->items[which];
    size_t other = 0;
    while (other + 1 < configs->count && (other == which || !disagrees(&configs->items[other], config)))
        other++;
    size_t first = other < which ? other : which, second = other < which ? which : other;
    refusal_t refusal = {.kind = REFUSAL_UNDECIDED, .where = where, .first = configs->items[first].state,
                         .second = configs->items[second].state, .op = config->pendings.items[0].op};
    for (size_t i = config->pendings.count; i-- > 0;) {
        op_kind_t kind = b->nfa->ops.items[config->pendings.items[i].op].kind;
        if (kind == OP_OPEN || kind == OP_CLOSE)
            refusal.op = config->pendings.items[i].op;
    }
    refuse(b, refusal);
}

/* A control point inside a refined value would leave the value's fallback behind. */
static void refuse_fallback(builder_t *b, const config_t *config)
{
    const nfa_state_t *s = nfa_state(b, config);
    if (s->context->level == 0)
        return;
    diag_error(b->diag, b->nfa->controls.items[s->control].place,
               "a control point inside a refined value that has a fallback: write `!` behind its name");
    b->is_failed = true;
}

/* Commits what is certain. A single main reading at a control point drops its fallbacks and commits everything. */
static void settle(builder_t *b, configs_t *configs, stamp_t mismatch, pendings_t *commits, clash_t where)
{
    b->followed += 1 + configs->count;
    closure_promote(b->nfa, b->scratch, configs, mismatch, commits);
    closure_commit(b->nfa, b->scratch, configs, commits);
    if (closure_main_count(configs) == 1 && configs->count > 1) {
        const nfa_state_t *s = nfa_state(b, &configs->items[0]);
        if (s->kind == NFA_CONTROL) {
            refuse_fallback(b, &configs->items[0]);
            configs->count = 1;
            closure_commit(b->nfa, b->scratch, configs, commits);
        }
    }
    b->is_refused = b->is_failed;
    for (size_t i = 0; i < configs->count && !b->is_refused; i++)
        if (configs->items[i].pendings.count > PENDING_MAX)
            refuse_undecided(b, configs, i, where);
}

static uint64_t hash_ops(uint64_t hash, const pendings_t *pendings)
{
    for (size_t i = 0; i < pendings->count; i++)
        hash = mix(hash, pendings->items[i].op);
    return mix(hash, pendings->count);
}

/* True the first time. */
static bool is_new_kind(builder_t *b, const meeting_t *meeting)
{
    uint64_t kind = hash_ops(hash_ops(meeting->later.state, &meeting->earlier.pendings), &meeting->later.pendings) | 1;
    uint64_t slot = kind % b->clash_kinds.count;
    for (; b->clash_kinds.items[slot]; slot = (slot + 1) % b->clash_kinds.count)
        if (b->clash_kinds.items[slot] == kind)
            return false;
    b->clash_kinds.items[slot] = kind;
    return true;
}

static void keep_clashes(builder_t *b, const watch_t *watch, clash_t clash)
{
    for (size_t i = 0; i < watch->meetings.count && b->dfa->clashes.count < CLASHES_MAX; i++) {
        if (!is_new_kind(b, &watch->meetings.items[i]))
            continue;
        clash.at = watch->meetings.items[i].later.state;
        vec_push(b->arena, &b->dfa->clashes, clash);
    }
}

static pendings_t keep_pendings(builder_t *b, const pendings_t *pendings)
{
    pendings_t kept = {0};
    for (size_t i = 0; i < pendings->count; i++)
        vec_push(b->arena, &kept, pendings->items[i]);
    return kept;
}

/* The DFA state that begins at an NFA state. */
static unsigned entry_of(builder_t *b, unsigned state, unsigned from)
{
    if (b->entries.items[state])
        return b->entries.items[state] - 1;
    b->scratch = arena_new();
    watch_t watch = {0};
    configs_t configs = closure_start(b->nfa, b->scratch, state, &watch);
    pendings_t commits = {0};
    edge_t edge = {0};
    const clash_t where = {.from = from, .byte = -1, .start = state};
    keep_clashes(b, &watch, where);
    settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    unsigned number = 0;
    if (!b->is_refused) {
        edge.commits = keep_pendings(b, &commits);
        size_t known = b->dfa->states.count;
        number = intern(b, &configs, &edge, from, -1);
        if (number >= known)
            b->dfa->states.items[number].start = state;
        if (edge.commits.count > 0 || edge.moves.count > 0) {
            edge.target = number;
            dfa_state_t entry = {.kind = DFA_ENTRY};
            vec_push(b->arena, &entry.edges, edge);
            number = push_state(b, entry, from, -1);
        }
        b->entries.items[state] = number + 1;
    }
    arena_free(b->scratch);
    return number;
}

/* What the main readings of a state do with a byte. */
typedef struct outlook {
    const config_t *reader;  /* the first that reads it, or NULL */
    const config_t *control; /* the first at a control point that it can follow, or NULL */
    const config_t *rival;   /* another one at another control point, or NULL */
} outlook_t;

static outlook_t look(builder_t *b, const configs_t *configs, unsigned byte)
{
    outlook_t o = {0};
    for (size_t i = 0, count = closure_main_count(configs); i < count; i++) {
        const config_t *c = &configs->items[i];
        const nfa_state_t *s = nfa_state(b, c);
        if (nfa_reads(s) && charset_has(&s->set, byte) && !o.reader)
            o.reader = c;
        if (s->kind != NFA_CONTROL)
            continue;
        if (!charset_has(&b->follows[s->control].set, byte))
            continue;
        if (!o.control)
            o.control = c;
        else if (!is_joint(b, o.control, c))
            o.rival = c;
    }
    return o;
}

/* A large repeat need not be counted: it is written out in the next attempt. */
static bool is_unrolled(builder_t *b, const config_t *config)
{
    const nfa_state_t *s = nfa_state(b, config);
    const control_t *control = s->kind == NFA_CONTROL ? &b->nfa->controls.items[s->control] : NULL;
    if (!control || !control->repeat || control->expr)
        return false;
    for (size_t i = 0; i < b->nfa->unrolled.count; i++)
        if (b->nfa->unrolled.items[i] == control->repeat)
            return true;
    vec_push(b->arena, &b->nfa->unrolled, control->repeat);
    return true;
}

static void refuse_competing(builder_t *b, const outlook_t *o, unsigned state, unsigned byte)
{
    const config_t *other = o->reader ? o->reader : o->rival;
    if (is_unrolled(b, o->control) || is_unrolled(b, other))
        return;
    refuse(b, (refusal_t){.kind = REFUSAL_COMPETING,
                          .where = {.from = state, .byte = -1, .start = STATE_NONE},
                          .byte = byte,
                          .first = o->control < other ? o->control->state : other->state,
                          .second = o->control < other ? other->state : o->control->state});
}

/* Adds an edge, or the byte's class to an edge that does the same. */
static void add_edge(builder_t *b, unsigned state, edge_t edge)
{
    dfa_state_t *s = &b->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++) {
        edge_t *e = &s->edges.items[i];
        if (e->target == edge.target && e->is_peek == edge.is_peek && dfa_is_on_byte(e) && dfa_is_on_byte(&edge) &&
             closure_pendings_equal(&e->commits, &edge.commits) &&
            e->moves.count == edge.moves.count &&
            (e->moves.count == 0 ||
             memcmp(e->moves.items, edge.moves.items, e->moves.count * sizeof *e->moves.items) == 0)) {
            e->set = charset_union(e->set, edge.set);
            return;
        }
    }
    b->kept += 1 + edge.moves.count + edge.commits.count;
    vec_push(b->arena, &s->edges, edge);
}

static void step(builder_t *b, unsigned state, unsigned byte, charset_t class)
{
    b->scratch = arena_new();
    configs_t from = b->dfa->states.items[state].configs;
    edge_t edge = {.set = class};
    outlook_t o = look(b, &from, byte);
    configs_t configs = {0};
    pendings_t commits = {0};
    watch_t watch = {0};
    const clash_t where = {.from = state, .byte = (int)byte, .start = STATE_NONE};
    if (o.control && (o.reader || o.rival)) {
        refuse_competing(b, &o, state, byte);
    } else if (o.control) {
        for (size_t i = 0; i < closure_main_count(&from); i++)
            if (&from.items[i] == o.control || is_joint(b, o.control, &from.items[i]))
                vec_push(b->scratch, &configs, from.items[i]);
        edge.is_peek = true;
        if (from.count > closure_main_count(&from))
            refuse_fallback(b, o.control);
    } else {
        configs = closure_step(b->nfa, b->scratch, &from, byte, &watch);
        keep_clashes(b, &watch, where);
    }
    if (configs.count > 0) {
        settle(b, &configs, (stamp_t){STAMP_BACK, 1}, &commits, where);
        if (!b->is_refused) {
            edge.commits = keep_pendings(b, &commits);
            edge.target = intern(b, &configs, &edge, state, edge.is_peek ? -1 : (int)byte);
            add_edge(b, state, edge);
        }
    }
    arena_free(b->scratch);
}

/* How many bytes of its example a state was reached with since its position register `reg` was set. */
static unsigned example_age(const dfa_t *dfa, unsigned state, int reg)
{
    unsigned age = 0;
    while (reg >= 0 && dfa->states.items[state].from != state) {
        const dfa_state_t *s = &dfa->states.items[state], *from = &dfa->states.items[s->from];
        size_t i = 0;
        while (i < from->edges.count && (from->edges.items[i].target != state ||
                                         (s->byte >= 0 && !s->times && !charset_has(&from->edges.items[i].set, (unsigned)s->byte))))
            i++;
        if (i == from->edges.count)
            return age;
        stamp_t stamp = from->edges.items[i].moves.items[reg];
        age += stamp.reg < 0 ? stamp.back : s->times ? s->times : s->byte >= 0;
        reg = stamp.reg;
        state = s->from;
    }
    return age;
}

/* What a state does when a reading that counts reaches its number. */
static void step_full(builder_t *b, unsigned state, stamp_t begin, unsigned limit, const charset_t *set)
{
    unsigned before = (unsigned)b->dfa->states.count, age = example_age(b->dfa, state, begin.reg);
    b->scratch = arena_new();
    edge_t edge = {.set = charset_none(), .limit = limit, .begin = begin, .is_peek = true};
    pendings_t commits = {0};
    watch_t watch = {0};
    configs_t configs = closure_full(b->nfa, b->scratch, &b->dfa->states.items[state].configs, begin, limit, &watch);
    const clash_t where = {.from = state, .byte = -1, .start = STATE_NONE, .limit = limit};
    keep_clashes(b, &watch, where);
    settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    if (!b->is_refused) {
        edge.commits = keep_pendings(b, &commits);
        edge.target = intern(b, &configs, &edge, state, -1);
        add_edge(b, state, edge);
        if (edge.target == before && age < limit) {
            b->dfa->states.items[before].byte = (int)b->bytes[b->dfa->class_of[charset_first(set)]];
            b->dfa->states.items[before].times = limit - age;
        }
    }
    arena_free(b->scratch);
}

/* Steps for all the numbers that readings count to, each once. */
static void step_counters(builder_t *b, unsigned state)
{
    for (size_t i = 0; i < b->dfa->states.items[state].configs.count && !b->is_failed; i++) {
        const dfa_state_t *s = &b->dfa->states.items[state];
        const nfa_state_t *counting = nfa_state(b, &s->configs.items[i]);
        const stamp_t begin = s->configs.items[i].begin;
        bool is_new = counting->kind == NFA_COUNT;
        for (size_t k = 0; k < s->edges.count && is_new; k++)
            is_new = s->edges.items[k].limit != counting->limit || s->edges.items[k].begin.reg != begin.reg;
        if (is_new)
            step_full(b, state, begin, counting->limit, &counting->set);
    }
}

/* What comes after a control point may be nothing: then it is passed where the input ends. */
static void step_end(builder_t *b, unsigned state, const config_t *config)
{
    b->scratch = arena_new();
    edge_t edge = {.set = charset_none(), .is_end = true, .is_peek = true};
    configs_t configs = {0};
    pendings_t commits = {0};
    vec_push(b->scratch, &configs, *config);
    settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, (clash_t){.from = state, .byte = -1, .start = STATE_NONE});
    if (!b->is_refused) {
        edge.commits = keep_pendings(b, &commits);
        edge.target = intern(b, &configs, &edge, state, -1);
        add_edge(b, state, edge);
    }
    arena_free(b->scratch);
}

/* Readings before the one that accepts, at control points where the input may end: they are passed over. */
static void keep_ends(builder_t *b, unsigned state, size_t accepting)
{
    const configs_t *configs = &b->dfa->states.items[state].configs;
    size_t count = closure_main_count(configs);
    for (size_t i = 0; i < accepting && i < count; i++) {
        const nfa_state_t *s = nfa_state(b, &configs->items[i]);
        bool is_known = s->kind != NFA_CONTROL || !b->follows[s->control].is_end || b->dfa->ends.count == ENDS_MAX;
        for (size_t k = 0; k < b->dfa->ends.count && !is_known; k++)
            is_known = b->dfa->ends.items[k].at == configs->items[i].state;
        if (!is_known)
            vec_push(b->arena, &b->dfa->ends,
                     ((clash_t){.from = state, .byte = -1, .start = STATE_NONE, .at = configs->items[i].state}));
    }
}

/* The end of the input is accepted by the first reading that can end here; if none can, the first main reading goes on that is
 * at a control point where the input may end. */
static void accept(builder_t *b, unsigned state)
{
    dfa_state_t *s = &b->dfa->states.items[state];
    for (size_t i = 0; i < s->configs.count; i++) {
        if (nfa_state(b, &s->configs.items[i])->kind != NFA_ACCEPT)
            continue;
        keep_ends(b, state, i);
        configs_t last = {0};
        config_t reading = s->configs.items[i];
        vec_push(b->arena, &last, reading);
        pendings_t commits = {0};
        closure_promote(b->nfa, b->arena, &last, (stamp_t){STAMP_BACK, 0}, &commits);
        for (size_t k = 0; k < reading.pendings.count; k++)
            vec_push(b->arena, &commits, reading.pendings.items[k]);
        s->is_accepting = true;
        s->accept = commits;
        return;
    }
    for (size_t i = 0, count = closure_main_count(&s->configs); i < count; i++) {
        const config_t *c = &s->configs.items[i];
        if (nfa_state(b, c)->kind != NFA_CONTROL || !b->follows[nfa_state(b, c)->control].is_end)
            continue;
        step_end(b, state, c);
        return;
    }
}

/* One byte of each class: a letter, digit or sign if there is one, and those first, so that examples read well. */
static void representatives(builder_t *b)
{
    static const char preferred[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.:-_ \r\n";
    bool is_known[256] = {false};
    unsigned count = 0;
    for (unsigned i = 0; i < 3 * 256; i++) {
        unsigned byte = i < 256 ? i < sizeof preferred - 1 ? (unsigned char)preferred[i] : 0x100 : i % 256;
        bool is_sign = byte > 0x20 && byte < 0x7f;
        if (byte > 0xff || (i / 256 == 1 && !is_sign) || is_known[b->dfa->class_of[byte]])
            continue;
        unsigned class = b->dfa->class_of[byte];
        is_known[class] = true;
        b->bytes[class] = byte;
        b->order[count++] = class;
    }
}

/* The rule in which most readings of all states stand; NULL: none has any. */
static const rule_t *busiest_rule(const builder_t *b)
{
    const grammar_t *grammar = b->nfa->grammar;
    size_t *counts = ARENA_ARRAY(b->arena, size_t, grammar->rules.count + 1);
    const rule_t *busiest = NULL;
    for (size_t s = 0; s < b->dfa->states.count; s++)
        for (size_t i = 0; i < b->dfa->states.items[s].configs.count; i++) {
            const rule_t *rule = nfa_state(b, &b->dfa->states.items[s].configs.items[i])->context->rule;
            if (rule && rule->index < grammar->rules.count && ++counts[rule->index] > (busiest ? counts[busiest->index] : 0))
                busiest = rule;
        }
    return busiest;
}

/* There are too many states. Where there are refusals, that is why; where much is pending in the last state, it is because
 * readings do not come to an agreement. */
static void give_up(builder_t *b, unsigned state)
{
    while (b->dfa->states.items[state].configs.count == 0)
        state--;
    const configs_t *configs = &b->dfa->states.items[state].configs;
    size_t which = 0;
    for (size_t i = 0; i < configs->count; i++)
        if (configs->items[i].pendings.count > configs->items[which].pendings.count)
            which = i;
    if (b->dfa->refusals.count > 0)
        return;
    b->is_failed = true;
    if (configs->count > 1 && configs->items[which].pendings.count >= PENDING_MANY) {
        unsigned states = b->states_max;
        refuse_undecided(b, configs, which, (clash_t){.from = state, .byte = -1, .start = STATE_NONE});
        b->dfa->refusals.items[0].states = states;
        return;
    }
    const rule_t *rule = busiest_rule(b);
    const bool is_by_count = b->dfa->states.count > b->states_max;
    diag_error(b->diag, rule ? rule->place : (place_t){0}, "more than %u %s: most of them are for rule `%s`",
               is_by_count ? b->states_max : b->kept > b->kept_max ? b->kept_max : b->followed_max,
               is_by_count ? "states" : "readings in all states", rule ? rule->name : "");
    diag_note(b->diag, "for example after %s", example(b, state, -1));
    diag_note(b->diag, "that many ways to stand there have to be told apart: %zu readings are under way", configs->count);
}

/* The state where all readings of a joint call go on: it reads nothing, and has the registers of the call. */
static unsigned return_of(builder_t *b, unsigned state)
{
    const dfa_state_t call = b->dfa->states.items[state];
    const clash_t where = {.from = state, .byte = -1, .start = STATE_NONE};
    b->scratch = arena_new();
    edge_t edge = {.set = charset_none()};
    pendings_t commits = {0};
    watch_t watch = {0};
    configs_t configs = closure_return(b->nfa, b->scratch, &call.configs, &watch);
    keep_clashes(b, &watch, where);
    settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    unsigned number = state;
    if (!b->is_refused) {
        size_t known = b->dfa->states.count;
        edge.commits = keep_pendings(b, &commits);
        edge.target = intern(b, &configs, &edge, state, -1);
        if (edge.target >= known)
            b->dfa->states.items[edge.target].start =
                b->nfa->controls.items[nfa_state(b, &call.configs.items[0])->control].targets.items[1];
        dfa_state_t entry = {.kind = DFA_ENTRY, .register_count = call.register_count};
        vec_push(b->arena, &entry.edges, edge);
        number = push_state(b, entry, state, -1);
    }
    arena_free(b->scratch);
    return number;
}

/* See note [joint]. */
static void explore_joint(builder_t *b, unsigned state)
{
    const unsigned head = b->nfa->controls.items[nfa_state(b, &b->dfa->states.items[state].configs.items[0])->control].targets.items[0];
    unsigned inside = entry_of(b, head, state);
    edge_t edge = {.set = charset_none(), .is_peek = true, .is_return = true, .target = return_of(b, state)};
    for (unsigned r = 0; r < b->dfa->states.items[state].register_count; r++)
        vec_push(b->arena, &edge.moves, ((stamp_t){.reg = (int)r}));
    vec_push(b->arena, &b->dfa->states.items[state].edges, edge);
    control_t *call = &b->dfa->controls.items[b->dfa->states.items[state].control];
    vec_push(b->arena, &call->targets, inside);
    vec_push(b->arena, &call->targets, edge.target);
}

static void explore(builder_t *b)
{
    charset_t classes[256];
    representatives(b);
    memset(classes, 0, sizeof classes);
    for (unsigned byte = 0; byte < 256; byte++)
        classes[b->dfa->class_of[byte]] = charset_union(classes[b->dfa->class_of[byte]], charset_range(byte, byte));
    for (unsigned state = 0; state < b->dfa->states.count && !b->is_failed; state++) {
        switch (b->dfa->states.items[state].kind) {
        case DFA_BYTES:
            accept(b, state);
            for (unsigned c = 0; c < b->dfa->class_count && !b->is_failed; c++)
                step(b, state, b->bytes[b->order[c]], classes[b->order[c]]);
            step_counters(b, state);
            break;
        case DFA_CONTROL: {
            if (b->dfa->states.items[state].configs.count > 1) {
                explore_joint(b, state);
                break;
            }
            control_t *control = &b->dfa->controls.items[b->dfa->states.items[state].control];
            const control_t *origin = &b->nfa->controls.items[b->dfa->states.items[state].control];
            for (size_t i = 0; i < control->targets.count && !b->is_failed; i++) {
                closure_take(b->nfa, b->dfa->states.items[state].configs.items[0].state, origin->targets.items[i]);
                control->targets.items[i] = entry_of(b, origin->targets.items[i], state);
            }
            break;
        }
        case DFA_ENTRY:
            break;
        }
        if (b->dfa->states.count > b->states_max || b->kept > b->kept_max || b->followed > b->followed_max) {
            b->nfa->is_given_up = true;
            give_up(b, state);
            return;
        }
    }
}

static void prepare(builder_t *b)
{
    VEC(charset_t) sets = {0};
    for (size_t i = 0; i < b->nfa->states.count; i++)
        if (nfa_reads(&b->nfa->states.items[i]))
            vec_push(b->arena, &sets, b->nfa->states.items[i].set);
    b->dfa->class_count = charset_classes(sets.items, sets.count, b->dfa->class_of);
    for (size_t i = 0; i < b->nfa->states.count; i++)
        vec_push(b->arena, &b->entries, 0);
    for (size_t i = 0; i < 4 * (size_t)b->states_max; i++)
        vec_push(b->arena, &b->table, 0);
    for (size_t i = 0; i < 2 * CLASHES_MAX; i++)
        vec_push(b->arena, &b->clash_kinds, 0);
    for (size_t i = 0; i < b->nfa->controls.count; i++) {
        control_t control = b->nfa->controls.items[i];
        memset(&control.targets, 0, sizeof control.targets);
        for (size_t k = 0; k < b->nfa->controls.items[i].targets.count; k++)
            vec_push(b->arena, &control.targets, STATE_NONE);
        vec_push(b->arena, &b->dfa->controls, control);
    }
    b->follows = follow_find(b->nfa, b->arena);
    for (size_t i = 0; i < b->dfa->controls.count; i++)
        if (b->dfa->controls.items[i].kind == CONTROL_UNTIL)
            b->dfa->controls.items[i].next = until_is_line(&b->dfa->controls.items[i].pieces)
                                                 ? charset_range(0, 255)
                                                 : b->follows[b->dfa->controls.items[i].skip].set;
}

/* What is on the list of an atomic rule. */
typedef struct listed {
    unsigned count; /* operations */
    unsigned words; /* that they take: see qcap_later_t */
    unsigned text;  /* bytes of texts that they carry */
} listed_t;

static unsigned later_text(const dfa_t *dfa, const op_t *op)
{
    const conversion_t *c = op->kind == OP_CONVERT_CLOSE ? &dfa->nfa->conversions.items[op->conversion] : NULL;
    return c && c->kind != CONVERT_KEYWORD && c->text_size > 0 ? (c->reg ? c->reg->size + 1 : c->text_size) : 0;
}

/* What an atomic rule has listed behind an edge, if it had `listed` before it. */
static listed_t count_later(dfa_t *dfa, const pendings_t *commits, listed_t listed)
{
    for (size_t i = 0; i < commits->count; i++) {
        const op_t *op = &dfa->nfa->ops.items[commits->items[i].op];
        if (op->kind == OP_ATOMIC_END)
            listed = (listed_t){0};
        if (!regop_is_later(op))
            continue;
        listed.count++;
        listed.words += op->kind == OP_CONVERT_CLOSE ? 3 : 1;
        listed.text += later_text(dfa, op);
        dfa->later_max = listed.words > dfa->later_max ? listed.words : dfa->later_max;
        dfa->later_text_max = listed.text > dfa->later_text_max ? listed.text : dfa->later_text_max;
    }
    return listed;
}

static bool raise(listed_t *most, listed_t listed)
{
    bool is_more = listed.count > most->count || listed.words > most->words || listed.text > most->text;
    most->words = listed.words > most->words ? listed.words : most->words;
    most->count = listed.count > most->count ? listed.count : most->count;
    most->text = listed.text > most->text ? listed.text : most->text;
    return is_more;
}

static bool bound_state(dfa_t *dfa, listed_t *before, unsigned state)
{
    const dfa_state_t *s = &dfa->states.items[state];
    bool is_changed = false;
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        is_changed |= raise(&before[edge->target], count_later(dfa, &edge->commits, before[state]));
    }
    const control_t *control = s->kind == DFA_CONTROL ? &dfa->controls.items[s->control] : NULL;
    for (size_t i = 0; control && i < control->targets.count; i++)
        is_changed |= raise(&before[control->targets.items[i]], before[state]);
    return is_changed;
}

/* The length of the list of atomic rules. A loop that adds to it has no bound: refused. */
static void bound_later(builder_t *b)
{
    dfa_t *dfa = b->dfa;
    listed_t *before = ARENA_ARRAY(b->arena, listed_t, dfa->states.count);
    for (bool is_changed = true; is_changed && !b->is_failed;) {
        is_changed = false;
        for (unsigned s = 0; s < dfa->states.count; s++)
            is_changed |= bound_state(dfa, before, s);
        for (unsigned s = 0; s < dfa->states.count && !b->is_failed; s++)
            if (before[s].count > PENDING_MAX && dfa->states.items[s].configs.count > 0) {
                refuse(b, (refusal_t){.kind = REFUSAL_LISTED,
                                      .where = {.from = s, .byte = -1, .start = STATE_NONE},
                                      .first = dfa->states.items[s].configs.items[0].state});
                return;
            }
    }
    for (unsigned s = 0; s < dfa->states.count; s++)
        count_later(dfa, &dfa->states.items[s].accept, before[s]);
}

starts_t dfa_starts(dfa_t *dfa)
{
    unsigned *const roots[] = {&dfa->client, &dfa->server, &dfa->client_search, &dfa->server_search, &dfa->datagram};
    starts_t starts = {0};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        vec_push(dfa->arena, &starts, roots[i]);
    for (size_t i = 0; i < dfa->feeds.count; i++) {
        vec_push(dfa->arena, &starts, &dfa->feeds.items[i]);
        vec_push(dfa->arena, &starts, &dfa->feed_searches.items[i]);
    }
    return starts;
}

/* The states where reading begins. */
static void begin(builder_t *b)
{
    const nfa_t *nfa = b->nfa;
    const unsigned roots[] = {nfa->client, nfa->server, nfa->client_search, nfa->server_search, nfa->datagram};
    size_t root_count = sizeof roots / sizeof *roots;
    for (size_t i = 0; i < nfa->feeds.count; i++) {
        vec_push(b->arena, &b->dfa->feeds, STATE_NONE);
        vec_push(b->arena, &b->dfa->feed_searches, STATE_NONE);
    }
    starts_t starts = dfa_starts(b->dfa);
    for (size_t i = 0; i < starts.count; i++) {
        const feed_t *feed = i < root_count ? NULL : &nfa->feeds.items[(i - root_count) / 2];
        unsigned state = !feed ? roots[i] : (i - root_count) % 2 ? feed->search : feed->start;
        *starts.items[i] = STATE_NONE;
        if (state != STATE_NONE && !b->is_failed)
            *starts.items[i] = entry_of(b, state, STATE_NONE);
    }
}

dfa_t *dfa_build(nfa_t *nfa, unsigned states_max, diag_t *diag)
{
    dfa_t *dfa = ARENA_NEW(nfa->arena, dfa_t);
    dfa->arena = nfa->arena;
    dfa->nfa = nfa;
    builder_t b = {.dfa = dfa, .nfa = nfa, .arena = nfa->arena, .diag = diag,
                   .states_max = grammar_bound(nfa->grammar, states_max),
                   .followed_max = grammar_bound(nfa->grammar, FOLLOWED_MAX),
                   .kept_max = grammar_bound(nfa->grammar, KEPT_MAX)};
    prepare(&b);
    begin(&b);
    explore(&b);
    if (!b.is_failed && dfa->refusals.count == 0)
        bound_later(&b);
    return diag_has_errors(diag) ? NULL : dfa;
}

bool dfa_is_inside(const dfa_t *dfa, const dfa_state_t *state)
{
    if (state->kind != DFA_CONTROL)
        return false;
    const control_t *c = &dfa->controls.items[state->control];
    return c->kind == CONTROL_REFINE || (c->kind == CONTROL_CHOICE && !c->is_shared);
}

/* ---------------------------------------------------------------- printing */

static void print_commits(const dfa_t *dfa, const pendings_t *commits, text_t *text)
{
    for (size_t i = 0; i < commits->count; i++) {
        const pending_t *p = &commits->items[i];
        text_print(text, "%s", i ? ", " : "");
        regop_print(&dfa->nfa->ops.items[p->op], text);
        if (p->at.reg >= 0)
            text_print(text, " @r%d", p->at.reg);
        else
            text_print(text, p->at.back ? " @-%u" : " @", p->at.back);
    }
}

static void print_edge(const dfa_t *dfa, const edge_t *edge, text_t *text)
{
    text_print(text, "  ");
    if (edge->is_end || edge->is_return) {
        text_print(text, edge->is_end ? "the end" : "returned");
    } else if (edge->limit) {
        text_print(text, edge->begin.reg >= 0 ? "%u bytes since r%d" : "%u bytes since -%u", edge->limit,
                   edge->begin.reg >= 0 ? (unsigned)edge->begin.reg : edge->begin.back);
    } else {
        charset_print(&edge->set, text);
        text_print(text, edge->is_peek ? " (not read)" : "");
    }
    text_print(text, " -> %u", edge->target);
    if (edge->commits.count) {
        text_print(text, " { ");
        print_commits(dfa, &edge->commits, text);
        text_print(text, " }");
    }
    for (size_t i = 0; i < edge->moves.count; i++)
        if (edge->moves.items[i].reg >= 0)
            text_print(text, " r%zu=r%d", i, edge->moves.items[i].reg);
        else
            text_print(text, " r%zu=-%u", i, edge->moves.items[i].back);
    text_print(text, "\n");
}

void dfa_print(const dfa_t *dfa, text_t *text)
{
    static const char *const kinds[] = {"", " entry", " control"};
    for (unsigned i = 0; i < dfa->states.count; i++) {
        const dfa_state_t *s = &dfa->states.items[i];
        text_print(text, "%u%s after ", i, kinds[s->kind]);
        dfa_witness(dfa, i, text);
        for (size_t k = 0; k < s->configs.count; k++) {
            const nfa_state_t *n = &dfa->nfa->states.items[s->configs.items[k].state];
            text_print(text, "%s%s:%u", k ? " " : "  ", n->context->rule ? n->context->rule->name : "-",
                       s->configs.items[k].state);
            if (s->configs.items[k].pendings.count) {
                text_print(text, "[");
                print_commits(dfa, &s->configs.items[k].pendings, text);
                text_print(text, "]");
            }
        }
        text_print(text, "\n");
        for (size_t k = 0; k < s->edges.count; k++)
            print_edge(dfa, &s->edges.items[k], text);
        if (s->is_accepting) {
            text_print(text, "  end { ");
            print_commits(dfa, &s->accept, text);
            text_print(text, " }\n");
        }
        if (s->kind == DFA_CONTROL) {
            const control_t *c = &dfa->controls.items[s->control];
            text_print(text, "  control %u:", s->control);
            for (size_t k = 0; k < c->targets.count; k++)
                text_print(text, " %u", c->targets.items[k]);
            text_print(text, "\n");
        }
    }
}
