/* ending.h: the text that `until` looks for, put together: for interpret.c and sample.c. */
#ifndef QCAPGEN_ENDING_H
#define QCAPGEN_ENDING_H

#include "number.h"

typedef struct ending {
    VEC(unsigned char) text;  /* letters in lower case where their case does not count */
    VEC(unsigned char) folds; /* what is or'ed to a byte before it is compared */
} ending_t;

/* False if a register that is part of it has no bytes, or not all of them. */
bool ending_find(arena_t *arena, const note_t *until, number_get_t get, void *user, ending_t *ending);

typedef enum { ENDING_NOT, ENDING_MAYBE, ENDING_HERE } ending_fit_t;

/* Do the bytes begin with the text? MAYBE: they may, if more follow. */
ending_fit_t ending_fit(const ending_t *ending, const unsigned char *bytes, size_t len);

#endif
