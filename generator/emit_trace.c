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
#include "trace.h"

#include <stdlib.h>

#define TRACE_PART 30u    /* what is passed so many times less often than the hottest state is not part of a trace ... */
#define TRACE_SEEN 2u     /* ... unless samples have it so often ... */
#define TRACE_SEEN_PART 400u /* ... and it is not passed so many times less often */
#define TRACE_NODES 1500u  /* in one machine */
#define LITERAL_MAX 16u    /* bytes that are compared at once */
#define TAIL_PART 8u       /* what several traces have in common stands in each that is a part of them at least as large */
#define LIKELY_PART 8u     /* a byte is expected if no more than one in so many is another */
#define INLINE_PART 20u    /* a scan is called where it is made so many times less often than the hottest state is passed ... */
#define BACK_PART 4u       /* ... and looks back, for which it needs more code, unless it is made so many times less often */
#define LIKELY_LEAST 8u    /* a byte of several has to have been seen so often */

/* ---------------------------------------------------------------- ways out, and on */

static const passage_t *on_path(const passage_t *passage, unsigned state)
{
    while (passage && passage->state != state)
        passage = passage->parent;
    return passage;
}

bool trace_is_worth(const traces_t *all, uint64_t passes)
{
    return passes * TRACE_PART >= all->most || (passes >= TRACE_SEEN && passes * TRACE_SEEN_PART >= all->most);
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
           s->entries <= (s->entries < s->passes ? 2 : TAIL_PART) * passes && trace_is_worth(t->all, passes_in(s, passes)) &&
           t->all->count < TRACE_NODES && k->bytes + 8 < TRACE_VARIABLES && k->offsets + 8 < TRACE_VARIABLES &&
           k->words + 8 < TRACE_VARIABLES;
}

/* A trace is left for a state: if most ways to it are of this kind, another one begins there. */
static void add_exit(traces_t *all, unsigned state, uint64_t passes)
{
    const dfa_state_t *s = &all->m->l->dfa->states.items[state];
    all->exits[state] += passes;
    if (all->is_head[state] || all->loops[state] || all->exits[state] * 2 < s->entries ||
        !trace_is_worth(all, passes_in(s, all->exits[state])))
        return;
    all->is_head[state] = true;
    vec_push(all->m->l->arena, &all->heads, state);
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
        trace_begin_loop(t, next, indent);
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
        again_t again = trace_compare(loop, &k);
        if (again.is_right) {
            trace_go_round(t, loop, k, &again, done, indent);
            return;
        }
    }
    if (done.may_stop)
        trace_stop(t, &k, target, indent);
    trace_put_all(t, &k, target, indent);
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
        const op_t *op = trace_op(t, edge->commits.items[i].op);
        if (regop_may_stop(op) || (!trace_is_plain(op) && op->kind != OP_CONVERT_OPEN && op->kind != OP_RESET &&
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
    text_print(t->text, "    if (QCAP_LIKELY(qcap_has(at, end, %u) && qcap_is_text(at, ", literal->len);
    quote(t->text, literal->bytes, literal->len);
    text_print(t->text, ", %u))) {\n", literal->len);
    text_print(t->text, "        at += %u;\n", literal->len);
    done_t done = {false, false};
    k.ahead = literal->len;
    for (unsigned i = 0; i < literal->len; i++) {
        pass_byte(&k);
        k.ahead--;
        done = trace_perform(t, &k, literal->edges[i], "        ");
    }
    follow(t, passage, k, literal->edges[literal->len - 1]->target, literal->passes, done, "        ");
    text_print(t->text, "    }\n");
}

/* ---------------------------------------------------------------- nodes */

static void emit_out(const trace_t *t, const passage_t *passage)
{
    known_t k = passage->known;
    text_print(t->text, "out%u:\n", passage->number);
    trace_put_all(t, &k, passage->state, "    ");
    text_print(t->text, "    return qcap_leave(parser, at, end, %s);\n", t->l->enumerators[passage->state]);
}

static scan_kind_t scan_kind(const trace_t *t, const passage_t *passage)
{
    if (passage->passes * INLINE_PART < t->all->most)
        return SCAN_CALLED;
    return passage->known.read >= SCAN_BLOCK && passage->passes * BACK_PART >= t->all->most ? SCAN_INLINE_BACK : SCAN_INLINE;
}

static bool is_reached_by(const dfa_state_t *from, unsigned state, const charset_t *set)
{
    for (size_t i = 0; i < from->edges.count; i++) {
        const edge_t *edge = &from->edges.items[i];
        charset_t both = charset_intersect(edge->set, *set);
        if (edge->target == state && (edge->is_peek || edge->is_end || !charset_is_empty(&both)))
            return true;
    }
    return false;
}

/* Is the byte before the state one of the piece, and certainly none of `set`? */
static bool never_follows(const trace_t *t, const passage_t *passage, const charset_t *set)
{
    const dfa_t *dfa = t->l->dfa;
    for (size_t i = 0; i < dfa->controls.count; i++)
        for (size_t n = 0; n < dfa->controls.items[i].targets.count; n++)
            if (dfa->controls.items[i].targets.items[n] == passage->state)
                return false;
    for (unsigned s = 0; s < dfa->states.count; s++)
        if (is_reached_by(&dfa->states.items[s], passage->state, set))
            return false;
    return passage->known.read > 0 && dfa->states.items[passage->state].start == STATE_NONE;
}

/* The run of a pair of states: see note [pair] in emit_machine.c. Where it ends in blanks, the trace ends. */
static void emit_pair_run(trace_t *t, const passage_t *passage, const edge_t *out, const charset_t *words, const charset_t *blanks)
{
    charset_t all = charset_union(*words, *blanks);
    known_t k = passage->known;
    k.has_at = false;
    bool is_empty = !never_follows(t, passage, blanks); /* or it may be, behind a blank */
    if (is_empty)
        text_print(t->text, "    from = at;\n");
    class_scan(t->m->classes, &all, scan_kind(t, passage), "    ", t->text);
    text_print(t->text, "    if (QCAP_UNLIKELY(%s(", is_empty ? "at != from && " : "");
    class_test(t->m->classes, blanks, "at[-1]", t->text);
    text_print(t->text, "))) {\n        const unsigned char *first = at - 1;\n        while (%s(", is_empty ? "first != from && " : "");
    class_test(t->m->classes, blanks, "first[-1]", t->text);
    text_print(t->text, "))\n            first--;\n");
    for (unsigned v = 0; v < out->moves.count && !k.has_at; v++)
        if (trace_is_moved(t, out, v))
            trace_set_at(t, &k, "first + 1", "        ");
    trace_perform(t, &k, out, "        ");
    trace_put_all(t, &k, out->target, "        ");
    emit_jump(t->l, out->target, "        ", t->text);
    text_print(t->text, "    }\n");
}

/* The run that a state loops on: in front of all else, or where there seldom is one, as one byte of several. */
typedef enum run { RUN_NONE, RUN_FIRST, RUN_SELDOM } run_t;

static run_t emit_run(trace_t *t, const passage_t *passage, const edge_t *loop, const edge_t **pair)
{
    charset_t words, blanks;
    *pair = emit_find_pair(t->l, passage->state, &words, &blanks);
    if (*pair)
        emit_pair_run(t, passage, *pair, &words, &blanks);
    else if (loop && loop->passes * LIKELY_PART <= t->l->dfa->states.items[passage->state].entries)
        return RUN_SELDOM;
    else if (loop)
        class_scan(t->m->classes, &loop->set, scan_kind(t, passage), "    ", t->text);
    return loop ? RUN_FIRST : RUN_NONE;
}

static const char *label(const trace_t *t, const passage_t *passage)
{
    return passage->parent ? arena_print(t->l->arena, "on%u", passage->number) : t->l->labels[passage->state];
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
    const edge_t *edges[256], *loop = emit_find_loop(t->l, passage->state), *pair;
    size_t count = 0;
    familiar_t words;
    bool has_words = loop && trace_find_words(t, passage, loop, &words);
    if (has_words)
        trace_emit_words(t, passage, &words);
    run_t run = emit_run(t, passage, loop, &pair);
    if (run != RUN_NONE)
        passage->known.has_at = false;
    literal_t literal = find_literal(t, passage);
    if (literal.len > 1)
        emit_literal(t, passage, &literal);
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_hot && &s->edges.items[i] != loop && &s->edges.items[i] != pair)
            edges[count++] = &s->edges.items[i];
    qsort(edges, count, sizeof *edges, emit_compare_edges);
    text_print(t->text, "    if (QCAP_UNLIKELY(at == end))\n        goto out%u;\n", passage->number);
    for (size_t i = 0; i < count; i++) {
        known_t k = passage->known;
        uint64_t passes = passes_along(t, passage, edges[i]);
        if (literal.len > 1 && edges[i] == literal.edges[0]) /* what is likely has been read */
            passes /= LIKELY_PART;
        if (!trace_is_worth(t->all, 2 * passes))
            continue;
        emit_if(t, &edges[i]->set);
        t->words = has_words && words.edge == edges[i] ? &words : NULL;
        if (t->words)
            trace_emit_word(t, passage, t->words);
        if (!edges[i]->is_peek) {
            text_print(t->text, "        at++;\n");
            pass_byte(&k);
        }
        done_t done = trace_perform(t, &k, edges[i], "        ");
        t->words = NULL;
        follow(t, passage, k, edges[i]->target, passes, done, "        ");
        text_print(t->text, "    }\n");
    }
    if (run == RUN_SELDOM) {
        emit_if(t, &loop->set);
        text_print(t->text, "        at++;\n        goto %s;\n    }\n", label(t, passage));
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
        text_print(t->text, "    switch (choose_%u(parser)) {\n", layout_choice(t->l, t->l->dfa->states.items[passage->state].control));
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
    text_print(t->text, "%s:\n", label(t, passage));
    known_t known = passage->known;
    passage->is_left |= s->kind == DFA_BYTES;
    if (s->kind == DFA_BYTES) {
        emit_byte(t, passage);
    } else if (s->kind == DFA_ENTRY) {
        known_t k = passage->known;
        done_t done = trace_perform(t, &k, &s->edges.items[0], "    ");
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
    trace_t t = {.all = all, .m = all->m, .l = all->m->l, .text = text};
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
        text_print(&way.conditions, " && !qcap_slot_is_done(&side->slots[%s%u])", trace_base(&t), d);
        emit_get(&way, arena_print(t.l->arena, "qcap_slot_begin(&side->slots[%s%u], QCAP_HERE(at))", trace_base(&t), d), k->slots[d].begin);
    }
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        if (k->items[i].has_place)
            emit_get(&way, arena_print(t.l->arena, "qcap_position_at(side->positions[%u], QCAP_HERE(at))", i), k->items[i].place);
        if (k->items[i].has_begin)
            emit_get(&way, arena_print(t.l->arena, "side->underway[%u].begin", i), k->items[i].begin);
        if (k->items[i].has_word)
            return;
    }
    text_print(text, "%s) {\n%s        goto on%u;\n    }\n", way.conditions.bytes, way.reads.len ? way.reads.bytes : "",
               loop->number);
}

bool emit_can_trace(const layout_t *l)
{
    return l->slots.count <= TRACE_ITEMS && l->position_count <= TRACE_ITEMS;
}

void emit_traces(traces_t *all, text_t *text)
{
    all->live = trace_live(all->m->l);
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
