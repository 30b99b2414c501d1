/* picture.c: the automaton, less what nobody could see in it.
 *
 * Thousands of states are no picture. States are grouped by machine, and in it by the rules around them, as their
 * preferred reading has them. Groups are opened from the outside to the inside as long as there is room; what is inside
 * of a group that stays closed is one node. Entry states are left out: what leads to one leads to its target. States on
 * the way through a literal, at which nothing happens, are left out too: their bytes stand at one edge. */
#include "picture.h"

#include "source.h"

/* ---------------------------------------------------------------- groups */

static group_t *child(picture_t *p, group_t *parent, const char *name)
{
    for (size_t i = 0; i < parent->children.count; i++)
        if (strcmp(parent->children.items[i]->name, name) == 0)
            return parent->children.items[i];
    group_t *group = ARENA_NEW(p->arena, group_t);
    group->parent = parent;
    group->name = name;
    group->node = STATE_NONE;
    vec_push(p->arena, &parent->children, group);
    return group;
}

/* The group of the rules around, made as needed. Core rules have none, as in name.c. */
static group_t *group_in(picture_t *p, group_t *machine, const context_t *context)
{
    if (!context)
        return machine;
    group_t *around = group_in(p, machine, context->parent);
    if (!context->rule || context->rule->is_core || strcmp(around->name, context->rule->name) == 0)
        return around;
    return child(p, around, context->rule->name);
}

static void find_groups(picture_t *p)
{
    for (unsigned s = 0; s < p->dfa->states.count; s++) {
        const dfa_state_t *state = &p->dfa->states.items[s];
        unsigned machine = p->layout->machine_of[s];
        group_t *group = p->root;
        if (machine != STATE_NONE && state->configs.count > 0)
            group = group_in(p, child(p, p->root, p->layout->machines.items[machine]),
                             p->dfa->nfa->states.items[state->configs.items[0].state].context);
        p->group_of[s] = group;
        if (state->kind == DFA_ENTRY)
            continue;
        vec_push(p->arena, &group->states, s);
        for (; group; group = group->parent)
            group->total++;
    }
}

/* The groups of that name, the outermost ones; returns how many. */
static unsigned ask_for(group_t *group, const char *name)
{
    unsigned count = 0;

    group->is_asked = strcmp(group->name, name) == 0;
    for (size_t i = 0; i < group->children.count && !group->is_asked; i++)
        count += ask_for(group->children.items[i], name);
    return count + group->is_asked;
}

static bool choose(picture_t *p, const graph_options_t *options)
{
    group_t *top = p->root;

    for (size_t i = 0; options->machine && i < p->root->children.count; i++)
        if (strcmp(p->root->children.items[i]->name, options->machine) == 0)
            top = p->root->children.items[i];
    if (options->rule)
        return ask_for(top, options->rule) > 0;
    top->is_asked = true;
    return true;
}

static void add_asked(arena_t *arena, group_t *group, void *list)
{
    VEC(group_t *) *groups = list;

    if (group->is_asked)
        vec_push(arena, groups, group);
    for (size_t i = 0; i < group->children.count; i++)
        add_asked(arena, group->children.items[i], list);
}

/* From the outside to the inside; what was asked for is opened in any case. */
static void open_groups(picture_t *p, unsigned limit)
{
    VEC(group_t *) groups = {0};
    size_t shown;

    add_asked(p->arena, p->root, &groups);
    shown = groups.count;
    for (size_t i = 0; i < groups.count; i++) {
        group_t *group = groups.items[i];
        size_t more = group->states.count + group->children.count - 1;
        if (shown + more > limit && !group->is_asked)
            continue;
        group->is_open = true;
        shown += more;
        for (size_t k = 0; k < group->children.count; k++)
            vec_push(p->arena, &groups, group->children.items[k]);
    }
}

/* ---------------------------------------------------------------- nodes */

/* Is it in the picture, not only beside it? */
static bool is_asked(const picture_t *p, unsigned state)
{
    for (const group_t *group = p->group_of[state]; group; group = group->parent)
        if (group->is_asked)
            return true;
    return false;
}

static unsigned add_node(picture_t *p, unsigned state, group_t *group, bool is_beside)
{
    drawn_node_t node = {.state = state, .group = group, .is_beside = is_beside};

    node.is_fixed = state == STATE_NONE || p->dfa->states.items[state].kind != DFA_BYTES ||
                    p->dfa->states.items[state].is_accepting;
    vec_push(p->arena, &p->nodes, node);
    return (unsigned)p->nodes.count - 1;
}

/* Beside the picture there is one group of each name. */
static group_t *group_beside(const picture_t *p, group_t *group)
{
    for (size_t i = 0; i < p->nodes.count; i++) {
        const drawn_node_t *n = &p->nodes.items[i];
        if (n->is_beside && n->state == STATE_NONE && strcmp(n->group->name, group->name) == 0)
            return n->group;
    }
    return group;
}

/* What a state is drawn as: itself, if its group is open; else the outermost closed group around it. Beside the picture
 * there are groups only, and the control points between machines. */
static unsigned node_of(picture_t *p, unsigned state)
{
    group_t *group = p->group_of[state];
    bool is_beside = !is_asked(p, state);

    if (p->node_of[state] != STATE_NONE)
        return p->node_of[state];
    if (group->is_open || layout_is_outside(p->layout, state))
        return p->node_of[state] = add_node(p, state, group, is_beside);
    if (is_beside)
        group = group_beside(p, group);
    while (!is_beside && !group->parent->is_open)
        group = group->parent;
    if (group->node == STATE_NONE)
        group->node = add_node(p, STATE_NONE, group, is_beside);
    return p->node_of[state] = group->node;
}

/* ---------------------------------------------------------------- edges */

void picture_print_source(const place_t *place, text_t *text)
{
    if (place->source)
        text_append(text, place->source->text + place->offset, place->len);
}

/* What an operation does, for people; nothing for those that only serve another. */
static void print_op(const picture_t *p, const op_t *op, text_t *text)
{
    const nfa_t *nfa = p->dfa->nfa;

    switch (op->kind) {
    case OP_OPEN:
    case OP_CLOSE:
        text_print(text, "%s %s\n", op->kind == OP_OPEN ? "open" : "close", nfa->elements.items[op->element].name);
        break;
    case OP_CONVERT_CLOSE:
        if (nfa->conversions.items[op->conversion].reg)
            text_print(text, "set %s\n", nfa->conversions.items[op->conversion].reg->name);
        break;
    case OP_ANOMALY_OPEN:
    case OP_CONVERT_OPEN:
    case OP_MARK:
    case OP_ROLLBACK:
    case OP_ATOMIC_BEGIN:
    case OP_ATOMIC_END:
        break;
    default:
        regop_print(op, text);
        text_print(text, "\n");
    }
}

static void print_ops(const picture_t *p, const pendings_t *ops, text_t *text)
{
    for (size_t i = 0; i < ops->count; i++)
        print_op(p, &p->dfa->nfa->ops.items[ops->items[i].op], text);
}

/* Edges that differ only in their bytes are one. What happens in a closed group does not show. */
static void add_edge(picture_t *p, unsigned from, unsigned to, const charset_t *set, const char *reason,
                     const char *ops)
{
    drawn_node_t *node = &p->nodes.items[from];

    if (node->state == STATE_NONE && from == to)
        return;
    if (node->state == STATE_NONE)
        ops = "";
    for (size_t i = 0; i < node->edges.count; i++) {
        drawn_edge_t *e = &node->edges.items[i];
        if (e->to == to && strcmp(e->reason, reason) == 0 && strcmp(e->ops, ops) == 0) {
            e->set = charset_union(e->set, *set);
            return;
        }
    }
    vec_push(p->arena, &node->edges,
             ((drawn_edge_t){.to = to, .set = *set, .reason = reason, .ops = ops, .literal = ""}));
    p->nodes.items[to].in_count++;
}

/* An edge between two states, if one of them is in the picture. Entry states are passed through. */
static void draw_edge(picture_t *p, unsigned from, unsigned to, const charset_t *set, const char *reason,
                      const pendings_t *commits)
{
    text_t ops;

    text_init(&ops, p->arena);
    if (commits)
        print_ops(p, commits, &ops);
    while (p->dfa->states.items[to].kind == DFA_ENTRY) {
        const edge_t *on = &p->dfa->states.items[to].edges.items[0];
        print_ops(p, &on->commits, &ops);
        to = on->target;
    }
    if (!is_asked(p, from) && !is_asked(p, to))
        return;
    unsigned a = node_of(p, from), b = node_of(p, to);
    add_edge(p, a, b, set, reason, ops.bytes);
}

/* Why a control point leads to its target number i. */
static const char *print_reason(const picture_t *p, const control_t *c, size_t i)
{
    const nfa_t *nfa = p->dfa->nfa;
    text_t text;

    text_init(&text, p->arena);
    if (c->kind == CONTROL_CHOICE && c->guards.items[i])
        picture_print_source(&c->guards.items[i]->place, &text);
    else if (c->kind == CONTROL_REFINE && i > 0)
        text_print(&text, "%s", nfa->conversions.items[c->conversion].keywords.items[i - 1]);
    else if (c->kind == CONTROL_CHOICE || c->kind == CONTROL_REFINE)
        text_print(&text, "else");
    else if (c->kind == CONTROL_AGAIN)
        text_print(&text, "%s", i == 0 ? "too few" : i + 1 < c->targets.count ? "may be more" : "enough");
    else if (c->targets.count > 1)
        text_print(&text, i == 0 ? "inside" : "behind");
    return text.bytes;
}

static void draw_edges(picture_t *p, unsigned s)
{
    const dfa_state_t *state = &p->dfa->states.items[s];
    const charset_t none = charset_none();

    for (size_t i = 0; i < state->edges.count && state->kind == DFA_BYTES; i++) {
        const edge_t *e = &state->edges.items[i];
        const char *reason = e->limit ? arena_print(p->arena, "%u bytes", e->limit) : e->is_peek ? "before" : "";
        draw_edge(p, s, e->target, &e->set, reason, &e->commits);
    }
    if (state->kind != DFA_CONTROL)
        return;
    const control_t *c = &p->dfa->controls.items[state->control];
    for (size_t i = 0; i < c->targets.count; i++)
        if (c->targets.items[i] != STATE_NONE)
            draw_edge(p, s, c->targets.items[i], &none, print_reason(p, c, i), NULL);
}

/* ---------------------------------------------------------------- literals */

/* One byte, or a letter in both cases: the byte, in lower case; -1 for any other set. */
static int letter_of(const charset_t *set)
{
    unsigned first = charset_first(set), count = charset_count(set);

    if (count == 1 && first > ' ' && first < 0x7f)
        return (int)first;
    return count == 2 && first >= 'A' && first <= 'Z' && charset_has(set, first | 0x20) ? (int)(first | 0x20) : -1;
}

static bool is_literal(const drawn_edge_t *e)
{
    return !*e->reason && !*e->ops && !charset_is_empty(&e->set) && letter_of(&e->set) >= 0;
}

/* Nodes that an edge leads to on its way through a literal are passed. */
static void pass_literals(picture_t *p, drawn_edge_t *e)
{
    if (!is_literal(e))
        return;
    e->literal = arena_print(p->arena, "%c", letter_of(&e->set));
    for (drawn_node_t *next;
         next = &p->nodes.items[e->to], next->in_count == 1 && !next->is_fixed && !next->is_passed;) {
        if (next->edges.count != 1 || !is_literal(&next->edges.items[0]) || next->edges.items[0].to == e->to)
            return;
        next->is_passed = true;
        const char *more = *next->edges.items[0].literal
                               ? next->edges.items[0].literal
                               : arena_print(p->arena, "%c", letter_of(&next->edges.items[0].set));
        e->literal = arena_print(p->arena, "%s%s", e->literal, more);
        e->to = next->edges.items[0].to;
    }
}

/* ---------------------------------------------------------------- all of it */

unsigned picture_start(const picture_t *p, unsigned state)
{
    while (state != STATE_NONE && p->dfa->states.items[state].kind == DFA_ENTRY)
        state = p->dfa->states.items[state].edges.items[0].target;
    return state;
}

static void fix_start(picture_t *p, unsigned state)
{
    state = picture_start(p, state);
    if (state != STATE_NONE && p->node_of[state] != STATE_NONE)
        p->nodes.items[p->node_of[state]].is_fixed = true;
}

picture_t *picture_of(const layout_t *layout, const graph_options_t *options)
{
    arena_t *arena = layout->arena;
    size_t count = layout->dfa->states.count;
    picture_t *p = ARENA_NEW(arena, picture_t);

    *p = (picture_t){.arena = arena,
                     .layout = layout,
                     .dfa = layout->dfa,
                     .root = ARENA_NEW(arena, group_t),
                     .group_of = ARENA_ARRAY(arena, group_t *, count),
                     .node_of = ARENA_ARRAY(arena, unsigned, count)};
    p->root->name = "";
    p->root->node = STATE_NONE;
    memset(p->node_of, 0xff, count * sizeof *p->node_of); /* STATE_NONE */
    find_groups(p);
    if (!choose(p, options))
        return NULL;
    open_groups(p, options->limit);
    for (unsigned s = 0; s < count; s++)
        if (is_asked(p, s) && layout->dfa->states.items[s].kind != DFA_ENTRY)
            node_of(p, s);
    for (unsigned s = 0; s < count; s++)
        draw_edges(p, s);
    fix_start(p, layout->dfa->client);
    fix_start(p, layout->dfa->server);
    fix_start(p, layout->dfa->datagram);
    for (size_t i = 0; i < layout->dfa->feeds.count; i++)
        fix_start(p, layout->dfa->feeds.items[i]);
    for (unsigned n = 0; n < p->nodes.count; n++)
        for (size_t i = 0; i < p->nodes.items[n].edges.count; i++)
            pass_literals(p, &p->nodes.items[n].edges.items[i]);
    return p;
}
