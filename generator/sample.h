/* sample.h: messages that a grammar allows, made up.
 *
 * Annotations are worked out on the way, so that lengths have the bytes that they announce and choices are those that
 * registers decide. Alternatives and numbers of repetitions that have not been used yet are preferred: a few dozen
 * messages use all there are. The same seed makes the same messages. */
#ifndef QCAPGEN_SAMPLE_H
#define QCAPGEN_SAMPLE_H

#include "grammar.h"

typedef struct sample sample_t; /* one conversation after the other */

sample_t *sample_new(const grammar_t *grammar, uint64_t seed);
void sample_free(sample_t *sample);

/* A new conversation begins: registers and queues are as at the start. */
void sample_restart(sample_t *sample);

/* What one side says next: one round of the repeat that its root is, or all of the root. NULL: it says nothing (any
 * more), or nothing was found that its annotations allow. Borrowed until the next call. */
const unsigned char *sample_next(sample_t *sample, bool is_server, size_t *len);

/* The same for one rule. */
const unsigned char *sample_rule(sample_t *sample, const rule_t *rule, size_t *len);

/* Makes a message nearly right: a byte changed, dropped or inserted, or cut short. There is room for one byte more. */
size_t sample_spoil(sample_t *sample, unsigned char *bytes, size_t len);

/* How many alternatives and bounds of repeats there are below the roots, or below the rule if it is not NULL, and how
 * many have been used. */
void sample_count(sample_t *sample, const rule_t *rule, size_t *used, size_t *all);

#endif
