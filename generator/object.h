/* object.h: how large the sections of an object file are. */
#ifndef QCAPGEN_OBJECT_H
#define QCAPGEN_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

typedef struct object_sizes {
    uint64_t code;     /* bytes of instructions */
    uint64_t constant; /* bytes that are only read, those that the linker fills in included */
    uint64_t variable; /* bytes that can change */
} object_sizes_t;

/* Adds up the sections that are loaded. NULL, or why `file` is no object file: it has to be ELF, for 64 bits, in the
 * byte order of this machine. */
const char *object_measure(const text_t *file, object_sizes_t *sizes);

#endif
