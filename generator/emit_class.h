/* emit_class.h: classes of bytes in generated code: tests of one byte, scans of runs. */
#ifndef QCAPGEN_EMIT_CLASS_H
#define QCAPGEN_EMIT_CLASS_H

#include "grammar.h"
#include "vec.h"

typedef struct byte_class {
    charset_t set;
    const char *name; /* of its macro */
    bool is_scanned;  /* there is a scan of it, too */
} byte_class_t;

/* Those that have been used so far: their definitions have to stand before their uses. */
typedef struct classes {
    arena_t *arena;
    const grammar_t *grammar;
    VEC(byte_class_t) items;
} classes_t;

/* A condition: `byte`, an expression in C, is in the set. */
void class_test(classes_t *classes, const charset_t *set, const char *byte, text_t *text);

/* How a scan stands in the code: as a call; where it is, which is faster and larger; that, where as many bytes as it looks at at
 * once have been read of the piece, so that its end can be looked at with some of them. */
typedef enum scan_kind { SCAN_CALLED, SCAN_INLINE, SCAN_INLINE_BACK } scan_kind_t;

#define SCAN_BLOCK 16u /* most bytes that a scan looks at at once, on any machine */

/* `at`, a variable, moves behind the run of bytes of the set, or to `end`. */
void class_scan(classes_t *classes, const charset_t *set, scan_kind_t kind, const char *indent, text_t *text);

/* The definitions of all classes that were used. */
void class_define(const classes_t *classes, text_t *text);

#endif
