/* graph.c: the automaton as a picture, in the language of Graphviz.
 *
 * Thousands of states are no picture. States are grouped by machine, and in it by the rules around them, as their preferred
 * reading has them. Groups are opened from the outside to the inside as long as there is room; what is inside of a group that
 * stays closed is one node. Entry states are left out: what leads to one leads to its target. States on the way through a
 * literal, at which nothing happens, are left out too: their bytes stand at one edge. */
#include "graph.h"

#include "name.h"
#include "source.h"

/* ---------------------------------------------------------------- the picture */

/* A machine, or a rule in it, or in another rule. */
typedef struct group {
    struct group *parent;
    const char *name;
    VEC(struct group *) children;
    VEC(unsigned) states; /* that stand in this rule itself */
    unsigned total;       /* states in it and in all its children */
    bool is_asked;        /* what the picture is to show */
    bool is_open;         /* its states and children are nodes; else it is one itself */
    unsigned node;        /* of the closed group; STATE_NONE: not drawn yet */
} group_t;

typedef struct drawn_edge {
    unsigned to;
    charset_t set;       /* bytes that follow it ... */
    const char *literal; /* ... or several, one after the other; "": one of the set */
    const char *reason;  /* if not by a byte: what a control point chose; else "" */
    const char *ops;     /* what is performed, in lines */
} drawn_edge_t;

typedef struct drawn_node {
    unsigned state;      /* STATE_NONE: all of a group */
    group_t *group;      /* it is drawn in, or stands for */
    unsigned in_count;   /* edges that lead here */
    bool is_beside;      /* of what was asked for */
    bool is_fixed;       /* drawn in any case */
    bool is_passed;      /* its bytes stand at the edge before it: not drawn */
    VEC(drawn_edge_t) edges;
} drawn_node_t;

typedef struct graph {
    arena_t *arena;
    const layout_t *layout;
    const dfa_t *dfa;
    group_t *root;
    group_t **group_of; /* by state */
    unsigned *node_of;  /* by state; STATE_NONE: not drawn */
    VEC(drawn_node_t) nodes;
    text_t *text;
} graph_t;

/* ---------------------------------------------------------------- groups */

static group_t *child(graph_t *g, group_t *parent, const char *name)
{
    for (size_t i = 0; i < parent->children.count; i++)
        if (strcmp(parent->children.items[i]->name, name) == 0)
            return parent->children.items[i];
    group_t *group = ARENA_NEW(g->arena, group_t);
    group->parent = parent;
    group->name = name;
    group->node = STATE_NONE;
    vec_push(g->arena, &parent->children, group);
    return group;
}

/* The group of the rules around, made as needed. Core rules have none, as in name.c. */
static group_t *group_in(graph_t *g, group_t *machine, const context_t *context)
{
    if (!context)
        return machine;
    group_t *around = group_in(g, machine, context->parent);
    if (!context->rule || context->rule->is_core || strcmp(around->name, context->rule->name) == 0)
        return around;
    return child(g, around, context->rule->name);
}

static void find_groups(graph_t *g)
{
    for (unsigned s = 0; s < g->dfa->states.count; s++) {
        const dfa_state_t *state = &g->dfa->states.items[s];
        unsigned machine = g->layout->machine_of[s];
        group_t *group = g->root;
        if (machine != STATE_NONE && state->configs.count > 0)
            group = group_in(g, child(g, g->root, g->layout->machines.items[machine]),
                             g->dfa->nfa->states.items[state->configs.items[0].state].context);
        g->group_of[s] = group;
        if (state->kind == DFA_ENTRY)
            continue;
        vec_push(g->arena, &group->states, s);
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

static bool choose(graph_t *g, const graph_options_t *options)
{
    group_t *top = g->root;

    for (size_t i = 0; options->machine && i < g->root->children.count; i++)
        if (strcmp(g->root->children.items[i]->name, options->machine) == 0)
            top = g->root->children.items[i];
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
static void open_groups(graph_t *g, unsigned limit)
{
    VEC(group_t *) groups = {0};
    size_t shown;

    add_asked(g->arena, g->root, &groups);
    shown = groups.count;
    for (size_t i = 0; i < groups.count; i++) {
        group_t *group = groups.items[i];
        size_t more = group->states.count + group->children.count - 1;
        if (shown + more > limit && !group->is_asked)
            continue;
        group->is_open = true;
        shown += more;
        for (size_t k = 0; k < group->children.count; k++)
            vec_push(g->arena, &groups, group->children.items[k]);
    }
}

/* ---------------------------------------------------------------- nodes */

/* Is it in the picture, not only beside it? */
static bool is_asked(const graph_t *g, unsigned state)
{
    for (const group_t *group = g->group_of[state]; group; group = group->parent)
        if (group->is_asked)
            return true;
    return false;
}

static unsigned add_node(graph_t *g, unsigned state, group_t *group, bool is_beside)
{
    drawn_node_t node = {.state = state, .group = group, .is_beside = is_beside};

    node.is_fixed = state == STATE_NONE || g->dfa->states.items[state].kind != DFA_BYTES ||
                    g->dfa->states.items[state].is_accepting;
    vec_push(g->arena, &g->nodes, node);
    return (unsigned)g->nodes.count - 1;
}

/* Beside the picture there is one group of each name. */
static group_t *group_beside(const graph_t *g, group_t *group)
{
    for (size_t i = 0; i < g->nodes.count; i++) {
        const drawn_node_t *n = &g->nodes.items[i];
        if (n->is_beside && n->state == STATE_NONE && strcmp(n->group->name, group->name) == 0)
            return n->group;
    }
    return group;
}

/* What a state is drawn as: itself, if its group is open; else the outermost closed group around it. Beside the picture there
 * are groups only, and the control points between machines. */
static unsigned node_of(graph_t *g, unsigned state)
{
    group_t *group = g->group_of[state];
    bool is_beside = !is_asked(g, state);

    if (g->node_of[state] != STATE_NONE)
        return g->node_of[state];
    if (group->is_open || layout_is_outside(g->layout, state))
        return g->node_of[state] = add_node(g, state, group, is_beside);
    if (is_beside)
        group = group_beside(g, group);
    while (!is_beside && !group->parent->is_open)
        group = group->parent;
    if (group->node == STATE_NONE)
        group->node = add_node(g, STATE_NONE, group, is_beside);
    return g->node_of[state] = group->node;
}

/* ---------------------------------------------------------------- edges */

static void print_source(const place_t *place, text_t *text)
{
    if (place->source)
        text_append(text, place->source->text + place->offset, place->len);
}

/* What an operation does, for people; nothing for those that only serve another. */
static void print_op(const graph_t *g, const op_t *op, text_t *text)
{
    const nfa_t *nfa = g->dfa->nfa;

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

static void print_ops(const graph_t *g, const pendings_t *ops, text_t *text)
{
    for (size_t i = 0; i < ops->count; i++)
        print_op(g, &g->dfa->nfa->ops.items[ops->items[i].op], text);
}

/* Edges that differ only in their bytes are one. What happens in a closed group does not show. */
static void add_edge(graph_t *g, unsigned from, unsigned to, const charset_t *set, const char *reason, const char *ops)
{
    drawn_node_t *node = &g->nodes.items[from];

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
    vec_push(g->arena, &node->edges, ((drawn_edge_t){.to = to, .set = *set, .reason = reason, .ops = ops, .literal = ""}));
    g->nodes.items[to].in_count++;
}

/* An edge between two states, if one of them is in the picture. Entry states are passed through. */
static void draw_edge(graph_t *g, unsigned from, unsigned to, const charset_t *set, const char *reason,
                      const pendings_t *commits)
{
    text_t ops;

    text_init(&ops, g->arena);
    if (commits)
        print_ops(g, commits, &ops);
    while (g->dfa->states.items[to].kind == DFA_ENTRY) {
        const edge_t *on = &g->dfa->states.items[to].edges.items[0];
        print_ops(g, &on->commits, &ops);
        to = on->target;
    }
    if (!is_asked(g, from) && !is_asked(g, to))
        return;
    unsigned a = node_of(g, from), b = node_of(g, to);
    add_edge(g, a, b, set, reason, ops.bytes);
}

/* Why a control point leads to its target number i. */
static const char *print_reason(const graph_t *g, const control_t *c, size_t i)
{
    const nfa_t *nfa = g->dfa->nfa;
    text_t text;

    text_init(&text, g->arena);
    if (c->kind == CONTROL_CHOICE && c->guards.items[i])
        print_source(&c->guards.items[i]->place, &text);
    else if (c->kind == CONTROL_REFINE && i > 0)
        text_print(&text, "%s", nfa->conversions.items[c->conversion].keywords.items[i - 1]);
    else if (c->kind == CONTROL_CHOICE || c->kind == CONTROL_REFINE)
        text_print(&text, "else");
    else if (c->targets.count > 1)
        text_print(&text, i == 0 ? "inside" : "behind");
    return text.bytes;
}

static void draw_edges(graph_t *g, unsigned s)
{
    const dfa_state_t *state = &g->dfa->states.items[s];
    const charset_t none = charset_none();

    for (size_t i = 0; i < state->edges.count && state->kind == DFA_BYTES; i++) {
        const edge_t *e = &state->edges.items[i];
        const char *reason = e->limit ? arena_print(g->arena, "%u bytes", e->limit) : e->is_peek ? "before" : "";
        draw_edge(g, s, e->target, &e->set, reason, &e->commits);
    }
    if (state->kind != DFA_CONTROL)
        return;
    const control_t *c = &g->dfa->controls.items[state->control];
    for (size_t i = 0; i < c->targets.count; i++)
        if (c->targets.items[i] != STATE_NONE)
            draw_edge(g, s, c->targets.items[i], &none, print_reason(g, c, i), NULL);
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
static void pass_literals(graph_t *g, drawn_edge_t *e)
{
    if (!is_literal(e))
        return;
    e->literal = arena_print(g->arena, "%c", letter_of(&e->set));
    for (drawn_node_t *next; next = &g->nodes.items[e->to], next->in_count == 1 && !next->is_fixed && !next->is_passed;) {
        if (next->edges.count != 1 || !is_literal(&next->edges.items[0]) || next->edges.items[0].to == e->to)
            return;
        next->is_passed = true;
        const char *more = *next->edges.items[0].literal ? next->edges.items[0].literal
                                                         : arena_print(g->arena, "%c", letter_of(&next->edges.items[0].set));
        e->literal = arena_print(g->arena, "%s%s", e->literal, more);
        e->to = next->edges.items[0].to;
    }
}

/* ---------------------------------------------------------------- printing
 *
 * Labels are Graphviz's HTML, so that operations have a colour of their own. */

#define LABEL_WIDTH 28 /* characters of a line of a label */
#define OPS_MAX 5      /* lines of operations at one edge */

static void print_escaped(text_t *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *name = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
        if (name)
            text_print(text, "%s", name);
        else
            text_print(text, "%c", c < ' ' ? ' ' : c);
    }
}

/* The first characters of a line, and dots if there are more. */
static void print_short(text_t *text, const char *line, size_t len)
{
    bool is_short = len <= LABEL_WIDTH;
    size_t shown = is_short ? len : LABEL_WIDTH;

    while (!is_short && shown > LABEL_WIDTH / 2 && line[shown] != ' ')
        shown--;
    print_escaped(text, line, shown);
    text_print(text, "%s", is_short ? "" : " ...");
}

/* What is left of the rule behind the dot, and a little of what was before it. */
static void print_rest_of_rule(const graph_t *g, unsigned state, text_t *text)
{
    const dfa_state_t *s = &g->dfa->states.items[state];
    const size_t before = 8;
    text_t body;

    text_init(&body, g->arena);
    size_t dot = s->configs.count ? name_body(g->dfa, &s->configs.items[0], &body) : 0;
    if (body.len <= LABEL_WIDTH) {
        print_escaped(text, body.bytes, dot);
        text_print(text, "<B>&#8226;</B>");
        print_escaped(text, body.bytes + dot, body.len - dot);
    } else {
        size_t begin = dot > before ? dot - before : 0;
        while (begin > 0 && begin < dot && body.bytes[begin - 1] != ' ')
            begin++;
        text_print(text, "%s", begin ? "... " : "");
        print_escaped(text, body.bytes + begin, dot - begin);
        text_print(text, "<B>&#8226;</B>");
        print_short(text, body.bytes + dot, body.len - dot);
    }
}

static void print_node(const graph_t *g, unsigned number, const char *indent)
{
    const drawn_node_t *n = &g->nodes.items[number];
    const char *style = n->is_beside ? ", style=dashed, color=gray50, fontcolor=gray30" : "";
    text_t *text = g->text;

    text_print(text, "%sn%u [", indent, number);
    if (n->state == STATE_NONE) {
        text_print(text, "shape=box3d, label=<");
        print_escaped(text, n->group->name, strlen(n->group->name));
        if (!n->is_beside)
            text_print(text, "<BR/><FONT COLOR=\"gray40\">%u state%s</FONT>", n->group->total, n->group->total == 1 ? "" : "s");
        text_print(text, ">%s];\n", style);
        return;
    }
    const dfa_state_t *s = &g->dfa->states.items[n->state];
    if (s->kind == DFA_CONTROL) {
        const control_t *c = &g->dfa->controls.items[s->control];
        text_t what;
        text_init(&what, g->arena);
        if (c->kind == CONTROL_CHOICE)
            text_print(&what, "when");
        else
            print_source(&c->place, &what);
        text_print(text, "shape=hexagon, label=<");
        print_short(text, what.bytes, what.len);
        text_print(text, ">%s];\n", style);
        return;
    }
    text_print(text, "%stooltip=\"%s\", label=<", s->is_accepting ? "peripheries=2, " : "", g->layout->labels[n->state]);
    print_rest_of_rule(g, n->state, text);
    if (s->configs.count > 1)
        text_print(text, "<BR/><FONT COLOR=\"gray40\">or %zu more</FONT>", s->configs.count - 1);
    text_print(text, ">%s];\n", style);
}

static void print_set(const graph_t *g, const charset_t *set, text_t *text)
{
    const char *name = name_set(g->layout->grammar, set);
    text_t list;

    text_init(&list, g->arena);
    if (name)
        text_print(&list, "%s", name);
    else
        charset_print(set, &list);
    print_short(text, list.bytes, list.len);
}

static void print_edge(const graph_t *g, unsigned from, const drawn_edge_t *e)
{
    text_t *text = g->text;
    unsigned count = 0;

    text_print(text, "  n%u -> n%u [label=<", from, e->to);
    if (*e->reason) {
        text_print(text, "<I>");
        print_short(text, e->reason, strlen(e->reason));
        text_print(text, "</I>%s", charset_is_empty(&e->set) ? "" : " ");
    }
    if (*e->literal) {
        text_print(text, "&quot;");
        print_short(text, e->literal, strlen(e->literal));
        text_print(text, "&quot;");
    } else if (!charset_is_empty(&e->set)) {
        print_set(g, &e->set, text);
    }
    for (const char *op = e->ops, *end; *op; op = end + 1, count++) {
        end = strchr(op, '\n');
        if (count > OPS_MAX)
            continue;
        text_print(text, "<BR/><FONT COLOR=\"#1a6e3c\">");
        print_escaped(text, count < OPS_MAX ? op : "...", count < OPS_MAX ? (size_t)(end - op) : 3);
        text_print(text, "</FONT>");
    }
    text_print(text, ">];\n");
}

/* The nodes of a group, in a frame; those of the groups in it in frames inside. */
static void print_group(const graph_t *g, const group_t *group, unsigned *number, unsigned depth)
{
    const char *indent = arena_print(g->arena, "%*s", (int)(2 * depth), "");
    bool is_framed = group->is_open && group != g->root;

    if (is_framed) {
        text_print(g->text, "%ssubgraph cluster_%u {\n%s  label=<<B>", indent, (*number)++, indent);
        print_escaped(g->text, group->name, strlen(group->name));
        text_print(g->text, "</B>>;\n");
    }
    for (unsigned n = 0; n < g->nodes.count; n++)
        if (g->nodes.items[n].group == group && !g->nodes.items[n].is_passed)
            print_node(g, n, arena_print(g->arena, "%s  ", indent));
    for (size_t i = 0; i < group->children.count; i++)
        print_group(g, group->children.items[i], number, depth + is_framed);
    if (is_framed)
        text_print(g->text, "%s}\n", indent);
}

static void print_start(const graph_t *g, const char *name, unsigned state)
{
    while (state != STATE_NONE && g->dfa->states.items[state].kind == DFA_ENTRY)
        state = g->dfa->states.items[state].edges.items[0].target;
    if (state == STATE_NONE || g->node_of[state] == STATE_NONE)
        return;
    text_print(g->text, "  %s [shape=plaintext];\n  %s -> n%u;\n", name, name, g->node_of[state]);
}

static void fix_start(graph_t *g, unsigned state)
{
    while (state != STATE_NONE && g->dfa->states.items[state].kind == DFA_ENTRY)
        state = g->dfa->states.items[state].edges.items[0].target;
    if (state != STATE_NONE && g->node_of[state] != STATE_NONE)
        g->nodes.items[g->node_of[state]].is_fixed = true;
}

static void print_all(const graph_t *g)
{
    unsigned number = 0;

    text_print(g->text,
               "digraph \"%s\" {\n  rankdir=LR; newrank=true;\n  fontname=\"Helvetica\"; fontsize=11; color=\"gray60\"; labeljust=l;\n"
               "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=10, height=0.3];\n"
               "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.6];\n",
               g->layout->grammar->name);
    print_start(g, "client", g->dfa->client);
    print_start(g, "server", g->dfa->server);
    print_group(g, g->root, &number, 0);
    for (unsigned n = 0; n < g->nodes.count; n++)
        for (size_t i = 0; i < g->nodes.items[n].edges.count && !g->nodes.items[n].is_passed; i++)
            print_edge(g, n, &g->nodes.items[n].edges.items[i]);
    text_print(g->text, "}\n");
}

bool graph_print(const layout_t *layout, const graph_options_t *options, text_t *text)
{
    arena_t *arena = text->arena;
    size_t count = layout->dfa->states.count;
    graph_t g = {.arena = arena,
                 .layout = layout,
                 .dfa = layout->dfa,
                 .root = ARENA_NEW(arena, group_t),
                 .group_of = ARENA_ARRAY(arena, group_t *, count),
                 .node_of = ARENA_ARRAY(arena, unsigned, count),
                 .text = text};

    g.root->name = "";
    g.root->node = STATE_NONE;
    memset(g.node_of, 0xff, count * sizeof *g.node_of); /* STATE_NONE */
    find_groups(&g);
    if (!choose(&g, options))
        return false;
    open_groups(&g, options->limit);
    for (unsigned s = 0; s < count; s++)
        if (is_asked(&g, s) && layout->dfa->states.items[s].kind != DFA_ENTRY)
            node_of(&g, s);
    for (unsigned s = 0; s < count; s++)
        draw_edges(&g, s);
    fix_start(&g, layout->dfa->client);
    fix_start(&g, layout->dfa->server);
    for (unsigned n = 0; n < g.nodes.count; n++)
        for (size_t i = 0; i < g.nodes.items[n].edges.count; i++)
            pass_literals(&g, &g.nodes.items[n].edges.items[i]);
    print_all(&g);
    return true;
}
