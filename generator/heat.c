/* heat.c: hot states first. */
#include "heat.h"

#include <stdlib.h>

#define HOT_STATES 1500u /* at most ... */
#define HOT_PART 2000u  /* ... and none that is passed so many times less often than the one that is passed most */
#define HOT_EDGE 200u   /* an edge of a hot state is hot unless it is followed less often than once in so many times */

static const heat_t *compared_heat; /* qsort passes no context */

static int compare_states(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    if (compared_heat[x].state != compared_heat[y].state)
        return compared_heat[x].state > compared_heat[y].state ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Control points of the driver are its own; and whoever runs a state that counts, or does something at the end, has to know
 * where that is. */
static bool can_be_hot(const dfa_t *dfa, const dfa_state_t *s)
{
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].limit || s->edges.items[i].is_end)
            return false;
    return s->kind != DFA_CONTROL || dfa_is_inside(dfa, s);
}

/* How often a state is passed, its own loop not counted. */
static uint64_t entered(const heat_t *heat, const dfa_t *dfa, unsigned state)
{
    const dfa_state_t *s = &dfa->states.items[state];
    uint64_t loops = 0;
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].target == state)
            loops += heat[state].edges.items[i].passes;
    return heat[state].state > loops ? heat[state].state - loops : 0;
}

/* The byte that an edge is passed by most often. */
static void find_byte(edge_t *edge, const edge_heat_t *heat)
{
    bool is_only = charset_count(&edge->set) == 1;
    edge->byte = is_only ? (unsigned char)charset_first(&edge->set) : 0;
    edge->byte_passes = is_only ? heat->passes : 0;
    for (unsigned byte = 0; byte < 256 && heat->bytes && !is_only; byte++) {
        if (heat->bytes[byte] <= edge->byte_passes)
            continue;
        edge->byte = (unsigned char)byte;
        edge->byte_passes = heat->bytes[byte];
    }
}

/* qsort() does not say in which order equal ones come: by their bytes, then. */
static int compare_words(const void *a, const void *b)
{
    const seen_word_t *x = a, *y = b;
    unsigned len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->text, y->text, len);
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static void copy_words(dfa_t *dfa, edge_t *edge, const edge_heat_t *heat)
{
    if (heat->words.count == 0) /* there are no items to point to */
        return;
    for (size_t i = 0; i < heat->words.count; i++)
        vec_push(dfa->arena, &edge->seen_words, heat->words.items[i]);
    if (edge->seen_words.count > 0)
        qsort(edge->seen_words.items, edge->seen_words.count, sizeof *edge->seen_words.items, compare_words);
}

static void choose(dfa_t *dfa, const heat_t *heat, unsigned *order)
{
    unsigned hot = 0;
    for (unsigned s = 0; s < dfa->states.count; s++)
        order[s] = s;
    compared_heat = heat;
    qsort(order, dfa->states.count, sizeof *order, compare_states);
    uint64_t most = heat[order[0]].state;
    for (unsigned i = 0; i < dfa->states.count && hot < HOT_STATES; i++) {
        dfa_state_t *s = &dfa->states.items[order[i]];
        s->is_hot = can_be_hot(dfa, s) && heat[order[i]].state > most / HOT_PART;
        hot += s->is_hot;
    }
    for (unsigned i = 0; i < dfa->states.count; i++) {
        dfa_state_t *s = &dfa->states.items[i];
        s->passes = entered(heat, dfa, i);
        for (size_t k = 0; k < s->edges.count; k++) {
            const dfa_state_t *target = &dfa->states.items[s->edges.items[k].target];
            edge_t *edge = &s->edges.items[k];
            bool is_loop = edge->target == i && edge->commits.count == 0;
            edge->passes = heat[i].edges.items[k].passes;
            find_byte(edge, &heat[i].edges.items[k]);
            copy_words(dfa, edge, &heat[i].edges.items[k]);
            edge->is_hot = s->is_hot && (target->is_hot || target->kind == DFA_CONTROL) &&
                           (is_loop || edge->passes > heat[i].state / HOT_EDGE);
        }
    }
}

static unsigned renumbered(const unsigned *number, unsigned state)
{
    return state == STATE_NONE ? STATE_NONE : number[state];
}

/* States move to where `number` says. */
static void renumber(dfa_t *dfa, const unsigned *number)
{
    size_t count = dfa->states.count;
    dfa_state_t *states = ARENA_ARRAY(dfa->arena, dfa_state_t, count);
    for (size_t s = 0; s < count; s++)
        states[number[s]] = dfa->states.items[s];
    memcpy(dfa->states.items, states, count * sizeof *states);
    for (size_t s = 0; s < count; s++) {
        dfa_state_t *state = &dfa->states.items[s];
        state->from = renumbered(number, state->from);
        for (size_t i = 0; i < state->edges.count; i++)
            state->edges.items[i].target = renumbered(number, state->edges.items[i].target);
    }
    for (size_t c = 0; c < dfa->controls.count; c++)
        for (size_t i = 0; i < dfa->controls.items[c].targets.count; i++)
            dfa->controls.items[c].targets.items[i] = renumbered(number, dfa->controls.items[c].targets.items[i]);
    const starts_t starts = dfa_starts(dfa);
    for (size_t i = 0; i < starts.count; i++)
        *starts.items[i] = renumbered(number, *starts.items[i]);
}

static void read_sample(const dfa_t *dfa, unsigned start, const sample_t *sample, const char *side, heat_t *heat, diag_t *diag)
{
    if (!sample->text || start == STATE_NONE)
        return;
    bool has_bare;
    size_t end = heat_sample(dfa, start, sample, heat, &has_bare);
    if (has_bare)
        diag_warning(diag, (place_t){0}, "the sample of what the %s sends has LF where the grammar has CR LF, too: "
                                         "has a text editor changed its lines?", side);
    if (end < sample->len)
        diag_warning(diag, (place_t){0}, "the sample of what the %s sends cannot be read from offset %zu on", side, end);
}

void heat(dfa_t *dfa, const samples_t *samples, diag_t *diag)
{
    unsigned count = (unsigned)dfa->states.count, next = 0;
    unsigned *order = ARENA_ARRAY(dfa->arena, unsigned, count), *number = ARENA_ARRAY(dfa->arena, unsigned, count);
    heat_t *heat = ARENA_ARRAY(dfa->arena, heat_t, count);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++)
            vec_push(dfa->arena, &heat[s].edges, ((edge_heat_t){0}));
    if (samples->client.text || samples->server.text) {
        read_sample(dfa, dfa->client, &samples->client, "client", heat, diag);
        read_sample(dfa, dfa->server, &samples->server, "server", heat, diag);
    } else {
        heat_flow(dfa, heat);
    }
    choose(dfa, heat, order);
    heat_loop(dfa);
    for (unsigned is_cold = 0; is_cold < 2; is_cold++)
        for (unsigned s = 0; s < count; s++)
            if (dfa->states.items[s].is_hot != is_cold)
                number[s] = next++;
    renumber(dfa, number);
}
