/* compiled.h: a spec from a string through the generator, for tests of its steps. */
#ifndef QCAP_TESTS_COMPILED_H
#define QCAP_TESTS_COMPILED_H

#include "compile.h"

typedef struct compiled {
    arena_t *arena;
    bool is_right;
    compile_result_t result;
    char *messages; /* as qcapgen prints them */
} compiled_t;

/* Compiles the text; result.dump has what `dump` asks for. */
compiled_t compiled_new(const char *spec, compile_step_t dump);
void compiled_free(compiled_t *compiled);

/* The number of states of the finished automaton. */
size_t compiled_state_count(const compiled_t *compiled);

#endif
