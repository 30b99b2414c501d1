/* lanes.h: how a class of bytes is told in many bytes at a time: see runtime/scan.h.
 *
 * In: a set of bytes. Out: a few ranges, and the C function that asks for them. */
#ifndef QCAPGEN_LANES_H
#define QCAPGEN_LANES_H

#include "charset.h"

#define LANES_RANGES_MAX 16

/* Bytes low..high; if is_small, of the byte with bit 5 set. */
typedef struct lanes_range {
    uint8_t low, high;
    bool is_small;
} lanes_range_t;

typedef struct lanes {
    lanes_range_t ranges[LANES_RANGES_MAX];
    unsigned count;
    bool is_negated; /* the bytes that are in none of the ranges */
    bool is_exact;   /* these are all bytes of the set; else the usual ones of them */
} lanes_t;

/* The set is not empty. */
lanes_t lanes_of(const charset_t *set);
bool lanes_has(const lanes_t *lanes, unsigned byte);

/* The functions in_NAME, and NAME: the first byte for which IS(byte) is false. */
void lanes_emit(const lanes_t *lanes, const char *name, const char *is, text_t *text);

#endif
