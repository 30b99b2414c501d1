/* kit.h: a program that tests a generated parser with messages made up from its spec: see runtime/testkit.h. */
#ifndef QCAPGEN_KIT_H
#define QCAPGEN_KIT_H

#include "layout.h"

typedef struct kit_options {
    uint64_t seed;  /* the same one makes the same kit */
    unsigned count; /* of scenes; 0: until every alternative has been used, and a hundred at least */
} kit_options_t;

/* The program's text. NULL, or why there can be none. */
const char *kit_print(const layout_t *layout, const kit_options_t *options, text_t *text);

#endif
