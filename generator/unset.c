/* unset.c: registers that are read where nothing can have set them.
 *
 * For each NFA state, the set of registers that some way there may have left set: the union over all ways, from the beginning of
 * what a side sends, computed as data flow is. Where a register is read that is not in the set, it is unset whatever comes in. An
 * expression is reported if that holds in each copy of its rule that can be reached. After an error registers have whatever values
 * they had, so the search for a new beginning adds nothing.
 *
 * A sub-stream sees the registers as they are where it is opened; what it sets is its own.
 *
 * What ends a region goes on behind the control point that began it, which stands right around the region. */
#include "unset.h"

typedef uint64_t regs_t; /* a bit for each register, by its index */

typedef struct read {
    const reg_t *reg;
    place_t place; /* of the expression, or of the control point */
    bool is_fine;  /* in one copy the register may be set */
} read_t;


typedef struct flow {
    const nfa_t *nfa;
    arena_t *arena;
    regs_t *before;         /* by state: set on the way there */
    bool *is_reached;
    VEC(unsigned) waiting;  /* states whose set has grown */
    VEC(unsigned) controls; /* states that are control points */
    VEC(read_t) reads;
} flow_t;

static regs_t bit(const reg_t *reg)
{
    return reg && !reg->is_shared ? (regs_t)1 << reg->index : 0;
}

static void flow_to(flow_t *f, unsigned state, regs_t regs)
{
    if (state == STATE_NONE || (f->is_reached[state] && (regs & ~f->before[state]) == 0))
        return;
    f->before[state] |= regs;
    f->is_reached[state] = true;
    vec_push(f->arena, &f->waiting, state);
}

static regs_t after_op(const flow_t *f, const op_t *op, regs_t regs)
{
    switch (op->kind) {
    case OP_CONVERT_CLOSE:
        return regs | bit(f->nfa->conversions.items[op->conversion].reg);
    case OP_SET:
    case OP_LOCAL_CLOSE:
        return regs | bit(op->reg);
    case OP_RESET:
        return op->is_shared ? regs : regs & ~op->regs;
    case OP_LOCAL_OPEN:
        return regs & ~bit(op->reg);
    default:
        return regs;
    }
}

static void leave_control(flow_t *f, const control_t *control, regs_t regs)
{
    if (control->kind == CONTROL_POP)
        regs |= bit(control->reg);
    for (size_t i = 0; i < control->targets.count; i++)
        flow_to(f, control->targets.items[i], regs);
    for (size_t i = 0; i < control->returns.count; i++)
        flow_to(f, control->returns.items[i], regs);
}

static void leave_region(flow_t *f, const context_t *around, regs_t regs)
{
    for (size_t i = 0; i < f->controls.count; i++) {
        const nfa_state_t *s = &f->nfa->states.items[f->controls.items[i]];
        if (s->context == around)
            leave_control(f, &f->nfa->controls.items[s->control], regs);
    }
}

static void leave(flow_t *f, unsigned state)
{
    const nfa_state_t *s = &f->nfa->states.items[state];
    regs_t regs = f->before[state];
    if (s->kind == NFA_OP) {
        const op_t *op = &f->nfa->ops.items[s->op];
        if (op->kind == OP_FEED_OPEN && f->nfa->feeds.items[op->feed].rule)
            flow_to(f, f->nfa->feeds.items[op->feed].start, regs);
        regs = after_op(f, op, regs);
    }
    if (s->kind == NFA_CONTROL)
        leave_control(f, &f->nfa->controls.items[s->control], regs);
    if (s->kind == NFA_ACCEPT)
        leave_region(f, s->context->parent, regs);
    if (s->kind == NFA_FALLBACK)
        flow_to(f, s->other, regs);
    if (s->kind != NFA_CONTROL && s->kind != NFA_ACCEPT && s->kind != NFA_SPLIT)
        flow_to(f, s->next, regs);
    for (size_t i = 0; i < s->branches.count; i++)
        flow_to(f, s->branches.items[i], regs);
}

static void note_read(flow_t *f, const reg_t *reg, place_t place, regs_t regs)
{
    bool is_fine = reg->is_shared || (regs & bit(reg)) != 0;
    for (size_t i = 0; i < f->reads.count; i++) {
        read_t *read = &f->reads.items[i];
        if (read->reg == reg && read->place.source == place.source && read->place.offset == place.offset) {
            read->is_fine |= is_fine;
            return;
        }
    }
    vec_push(f->arena, &f->reads, ((read_t){reg, place, is_fine}));
}

static void note_reads(flow_t *f, const expr_t *expr, regs_t regs)
{
    if (!expr)
        return;
    if (expr->kind == EXPR_REGISTER || expr->kind == EXPR_IS_SET)
        note_read(f, expr->reg, expr->place, regs);
    note_reads(f, expr->left, regs);
    note_reads(f, expr->right, regs);
}

static void note_state(flow_t *f, unsigned state)
{
    const nfa_state_t *s = &f->nfa->states.items[state];
    if (s->kind == NFA_OP)
        note_reads(f, f->nfa->ops.items[s->op].expr, f->before[state]);
    if (s->kind != NFA_CONTROL)
        return;
    const control_t *control = &f->nfa->controls.items[s->control];
    note_reads(f, control->expr, f->before[state]);
    for (size_t i = 0; i < control->guards.count; i++)
        note_reads(f, control->guards.items[i], f->before[state]);
    for (size_t i = 0; i < control->pieces.count; i++)
        if (control->pieces.items[i].reg)
            note_read(f, control->pieces.items[i].reg, control->place, f->before[state]);
}

void unset_report(const nfa_t *nfa, diag_t *diag)
{
    flow_t f = {.nfa = nfa, .arena = arena_new()};
    size_t count = nfa->states.count;
    f.before = ARENA_ARRAY(f.arena, regs_t, count + 1);
    f.is_reached = ARENA_ARRAY(f.arena, bool, count + 1);
    for (unsigned i = 0; i < count; i++)
        if (nfa->states.items[i].kind == NFA_CONTROL)
            vec_push(f.arena, &f.controls, i);
    flow_to(&f, nfa->client, 0);
    flow_to(&f, nfa->server, 0);
    flow_to(&f, nfa->datagram, 0);
    for (size_t i = 0; i < nfa->feeds.count; i++) /* it sees what its parent has set: anything, for all that is known here */
        flow_to(&f, nfa->feeds.items[i].start, ~(regs_t)0);
    while (f.waiting.count > 0)
        leave(&f, f.waiting.items[--f.waiting.count]);
    for (unsigned i = 0; i < count; i++)
        if (f.is_reached[i])
            note_state(&f, i);
    regs_t reported = 0; /* one reading of a register tells enough */
    for (size_t i = 0; i < f.reads.count; i++) {
        const read_t *read = &f.reads.items[i];
        if (read->is_fine || (reported & bit(read->reg)) != 0)
            continue;
        reported |= bit(read->reg);
        diag_warning(diag, read->place, "register `%s` cannot be set yet where it is read here", read->reg->name);
        diag_note(diag, "what sets it comes later, is `reset` before, or is what the other side sends: `shared` registers are "
                  "seen by both");
    }
    arena_free(f.arena);
}
