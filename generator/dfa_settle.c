/* dfa_settle.c: what readings agree on is committed; where they never can, there is no automaton; and what is known of where they
 * met. */
#include "dfa_builder.h"

#define REFUSALS_MAX 10u

char *dfa_example(const builder_t *b, unsigned state, int byte)
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

/* Notes why there is no automaton; the search for other reasons goes on, but not for long. */
void dfa_refuse(builder_t *b, refusal_t refusal)
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

void dfa_refuse_undecided(builder_t *b, const configs_t *configs, size_t which, clash_t where)
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
    dfa_refuse(b, refusal);
}

/* A control point inside a refined value would leave the value's fallback behind. */
void dfa_refuse_fallback(builder_t *b, const config_t *config)
{
    const nfa_state_t *s = dfa_nfa_state(b, config);
    if (s->context->level == 0)
        return;
    diag_error(b->diag, b->nfa->controls.items[s->control].place,
               "a control point inside a refined value that has a fallback: write `!` behind its name");
    b->is_failed = true;
}

/* So would one in the value's own rule, while the refined one is read. */
void dfa_refuse_stranded(builder_t *b, const config_t *config, const char *example)
{
    if (b->is_failed)
        return;
    diag_error(b->diag, b->nfa->controls.items[dfa_nfa_state(b, config)->control].place,
               "a control point in what a refined value falls back to: write `!` behind the names whose rules must fit");
    diag_note(b->diag, "it would be left behind, for example at %s", example);
    b->is_failed = true;
}

/* Commits what is certain. A single main reading at a control point drops its fallbacks and commits everything. */
void dfa_settle(builder_t *b, configs_t *configs, stamp_t mismatch, pendings_t *commits, clash_t where)
{
    b->followed += 1 + configs->count;
    closure_promote(b->nfa, b->scratch, configs, mismatch, commits);
    closure_commit(b->nfa, b->scratch, configs, commits);
    if (closure_main_count(configs) == 1 && configs->count > 1) {
        const nfa_state_t *s = dfa_nfa_state(b, &configs->items[0]);
        if (s->kind == NFA_CONTROL) {
            dfa_refuse_fallback(b, &configs->items[0]);
            configs->count = 1;
            closure_commit(b->nfa, b->scratch, configs, commits);
        }
    }
    b->is_refused = b->is_failed;
    for (size_t i = 0; i < configs->count && !b->is_refused; i++)
        if (configs->items[i].pendings.count > PENDING_MAX)
            dfa_refuse_undecided(b, configs, i, where);
}

static uint64_t hash_ops(uint64_t hash, const pendings_t *pendings)
{
    for (size_t i = 0; i < pendings->count; i++)
        hash = dfa_mix(hash, pendings->items[i].op);
    return dfa_mix(hash, pendings->count);
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

void dfa_keep_clashes(builder_t *b, const watch_t *watch, clash_t clash)
{
    for (size_t i = 0; i < watch->meetings.count && b->dfa->clashes.count < CLASHES_MAX; i++) {
        if (!is_new_kind(b, &watch->meetings.items[i]))
            continue;
        clash.at = watch->meetings.items[i].later.state;
        vec_push(b->arena, &b->dfa->clashes, clash);
    }
}

pendings_t dfa_keep_pendings(builder_t *b, const pendings_t *pendings)
{
    pendings_t kept = {0};
    for (size_t i = 0; i < pendings->count; i++)
        vec_push(b->arena, &kept, pendings->items[i]);
    return kept;
}
