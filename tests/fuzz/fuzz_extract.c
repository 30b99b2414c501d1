/* fuzz_extract.c: any bytes as the text of an RFC: what is taken out of them is a spec that can be read. */
#include <stdio.h>
#include <stdlib.h>

#include "extract.h"
#include "spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    arena_t *arena = arena_new();
    diag_t *diag = diag_new(arena);
    text_t text;

    text_init(&text, arena);
    extract(arena, source_new(arena, "fuzz.txt", arena_copy(arena, (const char *)bytes, len), len), &text);
    spec_parse(arena, source_new(arena, "fuzz.abnf", text.bytes, text.len), diag);
    if (diag_has_errors(diag)) {
        diag_print(diag, stderr);
        abort();
    }
    arena_free(arena);
    return 0;
}
