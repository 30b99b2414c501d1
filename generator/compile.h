/* compile.h: the whole way from a spec to C. */
#ifndef QCAPGEN_COMPILE_H
#define QCAPGEN_COMPILE_H

#include "ambiguity.h"
#include "ast.h"
#include "table.h"

/* After which step to print what it made. */
#define COMPILE_STEP_MAP(X)                                                                                            \
    X(NONE, "")                                                                                                        \
    X(TOKENS, "tokens")                                                                                                \
    X(TREE, "tree")                                                                                                    \
    X(GRAMMAR, "grammar")                                                                                              \
    X(NFA, "nfa")                                                                                                      \
    X(DFA, "dfa")                                                                                                      \
    X(OPTIMISED, "optimised")                                                                                          \
    X(HEADER, "header")                                                                                                \
    X(SOURCE, "source")

typedef enum {
#define X(name, text) COMPILE_STEP_##name,
    COMPILE_STEP_MAP(X)
#undef X
} compile_step_t;

typedef struct compile_options {
    compile_step_t dump; /* COMPILE_STEP_NONE: print nothing */
    bool all_ambiguities; /* warn of every symbolic one, not of the first few */
    bool positions;       /* and of those that are a matter of positions alone */
    unsigned share;       /* what the automaton may grow to is one of so many parts of the usual; 0: all of it */
} compile_options_t;

typedef struct compile_result {
    const grammar_t *grammar;
    const nfa_t *nfa;      /* NULL if the spec has no protocol: it is there to be imported */
    const layout_t *layout; /* likewise */
    const table_t *table;   /* likewise */
    VEC(const char *) samples; /* files beside the spec that it learned from */
    ambiguities_t ambiguities; /* how many there are */
    text_t header, source, page; /* of the generated files, and for people; empty likewise */
    text_t dump;           /* what options->dump asked for, also if a later step complained */
} compile_result_t;

/* False if anything was wrong: `diag` has the messages. Warnings alone are not wrong. */
bool compile(arena_t *arena, const char *path, const compile_options_t *options, compile_result_t *result, diag_t *diag);

/* The same from a syntax tree on; NULL is one that could not be read. */
bool compile_tree(arena_t *arena, const ast_t *ast, const compile_options_t *options, compile_result_t *result,
                  diag_t *diag);

#endif
