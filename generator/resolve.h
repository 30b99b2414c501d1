/* resolve.h: from a spec file to a grammar: lex, parse, import, resolve. */
#ifndef QCAPGEN_RESOLVE_H
#define QCAPGEN_RESOLVE_H

#include "ast.h"
#include "grammar.h"

/* NULL if anything was wrong: `diag` has the messages. */
grammar_t *resolve(arena_t *arena, const ast_t *ast, diag_t *diag);

#endif
