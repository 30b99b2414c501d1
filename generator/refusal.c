/* refusal.c: why a grammar has no automaton, in words.
 *
 * The subset construction gives up where two readings disagree for ever, or where one stands at a control point while another
 * reads on. Both are shown as they stand to each other as early as possible, which makes for short examples. */
#include "refusal.h"

#include "remedy.h"
#include "witness.h"

typedef struct explainer {
    const dfa_t *dfa;
    diag_t *diag;
    arena_t *arena;
    unsigned effort;            /* that is left for remedies */
    VEC(const node_t *) splits; /* where readings of refusals part that have been explained */
} explainer_t;

/* ---------------------------------------------------------------- a short example */

static const config_t *find(const configs_t *configs, unsigned state)
{
    for (size_t i = 0; i < configs->count; i++)
        if (configs->items[i].state == state)
            return &configs->items[i];
    return NULL;
}

static bool is_undecided(const dfa_state_t *state, const refusal_t *refusal)
{
    const config_t *a = find(&state->configs, refusal->first), *b = find(&state->configs, refusal->second);
    return a && b && a->pendings.count + b->pendings.count > 0 &&
           (a->pendings.count == 0 || b->pendings.count == 0 || a->pendings.items[0].op != b->pendings.items[0].op ||
            a->pendings.items[0].at.reg != b->pendings.items[0].at.reg);
}

/* The first state on the way to a refusal in which its two readings are there already, and do not agree. */
static clash_t first_place(const explainer_t *e, const refusal_t *refusal)
{
    clash_t first = refusal->where;
    if (refusal->kind != REFUSAL_UNDECIDED || first.from == STATE_NONE)
        return first;
    for (unsigned state = first.from;; state = e->dfa->states.items[state].from) {
        const dfa_state_t *s = &e->dfa->states.items[state];
        if (is_undecided(s, refusal) && (s->byte >= 0 || state == refusal->where.from))
            first = (clash_t){.from = state, .byte = -1, .start = STATE_NONE};
        if (s->from == state || s->start != STATE_NONE)
            return first;
    }
}

/* ---------------------------------------------------------------- in words */

static const char *describe(const explainer_t *e, unsigned number)
{
    const op_t *op = &e->dfa->nfa->ops.items[number];
    switch (op->kind) {
    case OP_OPEN:
    case OP_CLOSE:
        return arena_print(e->arena, "whether element `%s` is read here", e->dfa->nfa->elements.items[op->element].name);
    case OP_ANOMALY_OPEN:
    case OP_ANOMALY_CLOSE:
    case OP_MISMATCH:
        return "whether an anomaly is read here";
    default:
        return op->reg ? arena_print(e->arena, "what register `%s` becomes here", op->reg->name) : "what is read here";
    }
}

static const rule_t *rule_at(const explainer_t *e, unsigned state)
{
    return e->dfa->nfa->states.items[state].context->rule;
}

static place_t place_of(const explainer_t *e, unsigned state)
{
    const rule_t *rule = rule_at(e, state);
    return rule ? rule->place : (place_t){0};
}

static void suggest(explainer_t *e, const refusal_t *refusal, const parting_t *parting)
{
    remedy_t remedy;
    const rule_t *rule = e->dfa->nfa->states.items[parting->split].context->rule;
    const char *of = rule ? rule->name : "";
    remedy_answer_t answer = remedy_find(e->dfa, refusal, parting, &e->effort, &remedy);
    if (answer == REMEDY_NOT_TRIED)
        diag_note(e->diag, "a `cut` behind what tells them apart may settle it");
    if (answer == REMEDY_NONE) {
        if (refusal->kind == REFUSAL_UNDECIDED) {
            if (witness_alternative(parting, 0))
                diag_note(e->diag, "no `cut` in the first of them settles it: the same bytes can be either");
            diag_note(e->diag, "it would help to annotate what is around the repeat rather than each turn of it");
        } else if (refusal->kind == REFUSAL_CONVERSION) {
            diag_note(e->diag, "it would help if a byte that cannot be part of the number stood behind it");
        } else {
            diag_note(e->diag, "it would help if only one of them could go on with that byte: behind a delimiter, after a fixed number "
                      "of bytes, or with what both begin with in front of both");
        }
    }
    if (answer != REMEDY_FOUND)
        return;
    switch (remedy.kind) {
    case REMEDY_CUT_RULE:
        diag_note_at(e->diag, remedy.place, "`cut%s%s` on rule `%s` settles it: where that has been read, the other ways to read "
                     "`%s` are given up", remedy.is_outer ? " " : "", remedy.is_outer ? of : "", remedy.rule->name, of);
        break;
    case REMEDY_CUT_BEHIND:
        diag_note_at(e->diag, remedy.place, "a rule for this, annotated `cut%s%s`, settles it: where that has been read, the other "
                     "ways to read `%s` are given up", remedy.is_outer ? " " : "", remedy.is_outer ? of : "", of);
        break;
    case REMEDY_STRICT:
        diag_note_at(e->diag, remedy.place, "`!` behind this name settles it: the value is then not read in another way");
        break;
    }
}

/* Two refusals whose readings part at the same place have one cause. */
static bool is_explained(explainer_t *e, const parting_t *parting)
{
    const node_t *node = e->dfa->nfa->states.items[parting->split].node;
    for (size_t i = 0; i < e->splits.count; i++)
        if (e->splits.items[i] == node)
            return true;
    vec_push(e->arena, &e->splits, node);
    return false;
}

static void explain_pair(explainer_t *e, const refusal_t *refusal)
{
    const clash_t where = first_place(e, refusal);
    watch_t watch = {0};
    const configs_t readings = witness_readings(e->dfa, e->arena, &where, &watch);
    const config_t *first = find(&readings, refusal->first), *second = find(&readings, refusal->second);
    const char *input = witness_input(e->dfa, e->arena, &where);
    parting_t parting;
    bool has_parted = first && second && witness_part(e->dfa, e->arena, first, second, &parting);
    if (has_parted && is_explained(e, &parting))
        return;
    if (has_parted && refusal->kind == REFUSAL_COMPETING)
        parting.next = (int)refusal->byte;
    if (refusal->kind == REFUSAL_UNDECIDED) {
        place_t place = has_parted ? witness_place(&parting, 0) : place_of(e, refusal->first);
        if (refusal->states)
            diag_error(e->diag, place, "%s stays undecided for so long that there are more than %u states",
                       describe(e, refusal->op), refusal->states);
        else
            diag_error(e->diag, place, "%s stays undecided for any number of bytes", describe(e, refusal->op));
        diag_note(e->diag, "for example after %s, and what may follow", input);
    } else if (refusal->kind == REFUSAL_CONVERSION) {
        const rule_t *rule = e->dfa->nfa->conversions.items[refusal->op].rule;
        diag_error(e->diag, rule->place, "readings of the same input would convert different bytes of rule `%s`", rule->name);
        diag_note(e->diag, "for example after %s", input);
    } else {
        const nfa_state_t *s = &e->dfa->nfa->states.items[refusal->first], *t = &e->dfa->nfa->states.items[refusal->second];
        const rule_t *rule = rule_at(e, s->kind == NFA_CONTROL ? refusal->second : refusal->first);
        text_t byte;
        text_init(&byte, e->arena);
        text_quoted_byte(&byte, refusal->byte);
        diag_error(e->diag, e->dfa->nfa->controls.items[s->kind == NFA_CONTROL ? s->control : t->control].place,
                   "this control point is not reached by one reading alone: %s competes",
                   rule ? arena_print(e->arena, "rule `%s`", rule->name) : "the root");
        diag_note(e->diag, "for example after %s, if \"%s\" follows", input, byte.bytes);
    }
    if (!has_parted)
        return;
    diag_note(e->diag, "read as  %s", witness_derivation(&parting, 0));
    diag_note_at(e->diag, witness_place(&parting, 1), "or as    %s", witness_derivation(&parting, 1));
    suggest(e, refusal, &parting);
}

static void explain_list(explainer_t *e, const refusal_t *refusal)
{
    const context_t *context = e->dfa->nfa->states.items[refusal->first].context;
    while (context->parent && context->parent->is_atomic)
        context = context->parent;
    diag_error(e->diag, context->rule ? context->rule->place : (place_t){0},
               "nothing in an atomic rule takes effect before its end, and `%s` can hold any number of elements",
               context->rule ? context->rule->name : "");
    diag_note(e->diag, "for example after %s", witness_input(e->dfa, e->arena, &refusal->where));
    diag_note(e->diag, "a repeat with a bound would do, or one element around all of it; or it is not atomic");
}

void refusal_report(const dfa_t *dfa, diag_t *diag)
{
    explainer_t e = {.dfa = dfa, .diag = diag, .arena = arena_new(), .effort = REMEDY_EFFORT};
    for (size_t i = 0; i < dfa->refusals.count; i++)
        if (dfa->refusals.items[i].kind == REFUSAL_LISTED)
            explain_list(&e, &dfa->refusals.items[i]);
        else
            explain_pair(&e, &dfa->refusals.items[i]);
    arena_free(e.arena);
}
