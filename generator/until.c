/* until.c: what ends a rule by `until`, as texts: strings, bytes, rules that read just one text (CRLF), registers. */
#include "until.h"

#define DEPTH_MAX 16u /* of rules inside rules; RFCs need 2 */

/* Adds the one text that the node reads. False if it reads none, or several. */
static bool add_text(const node_t *node, unsigned depth, bool *is_case_sensitive, text_t *text)
{
    charset_t set;
    if (node->kind == NODE_STRING) {
        text_append(text, node->text, node->len);
        *is_case_sensitive &= node->is_case_sensitive;
        return true;
    }
    if (nfa_set_of(node, &set)) {
        const char byte = (char)charset_first(&set);
        text_append(text, &byte, 1);
        return charset_count(&set) == 1;
    }
    if (node->kind == NODE_RULE)
        return depth > 0 && add_text(node->rule->body, depth - 1, is_case_sensitive, text);
    bool is_right = node->kind == NODE_SEQUENCE;
    for (size_t i = 0; i < node->children.count && is_right; i++)
        is_right = add_text(node->children.items[i], depth, is_case_sensitive, text);
    return is_right;
}

/* Is it the same in upper and lower case? */
static bool has_letters(const text_t *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((text->bytes[i] >= 'a' && text->bytes[i] <= 'z') || (text->bytes[i] >= 'A' && text->bytes[i] <= 'Z'))
            return true;
    return false;
}

static void add_piece(arena_t *arena, piece_t piece, pieces_t *pieces)
{
    piece_t *last = pieces->count ? &pieces->items[pieces->count - 1] : NULL;
    if (!last || last->reg || piece.reg || last->is_case_sensitive != piece.is_case_sensitive) {
        vec_push(arena, pieces, piece);
        return;
    }
    text_t joined;
    text_init(&joined, arena);
    text_append(&joined, last->text, last->len);
    text_append(&joined, piece.text, piece.len);
    last->text = joined.bytes;
    last->len = joined.len;
}

pieces_t until_pieces(arena_t *arena, const note_t *note, diag_t *diag)
{
    pieces_t pieces = {0};
    for (size_t i = 0; i < note->parts.count; i++) {
        const until_part_t *part = &note->parts.items[i];
        piece_t piece = {.reg = part->reg, .text = "", .is_case_sensitive = true};
        text_t text;
        text_init(&text, arena);
        if (part->node && (!add_text(part->node, DEPTH_MAX, &piece.is_case_sensitive, &text) || text.len == 0)) {
            diag_error(diag, part->place, "this is not one text, so it cannot end anything");
            continue;
        }
        piece.text = text.len ? text.bytes : "";
        piece.len = text.len;
        piece.is_case_sensitive |= !has_letters(&text);
        add_piece(arena, piece, &pieces);
    }
    return pieces;
}

unsigned until_max(const pieces_t *pieces)
{
    size_t max = 0;
    for (size_t i = 0; i < pieces->count; i++)
        max += pieces->items[i].reg ? pieces->items[i].reg->size : pieces->items[i].len;
    return (unsigned)max;
}

bool until_is_line(const pieces_t *pieces)
{
    const piece_t *last = pieces->count ? &pieces->items[pieces->count - 1] : NULL;
    return last && !last->reg && last->text[last->len - 1] == '\n';
}
