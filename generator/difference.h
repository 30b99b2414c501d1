/* difference.h: how a text differs from what it should be. */
#ifndef QCAPGEN_DIFFERENCE_H
#define QCAPGEN_DIFFERENCE_H

#include <stdbool.h>

#include "text.h"

/* The first place where `is` and `should` differ, as `diff -u` prints it: three lines around, lines of `is` with a
 * minus, of `should` with a plus. It is cut behind `line_max` lines, and the last line says so when there is more.
 * Nothing if they are equal. */
void difference_print(const text_t *is, const text_t *should, unsigned line_max, text_t *text);

#endif
