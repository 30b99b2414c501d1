/* ast.c: making nodes of the syntax tree, and printing it as the ABNF that it was, with groups only where the tree
 * needs them. Annotations are printed as they are written; what they mean shows when they are resolved (grammar.c). */
#include "ast.h"

#include <inttypes.h>

#include "source.h"

ast_node_t *ast_node_new(arena_t *arena, ast_kind_t kind, place_t place)
{
    ast_node_t *node = ARENA_NEW(arena, ast_node_t);

    node->kind = kind;
    node->place = place;
    return node;
}

ast_node_t *ast_join(arena_t *arena, ast_kind_t kind, ast_node_t *first, ast_node_t *next)
{
    ast_node_t *joined = first;

    if (first->kind != kind) {
        joined = ast_node_new(arena, kind, first->place);
        vec_push(arena, &joined->children, first);
    }
    joined->place = place_span(joined->place, next->place);
    vec_push(arena, &joined->children, next);
    return joined;
}

/* ---------------------------------------------------------------- printing */

/* A string that has only printable bytes is quoted, any other is a %x value. */
static void print_set(const ast_node_t *node, text_t *text)
{
    int digits = node->width ? (int)node->width * 2 : 2;

    text_print(text, "%%x%0*" PRIX64, digits, node->first);
    if (node->first != node->last)
        text_print(text, "-%0*" PRIX64, digits, node->last);
}

static void print_times(const ast_node_t *node, text_t *text)
{
    if (node->min)
        text_print(text, "%u", node->min);
    text_print(text, "%s", node->kind == AST_LIST ? "#" : "*");
    if (node->max != REPEAT_UNBOUNDED)
        text_print(text, "%u", node->max);
}

static void print_node(const ast_node_t *node, bool is_part, text_t *text);

/* Parts of a tree are enclosed where the tree has more than one thing in a place for one. */
static void print_children(const ast_node_t *node, bool is_part, const char *separator, text_t *text)
{
    text_print(text, "%s", is_part ? "( " : "");
    for (size_t i = 0; i < node->children.count; i++) {
        text_print(text, "%s", i ? separator : "");
        print_node(node->children.items[i], true, text);
    }
    text_print(text, "%s", is_part ? " )" : "");
}

static void print_node(const ast_node_t *node, bool is_part, text_t *text)
{
    switch (node->kind) {
    case AST_NAME:
        text_print(text, "%s", node->text);
        break;
    case AST_PROSE:
        text_print(text, "<%s>", node->text);
        break;
    case AST_STRING:
        text_abnf_string(text, node->text, node->len, node->is_case_sensitive);
        break;
    case AST_SET:
        print_set(node, text);
        break;
    case AST_ALTERNATION:
        print_children(node, is_part, " / ", text);
        break;
    case AST_CONCATENATION:
        print_children(node, is_part, " ", text);
        break;
    case AST_REPETITION:
    case AST_LIST:
        print_times(node, text);
        print_node(node->children.items[0], true, text);
        break;
    }
}

/* As they are written. */
static void print_notes(const ast_notes_t *notes, text_t *text)
{
    for (size_t i = 0; i < notes->count; i++) {
        const place_t *place = &notes->items[i]->place;
        text_print(text, "%s", i ? ", " : "   ;@ ");
        text_append(text, place->source->text + place->offset, place->len);
    }
    text_print(text, "\n");
}

void ast_print(const ast_t *ast, text_t *text)
{
    text_print(text, "; %s\n", source_base_name(ast->source->path));
    for (size_t i = 0; i < ast->rules.count; i++) {
        const ast_rule_t *rule = ast->rules.items[i];
        text_print(text, "%s =%s", rule->name.text, rule->is_addition ? "/" : "");
        print_notes(&rule->notes, text);
        for (size_t k = 0; k < rule->alternatives.count; k++) {
            text_print(text, "    %s", k ? "/ " : "  ");
            print_node(rule->alternatives.items[k].node, rule->alternatives.items[k].node->kind == AST_ALTERNATION,
                       text);
            print_notes(&rule->alternatives.items[k].notes, text);
        }
    }
}
