/* ambiguity.c: inputs that the grammar reads in two ways.
 *
 * Two readings that stand at one NFA state behave alike from then on, so whatever one can be completed with completes the
 * other: the input has two readings. The subset construction drops the later one, which settles the matter by order; where the
 * two had performed different operations it notes a clash (dfa.h). Here the clash is read again with trails, which tell where
 * the readings parted; clashes with the same two ways to go are one ambiguity.
 *
 * Readings also clash where the author has said which one is meant. That is settled, and nothing to report: a fallback
 * (`refine`), a reading that is tolerated as an anomaly where another is not, a rule that is `ordered`. What a `cut` has settled
 * does not clash. */
#include "ambiguity.h"

#include "witness.h"

/* An operation and where it was performed, in bytes behind the split. */
typedef struct deed {
    unsigned op;
    size_t at;
} deed_t;

typedef VEC(deed_t) deeds_t;

typedef struct ambiguity {
    bool is_symbolic;
    bool is_choice;         /* among alternatives; else whether a repeat goes on */
    place_t places[2];      /* where the readings go when they part */
    const char *parts[2];   /* in what they differ, in words; NULL: nothing */
} ambiguity_t;

typedef struct finder {
    const dfa_t *dfa;
    const nodes_t *dead;
    diag_t *diag;
    arena_t *arena;   /* of what is found */
    arena_t *scratch; /* of one clash */
    bool wants_positions;
    unsigned max, shown, left_out;
    ambiguities_t counts;
    VEC(ambiguity_t) known;
} finder_t;

/* ---------------------------------------------------------------- in what they differ */

static const op_t *op_of(const finder_t *f, unsigned op)
{
    return &f->dfa->nfa->ops.items[op];
}

static deeds_t deeds_of(const finder_t *f, const path_t *path)
{
    deeds_t deeds = {0};
    size_t at = 0;
    for (size_t i = 0; i < path->steps.count; i++) {
        const nfa_state_t *s = &f->dfa->nfa->states.items[path->steps.items[i].state];
        if (s->kind == NFA_OP && nfa_is_telling(f->dfa->nfa, op_of(f, s->op)))
            vec_push(f->scratch, &deeds, ((deed_t){s->op, at}));
        at += path->steps.items[i].byte >= 0;
    }
    return deeds;
}

/* Which rule is converted makes no difference if the register gets the same. */
static bool op_equal(const finder_t *f, unsigned a, unsigned b)
{
    const op_t *x = op_of(f, a), *y = op_of(f, b);
    if (a == b || x->kind != y->kind || (x->kind != OP_CONVERT_OPEN && x->kind != OP_CONVERT_CLOSE))
        return a == b;
    const conversion_t *c = &f->dfa->nfa->conversions.items[x->conversion];
    const conversion_t *d = &f->dfa->nfa->conversions.items[y->conversion];
    return c->reg == d->reg && c->kind == d->kind && c->is_unique == d->is_unique;
}

/* The first in which they differ, the number of them all if in none. */
static size_t first_difference(const finder_t *f, const deeds_t *a, const deeds_t *b, bool with_positions)
{
    size_t i = 0;
    while (i < a->count && i < b->count && op_equal(f, a->items[i].op, b->items[i].op) &&
           (!with_positions || a->items[i].at == b->items[i].at))
        i++;
    return i;
}

static bool has_anomaly(const finder_t *f, const deeds_t *deeds)
{
    for (size_t i = 0; i < deeds->count; i++)
        if (op_of(f, deeds->items[i].op)->kind == OP_ANOMALY_OPEN)
            return true;
    return false;
}

/* NULL: nothing. */
static const char *describe(const finder_t *f, const deeds_t *deeds, size_t i)
{
    if (i >= deeds->count)
        return NULL;
    const op_t *op = op_of(f, deeds->items[i].op);
    switch (op->kind) {
    case OP_OPEN:
        return arena_print(f->arena, "element `%s`", f->dfa->nfa->elements.items[op->element].name);
    case OP_CLOSE:
        return arena_print(f->arena, "the end of element `%s`", f->dfa->nfa->elements.items[op->element].name);
    case OP_ANOMALY_OPEN:
        return "an anomaly";
    case OP_ANOMALY_CLOSE:
        return arena_print(f->arena, "anomaly `%s`", op->name);
    case OP_CONVERT_OPEN:
    case OP_CONVERT_CLOSE:
        return arena_print(f->arena, "register `%s`", f->dfa->nfa->conversions.items[op->conversion].reg->name);
    case OP_PUSH:
        return arena_print(f->arena, "queue `%s`", op->queue->name);
    case OP_RESET:
        return arena_print(f->arena, "register%s `%s`", strchr(op->reg_names, ' ') ? "s" : "", op->reg_names);
    default:
        return op->reg ? arena_print(f->arena, "register `%s`", op->reg->name) : "something else";
    }
}

/* ---------------------------------------------------------------- reporting */

static bool has_note(const rule_t *rule, note_kind_t kind)
{
    for (size_t i = 0; rule && i < rule->notes.count; i++)
        if (rule->notes.items[i]->kind == kind)
            return true;
    return false;
}

/* It is reported as what it is: never read. */
static bool is_dead(const finder_t *f, const parting_t *parting)
{
    const node_t *later = witness_alternative(parting, 1);
    for (size_t i = 0; i < f->dead->count; i++)
        if (f->dead->items[i] == later)
            return true;
    return false;
}

static bool is_settled(const finder_t *f, const parting_t *parting, const deeds_t *earlier, const deeds_t *later)
{
    const nfa_state_t *split = &f->dfa->nfa->states.items[parting->split];
    return is_dead(f, parting) || split->kind == NFA_FALLBACK || has_note(split->context->rule, NOTE_ORDERED) ||
           (has_anomaly(f, later) && !has_anomaly(f, earlier));
}

static bool place_equal(place_t a, place_t b)
{
    return a.source == b.source && a.offset == b.offset;
}

/* The same choice, in another copy of the rule, or further on in the input. What a repeat could have left to others is one
 * question, however many others there are. */
static bool is_known(const finder_t *f, const ambiguity_t *found)
{
    for (size_t i = 0; i < f->known.count; i++) {
        const ambiguity_t *known = &f->known.items[i];
        if (known->is_symbolic == found->is_symbolic && place_equal(known->places[0], found->places[0]) &&
            (!found->is_choice || place_equal(known->places[1], found->places[1])))
            return true;
    }
    return false;
}

static void warn(finder_t *f, const clash_t *clash, const parting_t *parting, const ambiguity_t *found)
{
    const rule_t *rule = f->dfa->nfa->states.items[parting->split].context->rule;
    const char *input = witness_input(f->dfa, f->scratch, clash), *bytes = witness_bytes(parting);
    const char *subject = bytes ? bytes : arena_print(f->scratch, "what comes behind %s", input);
    const char *first = found->parts[0], *second = found->parts[1];
    if (!found->is_symbolic)
        diag_warning(f->diag, found->places[0], "%s can be read in two ways: %s is at one place, or at another", subject, first);
    else if (first && second)
        diag_warning(f->diag, found->places[0], "%s can be read in two ways: with %s, or with %s", subject, first, second);
    else
        diag_warning(f->diag, found->places[0], "%s can be read in two ways: %s", subject,
                     first ? arena_print(f->scratch, "with %s, or without", first)
                           : arena_print(f->scratch, "without %s, or with it", second));
    if (bytes && strcmp(bytes, input) != 0)
        diag_note(f->diag, "for example in %s", input);
    diag_note(f->diag, "read as  %s", witness_derivation(parting, 0));
    diag_note_at(f->diag, found->places[1], "and not  %s", witness_derivation(parting, 1));
    if (!rule)
        diag_note(f->diag, "the first is preferred");
    else
        diag_note(f->diag, "the first is preferred; `ordered` on rule `%s` says that this is meant", rule->name);
}

static void judge(finder_t *f, const clash_t *clash, const meeting_t *meeting)
{
    parting_t parting;
    if (!witness_part(f->dfa, f->scratch, &meeting->earlier, &meeting->later, &parting))
        return;
    const deeds_t deeds[2] = {deeds_of(f, &parting.paths[0]), deeds_of(f, &parting.paths[1])};
    size_t most = deeds[0].count > deeds[1].count ? deeds[0].count : deeds[1].count;
    bool is_symbolic = first_difference(f, &deeds[0], &deeds[1], false) < most;
    size_t difference = first_difference(f, &deeds[0], &deeds[1], !is_symbolic);
    ambiguity_t found = {.is_symbolic = is_symbolic,
                         .is_choice = witness_alternative(&parting, 0) != NULL,
                         .places = {witness_place(&parting, 0), witness_place(&parting, 1)},
                         .parts = {describe(f, &deeds[0], difference), describe(f, &deeds[1], difference)}};
    if (difference == most || is_settled(f, &parting, &deeds[0], &deeds[1]) || is_known(f, &found))
        return;
    vec_push(f->arena, &f->known, found);
    *(found.is_symbolic ? &f->counts.symbolic : &f->counts.position) += 1;
    if (!found.is_symbolic && !f->wants_positions)
        return;
    if (f->shown++ >= f->max)
        f->left_out++;
    else
        warn(f, clash, &parting, &found);
}

/* The input ends for one reading, and could for another that comes first: at a control point, where nothing may be left. */
static void judge_end(finder_t *f, const clash_t *end)
{
    watch_t watch = {0};
    parting_t parting;
    const configs_t readings = witness_readings(f->dfa, f->scratch, end, &watch);
    const config_t *first = NULL, *taken = NULL;
    for (size_t i = 0; i < readings.count; i++) {
        const nfa_state_t *s = &f->dfa->nfa->states.items[readings.items[i].state];
        if (readings.items[i].state == end->at)
            first = &readings.items[i];
        else if (s->kind == NFA_ACCEPT && !taken)
            taken = &readings.items[i];
    }
    if (!first || !taken || !witness_part(f->dfa, f->scratch, first, taken, &parting))
        return;
    ambiguity_t found = {.is_symbolic = true, .is_choice = true,
                         .places = {witness_place(&parting, 0), witness_place(&parting, 1)}};
    if (has_note(f->dfa->nfa->states.items[parting.split].context->rule, NOTE_ORDERED) || is_known(f, &found))
        return;
    vec_push(f->arena, &f->known, found);
    f->counts.symbolic++;
    if (f->shown++ >= f->max) {
        f->left_out++;
        return;
    }
    diag_warning(f->diag, found.places[0], "where the input ends behind %s, this is passed over, though there may be nothing in it",
                 witness_input(f->dfa, f->scratch, end));
    diag_note(f->diag, "read as  %s", witness_derivation(&parting, 1));
    diag_note(f->diag, "and not  %s", witness_derivation(&parting, 0));
    diag_note(f->diag, "`when` on the alternatives, or something to read in front of it, would tell");
}

ambiguities_t ambiguity_report(const dfa_t *dfa, const nodes_t *dead, bool positions, unsigned max, diag_t *diag)
{
    finder_t f = {.dfa = dfa, .dead = dead, .diag = diag, .arena = arena_new(), .wants_positions = positions, .max = max};
    for (size_t i = 0; i < dfa->clashes.count; i++) {
        const clash_t *clash = &dfa->clashes.items[i];
        watch_t watch = {0};
        f.scratch = arena_new();
        witness_readings(dfa, f.scratch, clash, &watch);
        for (size_t k = 0; k < watch.meetings.count; k++)
            if (watch.meetings.items[k].later.state == clash->at)
                judge(&f, clash, &watch.meetings.items[k]);
        arena_free(f.scratch);
    }
    for (size_t i = 0; i < dfa->ends.count; i++) {
        f.scratch = arena_new();
        judge_end(&f, &dfa->ends.items[i]);
        arena_free(f.scratch);
    }
    if (f.left_out)
        diag_warning(diag, (place_t){0}, "%u more inputs can be read in two ways: `qcapgen ambiguities` lists them", f.left_out);
    arena_free(f.arena);
    return f.counts;
}
