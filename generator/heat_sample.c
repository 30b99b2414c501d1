/* heat_sample.c: how often states are passed in sample messages.
 *
 * The automaton is followed as a parser would; what a parser knows from elsewhere (how long a body is, what the other side
 * said) is not known here. So samples have no bodies: a region is empty. Where the spec chooses by registers, the first
 * alternative is taken with which the messages that follow can be read furthest. */
#include "heat.h"

#include "map.h"
#include "position.h"

#define LOOK_AHEAD 256u /* bytes by which choices are compared */
#define LOOK_DEPTH 4u   /* choices that lie behind others */
#define CALLS_MAX 64u   /* rules that contain themselves, one inside the other */
#define STILL_MAX 64u   /* states that are passed without reading a byte */

typedef struct walk {
    const dfa_t *dfa;
    heat_t *heat;
    const unsigned char *text;
    size_t len;
    uint64_t positions[POSITION_MAX + 1];
    uint64_t *begins;   /* by conversion */
    unsigned *keywords; /* by conversion: as in a refinement's targets */
    unsigned calls[CALLS_MAX]; /* states to return to */
    unsigned call_count;
} walk_t;

static uint64_t place(const walk_t *w, stamp_t at, uint64_t here)
{
    return at.reg >= 0 ? w->positions[at.reg] : here - at.back;
}

static void convert(walk_t *w, unsigned conversion, uint64_t end)
{
    const conversion_t *c = &w->dfa->nfa->conversions.items[conversion];
    uint64_t begin = w->begins[conversion];
    w->keywords[conversion] = 0;
    if (end < begin || end > w->len)
        return;
    const char *word = arena_copy(w->dfa->arena, (const char *)w->text + begin, (size_t)(end - begin));
    for (unsigned i = 0; i < c->keywords.count; i++)
        if (name_equal(c->keywords.items[i], word))
            w->keywords[conversion] = i + 1;
}

static void perform(walk_t *w, const edge_t *edge, uint64_t here)
{
    for (size_t i = 0; i < edge->commits.count; i++) {
        const op_t *op = &w->dfa->nfa->ops.items[edge->commits.items[i].op];
        uint64_t at = place(w, edge->commits.items[i].at, here);
        if (op->kind == OP_CONVERT_OPEN)
            w->begins[op->conversion] = at;
        else if (op->kind == OP_CONVERT_CLOSE)
            convert(w, op->conversion, at);
    }
    moves_t moves = position_moves(w->dfa, edge, POSITION_MAX);
    for (size_t i = 0; i < moves.count; i++)
        w->positions[moves.items[i].to] = place(w, moves.items[i].from, here);
}

/* The edge that is followed at `at`: its index, or the number of edges. */
static size_t edge_at(const walk_t *w, const dfa_state_t *s, size_t at)
{
    size_t i = 0;
    if (s->kind == DFA_ENTRY)
        return 0;
    for (; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (edge->limit ? at - place(w, edge->begin, at) == edge->limit
                        : at < w->len && charset_has(&edge->set, w->text[at]))
            break;
    }
    return i;
}

static size_t read_ahead(walk_t w, unsigned state, size_t at, unsigned depth);

static unsigned choose(const walk_t *w, const control_t *c, size_t at, unsigned depth)
{
    size_t best = 0, furthest = 0;
    for (size_t i = 0; i < c->targets.count && c->targets.count > 1; i++) {
        size_t end = read_ahead(*w, c->targets.items[i], at, depth + 1);
        if (end <= furthest)
            continue;
        best = i;
        furthest = end;
    }
    return c->targets.items[best];
}

/* The state behind a control point. */
static unsigned pass(walk_t *w, const control_t *c, size_t at, unsigned depth)
{
    switch (c->kind) {
    case CONTROL_REFINE:
        return c->targets.items[w->keywords[c->conversion]];
    case CONTROL_LENGTH:
    case CONTROL_AT:
    case CONTROL_CLOSE:
        return c->targets.items[1];
    case CONTROL_CHOICE:
        return depth < LOOK_DEPTH ? choose(w, c, at, depth) : STATE_NONE;
    case CONTROL_CALL:
        if (w->call_count == CALLS_MAX)
            return STATE_NONE;
        w->calls[w->call_count++] = c->targets.items[1];
        return c->targets.items[0];
    case CONTROL_RETURN:
        return w->call_count ? w->calls[--w->call_count] : STATE_NONE;
    default:
        return c->targets.items[0];
    }
}

/* Follows the text from `at` on in `state`, to `end` or as far as it goes; counts what it passes unless it only looks ahead
 * (depth > 0). Returns where it ended. */
static size_t follow(walk_t *w, unsigned state, size_t at, size_t end, unsigned depth)
{
    for (unsigned still = 0; state != STATE_NONE && at < end && still < STILL_MAX; still++) {
        const dfa_state_t *s = &w->dfa->states.items[state];
        if (depth == 0)
            w->heat[state].state++;
        if (s->kind == DFA_CONTROL) {
            state = pass(w, &w->dfa->controls.items[s->control], at, depth);
            continue;
        }
        size_t i = edge_at(w, s, at);
        if (i == s->edges.count)
            return at;
        const edge_t *edge = &s->edges.items[i];
        if (depth == 0)
            w->heat[state].edges.items[i]++;
        if (s->kind == DFA_BYTES && !edge->is_peek) {
            at++;
            still = 0;
        }
        perform(w, edge, at);
        state = edge->target;
    }
    return at;
}

static size_t read_ahead(walk_t w, unsigned state, size_t at, unsigned depth)
{
    return follow(&w, state, at, at + LOOK_AHEAD < w.len ? at + LOOK_AHEAD : w.len, depth);
}

size_t heat_sample(const dfa_t *dfa, unsigned start, const sample_t *sample, heat_t *heat)
{
    walk_t w = {.dfa = dfa, .heat = heat, .text = sample->text, .len = sample->len};
    w.begins = ARENA_ARRAY(dfa->arena, uint64_t, dfa->nfa->conversions.count + 1);
    w.keywords = ARENA_ARRAY(dfa->arena, unsigned, dfa->nfa->conversions.count + 1);
    return follow(&w, start, 0, w.len, 0);
}
