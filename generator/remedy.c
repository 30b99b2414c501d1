/* remedy.c: what an author could annotate so that a refusal goes away.
 *
 * Where two readings part at a choice, a `cut` in the preferred alternative may settle it: behind its last item, the one before,
 * and so on, also inside the rules that it refers to. Each is tried: the grammar is changed, compiled, and changed back. A cut is
 * good if the refusal has gone, and if the other alternative can still win: it does where the automaton has a state in which it is
 * alone. The last place that is good gives up least. Where a fallback disagrees, the author may do without it. */
#include "remedy.h"

#include "automaton.h"
#include "position.h"

#define TRIALS_MAX 12u
#define DEPTH_MAX 3u
#define TRIAL_STATES_MAX 10000u

/* Behind the first `end` items of `sequence`. */
typedef struct point {
    rule_t *owner;          /* the rule in whose body it stands */
    const node_t *sequence; /* or a single item */
    size_t end;
    bool is_outer;          /* the choice is that of another rule */
} point_t;

typedef struct search {
    const dfa_t *dfa;
    const refusal_t *refusal;
    const node_t *choice;      /* where the readings part */
    const node_t *preferred, *other; /* alternatives of it */
    rule_t *rule;              /* that has the choice */
    arena_t *arena;
    VEC(point_t) points;
    unsigned *effort;          /* that is left */
    VEC(const node_t *) made;  /* nodes of the trial under way, in place of others of `preferred` */
} search_t;

/* ---------------------------------------------------------------- candidates */

static const node_t *item(const node_t *sequence, size_t i)
{
    return sequence->kind == NODE_SEQUENCE ? sequence->children.items[i] : sequence;
}

static size_t item_count(const node_t *sequence)
{
    return sequence->kind == NODE_SEQUENCE ? sequence->children.count : 1;
}

static bool can_be_empty(const node_t *node, unsigned depth)
{
    bool is_all = true, is_any = node->children.count == 0;
    if (depth == 0)
        return false;
    for (size_t i = 0; i < node->children.count; i++) {
        bool is_empty = can_be_empty(node->children.items[i], depth - 1);
        is_all &= is_empty;
        is_any |= is_empty;
    }
    switch (node->kind) {
    case NODE_EMPTY:
        return true;
    case NODE_SEQUENCE:
        return is_all;
    case NODE_CHOICE:
        return is_any;
    case NODE_REPEAT:
        return node->min == 0 || is_all;
    case NODE_RULE:
        return can_be_empty(node->rule->body, depth - 1);
    default:
        return false;
    }
}

/* The grammar's own rule, which may be changed for the time of a trial. */
static rule_t *own(const search_t *s, const rule_t *rule)
{
    const grammar_t *grammar = s->dfa->nfa->grammar;
    for (size_t i = 0; i < grammar->rules.count; i++)
        if (grammar->rules.items[i] == rule)
            return grammar->rules.items[i];
    return NULL;
}

static void collect(search_t *s, const node_t *sequence, rule_t *owner, unsigned depth)
{
    size_t count = item_count(sequence), empty = 0; /* items at the front that can be empty: a cut there leaves no other reading */
    while (empty < count && can_be_empty(item(sequence, empty), 16))
        empty++;
    for (size_t end = count; end > empty; end--) {
        const node_t *last = item(sequence, end - 1);
        if ((depth == 0 || end < count) && !can_be_empty(last, 16)) /* else it is as good behind the item before */
            vec_push(s->arena, &s->points, ((point_t){owner, sequence, end, depth > 0}));
        rule_t *inner = last->kind == NODE_RULE ? own(s, last->rule) : NULL;
        if (inner && s->rule->body == s->choice && depth < DEPTH_MAX && inner->body->kind != NODE_CHOICE)
            collect(s, inner->body, inner, depth + 1);
    }
}

/* ---------------------------------------------------------------- trials */

static bool contains(const node_t *tree, const node_t *node)
{
    if (tree == node)
        return true;
    for (size_t i = 0; i < tree->children.count; i++)
        if (contains(tree->children.items[i], node))
            return true;
    return false;
}

static bool is_of(const search_t *s, const node_t *alternative, const node_t *node)
{
    for (size_t i = 0; node && alternative == s->preferred && i < s->made.count; i++)
        if (s->made.items[i] == node)
            return true;
    return node && contains(alternative, node);
}

static bool stands_in(const search_t *s, const node_t *alternative, const nfa_state_t *state)
{
    if (is_of(s, alternative, state->node))
        return true;
    for (const context_t *c = state->context; c; c = c->parent)
        if (is_of(s, alternative, c->reference))
            return true;
    return false;
}

/* Is there a state in which the other alternative is read, and the preferred one is not? */
static bool can_win(const search_t *s, const dfa_t *dfa)
{
    for (size_t i = 0; i < dfa->states.count; i++) {
        const configs_t *configs = &dfa->states.items[i].configs;
        bool has_preferred = false, has_other = false;
        for (size_t k = 0; k < configs->count && !has_preferred; k++) {
            const nfa_state_t *state = &dfa->nfa->states.items[configs->items[k].state];
            has_preferred = stands_in(s, s->preferred, state);
            has_other |= stands_in(s, s->other, state);
        }
        if (has_other && !has_preferred)
            return true;
    }
    return false;
}

static place_t control_place(const dfa_t *dfa, const refusal_t *refusal)
{
    const nfa_state_t *s = &dfa->nfa->states.items[refusal->first];
    if (s->kind != NFA_CONTROL)
        s = &dfa->nfa->states.items[refusal->second];
    return dfa->nfa->controls.items[s->control].place;
}

/* Is it the refusal that is to go? Numbers differ from one automaton to the next. */
static bool is_same(const search_t *s, const dfa_t *dfa, const refusal_t *refusal)
{
    if (refusal->kind != s->refusal->kind)
        return false;
    if (refusal->kind == REFUSAL_COMPETING)
        return control_place(dfa, refusal).offset == control_place(s->dfa, s->refusal).offset;
    if (refusal->kind == REFUSAL_CONVERSION)
        return s->dfa->nfa->conversions.items[s->refusal->op].rule == dfa->nfa->conversions.items[refusal->op].rule;
    const rule_t *was = s->dfa->nfa->states.items[s->refusal->first].context->rule;
    return was == dfa->nfa->states.items[refusal->first].context->rule ||
           was == dfa->nfa->states.items[refusal->second].context->rule;
}

/* Has the refusal gone from the grammar as it is now? `rule` is one that is not in its list. */
static bool helps(search_t *s, rule_t *rule)
{
    grammar_t grammar = *s->dfa->nfa->grammar;
    arena_t *arena = arena_new();
    diag_t *diag = diag_new(arena);
    grammar.arena = arena;
    memset(&grammar.rules, 0, sizeof grammar.rules);
    for (size_t i = 0; i < s->dfa->nfa->grammar->rules.count; i++)
        vec_push(arena, &grammar.rules, s->dfa->nfa->grammar->rules.items[i]);
    if (rule) {
        rule->index = (unsigned)grammar.rules.count;
        vec_push(arena, &grammar.rules, rule);
    }
    dfa_t *dfa = automaton_build(&grammar, TRIAL_STATES_MAX, NULL, diag);
    bool has_gone = dfa && !diag_has_errors(diag);
    if (has_gone && s->refusal->kind == REFUSAL_CONVERSION && dfa->refusals.count == 0)
        position_analyse(dfa);
    for (size_t i = 0; has_gone && i < dfa->refusals.count; i++)
        has_gone = !is_same(s, dfa, &dfa->refusals.items[i]);
    has_gone = has_gone && (!s->preferred || can_win(s, dfa));
    size_t cost = dfa ? dfa->states.count : TRIAL_STATES_MAX;
    *s->effort = cost < *s->effort ? *s->effort - (unsigned)cost : 0;
    arena_free(arena);
    return has_gone;
}

static node_t *copy_node(search_t *s, const node_t *node)
{
    node_t *copy = ARENA_NEW(s->arena, node_t);
    *copy = *node;
    memset(&copy->children, 0, sizeof copy->children);
    vec_push(s->arena, &s->made, copy);
    return copy;
}

/* The tree with another node in place of `old`. */
static const node_t *replace(search_t *s, const node_t *tree, const node_t *old, const node_t *new)
{
    if (tree == old)
        return new;
    if (!contains(tree, old))
        return tree;
    node_t *copy = ARENA_NEW(s->arena, node_t);
    *copy = *tree;
    memset(&copy->children, 0, sizeof copy->children);
    for (size_t i = 0; i < tree->children.count; i++)
        vec_push(s->arena, &copy->children, replace(s, tree->children.items[i], old, new));
    return copy;
}

static const note_t *new_cut(const search_t *s, const point_t *point, place_t place)
{
    note_t *cut = ARENA_NEW(s->arena, note_t);
    *cut = (note_t){.kind = NOTE_CUT, .place = place, .rule = point->is_outer ? s->rule : NULL};
    return cut;
}

static place_t place_of(const point_t *point)
{
    place_t place = item(point->sequence, 0)->place, last = item(point->sequence, point->end - 1)->place;
    if (last.source == place.source && last.offset + last.len > place.offset)
        place.len = last.offset + last.len - place.offset;
    return place;
}

static bool try_cut_on(search_t *s, const point_t *point, rule_t *rule)
{
    notes_t before = rule->notes;
    memset(&rule->notes, 0, sizeof rule->notes);
    for (size_t i = 0; i < before.count; i++)
        vec_push(s->arena, &rule->notes, before.items[i]);
    vec_push(s->arena, &rule->notes, new_cut(s, point, rule->place));
    bool is_good = helps(s, NULL);
    rule->notes = before;
    return is_good;
}

/* The items become a rule of their own, which has the cut. */
static bool try_cut_behind(search_t *s, const point_t *point)
{
    rule_t made = {.name = "(cut)", .place = place_of(point), .section = ""};
    node_t *begin = copy_node(s, point->sequence), *rest = copy_node(s, point->sequence);
    node_t *reference = copy_node(s, item(point->sequence, 0));
    begin->kind = rest->kind = NODE_SEQUENCE;
    memset(&begin->notes, 0, sizeof begin->notes);
    for (size_t i = 0; i < point->end; i++) {
        node_t *first = copy_node(s, item(point->sequence, i));
        first->children = item(point->sequence, i)->children;
        if (point->sequence->kind != NODE_SEQUENCE)
            memset(&first->notes, 0, sizeof first->notes);
        vec_push(s->arena, &begin->children, first);
    }
    reference->kind = NODE_RULE;
    reference->rule = &made;
    memset(&reference->notes, 0, sizeof reference->notes);
    vec_push(s->arena, &rest->children, reference);
    for (size_t i = point->end; i < item_count(point->sequence); i++)
        vec_push(s->arena, &rest->children, item(point->sequence, i));
    made.body = begin;
    vec_push(s->arena, &made.notes, new_cut(s, point, made.place));

    const node_t *before = point->owner->body;
    point->owner->body = replace(s, before, point->sequence, rest);
    bool is_good = helps(s, &made);
    point->owner->body = before;
    return is_good;
}

/* Annotations that name the items of the sequence, or want it to be what it is. */
static bool is_fixed(const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_REFINE || notes->items[i]->kind == NOTE_COUNT)
            return true;
    return false;
}

static bool try_point(search_t *s, const point_t *point, remedy_t *remedy)
{
    const node_t *last = item(point->sequence, point->end - 1);
    rule_t *rule = point->end == 1 && last->kind == NODE_RULE ? own(s, last->rule) : NULL;
    *remedy = (remedy_t){.kind = REMEDY_CUT_BEHIND, .place = place_of(point), .is_outer = point->is_outer};
    s->made.count = 0;
    if (!rule || rule->is_core) {
        bool is_body = point->sequence == point->owner->body && is_fixed(&point->owner->notes);
        return !is_body && !is_fixed(&point->sequence->notes) && try_cut_behind(s, point);
    }
    remedy->kind = REMEDY_CUT_RULE;
    remedy->place = rule->place;
    remedy->rule = rule;
    return try_cut_on(s, point, rule);
}

/* ---------------------------------------------------------------- fallbacks */

static refine_entry_t *find_entry(const notes_t *notes, const char *name)
{
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->entries.count; k++)
            if (strcmp(notes->items[i]->entries.items[k].rule->name, name) == 0)
                return &notes->items[i]->entries.items[k];
    return NULL;
}

static bool try_strict(search_t *s, const char *name, remedy_t *remedy)
{
    const grammar_t *grammar = s->dfa->nfa->grammar;
    refine_entry_t *entry = NULL;
    for (size_t i = 0; i < grammar->rules.count && !entry; i++) {
        const rule_t *rule = grammar->rules.items[i];
        entry = find_entry(&rule->notes, name);
        for (size_t k = 0; k < rule->body->children.count && !entry; k++)
            entry = find_entry(&rule->body->children.items[k]->notes, name);
    }
    if (!entry)
        return false;
    *remedy = (remedy_t){.kind = REMEDY_STRICT, .place = entry->place};
    entry->is_strict = true;
    bool is_good = helps(s, NULL);
    entry->is_strict = false;
    return is_good;
}

remedy_answer_t remedy_find(const dfa_t *dfa, const refusal_t *refusal, const parting_t *parting, unsigned *effort,
                            remedy_t *remedy)
{
    const nfa_state_t *split = &dfa->nfa->states.items[parting->split];
    search_t s = {.dfa = dfa, .refusal = refusal, .arena = parting->arena, .choice = split->node,
                  .effort = effort};
    if (*effort == 0)
        return REMEDY_NOT_TRIED;
    if (split->kind == NFA_FALLBACK)
        return split->name && try_strict(&s, split->name, remedy) ? REMEDY_FOUND : REMEDY_NONE;
    s.preferred = witness_alternative(parting, 0);
    s.other = witness_alternative(parting, 1);
    s.rule = split->context->rule ? own(&s, split->context->rule) : NULL;
    if (!s.preferred || !s.other || !s.rule)
        return REMEDY_NONE;
    collect(&s, s.preferred, s.rule, 0);
    for (size_t i = 0; i < s.points.count; i++) {
        if (i == TRIALS_MAX || *effort == 0)
            return REMEDY_NOT_TRIED;
        if (try_point(&s, &s.points.items[i], remedy))
            return REMEDY_FOUND;
    }
    return REMEDY_NONE;
}
