/* twice.h: what fuzz targets of generated parsers share: both directions of one conversation, run twice.
 *
 * The input is a list of records, each an op byte, a length byte, and for bytes so many of them:
 *
 *     op bit 0      the side: client, server
 *     op bits 1, 2  0, 1: bytes      2: a gap      3: the side ends
 *     op bits 3..7  how the bytes are cut in the second run; for a gap, how far its length is shifted
 *
 * In the first run records are fed whole, in the second they are cut. A parser must give the same events with the same
 * text whatever the cuts are; each run is hashed, and another hash is a crash. */
#ifndef QCAP_TESTS_TWICE_H
#define QCAP_TESTS_TWICE_H

#include <stddef.h>
#include <stdint.h>

#include "parser.h"

/* Aborts if something is wrong. */
void twice(const qcap_protocol_t *protocol, const uint8_t *bytes, size_t len);

#endif
