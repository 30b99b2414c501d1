/* spec.h: from spec files to syntax trees. */
#ifndef QCAPGEN_SPEC_H
#define QCAPGEN_SPEC_H

#include "ast.h"

/* The tree of one text, every annotation where it belongs. What is wrong is in `diag`; the tree has the rest. */
ast_t *spec_parse(arena_t *arena, const source_t *source, diag_t *diag);

/* Line and column, kind and text of each token, of rules and annotations, in order: what --dump=tokens prints. */
void spec_print_tokens(arena_t *arena, const source_t *source, text_t *text);

/* The tree of a file and, below it, of all files it imports: each file once, even if imports go in a circle. NULL if
 * `path` cannot be read. */
ast_t *spec_load(arena_t *arena, const char *path, diag_t *diag);

#endif
