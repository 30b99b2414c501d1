/* layout.c: DFA → what the C files say about it.
 *
 * A machine is a part of the automaton that is connected by bytes: what lies between control points of the driver. Those that
 * only choose are no such points: their targets belong to the machine, and choosing among them is a `switch`. */
#include "layout.h"

#include <stdlib.h>

#include "map.h"
#include "name.h"
#include "position.h"

bool layout_is_outside(const layout_t *layout, unsigned state)
{
    const dfa_state_t *s = &layout->dfa->states.items[state];
    return s->kind == DFA_CONTROL && !dfa_is_inside(layout->dfa, s);
}

/* ---------------------------------------------------------------- machines */

static unsigned root_of(unsigned *parent, unsigned state)
{
    while (parent[state] != state)
        state = parent[state] = parent[parent[state]];
    return state;
}

static void join(const layout_t *l, unsigned *parent, unsigned a, unsigned b)
{
    if (layout_is_outside(l, b))
        return;
    a = root_of(parent, a);
    b = root_of(parent, b);
    parent[a > b ? a : b] = a > b ? b : a;
}

/* A machine is called after the root that begins in it, or else after its first state. */
static const char *name_of_machine(const layout_t *l, unsigned *parent, unsigned first)
{
    const struct {
        const char *name;
        unsigned start;
    } roots[] = {{"client", l->dfa->client}, {"server", l->dfa->server}, {"datagram", l->dfa->datagram}};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (roots[i].start != STATE_NONE && root_of(parent, roots[i].start) == first)
            return roots[i].name;
    return l->labels[first];
}

static void find_machines(layout_t *l)
{
    unsigned count = (unsigned)l->dfa->states.count;
    unsigned *parent = ARENA_ARRAY(l->arena, unsigned, count);
    for (unsigned s = 0; s < count; s++)
        parent[s] = s;
    for (unsigned s = 0; s < count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        for (size_t i = 0; i < state->edges.count && !layout_is_outside(l, s); i++)
            join(l, parent, s, state->edges.items[i].target);
        if (state->kind == DFA_CONTROL && !layout_is_outside(l, s)) {
            const control_t *c = &l->dfa->controls.items[state->control];
            for (size_t i = 0; i < c->targets.count; i++)
                join(l, parent, s, c->targets.items[i]);
        }
    }
    for (unsigned s = 0; s < count; s++) {
        l->machine_of[s] = STATE_NONE;
        if (layout_is_outside(l, s))
            continue;
        unsigned root = root_of(parent, s);
        if (root == s) {
            l->machine_of[s] = (unsigned)l->machines.count;
            vec_push(l->arena, &l->machines, arena_print(l->arena, "machine_%s", name_of_machine(l, parent, s)));
        }
        l->machine_of[s] = l->machine_of[root];
    }
}

/* ---------------------------------------------------------------- texts */

unsigned layout_text(const layout_t *l, const char *text)
{
    unsigned i = 0;
    while (strcmp(l->texts.items[i], text) != 0)
        i++;
    return i;
}

static unsigned add_text(layout_t *l, const char *text)
{
    for (unsigned i = 0; i < l->texts.count; i++)
        if (strcmp(l->texts.items[i], text) == 0)
            return i;
    vec_push(l->arena, &l->texts, text);
    return (unsigned)l->texts.count - 1;
}

static void find_texts(layout_t *l)
{
    add_text(l, "");
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        text_t expected;
        text_init(&expected, l->arena);
        if (state->kind == DFA_BYTES)
            name_expected(l->dfa, s, &expected);
        l->rule_text[s] = add_text(l, state->configs.count ? name_rule(l->dfa, &state->configs.items[0]) : "");
        l->expected_text[s] = add_text(l, expected.len ? expected.bytes : "");
    }
    for (size_t c = 0; c < l->dfa->controls.count; c++)
        if (l->dfa->controls.items[c].rule)
            add_text(l, l->dfa->controls.items[c].rule->name);
    for (size_t c = 0; c < l->dfa->nfa->conversions.count; c++)
        add_text(l, l->dfa->nfa->conversions.items[c].rule->name);
    for (size_t i = 0; i < l->dfa->nfa->ops.count; i++)
        if (l->dfa->nfa->ops.items[i].name)
            add_text(l, l->dfa->nfa->ops.items[i].name);
}

static bool is_same(const expr_t *a, const expr_t *b)
{
    if (!a || !b)
        return a == b;
    return a->kind == b->kind && a->number == b->number && a->reg == b->reg && is_same(a->left, b->left) && is_same(a->right, b->right);
}

unsigned layout_value(const layout_t *l, const expr_t *expr)
{
    unsigned i = 0;
    while (i < l->values.count && !is_same(l->values.items[i], expr))
        i++;
    return i;
}

static bool are_same_guards(const control_t *a, const control_t *b)
{
    size_t i = 0;
    while (i < a->guards.count && i < b->guards.count && a->guards.items[i] == b->guards.items[i])
        i++;
    return i == a->guards.count && i == b->guards.count;
}

unsigned layout_choice(const layout_t *l, unsigned control)
{
    const control_t *all = l->dfa->controls.items;
    unsigned first = 0;
    while (all[first].kind != CONTROL_CHOICE || all[first].targets.count == 0 || all[first].targets.items[0] == STATE_NONE ||
           !are_same_guards(&all[first], &all[control]))
        first++;
    return first;
}

static void add_value(layout_t *l, const expr_t *expr)
{
    if (layout_value(l, expr) == l->values.count)
        vec_push(l->arena, &l->values, expr);
}

unsigned layout_expect(const layout_t *l, const note_t *expect)
{
    unsigned i = 0;
    while (l->expects.items[i] != expect)
        i++;
    return i;
}

static void add_expect(layout_t *l, const note_t *expect)
{
    for (size_t i = 0; i < l->expects.count; i++)
        if (l->expects.items[i] == expect)
            return;
    vec_push(l->arena, &l->expects, expect);
    add_value(l, expect->expr);
}

static void find_values(layout_t *l)
{
    for (size_t i = 0; i < l->dfa->nfa->ops.count; i++)
        if (l->dfa->nfa->ops.items[i].kind == OP_SET)
            add_value(l, l->dfa->nfa->ops.items[i].expr);
    for (size_t i = 0; i < l->dfa->nfa->ops.count; i++)
        if (l->dfa->nfa->ops.items[i].kind == OP_EXPECT)
            add_expect(l, l->dfa->nfa->ops.items[i].expect);
    for (size_t c = 0; c < l->dfa->controls.count; c++)
        if (l->dfa->controls.items[c].expr)
            add_value(l, l->dfa->controls.items[c].expr);
}

/* ---------------------------------------------------------------- the whole */

static bool is_underway(const dfa_state_t *s, unsigned conversion)
{
    for (size_t i = 0; i < s->underway.count; i++)
        if (s->underway.items[i].conversion == conversion)
            return true;
    return false;
}

static bool are_underway(const dfa_t *dfa, unsigned a, unsigned b)
{
    for (size_t s = 0; s < dfa->states.count; s++)
        if (is_underway(&dfa->states.items[s], a) && is_underway(&dfa->states.items[s], b))
            return true;
    return false;
}

/* The first slot none of whose conversions is under way together with this one. */
static unsigned find_slot(const layout_t *l, unsigned conversion)
{
    unsigned slot = 0;
    for (unsigned other = 0; other < conversion;)
        if (l->conversion_slots[other] == slot && are_underway(l->dfa, other, conversion)) {
            slot++;
            other = 0;
        } else {
            other++;
        }
    return slot;
}

static bool are_same_words(const conversion_t *a, const conversion_t *b)
{
    size_t i = 0;
    while (i < a->keywords.count && i < b->keywords.count && strcmp(a->keywords.items[i], b->keywords.items[i]) == 0)
        i++;
    return i == a->keywords.count && i == b->keywords.count;
}

static bool is_name_of_words(const layout_t *l, unsigned count, const char *name)
{
    unsigned i = 0;
    while (i < count && (!l->words[i] || strcmp(l->words[i], name) != 0))
        i++;
    return i < count;
}

/* After the register, or the rule that is refined by. */
static const char *name_words(const layout_t *l, unsigned conversion)
{
    const conversion_t *all = l->dfa->nfa->conversions.items, *c = &all[conversion];
    const char *name = name_identifier(l->arena, c->reg ? c->reg->name : c->rule->name, false), *numbered = name;
    for (unsigned i = 0; i < conversion; i++)
        if (l->words[i] && are_same_words(&all[i], c))
            return l->words[i];
    for (unsigned n = 2; is_name_of_words(l, conversion, numbered); n++)
        numbered = arena_print(l->arena, "%s_%u", name, n);
    return numbered;
}

static void find_words(layout_t *l)
{
    const nfa_t *nfa = l->dfa->nfa;
    l->words = ARENA_ARRAY(l->arena, const char *, nfa->conversions.count + 1);
    for (unsigned i = 0; i < nfa->conversions.count; i++)
        l->words[i] = nfa->conversions.items[i].kind == CONVERT_KEYWORD ? name_words(l, i) : NULL;
}

static void find_slots(layout_t *l)
{
    const nfa_t *nfa = l->dfa->nfa;
    l->conversion_slots = ARENA_ARRAY(l->arena, unsigned, nfa->conversions.count);
    for (unsigned i = 0; i < nfa->conversions.count; i++) {
        const conversion_t *c = &nfa->conversions.items[i];
        unsigned number = l->conversion_slots[i] = find_slot(l, i);
        if (number == l->slots.count)
            vec_push(l->arena, &l->slots, (conversion_slot_t){0});
        conversion_slot_t *slot = &l->slots.items[number];
        slot->accumulator_count = c->accumulator_count > slot->accumulator_count ? c->accumulator_count : slot->accumulator_count;
        unsigned text_size = c->accumulator_count * c->text_size;
        slot->text_size = text_size > slot->text_size ? text_size : slot->text_size;
    }
    for (size_t i = 0; i < l->slots.count; i++) {
        l->slots.items[i].accumulator = l->accumulator_count;
        l->slots.items[i].text = l->text_size;
        l->accumulator_count += l->slots.items[i].accumulator_count;
        l->text_size += l->slots.items[i].text_size;
    }
}

/* Behind the texts under way stand those of registers, then those on the list of an atomic rule. */
static void find_texts_of_registers(layout_t *l)
{
    for (size_t i = 0; i < l->grammar->registers.count; i++)
        vec_push(l->arena, &l->register_texts, 0);
    for (size_t i = 0; i < l->grammar->registers.count; i++) {
        l->register_texts.items[l->grammar->registers.items[i]->index] = l->text_size;
        l->text_size += l->grammar->registers.items[i]->size;
        l->word_count += l->grammar->registers.items[i]->is_word;
    }
    for (size_t i = 0; i < l->grammar->shared.count; i++) {
        vec_push(l->arena, &l->shared_texts, l->shared_text_size);
        l->shared_text_size += l->grammar->shared.items[i]->size;
    }
    l->joined_text = l->text_size;
    l->text_size += l->dfa->nfa->has_joined ? JOINED_MAX : 0;
    l->later_text = l->text_size;
    l->text_size += l->dfa->later_text_max;
}

/* The outermost of rules inside each other is written out, not called. */
unsigned layout_calls(const nfa_t *nfa)
{
    return nfa->procedures.count ? nfa->grammar->depth - 1 : 0;
}

/* The most of what can be open at once: around each call what is open there, and all that can be in the innermost. */
static unsigned deepest(const nfa_t *nfa, unsigned outside, unsigned around, unsigned inside, unsigned inside_around)
{
    unsigned calls = layout_calls(nfa);
    unsigned called = calls ? around + (calls - 1) * inside_around + inside : 0;
    return called > outside ? called : outside;
}

#define DEEPEST(nfa, what) \
    deepest(nfa, (nfa)->nest.what, (nfa)->nest_of_calls.what, (nfa)->call_nest.what, (nfa)->call_nest_of_calls.what)

unsigned layout_frames(const nfa_t *nfa)
{
    return layout_calls(nfa) + DEEPEST(nfa, repeats);
}

unsigned layout_slots(const nfa_t *nfa)
{
    return DEEPEST(nfa, depth);
}

unsigned layout_regions(const nfa_t *nfa)
{
    return DEEPEST(nfa, regions);
}

unsigned layout_untils(const nfa_t *nfa)
{
    return DEEPEST(nfa, untils);
}

unsigned layout_ends(const nfa_t *nfa)
{
    return nfa->until_is_folded ? 2 * nfa->until_max : nfa->until_max;
}

unsigned layout_ahead(const nfa_t *nfa)
{
    bool searches = nfa->client_search != STATE_NONE || nfa->server_search != STATE_NONE;
    for (size_t i = 0; i < nfa->feeds.count; i++)
        searches |= nfa->feeds.items[i].rule && nfa->feeds.items[i].search != STATE_NONE;
    unsigned until = nfa->until_max ? nfa->until_max + 1 : 0;
    return searches && until < SEARCH_MAX ? SEARCH_MAX : until;
}

unsigned layout_saved(const nfa_t *nfa)
{
    return DEEPEST(nfa, saved);
}

unsigned layout_queue_stride(const queue_t *queue)
{
    const unsigned entry_size = 32, number_size = 8; /* the least that they have */

    return 1 + (queue->is_keyed ? (number_size + queue->key_size + entry_size - 1) / entry_size : 0);
}

unsigned layout_queue_firsts(const grammar_t *grammar)
{
    unsigned sum = 0;
    for (size_t i = 0; i < grammar->queues.count; i++)
        sum += layout_queue_stride(grammar->queues.items[i]);
    return sum;
}

/* The constant of an element is its path. Where that is another's, `a-b` and `a_b`, the later one has a number behind it. */
static void name_elements(layout_t *l)
{
    map_t taken = {.arena = l->arena};
    const size_t count = l->dfa->nfa->elements.count;
    l->elements = ARENA_ARRAY(l->arena, const char *, count + 1);
    map_put(&taken, arena_print(l->arena, "%s_H", l->upper), l); /* the header's own */
    map_put(&taken, arena_print(l->arena, "%s_ELEMENT_COUNT", l->upper), l);
    for (size_t i = 0; i < count; i++) {
        const element_t *e = &l->dfa->nfa->elements.items[i];
        const char *parent = e->parent == ELEMENT_NONE ? l->upper : l->elements[e->parent];
        const char *path = arena_print(l->arena, "%s_%s", parent, name_identifier(l->arena, e->name, true));
        l->elements[i] = path;
        for (unsigned n = 2; map_find(&taken, l->elements[i]); n++)
            l->elements[i] = arena_print(l->arena, "%s_%u", path, n);
        map_put(&taken, l->elements[i], l);
    }
}

/* Do positions anywhere change places? */
static bool needs_spare(const dfa_t *dfa, unsigned spare)
{
    for (size_t s = 0; s < dfa->states.count; s++)
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++) {
            moves_t moves = position_moves(dfa, &dfa->states.items[s].edges.items[i], spare);
            for (size_t m = 0; m < moves.count; m++)
                if (moves.items[m].to == spare)
                    return true;
        }
    return false;
}

layout_t *layout_build(const dfa_t *dfa, unsigned position_count)
{
    layout_t *l = ARENA_NEW(dfa->arena, layout_t);
    size_t count = dfa->states.count;
    l->arena = dfa->arena;
    l->dfa = dfa;
    l->grammar = dfa->nfa->grammar;
    l->prefix = arena_print(l->arena, "qcap_%s", name_identifier(l->arena, l->grammar->name, false));
    l->upper = name_identifier(l->arena, l->prefix, true);
    name_elements(l);
    l->labels = name_states(dfa);
    l->enumerators = ARENA_ARRAY(l->arena, const char *, count);
    for (size_t s = 0; s < count; s++)
        l->enumerators[s] = arena_print(l->arena, "AT_%s", name_identifier(l->arena, l->labels[s], true));
    l->machine_of = ARENA_ARRAY(l->arena, unsigned, count);
    l->rule_text = ARENA_ARRAY(l->arena, unsigned, count);
    l->expected_text = ARENA_ARRAY(l->arena, unsigned, count);
    l->position_count = position_count;
    l->has_spare = needs_spare(dfa, position_count);
    find_words(l);
    find_slots(l);
    find_texts_of_registers(l);
    find_machines(l);
    find_texts(l);
    find_values(l);
    return l;
}
