/* wild.h: small specs that nobody would write: rules and annotations thrown together. */
#ifndef QCAP_TESTS_WILD_H
#define QCAP_TESTS_WILD_H

#include <stdint.h>

/* A spec of the protocol `wild`, the same one for the same seed. Most can be compiled; the others must be refused with
 * a message. The caller frees it. */
char *wild_spec(uint64_t seed);

#endif
