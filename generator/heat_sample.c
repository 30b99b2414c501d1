/* heat_sample.c: how often states are passed in sample messages.
 *
 * The automaton is followed as a parser would, registers of the direction included; what the other side said is not known here,
 * and counts as unset. Samples have no bodies: a region is empty. Where the registers leave no choice that the spec foresees, that
 * one is taken with which the messages that follow can be read furthest. */
#include "heat.h"

#include <stdlib.h>

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
    uint64_t values[REGISTERS_MAX]; /* by register of the direction */
    bool is_set[REGISTERS_MAX];
    unsigned calls[CALLS_MAX]; /* states to return to */
    unsigned call_count;
    size_t entered;          /* where the state at hand was, from another one */
    edge_heat_t *edge;       /* that is being counted; NULL: none is */
    bool has_bare;           /* a line ended in LF alone where CR could have come */
} walk_t;

static uint64_t place(const walk_t *w, stamp_t at, uint64_t here)
{
    return at.reg >= 0 ? w->positions[at.reg] : here - at.back;
}

static bool is_own(const reg_t *reg)
{
    return reg && !reg->is_shared && reg->index < REGISTERS_MAX;
}

static void set(walk_t *w, const reg_t *reg, uint64_t value)
{
    if (!is_own(reg))
        return;
    w->values[reg->index] = value;
    w->is_set[reg->index] = true;
}

static void reset(walk_t *w, uint64_t regs)
{
    for (unsigned i = 0; i < REGISTERS_MAX; i++)
        w->is_set[i] &= !(regs >> i & 1);
}

/* A word is seen, where the byte behind it is the edge's. */
static void note_word(const walk_t *w, unsigned conversion, size_t begin, size_t end)
{
    if (!w->edge || end >= w->len || end < w->entered || begin > w->entered)
        return;
    const seen_word_t word = {.text = (const char *)w->text + begin, .len = (unsigned)(end + 1 - begin),
                              .read = (unsigned)(w->entered - begin), .conversion = conversion,
                              .keyword = w->keywords[conversion], .count = 1};
    for (size_t i = 0; i < w->edge->words.count; i++) {
        seen_word_t *seen = &w->edge->words.items[i];
        if (seen->conversion != conversion || seen->len != word.len || memcmp(seen->text, word.text, word.len) != 0)
            continue;
        seen->count++;
        return;
    }
    vec_push(w->dfa->arena, &w->edge->words, word);
}

/* A text is set, whatever it is; a number of another kind than these is taken for one of decimal digits. */
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
    if (c->kind == CONVERT_KEYWORD)
        note_word(w, conversion, (size_t)begin, (size_t)end);
    set(w, c->reg, c->kind == CONVERT_KEYWORD ? w->keywords[conversion]
                                              : strtoull(word, NULL, c->kind == CONVERT_HEX ? 16 : 10));
}

/* An expression's value; false if it has none. Conditions always have one. */
static bool value_of(const walk_t *w, const expr_t *e, uint64_t *value)
{
    uint64_t a = 0, b = 0;
    bool has_left = e->left && value_of(w, e->left, &a), has_right = e->right && value_of(w, e->right, &b);
    bool has_both = has_left && has_right;
    switch (e->kind) {
    case EXPR_NUMBER:
        *value = e->number;
        return true;
    case EXPR_TRUE:
    case EXPR_FALSE:
        *value = e->kind == EXPR_TRUE;
        return true;
    case EXPR_REGISTER:
        *value = is_own(e->reg) ? w->values[e->reg->index] : 0;
        return is_own(e->reg) && w->is_set[e->reg->index];
    case EXPR_IS_SET:
        *value = is_own(e->reg) && w->is_set[e->reg->index] && (e->reg->type != REGISTER_FLAG || w->values[e->reg->index]);
        return true;
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_AND_BITS:
        *value = e->kind == EXPR_ADD ? a + b : e->kind == EXPR_SUB ? a - b : e->kind == EXPR_MUL ? a * b : (a & b);
        return has_both;
    case EXPR_EQ:
        *value = has_both && a == b;
        return true;
    case EXPR_NE:
        *value = has_both && a != b;
        return true;
    case EXPR_LT:
        *value = has_both && a < b;
        return true;
    case EXPR_LE:
        *value = has_both && a <= b;
        return true;
    case EXPR_GT:
        *value = has_both && a > b;
        return true;
    case EXPR_GE:
        *value = has_both && a >= b;
        return true;
    case EXPR_AND:
        *value = a && b;
        return true;
    case EXPR_OR:
        *value = a || b;
        return true;
    case EXPR_NOT:
        *value = !a;
        return true;
    }
    return false;
}

static void perform(walk_t *w, const edge_t *edge, uint64_t here)
{
    for (size_t i = 0; i < edge->commits.count; i++) {
        const op_t *op = &w->dfa->nfa->ops.items[edge->commits.items[i].op];
        uint64_t at = place(w, edge->commits.items[i].at, here), value;
        if (op->kind == OP_CONVERT_OPEN)
            w->begins[op->conversion] = at;
        else if (op->kind == OP_CONVERT_CLOSE)
            convert(w, op->conversion, at);
        else if (op->kind == OP_RESET && !op->is_shared)
            reset(w, op->regs);
        else if (op->kind == OP_SET && value_of(w, op->expr, &value))
            set(w, op->reg, value);
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
    for (size_t i = 0; i < c->guards.count; i++) {
        uint64_t is_true = 1;
        if (!c->guards.items[i] || (value_of(w, c->guards.items[i], &is_true) && is_true))
            return c->targets.items[i];
    }
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

static void count(const walk_t *w, edge_heat_t *edge, unsigned char byte)
{
    if (!edge->bytes)
        edge->bytes = ARENA_ARRAY(w->dfa->arena, uint64_t, 256);
    edge->bytes[byte]++;
    edge->passes++;
}

/* Does LF stand where CR would lead elsewhere? */
static bool is_bare(const walk_t *w, const dfa_state_t *s, size_t at, const edge_t *edge)
{
    if (s->kind != DFA_BYTES || w->text[at] != '\n' || (at > 0 && w->text[at - 1] == '\r'))
        return false;
    for (size_t i = 0; i < s->edges.count; i++)
        if (&s->edges.items[i] != edge && charset_has(&s->edges.items[i].set, '\r'))
            return true;
    return false;
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
        w->edge = depth == 0 ? &w->heat[state].edges.items[i] : NULL;
        w->has_bare |= depth == 0 && is_bare(w, s, at, edge);
        if (w->edge)
            count(w, w->edge, s->kind == DFA_BYTES ? w->text[at] : 0);
        if (s->kind == DFA_BYTES && !edge->is_peek) {
            at++;
            still = 0;
        }
        perform(w, edge, at);
        w->entered = edge->target == state ? w->entered : at;
        state = edge->target;
    }
    return at;
}

static size_t read_ahead(walk_t w, unsigned state, size_t at, unsigned depth)
{
    return follow(&w, state, at, at + LOOK_AHEAD < w.len ? at + LOOK_AHEAD : w.len, depth);
}

size_t heat_sample(const dfa_t *dfa, unsigned start, const sample_t *sample, heat_t *heat, bool *has_bare)
{
    walk_t w = {.dfa = dfa, .heat = heat, .text = sample->text, .len = sample->len};
    w.begins = ARENA_ARRAY(dfa->arena, uint64_t, dfa->nfa->conversions.count + 1);
    w.keywords = ARENA_ARRAY(dfa->arena, unsigned, dfa->nfa->conversions.count + 1);
    size_t end = follow(&w, start, 0, w.len, 0);
    *has_bare = w.has_bare && !memchr(sample->text, '\r', sample->len);
    return end;
}
