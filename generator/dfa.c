/* dfa.c: NFA → DFA, by subset construction over ordered configurations (closure.c).
 *
 * States are sets of readings, equal if they differ only in the names of position registers; so the registers of a state
 * are numbered in the order in which its readings mention them, and an edge says how those of the target come from those
 * of the source. States are found breadth first: their numbers are stable under small changes of the spec, and the first
 * way to a state is a shortest one.
 *
 * note [joint]: an address of RFC 5322 may begin with a comment, whatever kind of address it is; so several readings come to
 * call the same rule. If nothing in that rule takes effect, they call it together: it is read once, and what the readings
 * have performed stays pending until it has returned. The state of the call has their position registers, which what is
 * called leaves alone (position.c), and an edge for the return. */
#include "dfa_builder.h"

#include "until.h"

#define FOLLOWED_MAX 20000000u /* readings: some seconds */
#define KEPT_MAX 3000000u      /* some hundred megabytes */
#define PENDING_MANY 8u /* where there are too many states, too */

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
            const rule_t *rule = dfa_nfa_state(b, &b->dfa->states.items[s].configs.items[i])->context->rule;
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
        dfa_refuse_undecided(b, configs, which, (clash_t){.from = state, .byte = -1, .start = STATE_NONE});
        b->dfa->refusals.items[0].states = states;
        return;
    }
    const rule_t *rule = busiest_rule(b);
    const bool is_by_count = b->dfa->states.count > b->states_max;
    diag_error(b->diag, rule ? rule->place : grammar_root(b->nfa->grammar)->place, "more than %u %s: most of them are for %s",
               is_by_count ? b->states_max : b->kept > b->kept_max ? b->kept_max : b->followed_max,
               is_by_count ? "states" : "readings in all states",
               rule ? arena_print(b->arena, "rule `%s`", rule->name) : "the root itself");
    diag_note(b->diag, "for example after %s", dfa_example(b, state, -1));
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
    dfa_keep_clashes(b, &watch, where);
    dfa_settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    unsigned number = state;
    if (!b->is_refused) {
        size_t known = b->dfa->states.count;
        edge.commits = dfa_keep_pendings(b, &commits);
        edge.target = dfa_intern_state(b, &configs, &edge, state, -1);
        if (edge.target >= known)
            b->dfa->states.items[edge.target].start =
                b->nfa->controls.items[dfa_nfa_state(b, &call.configs.items[0])->control].targets.items[1];
        dfa_state_t entry = {.kind = DFA_ENTRY, .register_count = call.register_count};
        vec_push(b->arena, &entry.edges, edge);
        number = dfa_push_state(b, entry, state, -1);
    }
    arena_free(b->scratch);
    return number;
}

/* See note [joint]. */
static void explore_joint(builder_t *b, unsigned state)
{
    const nfa_state_t *at = dfa_nfa_state(b, &b->dfa->states.items[state].configs.items[0]);
    const unsigned head = b->nfa->controls.items[at->control].targets.items[0];
    unsigned inside = dfa_entry_of(b, head, state);
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
            dfa_accept(b, state);
            for (unsigned c = 0; c < b->dfa->class_count && !b->is_failed; c++)
                dfa_step(b, state, b->bytes[b->order[c]], classes[b->order[c]]);
            dfa_step_counters(b, state);
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
                control->targets.items[i] = dfa_entry_of(b, origin->targets.items[i], state);
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
    for (size_t i = 0; i < b->nfa->controls.count; i++)
        if (b->nfa->controls.items[i].kind == CONTROL_BECOME)
            vec_push(b->arena, &sets, b->nfa->controls.items[i].next);
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
    for (size_t i = 0; i < b->dfa->controls.count; i++) {
        control_t *control = &b->dfa->controls.items[i];
        if (control->kind != CONTROL_UNTIL)
            continue;
        control->next = charset_range(0, 255);
        if (until_is_line(&control->pieces))
            continue;
        control->next = b->follows[control->skip].set;
        follow_find_twos(b->nfa, b->arena, b->follows, control, control->skip);
    }
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
                dfa_refuse(b, (refusal_t){.kind = REFUSAL_LISTED,
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
            *starts.items[i] = dfa_entry_of(b, state, STATE_NONE);
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
