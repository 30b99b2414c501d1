/* keyword.c: how one of a few words is recognised: a switch on the length, then switches on single bytes, as few as tell the
 * words apart, then one comparison of all bytes at once. What a text is not is mostly found out by the length.
 *
 * A hash would need a table, a product, and a word from another table; the switches are as short, hold at any count of
 * words, and leave the words where a reader finds them. */
#include "keyword.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vec.h"

#define INDENT_MAX 32

/* So many words are compared one after the other; more are told apart by a byte first. */
#define COMPARED_MAX 2

typedef VEC(unsigned) indices_t;

typedef struct writer {
    const char *const *words;
    text_t *text;
} writer_t;

static unsigned char small(char byte)
{
    return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
}

/* What the switch sees: large letters as small ones. Some other bytes are changed, too, in text and word alike. */
static unsigned char seen(const writer_t *w, unsigned word, size_t position)
{
    return (unsigned char)(w->words[word][position] | 0x20);
}

/* How many words the fullest branch would have. */
static unsigned fullest_branch(const writer_t *w, const indices_t *some, size_t position)
{
    unsigned counts[256] = {0}, fullest = 0;

    for (size_t i = 0; i < some->count; i++) {
        unsigned count = ++counts[seen(w, some->items[i], position)];
        fullest = count > fullest ? count : fullest;
    }
    return fullest;
}

/* The byte that tells most of them apart; false if none does: they are equal, or as good as. */
static bool find_position(const writer_t *w, const indices_t *some, size_t len, size_t *position)
{
    unsigned best = (unsigned)some->count;

    for (size_t i = 0; i < len; i++) {
        unsigned fullest = fullest_branch(w, some, i);
        if (fullest < best) {
            best = fullest;
            *position = i;
        }
    }
    return best < some->count;
}

static void emit_words(const writer_t *w, const indices_t *some, size_t len, const char *indent)
{
    for (size_t i = 0; i < some->count; i++) {
        text_print(w->text, "%sif (qcap_is_word(text, \"", indent);
        for (size_t k = 0; k < len; k++) {
            unsigned char byte = small(w->words[some->items[i]][k]);
            bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' && byte != '?';
            text_print(w->text, is_plain ? "%c" : "\\%03o", byte);
        }
        text_print(w->text, "\", %zu))\n%s    return %u;\n", len, indent, some->items[i] + 1);
    }
}

/* What tells `some` words of one length apart, and returns. */
static void emit_choice(const writer_t *w, const indices_t *some, size_t len, const char *indent)
{
    char deeper[INDENT_MAX];
    size_t position = 0;

    snprintf(deeper, sizeof deeper, "%s    ", indent);
    if (some->count <= COMPARED_MAX || strlen(deeper) + 4 >= sizeof deeper || !find_position(w, some, len, &position)) {
        emit_words(w, some, len, indent);
        text_print(w->text, "%sreturn 0;\n", indent);
        return;
    }
    text_print(w->text, "%sswitch (text[%zu] | 0x20) {\n", indent, position);
    for (unsigned byte = 0; byte < 256; byte++) {
        indices_t branch = {0};
        for (size_t i = 0; i < some->count; i++)
            if (seen(w, some->items[i], position) == byte)
                vec_push(w->text->arena, &branch, some->items[i]);
        if (branch.count == 0)
            continue;
        text_print(w->text, "%scase ", indent);
        text_byte(w->text, byte);
        text_print(w->text, ":\n");
        emit_choice(w, &branch, len, deeper);
    }
    text_print(w->text, "%sdefault:\n%s    return 0;\n%s}\n", indent, indent, indent);
}

void keyword_emit(const char *const *words, size_t count, const char *name, text_t *text)
{
    writer_t w = {.words = words, .text = text};
    size_t longest = 0;

    for (size_t i = 0; i < count; i++)
        longest = strlen(words[i]) > longest ? strlen(words[i]) : longest;
    text_print(text, "static unsigned %s(const unsigned char *text, size_t len)\n{\n    switch (len) {\n", name);
    for (size_t len = 1; len <= longest; len++) {
        indices_t some = {0};
        for (unsigned i = 0; i < count; i++)
            if (strlen(words[i]) == len)
                vec_push(text->arena, &some, i);
        if (some.count == 0)
            continue;
        text_print(text, "    case %zu:\n", len);
        emit_choice(&w, &some, len, "        ");
    }
    text_print(text, "    default:\n        return 0;\n    }\n}\n\n");
}
