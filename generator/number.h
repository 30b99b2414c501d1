/* number.h: what registers hold and expressions come to, for those who work them out while they read a grammar:
 * interpret.c and sample.c. Generated parsers do the same with runtime/value.c. */
#ifndef QCAPGEN_NUMBER_H
#define QCAPGEN_NUMBER_H

#include "grammar.h"

typedef enum { NUMBER_SET, NUMBER_UNSET, NUMBER_ERROR } number_state_t;

/* 64 bits, checked; or bytes. */
typedef struct number {
    uint64_t value; /* of bytes: how many */
    number_state_t state;
    const unsigned char *bytes; /* NULL: it is a number */
    bool is_cut;                /* there were more of them than the register holds */
} number_t;

number_t number_of(uint64_t value);
number_t number_unset(void);

/* The same number, or the same bytes? */
bool number_is_same(number_t a, number_t b);

/* A register's value. */
typedef number_t (*number_get_t)(const reg_t *reg, void *user);

number_t number_evaluate(const expr_t *expr, number_get_t get, void *user);

/* True if something in it is shared by both sides. */
bool number_is_shared(const expr_t *expr);

/* 1 + the index of the word that the bytes are, ignoring case; 0: none of them. */
uint64_t number_find_word(const unsigned char *bytes, size_t len, const char *const *words, size_t count);

/* What the bytes come to by a NOTE_CONVERT; NUMBER_ERROR if that is too large. Texts are kept in the arena. */
number_t number_convert(arena_t *arena, const note_t *note, const unsigned char *bytes, size_t len);

#endif
