/* compiled.c: the spec is written to a file of its own, since the generator reads files. */
#include "compiled.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void write_spec(const char *path, const char *spec)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fputs(spec, file);
    assert_int_equal(fclose(file), 0);
}

compiled_t compiled_new(const char *spec, compile_step_t dump)
{
    compiled_t c = {.arena = arena_new()};
    char folder[] = "/tmp/compiled.XXXXXX";
    size_t len;
    FILE *messages = open_memstream(&c.messages, &len);

    assert_non_null(messages);
    assert_non_null(mkdtemp(folder));
    const char *path = arena_print(c.arena, "%s/spec.abnf", folder);
    write_spec(path, spec);

    diag_t *diag = diag_new(c.arena);
    compile_options_t options = {.dump = dump};
    c.is_right = compile(c.arena, path, &options, &c.result, diag);
    diag_print(diag, messages);
    fclose(messages);
    unlink(path);
    rmdir(folder);
    return c;
}

void compiled_free(compiled_t *c)
{
    free(c->messages);
    arena_free(c->arena);
}

size_t compiled_state_count(const compiled_t *c)
{
    return c->result.layout->dfa->states.count;
}
