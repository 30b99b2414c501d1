/* dfa_print.c: a DFA as text, and a shortest input that leads to a state. */
#include "dfa.h"

/* ---------------------------------------------------------------- witnesses */

void dfa_witness(const dfa_t *dfa, unsigned state, text_t *text)
{
    unsigned path[512];
    unsigned len = 0;
    while (dfa->states.items[state].from != state && len < 512) {
        if (dfa->states.items[state].byte >= 0)
            path[len++] = state;
        state = dfa->states.items[state].from;
    }
    text_print(text, "\"");
    while (len > 0) {
        const dfa_state_t *s = &dfa->states.items[path[--len]];
        text_quoted_byte(text, (unsigned)s->byte);
        if (s->times > 0)
            text_print(text, "{%u}", s->times);
    }
    text_print(text, "\"");
}

/* ---------------------------------------------------------------- printing */

static void print_commits(const dfa_t *dfa, const pendings_t *commits, text_t *text)
{
    for (size_t i = 0; i < commits->count; i++) {
        const pending_t *p = &commits->items[i];
        text_print(text, "%s", i ? ", " : "");
        regop_print(&dfa->nfa->ops.items[p->op], text);
        if (p->at.reg >= 0)
            text_print(text, " @r%d", p->at.reg);
        else
            text_print(text, p->at.back ? " @-%u" : " @", p->at.back);
    }
}

static void print_edge(const dfa_t *dfa, const edge_t *edge, text_t *text)
{
    text_print(text, "  ");
    if (edge->is_end || edge->is_return) {
        text_print(text, edge->is_end ? "the end" : "returned");
    } else if (edge->limit) {
        text_print(text, edge->begin.reg >= 0 ? "%u bytes since r%d" : "%u bytes since -%u", edge->limit,
                   edge->begin.reg >= 0 ? (unsigned)edge->begin.reg : edge->begin.back);
    } else {
        charset_print(&edge->set, text);
        text_print(text, edge->is_peek ? " (not read)" : "");
    }
    text_print(text, " -> %u", edge->target);
    if (edge->commits.count) {
        text_print(text, " { ");
        print_commits(dfa, &edge->commits, text);
        text_print(text, " }");
    }
    for (size_t i = 0; i < edge->moves.count; i++)
        if (edge->moves.items[i].reg >= 0)
            text_print(text, " r%zu=r%d", i, edge->moves.items[i].reg);
        else
            text_print(text, " r%zu=-%u", i, edge->moves.items[i].back);
    text_print(text, "\n");
}

void dfa_print(const dfa_t *dfa, text_t *text)
{
    static const char *const kinds[] = {"", " entry", " control"};
    for (unsigned i = 0; i < dfa->states.count; i++) {
        const dfa_state_t *s = &dfa->states.items[i];
        text_print(text, "%u%s after ", i, kinds[s->kind]);
        dfa_witness(dfa, i, text);
        for (size_t k = 0; k < s->configs.count; k++) {
            const nfa_state_t *n = &dfa->nfa->states.items[s->configs.items[k].state];
            text_print(text, "%s%s:%u", k ? " " : "  ", n->context->rule ? n->context->rule->name : "-",
                       s->configs.items[k].state);
            if (s->configs.items[k].pendings.count) {
                text_print(text, "[");
                print_commits(dfa, &s->configs.items[k].pendings, text);
                text_print(text, "]");
            }
        }
        text_print(text, "\n");
        for (size_t k = 0; k < s->edges.count; k++)
            print_edge(dfa, &s->edges.items[k], text);
        if (s->is_accepting) {
            text_print(text, "  end { ");
            print_commits(dfa, &s->accept, text);
            text_print(text, " }\n");
        }
        if (s->kind == DFA_CONTROL) {
            const control_t *c = &dfa->controls.items[s->control];
            text_print(text, "  control %u:", s->control);
            for (size_t k = 0; k < c->targets.count; k++)
                text_print(text, " %u", c->targets.items[k]);
            text_print(text, "\n");
        }
    }
}
