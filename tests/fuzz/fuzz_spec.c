/* fuzz_spec.c: any bytes as a spec: they are refused with messages, or make a grammar that can be printed. Only the
 * front end runs: the automaton of a few bytes' grammar may well take a minute. */
#include <stdio.h>
#include <stdlib.h>

#include "resolve.h"
#include "source.h"
#include "spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void print_messages(diag_t *diag)
{
    char *messages = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&messages, &len);

    if (!file)
        return;
    diag_print(diag, file);
    fclose(file);
    free(messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    arena_t *arena = arena_new();
    diag_t *diag = diag_new(arena);
    const source_t *source = source_new(arena, "fuzz.abnf", arena_copy(arena, (const char *)bytes, len), len);
    const grammar_t *grammar = resolve(arena, spec_parse(arena, source, diag), diag);
    text_t text;

    text_init(&text, arena);
    if (grammar)
        grammar_print(grammar, &text);
    print_messages(diag);
    arena_free(arena);
    return 0;
}
