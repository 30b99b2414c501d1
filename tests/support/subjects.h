/* subjects.h: every protocol that is generated here, for tests that hold for all of them.
 *
 * First those of tests/support, which show the features of the spec language; then the built-in ones, whose list the
 * Makefile makes of specs/. */
#ifndef QCAP_TESTS_SUBJECTS_H
#define QCAP_TESTS_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "parser.h"

typedef struct subject {
    const char *spec;  /* its file */
    const char *pages; /* folder of its golden pages */
    const qcap_protocol_t *protocol;
} subject_t;

extern const subject_t subjects[];
extern const size_t subject_count;

/* Those that specs name in `feed` and `become`: the built-in ones, and some of tests/support. NULL: there is none of that
 * name. For qcap_conversation_set_find(). */
const qcap_protocol_t *subject_find(const char *name, const uint64_t **wanted, void *user);

/* Which one a fuzz target's input is for: its first line is the name, or else its first byte is a number. Takes that off the
 * input; NULL if there is none. */
const subject_t *subject_choose(const unsigned char **bytes, size_t *len);

/* Whether it has a root for streams. One that has none is for datagrams alone. */
bool subject_has_streams(const subject_t *subject);

#endif
