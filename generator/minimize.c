/* minimize.c: merging states that behave alike.
 *
 * Partition refinement (Moore). States begin in blocks by everything about them but their targets; a block is split while
 * two of its states have edges to different blocks. To compare exactly and cheaply, every state is a row of numbers: its
 * block, then for each class of bytes, and for each edge that is not taken on a byte, the number of what the edge does (interned) and the
 * block of its target. Rows are
 * sorted; equal neighbours form the next partition. */
#include "minimize.h"

#include <stdlib.h>

#include "name.h"

typedef struct partition {
    dfa_t *dfa;
    unsigned columns;     /* classes of bytes, and other edges of the state with the most */
    unsigned width;       /* numbers in a row */
    uint32_t *rows;
    unsigned *block;      /* by state */
    unsigned *actions;    /* by state and column: what its edge does, 0 for none */
    unsigned *targets;    /* by state and column */
    unsigned bytes[256];  /* one byte of each class */
} partition_t;

/* ---------------------------------------------------------------- what edges and states do, as numbers */

typedef VEC(const char *) strings_t;

static unsigned number_of(arena_t *arena, strings_t *seen, const text_t *text)
{
    for (unsigned i = 0; i < seen->count; i++)
        if (strcmp(seen->items[i], text->bytes) == 0)
            return i + 1;
    vec_push(arena, seen, arena_copy(arena, text->bytes, text->len));
    return (unsigned)seen->count;
}

static void describe_commits(const pendings_t *commits, text_t *text)
{
    for (size_t i = 0; i < commits->count; i++)
        text_print(text, "%u@%d-%u ", commits->items[i].op, commits->items[i].at.reg, commits->items[i].at.back);
}

static void describe_edge(const edge_t *edge, text_t *text)
{
    text_print(text, "%d %d %u %d-%u;", edge->is_peek, edge->is_end, edge->limit, edge->begin.reg, edge->begin.back);
    describe_commits(&edge->commits, text);
    text_print(text, ";");
    for (size_t i = 0; i < edge->moves.count; i++)
        text_print(text, "%d-%u ", edge->moves.items[i].reg, edge->moves.items[i].back);
}

static void describe_state(const dfa_t *dfa, const dfa_state_t *s, text_t *text)
{
    text_print(text, "%s %d %u %d %u %d-%u;", s->configs.count ? name_rule(dfa, &s->configs.items[0]) : "", s->kind, s->kind == DFA_CONTROL ? s->control : 0, s->is_accepting,
               s->held_back, s->stream_end.reg, s->stream_end.back);
    if (s->is_accepting)
        describe_commits(&s->accept, text);
    for (size_t i = 0; i < s->held_registers.count; i++)
        text_print(text, "h%u ", s->held_registers.items[i]);
    for (size_t i = 0; i < s->underway.count; i++) {
        const underway_t *u = &s->underway.items[i];
        text_print(text, "u%u %d %d-%u %d-%u ", u->conversion, u->is_committed, u->begin.reg, u->begin.back, u->end.reg,
                   u->end.back);
    }
}

static void number_edges(partition_t *p)
{
    dfa_t *dfa = p->dfa;
    arena_t *scratch = arena_new();
    strings_t edges = {0}, states = {0};
    for (unsigned s = 0; s < dfa->states.count; s++) {
        const dfa_state_t *state = &dfa->states.items[s];
        text_t text;
        text_init(&text, scratch);
        describe_state(dfa, state, &text);
        p->block[s] = number_of(scratch, &states, &text);
        unsigned other = s * p->columns + dfa->class_count; /* column of the next edge that is not taken on a byte */
        for (size_t i = 0; i < state->edges.count; i++) {
            const edge_t *edge = &state->edges.items[i];
            text_init(&text, scratch);
            describe_edge(edge, &text);
            unsigned action = number_of(scratch, &edges, &text);
            for (unsigned c = 0; c < dfa->class_count; c++)
                if (state->kind == DFA_ENTRY || charset_has(&edge->set, p->bytes[c])) {
                    p->actions[s * p->columns + c] = action;
                    p->targets[s * p->columns + c] = edge->target;
                }
            if (!dfa_is_on_byte(edge)) {
                p->actions[other] = action;
                p->targets[other++] = edge->target;
            }
        }
    }
    arena_free(scratch);
}

/* ---------------------------------------------------------------- refinement */

static unsigned compared_width; /* qsort passes no context */

static int compare_rows(const void *a, const void *b)
{
    const uint32_t *x = *(const uint32_t *const *)a, *y = *(const uint32_t *const *)b;
    for (unsigned i = 0; i < compared_width; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static void fill_rows(partition_t *p)
{
    for (unsigned s = 0; s < p->dfa->states.count; s++) {
        uint32_t *row = p->rows + (size_t)s * (p->width + 1);
        row[0] = p->block[s];
        for (unsigned c = 0; c < p->columns; c++) {
            unsigned action = p->actions[s * p->columns + c];
            row[1 + 2 * c] = action;
            row[2 + 2 * c] = action ? p->block[p->targets[s * p->columns + c]] : 0;
        }
        row[p->width] = s;
    }
}

/* Returns the number of blocks. */
static unsigned refine(partition_t *p, uint32_t **order)
{
    size_t count = p->dfa->states.count;
    fill_rows(p);
    for (size_t s = 0; s < count; s++)
        order[s] = p->rows + s * (p->width + 1);
    compared_width = p->width;
    qsort(order, count, sizeof *order, compare_rows);
    unsigned blocks = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_rows(&order[i - 1], &order[i]) != 0)
            blocks++;
        p->block[order[i][p->width]] = blocks;
    }
    return blocks;
}

/* ---------------------------------------------------------------- rebuilding */

static void merge_edges(dfa_t *dfa, dfa_state_t *state)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->edges.count; i++) {
        edge_t edge = state->edges.items[i];
        size_t k = 0;
        for (; k < kept; k++) {
            edge_t *e = &state->edges.items[k];
            text_t a, b;
            text_init(&a, dfa->arena);
            text_init(&b, dfa->arena);
            if (e->target != edge.target)
                continue;
            describe_edge(e, &a);
            describe_edge(&edge, &b);
            if (strcmp(a.bytes, b.bytes) == 0)
                break;
        }
        if (k < kept)
            state->edges.items[k].set = charset_union(state->edges.items[k].set, edge.set);
        else
            state->edges.items[kept++] = edge;
    }
    state->edges.count = kept;
}

static void rebuild(partition_t *p, unsigned blocks)
{
    dfa_t *dfa = p->dfa;
    unsigned *number = malloc((blocks + 1) * sizeof *number); /* by block: the state that stays */
    unsigned *renumbered = malloc(dfa->states.count * sizeof *renumbered);
    memset(number, 0xff, (blocks + 1) * sizeof *number);
    unsigned kept = 0;
    for (unsigned s = 0; s < dfa->states.count; s++) {
        if (number[p->block[s]] == STATE_NONE) {
            number[p->block[s]] = kept;
            dfa->states.items[kept++] = dfa->states.items[s];
        }
        renumbered[s] = number[p->block[s]];
    }
    dfa->states.count = kept;
    for (unsigned s = 0; s < kept; s++) {
        dfa_state_t *state = &dfa->states.items[s];
        state->from = renumbered[state->from];
        for (size_t i = 0; i < state->edges.count; i++)
            state->edges.items[i].target = renumbered[state->edges.items[i].target];
        merge_edges(dfa, state);
    }
    for (size_t c = 0; c < dfa->controls.count; c++)
        for (size_t i = 0; i < dfa->controls.items[c].targets.count; i++)
            if (dfa->controls.items[c].targets.items[i] != STATE_NONE)
                dfa->controls.items[c].targets.items[i] = renumbered[dfa->controls.items[c].targets.items[i]];
    const starts_t starts = dfa_starts(dfa);
    for (size_t i = 0; i < starts.count; i++)
        if (*starts.items[i] != STATE_NONE)
            *starts.items[i] = renumbered[*starts.items[i]];
    free(number);
    free(renumbered);
}

/* The edges that are not taken on a byte, of the state with the most. */
static unsigned count_others(const dfa_t *dfa)
{
    unsigned most = 0;
    for (size_t s = 0; s < dfa->states.count; s++) {
        unsigned count = 0;
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++)
            count += !dfa_is_on_byte(&dfa->states.items[s].edges.items[i]);
        most = count > most ? count : most;
    }
    return most;
}

void minimize(dfa_t *dfa)
{
    size_t count = dfa->states.count;
    partition_t p = {.dfa = dfa, .columns = dfa->class_count + count_others(dfa)};
    p.width = 1 + 2 * p.columns;
    p.rows = malloc(count * (p.width + 1) * sizeof *p.rows);
    p.block = calloc(count, sizeof *p.block);
    p.actions = calloc(count * p.columns, sizeof *p.actions);
    p.targets = calloc(count * p.columns, sizeof *p.targets);
    for (unsigned byte = 256; byte-- > 0;)
        p.bytes[dfa->class_of[byte]] = byte;
    uint32_t **order = malloc(count * sizeof *order);
    number_edges(&p);
    unsigned blocks = 0;
    for (unsigned last = ~0u; blocks != last;) {
        last = blocks;
        blocks = refine(&p, order);
    }
    rebuild(&p, blocks);
    free(order);
    free(p.rows);
    free(p.block);
    free(p.actions);
    free(p.targets);
}
