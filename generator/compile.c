/* compile.c: the pipeline. Each step takes what the one before made and returns its own; it stops at the first step that
 * complained.
 *
 *     spec text ─spec→ syntax tree ─resolve→ grammar ─nfa→ NFA ─dfa→ DFA ─position, minimize, heat→ DFA ─layout, emit→ C */
#include "compile.h"

#include "emit.h"
#include "heat.h"
#include "minimize.h"
#include "position.h"
#include "resolve.h"
#include "spec.h"

#define ATTEMPTS 8

/* Large repeats are counted first; those that turn out to need more than one counter are written out in the next attempt (note
 * [counter] in closure.c), in the last one all are. What an attempt complains about counts if it is the last. */
static dfa_t *determinise(const grammar_t *grammar, compile_result_t *result, diag_t *diag)
{
    repeats_t unrolled = {0};
    for (unsigned attempt = 1;; attempt++) {
        diag_t *found = diag_new(grammar->arena);
        nfa_t *nfa = nfa_build(grammar, attempt < ATTEMPTS ? &unrolled : NULL, found);
        dfa_t *dfa = nfa ? dfa_build(nfa, found) : NULL;
        result->nfa = nfa;
        if (!nfa || nfa->unrolled.count == 0) {
            diag_add(diag, found);
            return dfa;
        }
        for (size_t i = 0; i < nfa->unrolled.count; i++)
            vec_push(grammar->arena, &unrolled, nfa->unrolled.items[i]);
    }
}

bool compile(arena_t *arena, const char *path, const compile_options_t *options, compile_result_t *result, diag_t *diag)
{
    memset(result, 0, sizeof *result);
    text_init(&result->dump, arena);
    text_init(&result->header, arena);
    text_init(&result->source, arena);

    /* bytes → syntax tree */
    const ast_t *ast = spec_load(arena, path, diag);
    if (ast && options->dump == COMPILE_STEP_TOKENS)
        spec_print_tokens(arena, ast->source, &result->dump);
    if (ast && options->dump == COMPILE_STEP_TREE)
        ast_print(ast, &result->dump);
    if (!ast || diag_has_errors(diag))
        return false;

    /* syntax tree → grammar */
    const grammar_t *grammar = resolve(arena, ast, diag);
    if (!grammar)
        return false;
    result->grammar = grammar;
    if (options->dump == COMPILE_STEP_GRAMMAR)
        grammar_print(grammar, &result->dump);
    if (!grammar->name)
        return true;

    /* grammar → NFA → DFA */
    dfa_t *dfa = determinise(grammar, result, diag);
    if (options->dump == COMPILE_STEP_NFA && result->nfa)
        nfa_print(result->nfa, &result->dump);
    if (!dfa)
        return false;
    if (options->dump == COMPILE_STEP_DFA)
        dfa_print(dfa, &result->dump);
    unsigned most = options->all_ambiguities ? AMBIGUITIES_ANY : AMBIGUITIES_SHOWN;
    result->ambiguities = ambiguity_report(dfa, options->positions, most, diag);

    /* DFA → smaller DFA */
    position_analyse(dfa, diag);
    if (diag_has_errors(diag))
        return false;
    minimize(dfa);
    unsigned position_count = position_allocate(dfa, diag);
    if (diag_has_errors(diag))
        return false;
    heat(dfa);
    if (options->dump == COMPILE_STEP_OPTIMISED)
        dfa_print(dfa, &result->dump);

    /* DFA → C */
    layout_t *layout = layout_build(dfa, position_count);
    emit_h(layout, &result->header);
    emit_c(layout, &result->source);
    result->layout = layout;
    if (options->dump == COMPILE_STEP_HEADER)
        result->dump = result->header;
    if (options->dump == COMPILE_STEP_SOURCE)
        result->dump = result->source;
    return true;
}
