/* sample_word.c: whether a node reads a word that an annotation names: all readings at once, places in the word being
 * bits. */
#include "sampler.h"

#include <ctype.h>

typedef struct word {
    const char *text;
    size_t len;
    unsigned depth;
} word_t;

static uint64_t reach(word_t *w, const node_t *node, uint64_t from);

static uint64_t reach_byte(const word_t *w, const node_t *node, size_t i, uint64_t from)
{
    uint64_t to = 0;
    for (size_t at = 0; at < w->len; at++) {
        unsigned byte = (unsigned char)w->text[at];
        bool is_read = node->kind == NODE_SET ? charset_has(&node->set, byte) : (unsigned char)node->text[i] == byte;
        if (node->kind == NODE_STRING && !node->is_case_sensitive)
            is_read = tolower((unsigned char)node->text[i]) == tolower((int)byte);
        if ((from >> at & 1) && is_read)
            to |= (uint64_t)1 << (at + 1);
    }
    return to;
}

static uint64_t reach_repeat(word_t *w, const node_t *node, uint64_t from)
{
    uint64_t to = 0;
    for (unsigned i = 0; from && i <= node->max && i <= node->min + w->len; i++) {
        if (i >= node->min)
            to |= from;
        from = reach(w, node->children.items[0], from);
    }
    return to;
}

/* The places that a reading can get to by the node from those in `from`. */
static uint64_t reach(word_t *w, const node_t *node, uint64_t from)
{
    uint64_t to = 0;
    switch (node->kind) {
    case NODE_EMPTY:
        return from;
    case NODE_SET:
        return reach_byte(w, node, 0, from);
    case NODE_STRING:
        for (size_t i = 0; i < node->len && from; i++)
            from = reach_byte(w, node, i, from);
        return from;
    case NODE_SEQUENCE:
        for (size_t i = 0; i < node->children.count && from; i++)
            from = reach(w, node->children.items[i], from);
        return from;
    case NODE_CHOICE:
        for (size_t i = 0; i < node->children.count; i++)
            to |= reach(w, node->children.items[i], from);
        return to;
    case NODE_REPEAT:
        return reach_repeat(w, node, from);
    case NODE_RULE:
        w->depth++;
        to = from && w->depth < 100 ? reach(w, node->rule->body, from) : 0;
        w->depth--;
        return to;
    }
    return to;
}

bool word_is_read(const node_t *node, const char *text, size_t len)
{
    word_t word = {.text = text, .len = len};
    return word.len <= WORD_MAX && (reach(&word, node, 1) >> word.len & 1);
}
