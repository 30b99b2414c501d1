/* reference.c: the page of a protocol, for who subscribes to it. */
#include "reference.h"

#include <string.h>

#include "emit.h"
#include "source.h"

#define BODY_MAX 72u /* bytes of a rule that a table shows */

/* As much of a text as fits into a cell of a table; what a cell cannot have is escaped. */
static void print_cell(const text_t *cell, text_t *text)
{
    size_t len = cell->len <= BODY_MAX ? cell->len : BODY_MAX;
    text_print(text, "`");
    for (size_t i = 0; i < len; i++)
        text_print(text, cell->bytes[i] == '|' ? "\\|" : "%c", cell->bytes[i]);
    text_print(text, len < cell->len ? " ...`" : "`");
}

static void print_body(const layout_t *l, const rule_t *rule, text_t *text)
{
    text_t body;
    text_init(&body, l->arena);
    grammar_print_node(rule->body, &body);
    print_cell(&body, text);
}

/* ---------------------------------------------------------------- elements */

typedef VEC(const rule_t *) rules_t;

static void add_rule(arena_t *arena, rules_t *rules, const rule_t *rule)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i] == rule)
            return;
    vec_push(arena, rules, rule);
}

/* By element, the rules that emit it. */
static rules_t *rules_of_elements(const layout_t *l)
{
    const nfa_t *nfa = l->dfa->nfa;
    rules_t *rules = ARENA_ARRAY(l->arena, rules_t, nfa->elements.count + 1);
    for (size_t i = 0; i < nfa->states.count; i++) {
        const nfa_state_t *s = &nfa->states.items[i];
        const op_t *op = s->kind == NFA_OP ? &nfa->ops.items[s->op] : NULL;
        if (op && op->kind == OP_OPEN && s->context->rule)
            add_rule(l->arena, &rules[op->element], s->context->rule);
    }
    return rules;
}

static void print_senders(unsigned senders, text_t *text)
{
    static const char *const names[] = {"client", "server", "datagram", "sub-stream"};
    const char *before = "";
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (senders >> i & 1) {
            text_print(text, "%s%s", before, names[i]);
            before = ", ";
        }
}

static void print_element(const layout_t *l, unsigned e, const rules_t *rules, text_t *text)
{
    const element_t *element = &l->dfa->nfa->elements.items[e];
    text_print(text, "| `");
    emit_path(l, e, text);
    text_print(text, "` | ");
    print_senders(element->senders, text);
    text_print(text, " | %s | ", element->is_stream ? "in pieces" : element->separator ? "joined" : "whole");
    for (size_t i = 0; i < rules->count; i++) {
        text_print(text, "%s%s = ", i ? "; " : "", rules->items[i]->name);
        print_body(l, rules->items[i], text);
    }
    text_print(text, " | %s |\n", rules->count ? rules->items[0]->section : "");
}

static void print_elements(const layout_t *l, text_t *text)
{
    const rules_t *rules = rules_of_elements(l);
    const nfa_t *nfa = l->dfa->nfa;
    if (nfa->elements.count == 0)
        return;
    text_print(text, "\n## Elements\n\nA subscription is to `%s.` and the tail of a path: to `%s.%s`, for example.\n\n",
               l->grammar->name, l->grammar->name, nfa->elements.items[nfa->elements.count > 1].name);
    text_print(text, "| path | sent by | comes | rule | section |\n|---|---|---|---|---|\n");
    for (unsigned e = 0; e < nfa->elements.count; e++)
        print_element(l, e, &rules[e], text);
}

/* ---------------------------------------------------------------- what rules say */

typedef void (*visit_t)(const layout_t *l, const rule_t *rule, const node_t *alternative, const note_t *note, text_t *text);

/* Calls `visit` for the annotations of that kind; `alternative` is the one that has it, or the rule's whole body. */
static void visit_notes(const layout_t *l, note_kind_t kind, visit_t visit, text_t *text)
{
    for (size_t i = 0; i < l->grammar->rules.count; i++) {
        const rule_t *rule = l->grammar->rules.items[i];
        for (size_t n = 0; n < rule->notes.count; n++)
            if (rule->notes.items[n]->kind == kind)
                visit(l, rule, rule->body, rule->notes.items[n], text);
        const node_t *body = rule->body;
        for (size_t k = 0; k < body->children.count; k++)
            for (size_t n = 0; n < body->children.items[k]->notes.count; n++)
                if (body->children.items[k]->notes.items[n]->kind == kind)
                    visit(l, rule, body->children.items[k], body->children.items[k]->notes.items[n], text);
    }
}

static void print_anomaly(const layout_t *l, const rule_t *rule, const node_t *alternative, const note_t *note, text_t *text)
{
    text_t cell;
    text_init(&cell, l->arena);
    grammar_print_node(alternative, &cell);
    text_print(text, "| `%s` | %s: ", note->name, rule->name);
    print_cell(&cell, text);
    text_print(text, " | %s |\n", rule->section);
}

static void print_feed(const layout_t *l, const rule_t *rule, const node_t *alternative, const note_t *note, text_t *text)
{
    (void)l;
    (void)alternative;
    if (!note->rule)
        text_print(text, "- what `%s` reads is read as `%s`\n", rule->name, note->name);
}

static void print_become(const layout_t *l, const rule_t *rule, const node_t *alternative, const note_t *note, text_t *text)
{
    (void)l;
    (void)alternative;
    if (note->reg)
        text_print(text, "- behind `%s`, both sides go over to the protocol that `%s` names\n", rule->name, note->reg->name);
    else if (strcmp(note->name, "?") == 0)
        text_print(text, "- behind `%s`, both sides go over to a protocol that is found by what they say\n", rule->name);
    else
        text_print(text, "- behind `%s`, both sides go over to `%s`\n", rule->name, note->name);
}

static void print_expect(const layout_t *l, const rule_t *rule, const node_t *alternative, const note_t *note, text_t *text)
{
    (void)l;
    (void)alternative;
    text_print(text, "- `%s` announces another conversation, read as `%s`\n", rule->name, note->name);
}

/* ---------------------------------------------------------------- the page */

static void print_root(const char *name, const node_t *root, text_t *text)
{
    if (!root)
        return;
    text_print(text, "%s: ", name);
    grammar_print_node(root, text);
    text_print(text, "\n");
}

/* A heading before what is printed, if anything is. */
static void print_section(const char *heading, const text_t *body, text_t *text)
{
    if (body->len)
        text_print(text, "\n## %s\n\n%s", heading, body->bytes);
}

void reference_print(const layout_t *l, text_t *text)
{
    const grammar_t *g = l->grammar;
    text_t anomalies, others;
    text_init(&anomalies, l->arena);
    text_init(&others, l->arena);
    text_print(text, "# %s\n\n`%s`. Generated by qcapgen from", g->title ? g->title : g->name, g->name);
    emit_files(l, text);
    text_print(text, ". Do not edit.\n\n");
    for (size_t i = 0; i < g->ports.count; i++)
        text_print(text, "%s%s %u", i ? ", " : "Usual ports: ", g->ports.items[i].transport, g->ports.items[i].number);
    text_print(text, "%s", g->ports.count ? "\n\n" : "");
    if (g->is_entered)
        text_print(text, "It is not looked for in what two sides say: other protocols lead to it.\n\n");
    text_print(text, "```\n");
    print_root("the client sends", g->client, text);
    print_root("the server sends", g->server, text);
    print_root("a datagram is", g->datagram, text);
    text_print(text, "```\n");
    print_elements(l, text);
    visit_notes(l, NOTE_ANOMALY, print_anomaly, &anomalies);
    if (anomalies.len)
        text_print(text, "\n## Anomalies\n\nWhat is taken although its RFC does not have it, and reported.\n\n"
                         "| name | where | section |\n|---|---|---|\n%s", anomalies.bytes);
    visit_notes(l, NOTE_FEED, print_feed, &others);
    visit_notes(l, NOTE_BECOME, print_become, &others);
    visit_notes(l, NOTE_EXPECT, print_expect, &others);
    print_section("Other protocols", &others, text);
}
