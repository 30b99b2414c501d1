/* ending.c: the parts of an `until`, one behind the other. */
#include "ending.h"

static void add(arena_t *arena, ending_t *ending, const unsigned char *bytes, size_t len, bool is_case_ignored)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char lower = bytes[i] | 0x20u;
        bool is_folded = is_case_ignored && lower >= 'a' && lower <= 'z';
        vec_push(arena, &ending->text, is_folded ? lower : bytes[i]);
        vec_push(arena, &ending->folds, is_folded ? (unsigned char)0x20 : (unsigned char)0);
    }
}

/* The one text that a node reads. */
static void add_node(arena_t *arena, ending_t *ending, const node_t *node)
{
    unsigned char byte;
    switch (node->kind) {
    case NODE_SET:
        byte = (unsigned char)charset_first(&node->set);
        add(arena, ending, &byte, 1, false);
        break;
    case NODE_STRING:
        add(arena, ending, (const unsigned char *)node->text, node->len, !node->is_case_sensitive);
        break;
    case NODE_RULE:
        add_node(arena, ending, node->rule->body);
        break;
    case NODE_REPEAT:
        for (unsigned i = 0; i < node->min; i++)
            add_node(arena, ending, node->children.items[0]);
        break;
    default:
        for (size_t i = 0; i < node->children.count; i++)
            add_node(arena, ending, node->children.items[i]);
        break;
    }
}

bool ending_find(arena_t *arena, const note_t *until, number_get_t get, void *user, ending_t *ending)
{
    *ending = (ending_t){0};
    for (size_t i = 0; i < until->parts.count; i++) {
        const until_part_t *part = &until->parts.items[i];
        if (!part->reg) {
            add_node(arena, ending, part->node);
            continue;
        }
        number_t value = get(part->reg, user);
        if (value.state != NUMBER_SET || value.is_cut || value.value == 0)
            return false;
        add(arena, ending, value.bytes, (size_t)value.value, false);
    }
    return true;
}

ending_fit_t ending_fit(const ending_t *ending, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < ending->text.count; i++) {
        if (i == len)
            return ENDING_MAYBE;
        if ((bytes[i] | ending->folds.items[i]) != ending->text.items[i])
            return ENDING_NOT;
    }
    return ENDING_HERE;
}
