/* fuzz_spec.c: any bytes as a spec: they are refused with a message and nothing is written, or C comes of them without one. The
 * automaton may grow to a sixtieth of what is usual: the grammar of a few bytes may well want more than there is. */
#include <stdio.h>
#include <stdlib.h>

#include "compile.h"
#include "source.h"
#include "spec.h"

#define SHARE 60

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* All messages, as the program prints them. */
static size_t print_messages(diag_t *diag)
{
    char *messages = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&messages, &len);

    if (!file)
        abort();
    diag_print(diag, file);
    fclose(file);
    free(messages);
    return len;
}

static void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "fuzz_spec: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    arena_t *arena = arena_new();
    diag_t *diag = diag_new(arena);
    const source_t *source = source_new(arena, "fuzz.abnf", arena_copy(arena, (const char *)bytes, len), len);
    const compile_options_t options = {.dump = COMPILE_STEP_GRAMMAR, .positions = true, .share = SHARE};
    compile_result_t result;
    bool is_right = compile_tree(arena, spec_parse(arena, source, diag), &options, &result, diag);
    bool has_errors = diag_has_errors(diag);
    size_t messages_len = print_messages(diag);

    expect(is_right != has_errors, "a spec is right without errors, and wrong with them");
    expect(is_right || messages_len > 0, "what is wrong is said");
    expect(is_right || (result.header.len == 0 && result.source.len == 0), "nothing comes of what is wrong");
    expect(!is_right || !result.grammar->name || (result.header.len > 0 && result.source.len > 0), "C comes of what is right");
    arena_free(arena);
    return 0;
}
