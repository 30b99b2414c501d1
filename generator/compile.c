/* compile.c: the pipeline. Each step takes what the one before made and returns its own; it stops at the first step that
 * complained.
 *
 *     spec text ─spec→ syntax tree ─resolve→ grammar ─nfa→ NFA ─dfa→ DFA ─position, minimize, heat→ DFA ─layout, emit→ C */
#include "compile.h"

#include <unistd.h>

#include "automaton.h"
#include "emit.h"
#include "heat.h"
#include "minimize.h"
#include "position.h"
#include "reference.h"
#include "refusal.h"
#include "resolve.h"
#include "source.h"
#include "spec.h"
#include "unset.h"

/* What stands beside NAME.abnf as NAME.SIDE.sample, if there is such a file. */
static sample_t read_sample(arena_t *arena, const char *path, const char *side, compile_result_t *result, diag_t *diag)
{
    size_t len = strlen(path);
    if (len > 5 && strcmp(path + len - 5, ".abnf") == 0)
        len -= 5;
    const char *name = arena_print(arena, "%.*s.%s.sample", (int)len, path, side);
    if (access(name, R_OK) != 0)
        return (sample_t){NULL, 0};
    vec_push(arena, &result->samples, name);
    const source_t *source = source_read(arena, name, (place_t){0}, diag);
    return (sample_t){source ? (const unsigned char *)source->text : NULL, source ? source->len : 0};
}

bool compile(arena_t *arena, const char *path, const compile_options_t *options, compile_result_t *result, diag_t *diag)
{
    /* bytes → syntax tree */
    return compile_tree(arena, spec_load(arena, path, diag), options, result, diag);
}

bool compile_tree(arena_t *arena, const ast_t *ast, const compile_options_t *options, compile_result_t *result,
                  diag_t *diag)
{
    memset(result, 0, sizeof *result);
    text_init(&result->dump, arena);
    text_init(&result->header, arena);
    text_init(&result->source, arena);
    text_init(&result->page, arena);
    if (ast && options->dump == COMPILE_STEP_TOKENS)
        spec_print_tokens(arena, ast->source, &result->dump);
    if (ast && options->dump == COMPILE_STEP_TREE)
        ast_print(ast, &result->dump);
    if (!ast || diag_has_errors(diag))
        return false;

    /* syntax tree → grammar */
    grammar_t *grammar = resolve(arena, ast, diag);
    if (!grammar)
        return false;
    grammar->share = options->share;
    result->grammar = grammar;
    if (options->dump == COMPILE_STEP_GRAMMAR)
        grammar_print(grammar, &result->dump);
    if (!grammar->name)
        return true;

    /* grammar → NFA → DFA */
    dfa_t *dfa = automaton_build(grammar, DFA_STATES_MAX, &result->nfa, diag);
    if (options->dump == COMPILE_STEP_NFA && result->nfa)
        nfa_print(result->nfa, &result->dump);
    if (dfa && dfa->refusals.count > 0)
        refusal_report(dfa, diag);
    if (!dfa || dfa->refusals.count > 0)
        return false;
    if (options->dump == COMPILE_STEP_DFA)
        dfa_print(dfa, &result->dump);
    unsigned most = options->all_ambiguities ? AMBIGUITIES_ANY : AMBIGUITIES_SHOWN;
    unset_report(result->nfa, diag);
    const nodes_t dead = unreachable_report(dfa, diag);
    result->ambiguities = ambiguity_report(dfa, &dead, options->positions, most, diag);

    /* DFA → smaller DFA */
    position_analyse(dfa);
    if (dfa->refusals.count > 0) {
        refusal_report(dfa, diag);
        return false;
    }
    minimize(dfa);
    unsigned position_count = position_allocate(dfa, diag);
    if (diag_has_errors(diag))
        return false;
    const char *path = ast->source->path;
    const samples_t samples = {.client = read_sample(arena, path, "client", result, diag),
                               .server = read_sample(arena, path, "server", result, diag)};
    heat(dfa, &samples, diag);
    if (diag_has_errors(diag))
        return false;
    if (options->dump == COMPILE_STEP_OPTIMISED)
        dfa_print(dfa, &result->dump);

    /* DFA → C */
    layout_t *layout = layout_build(dfa, position_count);
    emit_choose(layout);
    const table_t *table = table_build(layout, diag);
    if (!table)
        return false;
    emit_h(layout, table, &result->header);
    emit_c(layout, table, &result->source);
    reference_print(layout, &result->page);
    result->layout = layout;
    result->table = table;
    if (options->dump == COMPILE_STEP_HEADER)
        result->dump = result->header;
    if (options->dump == COMPILE_STEP_SOURCE)
        result->dump = result->source;
    return true;
}
