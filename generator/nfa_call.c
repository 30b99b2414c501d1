/* nfa_call.c: references to rules → NFA: written out, or called.
 *
 * note [call]: a rule that contains itself cannot be written out. So one rule of each cycle (is_called) is written out once where
 * it is met first, and references inside it become control points that call: what follows is remembered on a stack, and the
 * rule, built once more, returns to it. What begins like it is thus told from it byte by byte, as long as it is not nested. A
 * call with nothing behind it but a return is a jump. */
#include "nfa_builder.h"

#include "resume.h"

/* ---------------------------------------------------------------- rules without effect */

static bool is_without_effect(const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind != NOTE_CUT)
            return false;
    return true;
}

static bool is_plain_rule(const rule_t *rule, bool *is_seen);

static bool is_plain_node(const node_t *node, bool *is_seen)
{
    bool is_plain = is_without_effect(&node->notes);
    for (size_t i = 0; i < node->children.count && is_plain; i++)
        is_plain = is_plain_node(node->children.items[i], is_seen);
    return is_plain && (node->kind != NODE_RULE || is_plain_rule(node->rule, is_seen));
}

/* No annotation in the rule, or in what it refers to, does anything. */
static bool is_plain_rule(const rule_t *rule, bool *is_seen)
{
    if (is_seen[rule->index])
        return true;
    is_seen[rule->index] = true;
    return is_without_effect(&rule->notes) && is_plain_node(rule->body, is_seen);
}

static bool is_inside_called(const context_t *context)
{
    for (const context_t *c = context; c; c = c->parent)
        if (c->procedure != PROCEDURE_NONE || (c->rule && c->rule->is_called))
            return true;
    return false;
}

/* What is around the rule where it is written out, if that is around `context`; else that. So elements inside have one path. */
static const context_t *around_outermost(const context_t *context, const rule_t *rule)
{
    const context_t *around = context;
    for (const context_t *c = context; c; c = c->parent)
        if (c->rule == rule && c->parent && c->parent->rule != rule)
            around = c->parent;
    return around;
}

static bool fits(const procedure_t *p, const rule_t *rule, const context_t *context)
{
    return p->rule == rule && (p->is_plain || (p->is_stream == context->is_stream && p->is_atomic == context->is_atomic));
}

/* The procedure that a call of the rule enters: one that the call is in, so that paths do not grow; or one for the same element. */
static unsigned find_procedure(const builder_t *b, const rule_t *rule, const context_t *context)
{
    const nfa_t *nfa = b->nfa;
    for (unsigned i = context->procedure; i != PROCEDURE_NONE; i = nfa->procedures.items[i].outer)
        if (fits(&nfa->procedures.items[i], rule, context))
            return i;
    for (unsigned i = 0; i < nfa->procedures.count; i++)
        if (fits(&nfa->procedures.items[i], rule, context) &&
            (nfa->procedures.items[i].is_plain || nfa->procedures.items[i].element == context->element))
            return i;
    return PROCEDURE_NONE;
}

static unsigned new_procedure(builder_t *b, const rule_t *rule, const context_t *context)
{
    bool *is_seen = ARENA_ARRAY(b->arena, bool, b->nfa->grammar->rules.count + 1);
    procedure_t p = {.rule = rule, .element = context->element, .is_stream = context->is_stream,
                     .is_atomic = context->is_atomic, .is_plain = is_plain_rule(rule, is_seen),
                     .outer = context->procedure};
    unsigned index = (unsigned)b->nfa->procedures.count;
    if (p.is_atomic && !p.is_plain && !nfa_find_note(&rule->notes, NOTE_RESYNC)) {
        diag_error(b->diag, rule->place, "`%s` contains itself, and annotations, inside an atomic rule", rule->name);
        diag_note(b->diag, "there is no bound for what would have to wait until that has matched");
    }
    context_t *top = nfa_nested(b, NULL);
    top->element = p.element;
    top->is_stream = p.is_stream;
    top->is_atomic = p.is_atomic;
    top->procedure = index;
    control_t end = {.kind = CONTROL_RETURN, .place = rule->place, .rule = rule, .procedure = index};
    p.end = nfa_add_control(b, top, end);
    p.head = nfa_add(b, NFA_SPLIT, top, NULL, STATE_NONE);
    vec_push(b->arena, &b->nfa->procedures, p);
    return index;
}

/* Procedures may need others: the list grows while it is gone through. */
void nfa_build_procedures(builder_t *b)
{
    for (; b->built < b->nfa->procedures.count && !b->is_too_large; b->built++) {
        const procedure_t p = b->nfa->procedures.items[b->built];
        const context_t *top = b->nfa->states.items[p.head].context;
        if (nfa_find_note(&p.rule->notes, NOTE_RESYNC))
            diag_error(b->diag, p.rule->place, "parsing cannot resume at `%s`, which contains itself", p.rule->name);
        wrapped_t w = {.notes = &p.rule->notes, .name = p.rule->name, .body = p.rule->body, .rule = p.rule};
        unsigned start = nfa_build_wrapped(b, &w, top, p.end);
        if (!b->is_too_large)
            vec_push(b->arena, &b->nfa->states.items[p.head].branches, start);
    }
}

/* Nothing but scopes is left between `state` and the end of the procedure that `context` is in. */
static bool is_tail(const builder_t *b, const context_t *context, unsigned state)
{
    if (context->procedure == PROCEDURE_NONE || context->depth > 0)
        return false;
    while (b->nfa->states.items[state].kind == NFA_LEAVE)
        state = b->nfa->states.items[state].next;
    return state == b->nfa->procedures.items[context->procedure].end;
}

/* Leaves the scopes that are left on the way from `state` to the end of the procedure, then goes to `next`. */
static unsigned build_leaving(builder_t *b, unsigned state, unsigned next)
{
    VEC(unsigned) left = {0};
    for (; b->nfa->states.items[state].kind == NFA_LEAVE; state = b->nfa->states.items[state].next)
        vec_push(b->arena, &left, state);
    while (left.count > 0 && !b->is_too_large) {
        const nfa_state_t *s = &b->nfa->states.items[left.items[--left.count]];
        next = nfa_add_scope(b, NFA_LEAVE, s->context, s->scope, next);
    }
    return next;
}

static unsigned build_call(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next)
{
    nfa_t *nfa = b->nfa;
    for (const context_t *c = context; c; c = c->parent) {
        if (c->conversion < 0)
            continue;
        diag_error(b->diag, at ? at->place : rule->place, "`%s` contains itself, so it cannot be part of a text that is converted",
                   rule->name);
        diag_note(b->diag, "rule `%s` is converted", nfa->conversions.items[c->conversion].rule->name);
        return next;
    }
    const context_t *around = around_outermost(context, rule);
    if (context->is_stream && !around->is_stream) {
        diag_error(b->diag, at ? at->place : rule->place, "`%s` contains itself inside a stream element, or inside a `feed`",
                   rule->name);
        return next;
    }
    unsigned index = find_procedure(b, rule, around);
    if (index == PROCEDURE_NONE)
        index = new_procedure(b, rule, around);
    const procedure_t p = nfa->procedures.items[index];
    bool is_jump = !b->is_too_large && is_tail(b, context, next);
    unsigned follows = is_jump ? nfa->procedures.items[context->procedure].end : next;
    if (follows != p.end)
        vec_push(b->arena, &nfa->controls.items[nfa->states.items[p.end].control].returns, follows);
    if (is_jump)
        return build_leaving(b, next, p.head);
    control_t control = {.kind = CONTROL_CALL, .place = at ? at->place : rule->place, .rule = rule, .procedure = index,
                         .depth = context->depth};
    vec_push(b->arena, &control.targets, p.head);
    vec_push(b->arena, &control.targets, next);
    nfa_note_call(b, context);
    return nfa_add_control(b, context, control);
}

/* Is the rule, which `at` refers to, looked for here after an error? */
static bool is_resumable(const builder_t *b, const rule_t *rule, const node_t *at, const context_t *context)
{
    resume_steps_t steps = {0};
    if (!nfa_find_note(&rule->notes, NOTE_RESYNC) || b->resuming)
        return false;
    vec_push(b->arena, &steps, ((resume_step_t){context->rule ? context->rule->body : b->root, at}));
    for (const context_t *c = context; c->parent; c = c->parent)
        if (c->reference || c->rule != c->parent->rule)
            vec_push(b->arena, &steps, ((resume_step_t){c->parent->rule ? c->parent->rule->body : b->root, c->reference}));
    return resume_is_meant(b->arena, b->nfa->grammar, b->root, rule, &steps);
}

unsigned nfa_build_rule(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next)
{
    if (rule->is_called && is_inside_called(context))
        return build_call(b, rule, at, context, next);
    if (nfa_find_note(&rule->notes, NOTE_RESYNC) && context->procedure != PROCEDURE_NONE)
        diag_error(b->diag, rule->place, "parsing cannot resume at `%s`, which is part of a rule that contains itself",
                   rule->name);
    if (is_resumable(b, rule, at, context)) {
        resume_t resume = {.rule = rule, .context = context, .next = next};
        vec_push(b->arena, &b->resumes, resume);
    }
    wrapped_t w = {.notes = &rule->notes, .name = rule->name, .body = rule->body, .rule = rule, .reference = at};
    return nfa_build_wrapped(b, &w, context, next);
}
