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

/* `at`, a variable, moves behind the run of bytes of the set, or to `end`; by a call, or (is_inline) where it stands: which is
 * faster, and larger. */
void class_scan(classes_t *classes, const charset_t *set, bool is_inline, const char *indent, text_t *text);

/* The definitions of all classes that were used. */
void class_define(const classes_t *classes, text_t *text);

#endif
