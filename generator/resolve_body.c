/* resolve_body.c: expressions of the syntax tree as nodes of the grammar.
 *
 * Names become references, prose values too, and list extensions are written out (note [lists]). A name that nothing
 * defines has been reported; an empty node stands in for it, which no later stage sees. */
#include "resolver.h"

#include "coding.h"

node_t *resolve_new_node(resolver_t *resolver, node_kind_t kind, place_t place)
{
    node_t *node = ARENA_NEW(resolver->arena, node_t);

    if (resolver->node_count++ == NODE_MAX)
        diag_error(resolver->diag, place, "the grammar has more than %d parts", NODE_MAX);
    node->kind = kind;
    node->place = place;
    return node;
}

rule_t *resolve_rule(resolver_t *resolver, definition_t *definition)
{
    if (!definition->rule) {
        definition->rule = ARENA_NEW(resolver->arena, rule_t);
        definition->rule->name = definition->name;
        definition->rule->place = definition->place;
        definition->rule->section = definition->section;
        definition->rule->is_core = definition->is_core;
        vec_push(resolver->arena, &resolver->wanted, definition);
    }
    return definition->rule;
}

/* ---------------------------------------------------------------- small nodes */

static node_t *reference(resolver_t *resolver, definition_t *definition, place_t place)
{
    node_t *node = resolve_new_node(resolver, definition ? NODE_RULE : NODE_EMPTY, place);

    if (definition)
        node->rule = resolve_rule(resolver, definition);
    return node;
}

static node_t *string(resolver_t *resolver, const ast_node_t *ast)
{
    node_t *node = resolve_new_node(resolver, ast->len ? NODE_STRING : NODE_EMPTY, ast->place);

    node->text = ast->text;
    node->len = ast->len;
    node->is_case_sensitive = ast->is_case_sensitive;
    return node;
}

static node_t *literal(resolver_t *resolver, const char *text, place_t place)
{
    node_t *node = resolve_new_node(resolver, NODE_STRING, place);

    node->text = text;
    node->len = strlen(text);
    return node;
}

static node_t *set(resolver_t *resolver, charset_t bytes, place_t place)
{
    node_t *node = resolve_new_node(resolver, NODE_SET, place);

    node->set = bytes;
    return node;
}

/* What code points or numbers are as bytes: a choice of sequences, one for each row. */
static node_t *encodings(resolver_t *resolver, const ast_node_t *ast)
{
    coding_rows_t rows = {.count = 0};
    node_t *choice = resolve_new_node(resolver, NODE_CHOICE, ast->place);

    if (ast->width)
        coding_add_numbers(resolver->arena, ast->first, ast->last, ast->width, &rows);
    else
        coding_add_code_points(resolver->arena, ast->first, ast->last, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        const coding_row_t *row = &rows.items[i];
        node_t *sequence = resolve_new_node(resolver, NODE_SEQUENCE, ast->place);
        for (unsigned k = 0; k < row->len; k++)
            vec_push(resolver->arena, &sequence->children,
                     set(resolver, charset_range(row->low[k], row->high[k]), ast->place));
        vec_push(resolver->arena, &choice->children, row->len == 1 ? sequence->children.items[0] : sequence);
    }
    return choice->children.count == 1 ? (node_t *)choice->children.items[0] : choice;
}

/* A sequence of children; SEQUENCE() counts them. */
static node_t *sequence(resolver_t *resolver, place_t place, size_t count, node_t *const children[])
{
    node_t *node = resolve_new_node(resolver, NODE_SEQUENCE, place);

    for (size_t i = 0; i < count; i++)
        vec_push(resolver->arena, &node->children, children[i]);
    return node;
}

#define SEQUENCE(resolver, place, ...)                                                                                 \
    sequence(resolver, place, sizeof((node_t *[]){__VA_ARGS__}) / sizeof(node_t *), (node_t *[]){__VA_ARGS__})

static node_t *repeat(resolver_t *resolver, unsigned min, unsigned max, node_t *child)
{
    if (max == 0)
        return resolve_new_node(resolver, NODE_EMPTY, child->place);
    if (min == 1 && max == 1)
        return child;
    node_t *node = resolve_new_node(resolver, NODE_REPEAT, child->place);
    node->min = min;
    node->max = max;
    vec_push(resolver->arena, &node->children, child);
    return node;
}

static node_t *many(resolver_t *resolver, node_t *child)
{
    return repeat(resolver, 0, REPEAT_UNBOUNDED, child);
}

static node_t *maybe(resolver_t *resolver, node_t *child)
{
    return repeat(resolver, 0, 1, child);
}

/* ---------------------------------------------------------------- lists
 *
 * note [lists]: RFC 9110, 5.6.1.2 lets a recipient take empty elements:
 *
 *     #a   is   [ a ] *( OWS "," OWS [ a ] )
 *
 * There, the blanks of `a, , b` belong to the OWS before a comma or to the one behind it, and those behind a last comma
 * to the list or to what follows it. Here blanks are read in one way only: between elements and commas they belong to
 * what comes next, and behind the last comma they are no part of the list.
 *
 *     #a   is   [ ( a / "," [ OWS a ] ) *( OWS "," [ OWS a ] ) ]
 *     1#a  is   *( "," OWS ) a *( OWS "," [ OWS a ] )
 *     n#ma is   *( "," OWS ) a (n-1)*(m-1)( 1*( OWS "," ) OWS a ) *( OWS "," )            in brackets if n is 0
 */

/* OWS is the rule of that name; RFC 9110, 5.6.3 says what it is where a spec has none. */
static node_t *blanks(resolver_t *resolver, place_t place)
{
    definition_t *definition = scope_find(resolver->scope, &(ast_name_t){.text = "OWS", .place = place});

    if (definition)
        return reference(resolver, definition, place);
    return many(resolver, set(resolver, charset_union(charset_range(' ', ' '), charset_range('\t', '\t')), place));
}

/* *( OWS "," [ OWS a ] ) */
static node_t *list_rest(resolver_t *resolver, const ast_node_t *element, place_t place)
{
    node_t *next = SEQUENCE(resolver, place, blanks(resolver, place), resolve_node(resolver, element));

    return many(resolver, SEQUENCE(resolver, place, blanks(resolver, place), literal(resolver, ",", place),
                                   maybe(resolver, next)));
}

/* *( "," OWS ) a */
static node_t *list_start(resolver_t *resolver, const ast_node_t *element, place_t place)
{
    node_t *empty = SEQUENCE(resolver, place, literal(resolver, ",", place), blanks(resolver, place));

    return SEQUENCE(resolver, place, many(resolver, empty), resolve_node(resolver, element));
}

static node_t *any_list(resolver_t *resolver, const ast_node_t *element, place_t place)
{
    node_t *next = SEQUENCE(resolver, place, blanks(resolver, place), resolve_node(resolver, element));
    node_t *comma = SEQUENCE(resolver, place, literal(resolver, ",", place), maybe(resolver, next));
    node_t *start = resolve_new_node(resolver, NODE_CHOICE, place);

    vec_push(resolver->arena, &start->children, resolve_node(resolver, element));
    vec_push(resolver->arena, &start->children, comma);
    return maybe(resolver, SEQUENCE(resolver, place, start, list_rest(resolver, element, place)));
}

static node_t *counted_list(resolver_t *resolver, const ast_node_t *ast, const ast_node_t *element)
{
    place_t place = ast->place;
    node_t *commas = SEQUENCE(resolver, place, blanks(resolver, place), literal(resolver, ",", place));
    node_t *next = SEQUENCE(resolver, place, repeat(resolver, 1, REPEAT_UNBOUNDED, commas), blanks(resolver, place),
                            resolve_node(resolver, element));
    node_t *rest = SEQUENCE(resolver, place, blanks(resolver, place), literal(resolver, ",", place));
    unsigned max = ast->max == REPEAT_UNBOUNDED ? REPEAT_UNBOUNDED : ast->max - 1;
    node_t *list = SEQUENCE(resolver, place, list_start(resolver, element, place),
                            repeat(resolver, ast->min ? ast->min - 1 : 0, max, next), many(resolver, rest));

    return ast->min ? list : maybe(resolver, list);
}

static node_t *list(resolver_t *resolver, const ast_node_t *ast)
{
    const ast_node_t *element = ast->children.items[0];

    if (resolver->node_count > NODE_MAX || ast->max == 0)
        return resolve_new_node(resolver, NODE_EMPTY, ast->place);
    if (ast->min == 0 && ast->max == REPEAT_UNBOUNDED)
        return any_list(resolver, element, ast->place);
    if (ast->min == 1 && ast->max == REPEAT_UNBOUNDED)
        return SEQUENCE(resolver, ast->place, list_start(resolver, element, ast->place),
                        list_rest(resolver, element, ast->place));
    return counted_list(resolver, ast, element);
}

/* ---------------------------------------------------------------- trees */

static node_t *with_children(resolver_t *resolver, node_kind_t kind, const ast_node_t *ast)
{
    node_t *node = resolve_new_node(resolver, kind, ast->place);

    for (size_t i = 0; i < ast->children.count; i++)
        vec_push(resolver->arena, &node->children, resolve_node(resolver, ast->children.items[i]));
    return node;
}

static node_t *repetition(resolver_t *resolver, const ast_node_t *ast)
{
    node_t *node = repeat(resolver, ast->min, ast->max, resolve_node(resolver, ast->children.items[0]));

    node->place = ast->place;
    return node;
}

node_t *resolve_node(resolver_t *resolver, const ast_node_t *ast)
{
    switch (ast->kind) {
    case AST_NAME:
        return reference(resolver, scope_get(resolver->scope, &(ast_name_t){.text = ast->text, .place = ast->place}),
                         ast->place);
    case AST_PROSE:
        return reference(resolver, scope_get_prose(resolver->scope, ast), ast->place);
    case AST_STRING:
        return string(resolver, ast);
    case AST_SET:
        if (ast->width || ast->last > 0xff)
            return encodings(resolver, ast);
        return set(resolver, charset_range((unsigned)ast->first, (unsigned)ast->last), ast->place);
    case AST_ALTERNATION:
        return with_children(resolver, NODE_CHOICE, ast);
    case AST_CONCATENATION:
        return with_children(resolver, NODE_SEQUENCE, ast);
    case AST_REPETITION:
        return repetition(resolver, ast);
    case AST_LIST:
        break;
    }
    return list(resolver, ast);
}
