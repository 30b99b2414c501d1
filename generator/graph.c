/* graph.c: a picture in the language of Graphviz. Labels are its HTML, so that operations have a colour. */
#include "picture.h"

#include "name.h"

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
static void print_rest_of_rule(const picture_t *p, unsigned state, text_t *text)
{
    const dfa_state_t *s = &p->dfa->states.items[state];
    const size_t before = 8;
    text_t body;

    text_init(&body, p->arena);
    size_t dot = s->configs.count ? name_body(p->dfa, &s->configs.items[0], &body) : 0;
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

/* An annotation as it is written; what is none has a word of its own. */
static void print_control(const control_t *c, text_t *text)
{
    static const char *const words[] = {[CONTROL_CHOICE] = "when",
                                        [CONTROL_RETURN] = "return",
                                        [CONTROL_AGAIN] = "again",
                                        [CONTROL_DONE] = "done",
                                        [CONTROL_SKIP] = "found"};
    const char *word = (size_t)c->kind < sizeof words / sizeof *words ? words[c->kind] : NULL;

    if (word) {
        text_print(text, "%s", word);
        return;
    }
    text_print(text, "%s", c->kind == CONTROL_CALL ? "call " : c->kind == CONTROL_REPEAT && !c->expr ? "repeat " : "");
    picture_print_source(&c->place, text);
}

static void print_control_node(const picture_t *p, const dfa_state_t *s, text_t *text)
{
    text_t what;

    text_init(&what, p->arena);
    print_control(&p->dfa->controls.items[s->control], &what);
    text_print(text, "shape=hexagon, label=<");
    print_short(text, what.bytes, what.len);
}

static void print_state(const picture_t *p, unsigned state, text_t *text)
{
    const dfa_state_t *s = &p->dfa->states.items[state];

    if (s->kind == DFA_CONTROL) {
        print_control_node(p, s, text);
        return;
    }
    text_print(text, "%stooltip=\"%s\", label=<", s->is_accepting ? "peripheries=2, " : "", p->layout->labels[state]);
    print_rest_of_rule(p, state, text);
    if (s->configs.count > 1)
        text_print(text, "<BR/><FONT COLOR=\"gray40\">or %zu more</FONT>", s->configs.count - 1);
}

static void print_node(const picture_t *p, unsigned number, const char *indent, text_t *text)
{
    const drawn_node_t *n = &p->nodes.items[number];

    text_print(text, "%sn%u [", indent, number);
    if (n->state == STATE_NONE) {
        text_print(text, "shape=box3d, label=<");
        print_escaped(text, n->group->name, strlen(n->group->name));
        if (!n->is_beside)
            text_print(text, "<BR/><FONT COLOR=\"gray40\">%u state%s</FONT>", n->group->total,
                       n->group->total == 1 ? "" : "s");
    } else {
        print_state(p, n->state, text);
    }
    text_print(text, ">%s];\n", n->is_beside ? ", style=dashed, color=gray50, fontcolor=gray30" : "");
}

static void print_set(const picture_t *p, const charset_t *set, text_t *text)
{
    const char *name = name_set(p->layout->grammar, set);
    text_t list;

    text_init(&list, p->arena);
    if (name)
        text_print(&list, "%s", name);
    else
        charset_print(set, &list);
    print_short(text, list.bytes, list.len);
}

/* Lines, in green; if they are too many, the first of them. */
static void print_ops(const char *ops, text_t *text)
{
    unsigned count = 0;

    for (const char *op = ops, *end; *op && count <= OPS_MAX; op = end + 1, count++) {
        end = strchr(op, '\n');
        text_print(text, "<BR/><FONT COLOR=\"#1a6e3c\">");
        if (count < OPS_MAX)
            print_escaped(text, op, (size_t)(end - op));
        else
            text_print(text, "...");
        text_print(text, "</FONT>");
    }
}

static void print_edge(const picture_t *p, unsigned from, const drawn_edge_t *e, text_t *text)
{
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
        print_set(p, &e->set, text);
    }
    print_ops(e->ops, text);
    text_print(text, ">];\n");
}

/* Has it nothing but one frame in it? */
static bool is_wrapper(const group_t *group)
{
    return group->is_open && group->states.count == 0 && group->children.count == 1 &&
           group->children.items[0]->is_open;
}

/* The nodes of a group, in a frame; those of the groups in it in frames inside. Frames around a single one have their
 * names in that one: `around`. */
static void print_group(const picture_t *p, const group_t *group, const char *around, unsigned *number, unsigned depth,
                        text_t *text)
{
    const char *indent = arena_print(p->arena, "%*s", (int)(2 * depth), "");
    bool is_framed = group->is_open && group != p->root;

    if (is_framed && is_wrapper(group)) {
        print_group(p, group->children.items[0], arena_print(p->arena, "%s%s > ", around, group->name), number, depth,
                    text);
        return;
    }
    if (is_framed) {
        text_print(text, "%ssubgraph cluster_%u {\n%s  label=<", indent, (*number)++, indent);
        print_escaped(text, around, strlen(around));
        text_print(text, "<B>");
        print_escaped(text, group->name, strlen(group->name));
        text_print(text, "</B>>;\n");
    }
    for (unsigned n = 0; n < p->nodes.count; n++)
        if (p->nodes.items[n].group == group && !p->nodes.items[n].is_passed)
            print_node(p, n, arena_print(p->arena, "%s  ", indent), text);
    for (size_t i = 0; i < group->children.count; i++)
        print_group(p, group->children.items[i], "", number, depth + is_framed, text);
    if (is_framed)
        text_print(text, "%s}\n", indent);
}

static void print_start(const picture_t *p, const char *name, unsigned state, text_t *text)
{
    state = picture_start(p, state);
    if (state != STATE_NONE && p->node_of[state] != STATE_NONE)
        text_print(text, "  %s [shape=plaintext];\n  %s -> n%u;\n", name, name, p->node_of[state]);
}

static void print_all(const picture_t *p, text_t *text)
{
    unsigned number = 0;

    text_print(text,
               "digraph \"%s\" {\n  rankdir=LR; newrank=true;\n  fontname=\"Helvetica\"; fontsize=11; "
               "color=\"gray60\"; labeljust=l;\n"
               "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=10, height=0.3];\n"
               "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.6];\n",
               p->layout->grammar->name);
    print_start(p, "client", p->dfa->client, text);
    print_start(p, "server", p->dfa->server, text);
    print_start(p, "datagram", p->dfa->datagram, text);
    for (size_t i = 0; i < p->dfa->feeds.count; i++)
        print_start(p, "fed", p->dfa->feeds.items[i], text);
    print_group(p, p->root, "", &number, 0, text);
    for (unsigned n = 0; n < p->nodes.count; n++)
        for (size_t i = 0; i < p->nodes.items[n].edges.count && !p->nodes.items[n].is_passed; i++)
            print_edge(p, n, &p->nodes.items[n].edges.items[i], text);
    text_print(text, "}\n");
}

bool graph_print(const layout_t *layout, const graph_options_t *options, text_t *text)
{
    const picture_t *picture = picture_of(layout, options);

    if (picture)
        print_all(picture, text);
    return picture != NULL;
}
