/* emit_trace.c: hot states one behind the other, as they are likely to be passed.
 *
 * note [trace]: a trace begins at a state and goes on, as a tree, along the edges that are likely. What operations do to the
 * parser's memory on the way is not written there, but known to the generator: which elements are open, and since when; what is
 * on the list of an atomic rule; positions; words that were looked up. Most of it is over before the trace is left: an element that
 * opened and closed in it was told from two variables. Where the trace is left, whatever is still known is written to where every
 * other part of the parser looks for it, and reading goes on at a state of its own.
 *
 * Positions are variables that point to bytes, and distances from these. Whatever is not an element, a position or a word is done
 * by the same calls as elsewhere, once memory is up to date. */
#include "emit_trace.h"

#include <stdlib.h>

#define TRACE_PART 30u    /* what is passed so many times less often than the hottest state is not part of a trace */
#define TRACE_NODES 400u   /* in one machine */
#define TRACE_LIST 40u     /* operations on the list of an atomic rule */
#define TRACE_DEPTH 24u    /* elements */
#define TRACE_ITEMS 32u    /* positions, and memory of conversions */
#define TRACE_MARKS 8u
#define TRACE_VARIABLES 64u /* of a kind */
#define LITERAL_MAX 16u    /* bytes that are compared at once */
#define TAIL_PART 8u       /* what several traces have in common stands in each that is a part of them at least as large */
#define LIKELY_PART 8u     /* a byte is expected if no more than one in so many is another */

#define LIKELY_LEAST 8u    /* a byte of several has to have been seen so often */

/* A position: some bytes behind where a variable points to, or a stream offset in a variable. */
typedef struct where {
    bool is_offset;
    unsigned variable;
    int add;
} where_t;

typedef struct listed {
    unsigned op;
    where_t at;
    unsigned word; /* OP_CONVERT_CLOSE: the variable that has its value */
} listed_t;

typedef struct slot {
    bool is_open;
    unsigned element;
    where_t begin;
} slot_t;

/* What is known under a number: a position; what the memory of a conversion would have. */
typedef struct item {
    bool has_place, has_begin, has_word;
    where_t place, begin;
    unsigned word;
} item_t;

/* What is known, and not in memory. */
typedef struct known {
    slot_t slots[TRACE_DEPTH];
    bool has_depth, is_confirmed;
    unsigned depth;
    bool has_list; /* all of it */
    unsigned listed;
    listed_t list[TRACE_LIST];
    bool has_mark[TRACE_MARKS];
    unsigned marks[TRACE_MARKS];
    item_t items[TRACE_ITEMS];
    bool has_at;       /* the current position */
    where_t at;
    unsigned read;     /* bytes of the piece before that: at least so many */
    unsigned ahead;    /* `at` itself is so many bytes further on */
    unsigned bytes, offsets, words; /* variables in use */
    unsigned read_at[TRACE_VARIABLES]; /* by variable that points to a byte: `read` there */
} known_t;

struct passage {
    unsigned state;
    unsigned number;
    uint64_t passes;
    known_t known;
    bool is_left;     /* there is a way out */
    bool is_loop;     /* ways come back to it, too: see note [loop] */
    unsigned first, last; /* the variables that these set: from .. to before ... */
    where_t owned[TRACE_VARIABLES]; /* ... and what they were before */
    const passage_t *parent;
};

typedef VEC(passage_t *) passages_t;

/* What the code of a passage needs: the tree so far, and where to write. */
typedef struct trace {
    traces_t *all;
    const machine_t *m;
    const layout_t *l;
    unsigned head;
    passages_t later; /* nodes whose code is still to be written */
    text_t *text;
} trace_t;

static const op_t *op_of(const trace_t *t, unsigned op)
{
    return &t->l->dfa->nfa->ops.items[op];
}

/* ---------------------------------------------------------------- positions */

static uint32_t bit_of(stamp_t stamp)
{
    return stamp.reg >= 0 ? (uint32_t)1 << stamp.reg : 0;
}

static uint32_t bits_of(const pendings_t *pendings)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < pendings->count; i++)
        bits |= bit_of(pendings->items[i].at);
    return bits;
}

/* The positions that a state, or what is due in it, asks for itself. */
static uint32_t asked(const dfa_state_t *s)
{
    uint32_t bits = bits_of(&s->accept) | bit_of(s->stream_end);
    for (size_t i = 0; i < s->edges.count; i++)
        bits |= bits_of(&s->edges.items[i].commits) | (s->edges.items[i].limit ? bit_of(s->edges.items[i].begin) : 0);
    for (size_t i = 0; i < s->underway.count; i++)
        bits |= bit_of(s->underway.items[i].begin) | bit_of(s->underway.items[i].end);
    for (size_t i = 0; i < s->held_registers.count; i++)
        bits |= (uint32_t)1 << s->held_registers.items[i];
    return bits;
}

/* Those that are asked for behind an edge, as they are called before it. */
static uint32_t asked_behind(const edge_t *edge, uint32_t behind)
{
    uint32_t bits = 0;
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (behind >> v & 1)
            bits |= bit_of(edge->moves.items[v]);
    return bits;
}

static const uint32_t *find_live(const layout_t *l)
{
    const dfa_t *dfa = l->dfa;
    uint32_t *live = ARENA_ARRAY(l->arena, uint32_t, dfa->states.count);
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t s = dfa->states.count; s-- > 0;) {
            const dfa_state_t *state = &dfa->states.items[s];
            uint32_t bits = asked(state);
            for (size_t i = 0; i < state->edges.count; i++)
                bits |= asked_behind(&state->edges.items[i], live[state->edges.items[i].target]);
            if (state->kind == DFA_CONTROL)
                for (size_t i = 0; i < dfa->controls.items[state->control].targets.count; i++)
                    bits |= live[dfa->controls.items[state->control].targets.items[i]];
            is_changed |= bits != live[s];
            live[s] = bits;
        }
    }
    return live;
}

static const char *pointer(const trace_t *t, where_t w)
{
    if (w.add == 0)
        return arena_print(t->l->arena, "p%u", w.variable);
    return arena_print(t->l->arena, "p%u %c %d", w.variable, w.add < 0 ? '-' : '+', abs(w.add));
}

static const char *offset(const trace_t *t, where_t w)
{
    const char *base = w.is_offset ? arena_print(t->l->arena, "h%u", w.variable)
                                   : arena_print(t->l->arena, "QCAP_HERE(p%u)", w.variable);
    if (w.add == 0)
        return base;
    return arena_print(t->l->arena, "%s %c %d", base, w.add < 0 ? '-' : '+', abs(w.add));
}

/* Is it certain to lie in the piece at hand? */
static bool is_in_piece(const known_t *k, where_t w)
{
    return !w.is_offset && (int)k->read_at[w.variable] + w.add >= 0;
}

/* The next variable of a kind; `most` counts how many there have to be. */
static unsigned take(unsigned *used, unsigned *most)
{
    if (++*used > *most)
        *most = *used;
    return *used - 1;
}

/* `at` is what `name` says, from now on in a variable. */
static void set_at(const trace_t *t, known_t *k, const char *value, const char *indent)
{
    unsigned variable = take(&k->bytes, &t->all->bytes);
    text_print(t->text, "%sp%u = %s;\n", indent, variable, value);
    k->read_at[variable] = k->read + k->ahead;
    k->at = (where_t){.variable = variable, .add = -(int)k->ahead};
    k->has_at = true;
}

static where_t here(const trace_t *t, known_t *k, const char *indent)
{
    if (!k->has_at)
        set_at(t, k, "at", indent);
    return k->at;
}

static where_t place(const trace_t *t, known_t *k, stamp_t stamp, const char *indent)
{
    if (stamp.reg < 0) {
        where_t w = here(t, k, indent);
        w.add -= (int)stamp.back;
        return w;
    }
    item_t *item = &k->items[stamp.reg];
    if (!item->has_place) {
        unsigned variable = take(&k->offsets, &t->all->offsets);
        text_print(t->text, "%sh%u = side->positions[%d];\n", indent, variable, stamp.reg);
        return (where_t){.is_offset = true, .variable = variable};
    }
    return item->place;
}

/* ---------------------------------------------------------------- memory */

static const char *base(const trace_t *t)
{
    return t->m->has_calls ? "parser->base + " : "";
}

static void put_begin(const trace_t *t, known_t *k, unsigned slot, const char *indent)
{
    item_t *item = &k->items[slot];
    if (item->has_begin)
        text_print(t->text, "%sside->underway[%u].begin = %s;\n", indent, slot, offset(t, item->begin));
    item->has_begin = false;
}

/* Everything but positions and the list. */
static void put_word(const trace_t *t, known_t *k, unsigned slot, const char *indent)
{
    if (k->items[slot].has_word)
        text_print(t->text, "%sside->underway[%u].value = w%u;\n", indent, slot, k->items[slot].word);
    k->items[slot].has_word = false;
}

static void put_slot(const trace_t *t, known_t *k, unsigned depth, const char *indent)
{
    slot_t *slot = &k->slots[depth];
    if (slot->is_open)
        text_print(t->text, "%sqcap_slot_put(side->slots, %s%u, %s, %s);\n", indent, base(t), depth,
                   t->l->elements[slot->element], offset(t, slot->begin));
    slot->is_open = false;
}

static void put_depth(const trace_t *t, known_t *k, const char *indent)
{
    if (k->has_depth)
        text_print(t->text, "%sparser->depth = (uint16_t)(%s%u);\n", indent, base(t), k->depth);
    k->has_depth = false;
}

static void put_confirmed(const trace_t *t, known_t *k, const char *indent)
{
    if (k->is_confirmed)
        text_print(t->text, "%sparser->is_confirmed = true;\n", indent);
    k->is_confirmed = false;
}

static void put_elements(const trace_t *t, known_t *k, const char *indent)
{
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        put_slot(t, k, d, indent);
    put_depth(t, k, indent);
    put_confirmed(t, k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        put_begin(t, k, i, indent);
        put_word(t, k, i, indent);
    }
}

static void put_listed(const trace_t *t, const listed_t *listed, const char *indent)
{
    bool has_value = op_of(t, listed->op)->kind == OP_CONVERT_CLOSE;
    text_print(t->text, "%sqcap_op_list%s(parser, %u /* ", indent, has_value ? "_value" : "", listed->op);
    emit_op_name(t->l, op_of(t, listed->op), t->text);
    text_print(t->text, " */, ");
    if (has_value)
        text_print(t->text, "w%u, ", listed->word);
    text_print(t->text, "%s);\n", offset(t, listed->at));
}

static void put_list(const trace_t *t, known_t *k, const char *indent)
{
    for (unsigned i = 0; k->has_list && i <= k->listed; i++) {
        for (unsigned mark = 0; mark < TRACE_MARKS; mark++)
            if (k->has_mark[mark] && k->marks[mark] == i)
                text_print(t->text, "%sparser->marks[%u] = parser->later_count;\n", indent, mark);
        if (i < k->listed)
            put_listed(t, &k->list[i], indent);
    }
    k->has_list = false;
    k->listed = 0;
    memset(k->has_mark, 0, sizeof k->has_mark);
}

static void put_place(const trace_t *t, known_t *k, unsigned position, unsigned state, const char *indent)
{
    item_t *item = &k->items[position];
    if (item->has_place && t->all->live[state] >> position & 1)
        text_print(t->text, "%sside->positions[%u] = %s;\n", indent, position, offset(t, item->place));
    item->has_place = false;
}

/* All that somebody who goes on in `state` has to find. */
static void put_all(const trace_t *t, known_t *k, unsigned state, const char *indent)
{
    put_elements(t, k, indent);
    put_list(t, k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++)
        put_place(t, k, i, state, indent);
}

/* ---------------------------------------------------------------- operations */

/* The variable that has the value of a conversion that ends at `at`. */
static unsigned convert(const trace_t *t, known_t *k, const op_t *op, where_t at, const char *indent)
{
    const conversion_t *c = &t->l->dfa->nfa->conversions.items[op->conversion];
    unsigned slot = t->l->conversion_slots[op->conversion];
    item_t *item = &k->items[slot];
    unsigned word = take(&k->words, &t->all->words);
    if (c->kind == CONVERT_KEYWORD && item->has_begin && is_in_piece(k, item->begin) && is_in_piece(k, at)) {
        const char *begin = pointer(t, item->begin);
        text_print(t->text, "%sw%u = find_%u(%s, (size_t)(%s - (%s)));\n", indent, word, op->conversion, begin, pointer(t, at), begin);
        item->has_begin = false;
        return word;
    }
    put_begin(t, k, slot, indent);
    text_print(t->text, "%sw%u = ", indent, word);
    emit_convert(t->l, op, offset(t, at), t->text);
    text_print(t->text, ";\n");
    return word;
}

/* register := value of a conversion; false if that can fail. */
static bool store(const trace_t *t, const op_t *op, unsigned word, where_t at, const char *indent)
{
    const conversion_t *c = &t->l->dfa->nfa->conversions.items[op->conversion];
    if (c->kind == CONVERT_KEYWORD && c->reg && !c->reg->is_shared && !c->is_unique) {
        text_print(t->text, "%sqcap_register_put(parser, %u /* %s */, w%u);\n", indent, c->reg->index, c->reg->name, word);
        return true;
    }
    text_print(t->text, "%sqcap_op_store(parser, %u, w%u, %s);\n", indent, op->conversion, word, offset(t, at));
    return false;
}

static void open_element(const trace_t *t, known_t *k, const op_t *op, where_t at)
{
    (void)t;
    k->slots[op->depth] = (slot_t){true, op->element, at};
    k->has_depth = true;
    k->depth = op->depth + 1;
}

static void close_element(const trace_t *t, known_t *k, const op_t *op, where_t at, const char *indent)
{
    slot_t *slot = &k->slots[op->depth];
    const char *element = t->l->elements[op->element];
    if (slot->is_open && is_in_piece(k, slot->begin))
        text_print(t->text, "%sqcap_element_tell(parser, %s, wanted, %s, %s, %s);\n", indent, element, offset(t, slot->begin),
                   offset(t, at), pointer(t, slot->begin));
    else if (slot->is_open)
        text_print(t->text, "%sqcap_element_tell_from(parser, %s, wanted, origin, %s, %s);\n", indent, element,
                   offset(t, slot->begin), offset(t, at));
    else
        text_print(t->text, "%sqcap_element_close_here(parser, side->slots, %s%u, %s, wanted, origin, %s);\n", indent, base(t),
                   op->depth, element, offset(t, at));
    k->has_depth = k->is_confirmed = slot->is_open; /* else memory has them already */
    k->depth = op->depth;
    slot->is_open = false;
}

static bool is_plain_element(const op_t *op)
{
    return (op->kind == OP_OPEN || op->kind == OP_CLOSE) && !op->is_stream && !op->is_joined && op->depth < TRACE_DEPTH;
}

/* What an edge has done so far: may a handler have been called, or an operation have failed? */
typedef struct done {
    bool may_stop, may_have_failed;
} done_t;

/* Performs an operation there and then. */
static void perform_now(const trace_t *t, known_t *k, const listed_t *listed, bool is_listed, done_t *done, const char *indent)
{
    const op_t *op = op_of(t, listed->op);
    const conversion_t *c = op->kind == OP_CONVERT_CLOSE ? &t->l->dfa->nfa->conversions.items[op->conversion] : NULL;
    if (!done->may_have_failed && is_plain_element(op)) {
        if (op->kind == OP_OPEN)
            open_element(t, k, op, listed->at);
        else
            close_element(t, k, op, listed->at, indent);
        done->may_stop |= op->kind == OP_CLOSE;
    } else if (op->kind == OP_CONVERT_OPEN) {
        item_t *item = &k->items[t->l->conversion_slots[op->conversion]];
        item->has_begin = true;
        item->begin = listed->at;
    } else if (c && is_listed) {
        bool is_certain = store(t, op, listed->word, listed->at, indent);
        done->may_stop |= !is_certain;
        done->may_have_failed |= !is_certain;
    } else if (c && c->kind == CONVERT_KEYWORD && !done->may_have_failed && !c->reg) {
        unsigned word = convert(t, k, op, listed->at, indent);
        k->items[t->l->conversion_slots[op->conversion]].has_word = true;
        k->items[t->l->conversion_slots[op->conversion]].word = word;
    } else {
        put_elements(t, k, indent);
        machine_t m = *t->m;
        m.is_inline = false;
        emit_now(&m, listed->op, offset(t, listed->at), indent, t->text);
        done->may_stop = true;
        done->may_have_failed |= regop_may_fail(op);
    }
}

static bool is_text(const trace_t *t, const listed_t *listed)
{
    const op_t *op = op_of(t, listed->op);
    if (op->kind != OP_CONVERT_CLOSE)
        return false;
    convert_kind_t kind = t->l->dfa->nfa->conversions.items[op->conversion].kind;
    return kind == CONVERT_BYTES || kind == CONVERT_UNQUOTE;
}

static void end_atomic(const trace_t *t, known_t *k, done_t *done, const char *indent)
{
    bool has_text = false;
    if (!k->has_list) {
        put_elements(t, k, indent);
        text_print(t->text, "%sqcap_op_atomic_end(parser, %s);\n", indent, offset(t, here(t, k, indent)));
        done->may_stop = done->may_have_failed = true;
        return;
    }
    listed_t list[TRACE_LIST];
    unsigned count = k->listed;
    memcpy(list, k->list, sizeof list);
    k->has_list = false;
    k->listed = 0;
    memset(k->has_mark, 0, sizeof k->has_mark);
    for (unsigned i = 0; i < count; i++) {
        perform_now(t, k, &list[i], true, done, indent);
        has_text |= is_text(t, &list[i]);
    }
    if (has_text)
        text_print(t->text, "%sparser->later_text = 0;\n", indent);
}

/* Puts an operation on the list of its atomic rule. */
static void list(const trace_t *t, known_t *k, unsigned number, where_t at, done_t *done, const char *indent)
{
    const op_t *op = op_of(t, number);
    listed_t listed = {number, at, 0};
    if (op->kind == OP_CONVERT_CLOSE) {
        bool is_keyword = t->l->dfa->nfa->conversions.items[op->conversion].kind == CONVERT_KEYWORD;
        listed.word = convert(t, k, op, at, indent);
        done->may_stop |= !is_keyword;
        done->may_have_failed |= !is_keyword;
    }
    if (k->has_list && k->listed == TRACE_LIST)
        put_list(t, k, indent);
    if (k->has_list)
        k->list[k->listed++] = listed;
    else
        put_listed(t, &listed, indent);
}

/* Marks a place on the list, or cuts it back to one. */
static void mark(const trace_t *t, known_t *k, const op_t *op, unsigned number, const char *indent)
{
    if (k->has_list && op->kind == OP_MARK) {
        k->has_mark[op->level] = true;
        k->marks[op->level] = k->listed;
    } else if (k->has_list && k->has_mark[op->level]) {
        k->listed = k->marks[op->level];
        for (unsigned i = 0; i < TRACE_MARKS; i++)
            if (k->marks[i] > k->listed)
                k->has_mark[i] = false;
    } else {
        put_list(t, k, indent);
        emit_now(t->m, number, "", indent, t->text);
    }
}

static void perform(const trace_t *t, known_t *k, const pending_t *p, done_t *done, const char *indent)
{
    const op_t *op = op_of(t, p->op);
    where_t at = {0};
    if (op->kind == OP_ATOMIC_BEGIN) {
        k->has_list = true;
        return;
    }
    if (op->kind == OP_ATOMIC_END) {
        end_atomic(t, k, done, indent);
        return;
    }
    if (op->kind == OP_MARK || op->kind == OP_ROLLBACK) {
        mark(t, k, op, p->op, indent);
        return;
    }
    if (op->kind == OP_RESET && !regop_is_later(op)) {
        emit_now(t->m, p->op, "", indent, t->text);
        return;
    }
    if (regop_has_position(op) || regop_is_later(op) || op->kind == OP_SET)
        at = place(t, k, p->at, indent);
    if (regop_is_later(op))
        list(t, k, p->op, at, done, indent);
    else
        perform_now(t, k, &(listed_t){p->op, at, 0}, false, done, indent);
}

/* Does the edge set a position that somebody asks for? */
static bool is_moved(const trace_t *t, const edge_t *edge, unsigned v)
{
    return edge->moves.items[v].reg != (int)v && t->all->live[edge->target] >> v & 1;
}

/* The commits and moves of an edge; its byte has been read. */
static done_t perform_edge(const trace_t *t, known_t *k, const edge_t *edge, const char *indent)
{
    done_t done = {false, false};
    where_t moved[TRACE_ITEMS];
    for (size_t i = 0; i < edge->commits.count; i++)
        perform(t, k, &edge->commits.items[i], &done, indent);
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (is_moved(t, edge, v))
            moved[v] = place(t, k, edge->moves.items[v], indent);
    for (unsigned v = 0; v < edge->moves.count; v++) {
        if (!is_moved(t, edge, v))
            continue;
        k->items[v].has_place = true;
        k->items[v].place = moved[v];
    }
    return done;
}

/* ---------------------------------------------------------------- ways out, and on */

static const passage_t *on_path(const passage_t *passage, unsigned state)
{
    while (passage && passage->state != state)
        passage = passage->parent;
    return passage;
}

static bool is_inside(const trace_t *t, unsigned state)
{
    return !layout_is_outside(t->l, state) && t->l->dfa->states.items[state].is_hot &&
           t->l->machine_of[state] == t->all->machine;
}

/* How often a state is passed that is entered so often: where a loop begins, more often. */
static uint64_t passes_in(const dfa_state_t *s, uint64_t entered)
{
    return s->entries ? (uint64_t)((double)entered * (double)s->passes / (double)s->entries) : entered;
}

/* Is the state passed often, coming from `passage`, and seldom from elsewhere? Then it is part of the trace. */
static bool goes_on(const trace_t *t, const passage_t *passage, unsigned target, uint64_t passes)
{
    const dfa_state_t *s = &t->l->dfa->states.items[target];
    const known_t *k = &passage->known;
    return is_inside(t, target) && !t->all->is_head[target] && !t->all->loops[target] && !on_path(passage, target) &&
           s->entries <= (s->entries < s->passes ? 2 : TAIL_PART) * passes && passes_in(s, passes) * TRACE_PART >= t->all->most &&
           t->all->count < TRACE_NODES && k->bytes + 8 < TRACE_VARIABLES && k->offsets + 8 < TRACE_VARIABLES &&
           k->words + 8 < TRACE_VARIABLES;
}

/* A trace is left for a state: if most ways to it are of this kind, another one begins there. */
static void add_exit(traces_t *all, unsigned state, uint64_t passes)
{
    const dfa_state_t *s = &all->m->l->dfa->states.items[state];
    all->exits[state] += passes;
    if (all->is_head[state] || all->loops[state] || all->exits[state] * 2 < s->entries || passes_in(s, all->exits[state]) * TRACE_PART < all->most)
        return;
    all->is_head[state] = true;
    vec_push(all->m->l->arena, &all->heads, state);
}

/* note [loop]: a trace may come back to a state that it has passed. If what was known there is known again, but of later bytes, it
 * goes round: where the loop begins, every position that is known has a variable of its own, which is set anew. */
typedef struct again {
    bool is_right;
    bool is_set[TRACE_VARIABLES];
    where_t now[TRACE_VARIABLES]; /* by variable of the loop */
} again_t;

static void compare(const passage_t *loop, const known_t *k, where_t then, where_t now, again_t *again)
{
    bool is_same = then.is_offset == now.is_offset && then.variable == now.variable && then.add == now.add;
    bool is_of_loop = !then.is_offset && then.variable >= loop->first && then.variable < loop->last;
    if (!is_of_loop) {
        again->is_right &= is_same;
        return;
    }
    where_t *set = &again->now[then.variable];
    bool is_new = !again->is_set[then.variable];
    bool is_known = is_new || (set->variable == now.variable && set->add == now.add);
    bool is_other = now.is_offset || (now.variable >= loop->first && now.variable < loop->last);
    bool is_behind = now.is_offset || (int)k->read_at[now.variable] + now.add >= (int)loop->known.read_at[then.variable];
    again->is_right &= is_known && (is_same || !is_other) && is_behind;
    again->is_set[then.variable] = true;
    *set = now;
}

static void compare_lists(const passage_t *loop, const known_t *k, again_t *again)
{
    const known_t *then = &loop->known;
    if (!then->has_list)
        return;
    again->is_right &= k->has_list && then->listed == k->listed;
    for (unsigned i = 0; i < TRACE_MARKS; i++)
        again->is_right &= k->has_mark[i] == then->has_mark[i] && (!k->has_mark[i] || k->marks[i] == then->marks[i]);
    for (unsigned i = 0; i < k->listed && again->is_right; i++) {
        const listed_t *a = &then->list[i], *b = &k->list[i];
        again->is_right &= a->op == b->op && a->word == b->word;
        compare(loop, k, a->at, b->at, again);
    }
}

static again_t is_known_again(const passage_t *loop, const known_t *k)
{
    const known_t *then = &loop->known;
    again_t again = {.is_right = k->read >= then->read && (!then->has_depth || (k->has_depth && k->depth == then->depth))};
    compare_lists(loop, k, &again);
    for (unsigned d = 0; d < TRACE_DEPTH; d++) {
        const slot_t *a = &then->slots[d], *b = &k->slots[d];
        if (!a->is_open)
            continue;
        again.is_right &= b->is_open && a->element == b->element;
        compare(loop, k, a->begin, b->begin, &again);
    }
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        const item_t *a = &then->items[i], *b = &k->items[i];
        again.is_right &= (!a->has_place || b->has_place) && (!a->has_begin || b->has_begin) &&
                          (!a->has_word || (b->has_word && a->word == b->word));
        if (a->has_place)
            compare(loop, k, a->place, b->place, &again);
        if (a->has_begin)
            compare(loop, k, a->begin, b->begin, &again);
    }
    return again;
}

static void emit_stop(const trace_t *t, const known_t *known, unsigned target, const char *indent)
{
    known_t k = *known;
    const char *inner = arena_print(t->l->arena, "%s    ", indent);
    text_print(t->text, "%sif (QCAP_UNLIKELY(qcap_must_stop(parser))) {\n", indent);
    put_all(t, &k, target, inner);
    text_print(t->text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_PAUSED);\n%s}\n", inner, t->l->enumerators[target], indent);
}

/* Puts what was not known then. */
static void go_round(const trace_t *t, const passage_t *loop, known_t k, const again_t *again, done_t done, const char *indent)
{
    const known_t *then = &loop->known;
    if (done.may_stop)
        emit_stop(t, &k, loop->state, indent);
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        if (!then->slots[d].is_open)
            put_slot(t, &k, d, indent);
    if (!then->has_depth)
        put_depth(t, &k, indent);
    if (!then->is_confirmed)
        put_confirmed(t, &k, indent);
    if (!then->has_list)
        put_list(t, &k, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (!then->items[i].has_place)
            put_place(t, &k, i, loop->state, indent);
        if (!then->items[i].has_begin)
            put_begin(t, &k, i, indent);
        if (!then->items[i].has_word)
            put_word(t, &k, i, indent);
    }
    for (unsigned v = loop->first; v < loop->last; v++)
        if (again->is_set[v] && again->now[v].variable != v)
            text_print(t->text, "%sp%u = %s;\n", indent, v, pointer(t, again->now[v]));
    text_print(t->text, "%sgoto on%u;\n", indent, loop->number);
}

/* A position gets a variable of its own; equal ones share it. */
static void own(const trace_t *t, passage_t *loop, const known_t *before, where_t *w, const char *indent)
{
    known_t *k = &loop->known;
    where_t old = *w;
    if (!is_in_piece(before, old))
        return;
    for (unsigned v = loop->first; v < k->bytes; v++) {
        if (loop->owned[v].variable != old.variable || loop->owned[v].add != old.add)
            continue;
        *w = (where_t){.variable = v};
        return;
    }
    if (k->bytes + 8 >= TRACE_VARIABLES)
        return;
    unsigned variable = take(&k->bytes, &t->all->bytes);
    text_print(t->text, "%sp%u = %s;\n", indent, variable, pointer(t, old));
    k->read_at[variable] = before->read_at[old.variable] + (unsigned)old.add;
    loop->owned[variable] = old;
    *w = (where_t){.variable = variable};
}

/* See note [loop]. */
static void begin_loop(const trace_t *t, passage_t *loop, const char *indent)
{
    known_t *k = &loop->known;
    const known_t before = *k;
    loop->is_loop = true;
    loop->first = k->bytes;
    for (unsigned d = 0; d < TRACE_DEPTH; d++)
        if (k->slots[d].is_open)
            own(t, loop, &before, &k->slots[d].begin, indent);
    for (unsigned i = 0; i < k->listed; i++)
        own(t, loop, &before, &k->list[i].at, indent);
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (k->items[i].has_place)
            own(t, loop, &before, &k->items[i].place, indent);
        if (k->items[i].has_begin)
            own(t, loop, &before, &k->items[i].begin, indent);
    }
    loop->last = k->bytes;
    k->has_at = false;
}

/* Positions that nobody will ask for. */
static void forget(const trace_t *t, known_t *k, unsigned state)
{
    for (unsigned i = 0; i < TRACE_ITEMS; i++)
        if (!(t->all->live[state] >> i & 1))
            k->items[i].has_place = false;
}

static void go_on(trace_t *t, const passage_t *passage, known_t k, unsigned target, uint64_t passes, done_t done,
                  const char *indent)
{
    passage_t *next = ARENA_NEW(t->l->arena, passage_t);
    const dfa_state_t *s = &t->l->dfa->states.items[target];
    *next = (passage_t){.state = target, .number = t->all->count++, .passes = passes_in(s, passes), .known = k, .parent = passage};
    vec_push(t->l->arena, &t->later, next);
    if (s->entries < s->passes) {
        begin_loop(t, next, indent);
        t->all->loops[target] = next;
    }
    next->is_left = done.may_stop;
    if (done.may_stop)
        text_print(t->text, "%sif (QCAP_UNLIKELY(qcap_must_stop(parser)))\n%s    goto out%u;\n", indent, indent, next->number);
    text_print(t->text, "%sgoto on%u;\n", indent, next->number);
}

/* On to `target`, with what is known: as part of the trace, or at its own place. */
static void follow(trace_t *t, const passage_t *passage, known_t k, unsigned target, uint64_t passes, done_t done,
                   const char *indent)
{
    forget(t, &k, target);
    if (goes_on(t, passage, target, passes)) {
        go_on(t, passage, k, target, passes, done, indent);
        return;
    }
    const passage_t *loop = on_path(passage, target);
    if (loop && loop->is_loop) {
        again_t again = is_known_again(loop, &k);
        if (again.is_right) {
            go_round(t, loop, k, &again, done, indent);
            return;
        }
    }
    if (done.may_stop)
        emit_stop(t, &k, target, indent);
    put_all(t, &k, target, indent);
    if (is_inside(t, target))
        add_exit(t->all, target, passes);
    emit_jump(t->l, target, indent, t->text);
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t passes_along(const trace_t *t, const passage_t *passage, const edge_t *edge)
{
    uint64_t all = t->l->dfa->states.items[passage->state].passes;
    return all == 0 ? 0 : less(passage->passes, (uint64_t)((double)passage->passes * (double)edge->passes / (double)all));
}

static void pass_byte(known_t *k)
{
    k->at.add++;
    k->read++;
}

/* ---------------------------------------------------------------- literals */

/* The bytes that are likely to come, and the edges that they follow. */
typedef struct literal {
    unsigned char bytes[LITERAL_MAX];
    const edge_t *edges[LITERAL_MAX];
    unsigned len;
    uint64_t passes;
} literal_t;

/* The byte that is likely to come next; -1: none. */
static int likely_byte(const trace_t *t, unsigned state, const edge_t **edge)
{
    const dfa_state_t *s = &t->l->dfa->states.items[state];
    charset_t words, blanks;
    const edge_t *pair = emit_find_pair(t->l, state, &words, &blanks);
    uint64_t all = 0, least = LIKELY_LEAST;
    *edge = NULL;
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *e = &s->edges.items[i];
        if (e->target == state || e == pair) /* it is part of the run */
            continue;
        all += e->passes;
        if (e->is_hot && !e->is_peek && (!*edge || e->byte_passes > (*edge)->byte_passes))
            *edge = e;
    }
    if (*edge && charset_count(&(*edge)->set) == 1)
        least = 1;
    return *edge && all >= least && (*edge)->byte_passes * LIKELY_PART >= all * (LIKELY_PART - 1) ? (*edge)->byte : -1;
}

static bool calls_nothing(const trace_t *t, const edge_t *edge)
{
    for (size_t i = 0; i < edge->commits.count; i++) {
        const op_t *op = op_of(t, edge->commits.items[i].op);
        if (regop_may_stop(op) || (!is_plain_element(op) && op->kind != OP_CONVERT_OPEN && op->kind != OP_RESET &&
                                   op->kind != OP_MARK && op->kind != OP_ROLLBACK && op->kind != OP_ATOMIC_BEGIN &&
                                   !regop_is_later(op)))
            return false;
    }
    return true;
}

static literal_t find_literal(const trace_t *t, const passage_t *passage)
{
    literal_t literal = {.passes = passage->passes};
    unsigned state = passage->state;
    while (literal.len < LITERAL_MAX) {
        const dfa_state_t *s = &t->l->dfa->states.items[state];
        const edge_t *edge = NULL;
        int byte = s->kind == DFA_BYTES ? likely_byte(t, state, &edge) : -1;
        if (byte < 0 || (literal.len > 0 && t->all->is_head[state]))
            break;
        literal.bytes[literal.len] = (unsigned char)byte;
        literal.edges[literal.len++] = edge;
        state = edge->target;
        if (!calls_nothing(t, edge) || !is_inside(t, state) || on_path(passage, state) ||
            t->l->dfa->states.items[state].entries > TAIL_PART * passage->passes)
            break;
    }
    return literal;
}

/* As a C string. */
static void quote(text_t *text, const unsigned char *bytes, unsigned len)
{
    text_print(text, "\"");
    for (unsigned i = 0; i < len; i++) {
        text_quoted_byte(text, bytes[i]);
        if (bytes[i] >= 0x7f && i + 1 < len) /* what follows would be more of its digits */
            text_print(text, "\" \"");
    }
    text_print(text, "\"");
}

static void emit_literal(trace_t *t, const passage_t *passage, const literal_t *literal)
{
    known_t k = passage->known;
    text_print(t->text, "    if (QCAP_LIKELY((size_t)(end - at) >= %u && memcmp(at, ", literal->len);
    quote(t->text, literal->bytes, literal->len);
    text_print(t->text, ", %u) == 0)) {\n", literal->len);
    text_print(t->text, "        at += %u;\n", literal->len);
    done_t done = {false, false};
    k.ahead = literal->len;
    for (unsigned i = 0; i < literal->len; i++) {
        pass_byte(&k);
        k.ahead--;
        done = perform_edge(t, &k, literal->edges[i], "        ");
    }
    follow(t, passage, k, literal->edges[literal->len - 1]->target, literal->passes, done, "        ");
    text_print(t->text, "    }\n");
}

/* ---------------------------------------------------------------- nodes */

static void emit_out(const trace_t *t, const passage_t *passage)
{
    known_t k = passage->known;
    text_print(t->text, "out%u:\n", passage->number);
    put_all(t, &k, passage->state, "    ");
    text_print(t->text, "    return qcap_leave(parser, at, end, %s);\n", t->l->enumerators[passage->state]);
}

/* The run of a pair of states: see note [pair] in emit_machine.c. Where it ends in blanks, the trace ends. */
static void emit_pair_run(trace_t *t, const passage_t *passage, const edge_t *out, const charset_t *words, const charset_t *blanks)
{
    charset_t all = charset_union(*words, *blanks);
    known_t k = passage->known;
    k.has_at = false;
    text_print(t->text, "    from = at;\n");
    class_scan(t->m->classes, &all, true, "    ", t->text);
    text_print(t->text, "    if (QCAP_UNLIKELY(at != from && (");
    class_test(t->m->classes, blanks, "at[-1]", t->text);
    text_print(t->text, "))) {\n        const unsigned char *first = at - 1;\n        while (first != from && (");
    class_test(t->m->classes, blanks, "first[-1]", t->text);
    text_print(t->text, "))\n            first--;\n");
    for (unsigned v = 0; v < out->moves.count && !k.has_at; v++)
        if (is_moved(t, out, v))
            set_at(t, &k, "first + 1", "        ");
    perform_edge(t, &k, out, "        ");
    put_all(t, &k, out->target, "        ");
    emit_jump(t->l, out->target, "        ", t->text);
    text_print(t->text, "    }\n");
}

/* The run that a state loops on. True if there may have been one. */
static bool emit_run(trace_t *t, const passage_t *passage)
{
    charset_t words, blanks;
    const edge_t *loop = emit_find_loop(t->l, passage->state);
    const edge_t *pair = emit_find_pair(t->l, passage->state, &words, &blanks);
    if (pair)
        emit_pair_run(t, passage, pair, &words, &blanks);
    else if (loop)
        class_scan(t->m->classes, &loop->set, true, "    ", t->text);
    return pair || loop;
}

static void emit_if(const trace_t *t, const charset_t *set)
{
    bool is_any = charset_count(set) == 256;
    text_print(t->text, is_any ? "    {" : "    if (");
    if (!is_any)
        class_test(t->m->classes, set, "*at", t->text);
    text_print(t->text, is_any ? "\n" : ") {\n");
}

static void emit_byte(trace_t *t, passage_t *passage)
{
    const dfa_state_t *s = &t->l->dfa->states.items[passage->state];
    const edge_t *edges[256], *loop = emit_find_loop(t->l, passage->state);
    size_t count = 0;
    if (emit_run(t, passage))
        passage->known.has_at = false;
    literal_t literal = find_literal(t, passage);
    if (literal.len > 1)
        emit_literal(t, passage, &literal);
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_hot && &s->edges.items[i] != loop)
            edges[count++] = &s->edges.items[i];
    qsort(edges, count, sizeof *edges, emit_compare_edges);
    text_print(t->text, "    if (QCAP_UNLIKELY(at == end))\n        goto out%u;\n", passage->number);
    for (size_t i = 0; i < count; i++) {
        known_t k = passage->known;
        uint64_t passes = passes_along(t, passage, edges[i]);
        if (literal.len > 1 && edges[i] == literal.edges[0]) /* what is likely has been read */
            passes /= LIKELY_PART;
        if (passes * 2 * TRACE_PART < t->all->most)
            continue;
        emit_if(t, &edges[i]->set);
        if (!edges[i]->is_peek) {
            text_print(t->text, "        at++;\n");
            pass_byte(&k);
        }
        done_t done = perform_edge(t, &k, edges[i], "        ");
        follow(t, passage, k, edges[i]->target, passes, done, "        ");
        text_print(t->text, "    }\n");
    }
}

static void emit_choice(trace_t *t, passage_t *passage)
{
    const control_t *control = &t->l->dfa->controls.items[t->l->dfa->states.items[passage->state].control];
    bool is_refine = control->kind == CONTROL_REFINE;
    if (is_refine) {
        unsigned slot = t->l->conversion_slots[control->conversion];
        item_t *item = &passage->known.items[slot];
        if (item->has_word)
            text_print(t->text, "    switch (w%u) {\n", item->word);
        else
            text_print(t->text, "    switch (side->underway[%u].value) {\n", slot);
        item->has_word = false;
    } else {
        text_print(t->text, "    switch (choose_%u(parser)) {\n", t->l->dfa->states.items[passage->state].control);
    }
    for (size_t n = control->targets.count; n-- > 0;) { /* the first is the default of a refinement */
        unsigned target = control->targets.items[n];
        if (is_refine && n == 0)
            text_print(t->text, "    default:\n");
        else
            text_print(t->text, "    case %zu:\n", n);
        follow(t, passage, passage->known, target, less(passage->passes, t->l->dfa->states.items[target].passes), (done_t){false, false},
               "        ");
    }
    passage->is_left |= !is_refine;
    if (!is_refine)
        text_print(t->text, "    default:\n        goto out%u;\n", passage->number);
    text_print(t->text, "    }\n");
}

static void emit_passage(trace_t *t, passage_t *passage)
{
    const dfa_state_t *s = &t->l->dfa->states.items[passage->state];
    t->all->is_part[passage->state] = true;
    text_print(t->text, "\n");
    emit_place_comment(t->l, passage->state, "    ", t->text);
    text_print(t->text, " */\n");
    if (passage->parent)
        text_print(t->text, "on%u:\n", passage->number);
    else
        text_print(t->text, "%s:\n", t->l->labels[passage->state]);
    known_t known = passage->known;
    passage->is_left |= s->kind == DFA_BYTES;
    if (s->kind == DFA_BYTES) {
        emit_byte(t, passage);
    } else if (s->kind == DFA_ENTRY) {
        known_t k = passage->known;
        done_t done = perform_edge(t, &k, &s->edges.items[0], "    ");
        follow(t, passage, k, s->edges.items[0].target, passage->passes, done, "    ");
    } else {
        emit_choice(t, passage);
    }
    passage->known = known;
    if (passage->is_left)
        emit_out(t, passage);
}

static void emit_trace(traces_t *all, unsigned head, text_t *text)
{
    trace_t t = {.all = all, .m = all->m, .l = all->m->l, .head = head, .text = text};
    passage_t *root = arena_alloc(t.l->arena, sizeof *root);
    *root = (passage_t){.state = head, .number = all->count++, .passes = t.l->dfa->states.items[head].passes};
    vec_push(t.l->arena, &t.later, root);
    while (t.later.count > 0) {
        passage_t *passage = t.later.items[--t.later.count];
        emit_passage(&t, passage);
    }
}

/* What a way in tests, and what it reads. */
typedef struct way {
    text_t conditions, reads;
    const char *got[TRACE_VARIABLES]; /* by variable: the place that it is read from */
} way_t;

/* Reads a position that a loop has in a variable, if it lies in the piece. */
static void emit_get(way_t *way, const char *place, where_t w)
{
    const char **got = &way->got[w.variable];
    if (*got) {
        text_print(&way->conditions, " && %s == %s", place, *got);
        return;
    }
    *got = place;
    text_print(&way->conditions, " &&\n        %s >= parser->piece_offset", place);
    text_print(&way->reads, "        p%u = (const unsigned char *)(uintptr_t)(%s - origin);\n", w.variable, place);
}

void emit_trace_way_in(const traces_t *all, unsigned state, text_t *text)
{
    const passage_t *loop = all->loops[state];
    const known_t *k = loop ? &loop->known : NULL;
    trace_t t = {.m = all->m, .l = all->m->l};
    way_t way = {0};
    if (!loop || k->listed > 0)
        return;
    text_init(&way.conditions, t.l->arena);
    text_init(&way.reads, t.l->arena);
    text_print(&way.conditions, "    if (at - parser->piece >= %u", k->read);
    if (k->has_list)
        text_print(&way.conditions, " && parser->later_count == 0");
    for (unsigned d = 0; d < TRACE_DEPTH; d++) {
        if (!k->slots[d].is_open)
            continue;
        text_print(&way.conditions, " && !side->slots[%s%u].is_done", base(&t), d);
        emit_get(&way, arena_print(t.l->arena, "side->slots[%s%u].begin", base(&t), d), k->slots[d].begin);
    }
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (k->items[i].has_place)
            emit_get(&way, arena_print(t.l->arena, "side->positions[%u]", i), k->items[i].place);
        if (k->items[i].has_begin)
            emit_get(&way, arena_print(t.l->arena, "side->underway[%u].begin", i), k->items[i].begin);
        if (k->items[i].has_word)
            return;
    }
    text_print(text, "%s) {\n%s        goto on%u;\n    }\n", way.conditions.bytes, way.reads.len ? way.reads.bytes : "",
               loop->number);
}

void emit_traces(traces_t *all, text_t *text)
{
    all->live = find_live(all->m->l);
    for (size_t i = 0; i < all->heads.count; i++)
        emit_trace(all, all->heads.items[i], text);
}

/* `const unsigned char *p0, *p1;` */
void emit_trace_variables(const traces_t *all, text_t *text)
{
    for (unsigned i = 0; i < all->bytes; i++)
        text_print(text, "    const unsigned char *p%u;\n", i);
    for (unsigned i = 0; i < all->offsets; i++)
        text_print(text, "    uint64_t h%u;\n", i);
    for (unsigned i = 0; i < all->words; i++)
        text_print(text, "    uint64_t w%u;\n", i);
}
