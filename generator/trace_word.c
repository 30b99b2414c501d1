/* trace_word.c: words that samples have are compared at once.
 *
 * note [words]: where a run ends a word that is looked up, as the name of a field, it is mostly one of a few. These are found by a
 * hash of their first bytes, before the run is read: one comparison says that it is such a word, how long it is, and which of the
 * listed ones. What follows then need not wait until the end of the run is found, since the processor guesses which word it is.
 * Case counts: another way to write it is as good, but seldom. Any other text is read as a run, and looked up. */
#include "trace.h"

#include <stdlib.h>

#define HASHED 4u       /* bytes */
#define WORD_MAX 32u    /* bytes, that of the end included */
#define BITS_MAX 7u     /* of the hash */
#define TRIALS 4096u    /* multipliers */
#define AT_HAND 13u     /* bytes that have to be there before any word is compared: longer ones ask for more */

/* ---------------------------------------------------------------- which words */

/* The conversion that the edge ends in front of its byte, there and then; or NULL. */
static const pending_t *find_end(const trace_t *t, const edge_t *edge, unsigned conversion)
{
    for (size_t i = 0; i < edge->commits.count; i++) {
        const pending_t *p = &edge->commits.items[i];
        const op_t *op = trace_op(t, p->op);
        if (op->kind == OP_CONVERT_CLOSE && op->conversion == conversion)
            return p->at.reg < 0 && p->at.back == (edge->is_peek ? 0 : 1) && !regop_is_later(op) ? p : NULL;
    }
    return NULL;
}

static bool is_in_run(const edge_t *loop, const seen_word_t *word)
{
    for (unsigned i = word->read; i + 1 < word->len; i++)
        if (!charset_has(&loop->set, (unsigned char)word->text[i]))
            return false;
    return true;
}

/* One that can be compared, and is followed by as many bytes as others have. */
static bool is_usable(const edge_t *edge, const edge_t *loop, const seen_word_t *word)
{
    const seen_word_t *first = &edge->seen_words.items[0];
    return word->len >= HASHED && word->len <= WORD_MAX && word->conversion == first->conversion && word->read == first->read &&
           is_in_run(loop, word);
}

bool trace_find_words(const trace_t *t, const passage_t *passage, const edge_t *loop, familiar_t *words)
{
    const dfa_state_t *s = &t->l->dfa->states.items[passage->state];
    const known_t *k = &passage->known;
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (!edge->is_hot || edge == loop || edge->seen_words.count == 0)
            continue;
        unsigned conversion = edge->seen_words.items[0].conversion;
        const item_t *item = &k->items[t->l->conversion_slots[conversion]];
        if (!find_end(t, edge, conversion) || !item->has_begin || !trace_is_in_piece(k, item->begin))
            continue;
        *words = (familiar_t){.edge = edge, .begin = item->begin, .variable = k->words};
        uint64_t seen = 0;
        for (size_t n = 0; n < edge->seen_words.count && words->count < TRACE_WORDS; n++) {
            const seen_word_t *word = &edge->seen_words.items[n];
            if (!is_usable(edge, loop, word))
                continue;
            words->some[words->count++] = word;
            words->longest = word->len > words->longest ? word->len : words->longest;
            seen += word->count;
        }
        return words->count > 0 && seen * 2 >= edge->passes && edge->passes >= 2 * words->count;
    }
    return false;
}

/* ---------------------------------------------------------------- the hash */

typedef struct hash {
    uint32_t factor;
    unsigned bits;
} hash_t;

static unsigned hash_of(hash_t hash, const seen_word_t *word)
{
    uint32_t first = 0;
    for (unsigned i = HASHED; i-- > 0;)
        first = first << 8 | (unsigned char)word->text[i];
    return (uint32_t)(first * hash.factor) >> (32 - hash.bits);
}

static bool begin_alike(const seen_word_t *a, const seen_word_t *b)
{
    return memcmp(a->text, b->text, HASHED) == 0;
}

/* How many words are found where another one, that begins differently, is found first. */
static unsigned collisions(hash_t hash, const familiar_t *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < words->count; i++)
        for (unsigned n = 0; n < i; n++)
            if (!begin_alike(words->some[i], words->some[n]) && hash_of(hash, words->some[i]) == hash_of(hash, words->some[n])) {
                count++;
                break;
            }
    return count;
}

/* As few bits, and collisions, as a number of trials finds. */
static hash_t find_hash(const familiar_t *words)
{
    hash_t best = {1, 1};
    unsigned fewest = TRACE_WORDS + 1;
    for (unsigned bits = 1; bits <= BITS_MAX && fewest > 0; bits++) {
        uint32_t factor = 1;
        for (unsigned i = 0; i < TRIALS && fewest > 0; i++) {
            hash_t hash = {factor | 1, bits};
            unsigned count = 1u << bits >= words->count ? collisions(hash, words) : TRACE_WORDS;
            if (count < fewest) {
                fewest = count;
                best = hash;
            }
            factor = factor * 1664525u + 1013904223u;
        }
    }
    return best;
}

/* ---------------------------------------------------------------- code */

/* The place behind so many bytes of a word. */
static where_t behind(const familiar_t *words, unsigned len)
{
    where_t w = words->begin;
    w.add += (int)len;
    return w;
}

static void emit_comparison(const trace_t *t, const passage_t *passage, const familiar_t *words, const seen_word_t *word)
{
    const char *begin = trace_pointer(t, words->begin);
    text_print(t->text, "            if (");
    if (word->len > AT_HAND)
        text_print(t->text, "qcap_has(at, end, %u) && ", word->len - word->read);
    text_print(t->text, "qcap_is_text(%s, \"", begin);
    for (unsigned i = 0; i < word->len; i++)
        text_quoted_byte(t->text, (unsigned char)word->text[i]);
    text_print(t->text, "\", %u)) {\n", word->len);
    text_print(t->text, "                at = %s;\n", trace_pointer(t, behind(words, word->len - 1)));
    text_print(t->text, "                w%u = %u;\n", words->variable, word->keyword);
    text_print(t->text, "                goto word%u;\n            }\n", passage->number);
}

void trace_emit_words(const trace_t *t, const passage_t *passage, const familiar_t *words)
{
    const char *begin = trace_pointer(t, words->begin);
    const hash_t hash = find_hash(words);
    const unsigned read = words->some[0]->read;
    text_print(t->text, "    if (at == %s && qcap_has(at, end, %u)) {\n", trace_pointer(t, behind(words, read)),
               (words->longest < AT_HAND ? words->longest : AT_HAND) - read);
    text_print(t->text, "        switch ((uint32_t)qcap_load_4(%s) * %uu >> %u) {\n", begin, hash.factor, 32 - hash.bits);
    for (unsigned value = 0; value < 1u << hash.bits; value++) {
        bool is_first = true;
        for (unsigned i = 0; i < words->count; i++) {
            if (hash_of(hash, words->some[i]) != value)
                continue;
            if (is_first)
                text_print(t->text, "        case %u:\n", value);
            is_first = false;
            emit_comparison(t, passage, words, words->some[i]);
        }
        if (!is_first)
            text_print(t->text, "            break;\n");
    }
    text_print(t->text, "        default:\n            break;\n        }\n    }\n");
}

void trace_emit_word(const trace_t *t, const passage_t *passage, const familiar_t *words)
{
    const char *begin = trace_pointer(t, words->begin);
    text_print(t->text, "        w%u = find_%s(%s, (size_t)(at - %s%s%s));\n", words->variable,
               t->l->words[words->some[0]->conversion], begin, words->begin.add ? "(" : "", begin, words->begin.add ? ")" : "");
    text_print(t->text, "    word%u:\n", passage->number);
}
