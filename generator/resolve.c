/* resolve.c: from a syntax tree to a grammar.
 *
 * Rules are resolved as they are needed: the roots and the rules of the main file refer to others, which are built in
 * turn and refer to more. So what an import has and nothing uses is not looked at, and cannot be wrong.
 *
 *     scope       which rule a name means                                  scope.c
 *     registers   what is declared                                         resolve_register.c
 *     bodies      expressions to nodes, with the lists written out         resolve_body.c
 *     notes       annotations, with what they calculate                    resolve_notes.c, resolve_expr.c
 *     checks      recursion, empty loops, reach, widths                    resolve_check.c, _empty.c, _width.c
 *
 * A mistake is reported once and what it touches is left out, so that what is found later is wrong in its own right. */
#include "resolve.h"

#include <stdlib.h>

#include "resolver.h"
#include "source.h"

/* ---------------------------------------------------------------- rules */

static bool has_when(const alternative_t *alternative)
{
    for (size_t i = 0; i < alternative->notes.count; i++)
        if (alternative->notes.items[i]->kind == NOTE_WHEN)
            return true;
    return false;
}

/* `when` on one alternative makes it a choice by registers: all have one, but for the one that is taken else. */
static void check_when(resolver_t *resolver, const definition_t *definition)
{
    size_t with = 0;

    for (size_t i = 0; i < definition->alternatives.count; i++)
        with += has_when(&definition->alternatives.items[i]);
    if (with && with + 1 < definition->alternatives.count)
        diag_error(resolver->diag, definition->place, "in `%s`, every alternative but one needs a `when`",
                   definition->name);
}

static const node_t *build_alternatives(resolver_t *resolver, const definition_t *definition)
{
    node_t *body = resolve_new_node(resolver, NODE_CHOICE, definition->place);

    for (size_t i = 0; i < definition->alternatives.count; i++) {
        const alternative_t *alternative = &definition->alternatives.items[i];
        node_t *node = resolve_node(resolver, alternative->node);
        resolve_notes(resolver, definition->rule, node, true, &alternative->notes, &node->notes);
        vec_push(resolver->arena, &body->children, node);
    }
    check_when(resolver, definition);
    return body;
}

/* The rule's notes; those of an only alternative are the rule's, too. */
static ast_notes_t rule_notes(resolver_t *resolver, const definition_t *definition)
{
    ast_notes_t notes = {.count = 0};

    for (size_t i = 0; definition->alternatives.count == 1 && i < definition->alternatives.items[0].notes.count; i++)
        vec_push(resolver->arena, &notes, definition->alternatives.items[0].notes.items[i]);
    for (size_t i = 0; i < definition->notes.count; i++)
        vec_push(resolver->arena, &notes, definition->notes.items[i]);
    return notes;
}

/* Those of the notes that are `when`, or those that are not. */
static ast_notes_t pick_notes(resolver_t *resolver, const ast_notes_t *notes, bool is_when)
{
    ast_notes_t picked = {.count = 0};

    for (size_t i = 0; i < notes->count; i++)
        if ((notes->items[i]->kind == NOTE_WHEN) == is_when)
            vec_push(resolver->arena, &picked, notes->items[i]);
    return picked;
}

/* An only alternative; with a `when` it is a choice of one, and what is not `when` is said of the rule. */
static const node_t *build_alternative(resolver_t *resolver, const definition_t *definition, ast_notes_t *notes)
{
    node_t *node = resolve_node(resolver, definition->alternatives.items[0].node);
    const ast_notes_t when = pick_notes(resolver, notes, true);

    if (!when.count)
        return node;
    node_t *body = resolve_new_node(resolver, NODE_CHOICE, definition->place);
    resolve_notes(resolver, definition->rule, node, true, &when, &node->notes);
    vec_push(resolver->arena, &body->children, node);
    *notes = pick_notes(resolver, notes, false);
    return body;
}

static void build_rule(resolver_t *resolver, const definition_t *definition)
{
    rule_t *rule = definition->rule;
    ast_notes_t notes = rule_notes(resolver, definition);

    rule->body = definition->alternatives.count > 1 ? build_alternatives(resolver, definition)
                                                    : build_alternative(resolver, definition, &notes);
    resolve_notes(resolver, rule, rule->body, false, &notes, &rule->notes);
}

/* Building a rule may want others: the list grows while it is gone through. */
static void build_rules(resolver_t *resolver)
{
    for (size_t i = 0; i < resolver->wanted.count && resolver->node_count <= NODE_MAX; i++)
        build_rule(resolver, resolver->wanted.items[i]);
}

/* Rules whose texts elements join are told so, now that all elements are known. */
static void mark_parts(resolver_t *resolver)
{
    for (size_t i = 0; i < resolver->wanted.count; i++) {
        const definition_t *definition = resolver->wanted.items[i];
        if (!definition->is_part)
            continue;
        note_t *note = ARENA_NEW(resolver->arena, note_t);
        note->kind = NOTE_PART;
        note->place = definition->place;
        note->convert = grammar_conversion("part");
        vec_push(resolver->arena, &definition->rule->notes, note);
    }
}

static int compare_order(const void *a, const void *b)
{
    unsigned first = (*(definition_t *const *)a)->order, second = (*(definition_t *const *)b)->order;

    return (first > second) - (first < second);
}

static void list_rules(resolver_t *resolver)
{
    if (!resolver->wanted.count) /* and so no items, which qsort() wants all the same */
        return;
    qsort(resolver->wanted.items, resolver->wanted.count, sizeof *resolver->wanted.items, compare_order);
    for (size_t i = 0; i < resolver->wanted.count; i++) {
        resolver->wanted.items[i]->rule->index = (unsigned)i;
        vec_push(resolver->arena, &resolver->grammar->rules, resolver->wanted.items[i]->rule);
    }
}

/* ---------------------------------------------------------------- what is not a rule */

static void resolve_roots(resolver_t *resolver, const ast_t *ast)
{
    const node_t *roots[ROOT_COUNT] = {NULL};

    for (int i = 0; i < ROOT_COUNT; i++)
        if (ast->roots[i])
            roots[i] = resolve_node(resolver, ast->roots[i]);
    resolver->grammar->client = roots[ROOT_CLIENT];
    resolver->grammar->server = roots[ROOT_SERVER];
    resolver->grammar->datagram = roots[ROOT_DATAGRAM];
}

/* In names of what generated code includes, these stand behind the `qcap_` that its own names begin with, too. */
static bool is_taken(resolver_t *resolver, const char *name)
{
    static const char *const words[] = {
        "about", "accumulator", "action", "and", "bytes", "choose", "control", "control_kind", "conversation",
        "conversion", "convert", "convert_kind", "counter", "datagram", "decode", "decode_io", "decode_status",
        "decoded", "decoder", "done", "edge", "element", "error", "error_code", "event", "event_handler", "event_kind",
        "expect", "expected", "failure", "feed", "find_handler", "frame", "grows", "host", "joined", "jump", "keep",
        "keeper", "keywords", "later", "loop", "machine", "memory_handler", "number", "number_state", "op", "op_kind",
        "operator", "parser", "parser_status", "piece", "place", "port", "protocol", "queue", "queue_entry",
        "queue_key", "queue_state", "region", "register", "root", "search", "segment_of", "side", "slot", "state", "state_kind",
        "step", "stop", "substream", "suspend", "text", "two", "undecided", "underway", "until", "watch",
    };
    char *identifier = arena_copy(resolver->arena, name, strlen(name));
    bool is_equal = false;

    for (char *c = identifier; *c; c++)
        *c = *c == '-' ? '_' : *c;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        is_equal |= name_equal(identifier, words[i]);
    return is_equal;
}

/* A protocol is read from somewhere on, and what is read needs a name. */
static void resolve_protocol(resolver_t *resolver, const ast_t *ast)
{
    const ast_node_t *root = NULL;

    for (int i = ROOT_COUNT; i-- > 0;)
        root = ast->roots[i] ? ast->roots[i] : root;
    resolver->grammar->name = ast->protocol.text;
    resolver->grammar->title = ast->title.text;
    if (ast->protocol.text && is_taken(resolver, ast->protocol.text))
        diag_error(resolver->diag, ast->protocol.place, "no protocol can be called `%s`: parser.h has names that begin with qcap_%s",
                   ast->protocol.text, ast->protocol.text);
    if (root && !ast->protocol.text)
        diag_error(resolver->diag, root->place, "the protocol has no name: `;@ protocol NAME \"TITLE\"` is missing");
    if (!root && ast->protocol.text)
        diag_error(resolver->diag, ast->protocol.place, "protocol `%s` has no `client`, `server` or `datagram`",
                   ast->protocol.text);
}

static void resolve_hints(resolver_t *resolver, const ast_t *ast)
{
    for (size_t i = 0; i < ast->ports.count; i++) {
        port_t port = {.transport = ast->ports.items[i].transport.text, .number = ast->ports.items[i].number};
        vec_push(resolver->arena, &resolver->grammar->ports, port);
    }
    resolver->grammar->depth = ast->depth ? ast->depth : GRAMMAR_DEPTH;
    resolver->grammar->is_entered = ast->entered.source != NULL;
    if (resolver->grammar->is_entered && ast->ports.count > 0)
        diag_error(resolver->diag, ast->entered, "`entered`: a protocol that is never looked for has no use for a `port`");
}

/* All but the core rules, which are no file. */
static void list_files(resolver_t *resolver)
{
    for (size_t i = 0; i + 1 < resolver->scope->files.count; i++) {
        const char *path = resolver->scope->files.items[i]->ast->source->path;
        vec_push(resolver->arena, &resolver->grammar->files, path);
    }
}

/* Rules of the main file are looked at whether or not the roots reach them, and so are rules that it annotates. */
static void want_rules(resolver_t *resolver, const ast_t *ast)
{
    for (size_t i = 0; i < resolver->scope->definitions.count; i++)
        if (resolver->scope->definitions.items[i]->is_main)
            resolve_rule(resolver, resolver->scope->definitions.items[i]);
    for (size_t i = 0; i < ast->remarks.count; i++) {
        definition_t *definition = scope_find(resolver->scope, &ast->remarks.items[i].rule);
        if (definition)
            resolve_rule(resolver, definition);
    }
}

grammar_t *resolve(arena_t *arena, const ast_t *ast, diag_t *diag)
{
    resolver_t resolver = {.arena = arena, .diag = diag, .grammar = ARENA_NEW(arena, grammar_t)};

    if (diag_has_errors(diag)) /* of syntax: half a tree would only cause more */
        return NULL;
    resolver.registers.arena = resolver.queues.arena = resolver.unknown.arena = arena;
    resolver.grammar->arena = arena;
    resolver.scope = scope_build(arena, ast, diag);
    resolve_registers(&resolver);
    resolve_roots(&resolver, ast);
    resolve_protocol(&resolver, ast);
    resolve_hints(&resolver, ast);
    want_rules(&resolver, ast);
    build_rules(&resolver);
    mark_parts(&resolver);
    resolve_register_lists(&resolver);
    list_rules(&resolver);
    list_files(&resolver);
    if (resolve_check_recursion(&resolver)) {
        resolve_check_reach(&resolver);
        resolve_check_widths(&resolver);
        resolve_empty_loops(&resolver); /* last: it replaces references */
    }
    return diag_has_errors(diag) ? NULL : resolver.grammar;
}
