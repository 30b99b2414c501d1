/* charset.h: sets of bytes. */
#ifndef QCAPGEN_CHARSET_H
#define QCAPGEN_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

typedef struct charset {
    uint64_t bits[4];
} charset_t;

charset_t charset_none(void);
charset_t charset_range(unsigned low, unsigned high); /* inclusive */
charset_t charset_union(charset_t a, charset_t b);
charset_t charset_intersect(charset_t a, charset_t b);
charset_t charset_subtract(charset_t a, charset_t b);
bool charset_has(const charset_t *set, unsigned byte);
bool charset_is_empty(const charset_t *set);
bool charset_equal(const charset_t *a, const charset_t *b);
unsigned charset_count(const charset_t *set);
unsigned charset_first(const charset_t *set); /* of a set that is not empty */

/* For people: `SP`, `"a"`, `"0"-"9" / "A"-"F"`; core rules by name where they fit. */
void charset_print(const charset_t *set, text_t *text);

/* Classes: bytes that no set of `sets` tells apart get the same number. Returns how many there are. */
unsigned charset_classes(const charset_t *sets, size_t count, uint8_t class_of[256]);

#endif
