/* minimize.c: merging states that behave alike.
 *
 * Partition refinement (Moore). States begin in blocks by everything about them but their targets; a block is split while
 * two of its states have edges to different blocks. To compare exactly, every state is a row of numbers: its block, then for
 * each class of bytes, and for each edge that is not taken on a byte, the number of what the edge does (interned) and the
 * block of its target. So it is with the targets of a control point: control points that do the same, and go on alike, are one,
 * and the control that nothing leads to any more is left out.
 *
 * States of a block that nothing has happened to still have equal rows. So only states with a target that went into another
 * block are looked at again: their rows are sorted, and those that differ from the rest of their block leave it. */
#include "minimize.h"

#include <stdlib.h>

#include "map.h"
#include "name.h"

#define TARGET UINT32_MAX /* in place of what an edge does: goes to the target of a control point */

typedef struct partition {
    dfa_t *dfa;
    arena_t *arena;       /* of the work */
    unsigned columns;     /* classes of bytes, and other edges and targets of the state with the most */
    unsigned width;       /* numbers in a row */
    uint32_t *rows;
    unsigned *block;      /* by state */
    unsigned *actions;    /* by state and column: what its edge does, 0 for none */
    unsigned *targets;    /* by state and column */
    unsigned bytes[256];  /* one byte of each class */
    unsigned blocks;      /* the last block; they count from 1 */
    unsigned *sizes;      /* by block: states */
    unsigned *quiet;      /* by block: where to begin to look for a state that is not looked at */
    unsigned *first;      /* by state: in `sources` ... */
    unsigned *sources;    /* ... what has an edge to it */
    VEC(unsigned) changed; /* states to be looked at */
    bool *is_changed;     /* by state: it is among those */
    bool *is_looked_at;   /* by state: it was, and its row is at hand */
} partition_t;

/* ---------------------------------------------------------------- what edges and states do, as numbers */

/* The number of a text, from 1. */
static unsigned number_of(arena_t *arena, map_t *seen, const text_t *text)
{
    unsigned *number = map_find(seen, text->bytes);
    if (number)
        return *number;
    number = ARENA_NEW(arena, unsigned);
    *number = (unsigned)seen->count + 1;
    map_put(seen, arena_copy(arena, text->bytes, text->len), number);
    return *number;
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

/* All but the targets. What ends a rule by `until` has its number, since few are alike. */
static void describe_control(const dfa_t *dfa, unsigned number, text_t *text)
{
    const control_t *c = &dfa->controls.items[number];
    text_print(text, "%d %p %d %p %u %p %p %p %p ", c->kind, (const void *)c->rule, c->is_shared, (const void *)c->reg,
               c->conversion, (const void *)c->expr, (const void *)c->repeat, (const void *)c->queue, (const void *)c->key);
    text_print(text, "%s %u %u %u;", c->protocol ? c->protocol : "", c->procedure, c->depth,
               c->kind == CONTROL_UNTIL ? number : 0);
    for (size_t i = 0; i < c->guards.count; i++)
        text_print(text, "%p ", (const void *)c->guards.items[i]);
    for (size_t i = 0; i < c->returns.count; i++)
        text_print(text, "r%u ", c->returns.items[i]);
}

static void describe_state(const dfa_t *dfa, const dfa_state_t *s, text_t *text)
{
    text_print(text, "%s %d %d %d %u %d-%u%d;", s->configs.count ? name_rule(dfa, &s->configs.items[0]) : "", s->kind,
               s->is_accepting, s->may_stream, s->held_back, s->stream_end.reg, s->stream_end.back, s->ends_vary);
    if (s->kind == DFA_CONTROL)
        describe_control(dfa, s->control, text);
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

/* Of a control point; other states have edges alone. */
static size_t target_count(const dfa_t *dfa, const dfa_state_t *s)
{
    return s->kind == DFA_CONTROL ? dfa->controls.items[s->control].targets.count : 0;
}

static void number_edges(partition_t *p)
{
    dfa_t *dfa = p->dfa;
    arena_t *scratch = arena_new();
    map_t edges = {.arena = scratch}, states = {.arena = scratch};
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
        for (size_t i = 0; i < target_count(dfa, state); i++, other++) {
            const unsigned target = dfa->controls.items[state->control].targets.items[i];
            p->actions[other] = target == STATE_NONE ? 0 : TARGET;
            p->targets[other] = target == STATE_NONE ? 0 : target;
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

static uint32_t *fill_row(partition_t *p, unsigned s)
{
    uint32_t *row = p->rows + (size_t)s * (p->width + 1);
    row[0] = p->block[s];
    for (unsigned c = 0; c < p->columns; c++) {
        unsigned action = p->actions[s * p->columns + c];
        row[1 + 2 * c] = action;
        row[2 + 2 * c] = action ? p->block[p->targets[s * p->columns + c]] : 0;
    }
    row[p->width] = s;
    return row;
}

/* The states that have an edge to a state: p->sources from number p->first[state] on. */
static void find_sources(partition_t *p)
{
    size_t count = p->dfa->states.count, edges = count * p->columns;
    for (size_t i = 0; i < edges; i++)
        p->first[p->targets[i] + 1] += p->actions[i] != 0;
    for (size_t s = 0; s < count; s++)
        p->first[s + 1] += p->first[s];
    unsigned *next = malloc((count + 1) * sizeof *next);
    memcpy(next, p->first, (count + 1) * sizeof *next);
    for (size_t i = 0; i < edges; i++)
        if (p->actions[i])
            p->sources[next[p->targets[i]]++] = (unsigned)(i / p->columns);
    free(next);
}

/* Moves a state to a block; what has an edge to it is to be looked at again. */
static void move(partition_t *p, unsigned s, unsigned block)
{
    p->sizes[p->block[s]]--;
    p->sizes[block]++;
    p->block[s] = block;
    for (unsigned i = p->first[s]; i < p->first[s + 1]; i++)
        if (!p->is_changed[p->sources[i]]) {
            p->is_changed[p->sources[i]] = true;
            vec_push(p->arena, &p->changed, p->sources[i]);
        }
}

/* A state of the block that is not looked at: its row is that of all such. Their rows are as old as the last time they were. */
static unsigned find_quiet(const partition_t *p, unsigned block)
{
    unsigned s = p->quiet[block];
    while (p->block[s] != block || p->is_looked_at[s])
        s = s + 1 == p->dfa->states.count ? 0 : s + 1;
    return s;
}

/* Some rows of one block, sorted: of those of its states that are looked at. */
typedef struct group {
    uint32_t **rows;
    size_t count;
    uint32_t *stays; /* rows that are equal to this one stay in the block */
} group_t;

/* Of sorted rows, the first of those that most are equal to. */
static uint32_t *most_common(uint32_t **rows, size_t count)
{
    size_t begin = 0, best = 0, most = 0;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && compare_rows(&rows[i], &rows[begin]) == 0)
            continue;
        if (i - begin > most) {
            most = i - begin;
            best = begin;
        }
        begin = i;
    }
    return rows[best];
}

/* What is like the states that are not looked at stays; if there are none, what is most common: the fewer move, the fewer have
 * to be looked at again. */
static group_t group_of(partition_t *p, uint32_t **rows, size_t count)
{
    unsigned block = rows[0][0];
    group_t group = {.rows = rows, .count = 0};
    while (group.count < count && rows[group.count][0] == block)
        group.count++;
    if (p->sizes[block] > group.count) {
        p->quiet[block] = find_quiet(p, block);
        group.stays = fill_row(p, p->quiet[block]);
    } else {
        group.stays = most_common(rows, group.count);
    }
    return group;
}

static void split(partition_t *p, const group_t *group)
{
    for (size_t i = 0; i < group->count; i++) {
        uint32_t **row = &group->rows[i];
        if (compare_rows(row, &group->stays) == 0)
            continue;
        if (i == 0 || compare_rows(row, row - 1) != 0) {
            p->blocks++;
            p->quiet[p->blocks] = (*row)[p->width];
        }
        move(p, (*row)[p->width], p->blocks);
    }
}

/* Looks at the states that have been changed. No state moves before all rows are there: they speak of one partition. */
static void refine(partition_t *p, uint32_t **rows, group_t *groups)
{
    size_t count = p->changed.count, group_count = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned s = p->changed.items[i];
        rows[i] = fill_row(p, s);
        p->is_looked_at[s] = true;
        p->is_changed[s] = false;
    }
    p->changed.count = 0;
    qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count; i += groups[group_count - 1].count)
        groups[group_count++] = group_of(p, rows + i, count - i);
    for (size_t i = 0; i < group_count; i++)
        split(p, &groups[i]);
    for (size_t i = 0; i < count; i++)
        p->is_looked_at[rows[i][p->width]] = false;
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

/* Those that a state stands at keep their order. */
static void drop_controls(dfa_t *dfa)
{
    unsigned *number = ARENA_ARRAY(dfa->arena, unsigned, dfa->controls.count + 1);
    unsigned kept = 0;
    for (size_t s = 0; s < dfa->states.count; s++)
        if (dfa->states.items[s].kind == DFA_CONTROL)
            number[dfa->states.items[s].control] = 1;
    for (size_t c = 0; c < dfa->controls.count; c++) {
        if (!number[c])
            continue;
        dfa->controls.items[kept] = dfa->controls.items[c];
        number[c] = kept++;
    }
    dfa->controls.count = kept;
    for (size_t s = 0; s < dfa->states.count; s++)
        if (dfa->states.items[s].kind == DFA_CONTROL)
            dfa->states.items[s].control = number[dfa->states.items[s].control];
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
    drop_controls(dfa);
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

/* The edges that are not taken on a byte, and the targets, of the state with the most. */
static unsigned count_others(const dfa_t *dfa)
{
    unsigned most = 0;
    for (size_t s = 0; s < dfa->states.count; s++) {
        unsigned count = (unsigned)target_count(dfa, &dfa->states.items[s]);
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++)
            count += !dfa_is_on_byte(&dfa->states.items[s].edges.items[i]);
        most = count > most ? count : most;
    }
    return most;
}

void minimize(dfa_t *dfa)
{
    size_t count = dfa->states.count;
    arena_t *arena = arena_new();
    partition_t p = {.dfa = dfa, .arena = arena, .columns = dfa->class_count + count_others(dfa)};
    p.width = 1 + 2 * p.columns;
    p.rows = ARENA_ARRAY(arena, uint32_t, count * (p.width + 1));
    p.block = ARENA_ARRAY(arena, unsigned, count);
    p.actions = ARENA_ARRAY(arena, unsigned, count * p.columns);
    p.targets = ARENA_ARRAY(arena, unsigned, count * p.columns);
    p.sizes = ARENA_ARRAY(arena, unsigned, 2 * count + 1);
    p.quiet = ARENA_ARRAY(arena, unsigned, 2 * count + 1);
    p.first = ARENA_ARRAY(arena, unsigned, count + 1);
    p.sources = ARENA_ARRAY(arena, unsigned, count * p.columns);
    p.is_changed = ARENA_ARRAY(arena, bool, count);
    p.is_looked_at = ARENA_ARRAY(arena, bool, count);
    uint32_t **rows = ARENA_ARRAY(arena, uint32_t *, count);
    group_t *groups = ARENA_ARRAY(arena, group_t, count);
    for (unsigned byte = 256; byte-- > 0;)
        p.bytes[dfa->class_of[byte]] = byte;
    number_edges(&p);
    find_sources(&p);
    compared_width = p.width;
    for (unsigned s = 0; s < count; s++) {
        p.blocks = p.block[s] > p.blocks ? p.block[s] : p.blocks;
        p.sizes[p.block[s]]++;
        vec_push(arena, &p.changed, s);
    }
    while (p.changed.count)
        refine(&p, rows, groups);
    rebuild(&p, p.blocks);
    arena_free(arena);
}
