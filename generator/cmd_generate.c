/* cmd_generate.c: qcapgen generate: writes the parsers of specs. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool write_file(arena_t *arena, const char *folder, const char *name, const char *ending, const text_t *text)
{
    const char *slash = *folder && folder[strlen(folder) - 1] == '/' ? "" : "/";
    const char *path = arena_print(arena, "%s%s%s%s", folder, slash, name, ending);
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(text->bytes, 1, text->len, file) == text->len;

    if (file && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        command_fail("cannot write %s: %s", path, strerror(errno));
    return is_written;
}

/* All specs are compiled before anything is written: if one is wrong, the others' files stay as they are, too. */
static int run(const request_t *request)
{
    const char *folder = command_option(request, "-o");

    if (!folder)
        return command_misuse(request->command, "generate: -o says where to");
    compile_result_t *results = command_compile_all(request, &(compile_options_t){COMPILE_STEP_NONE});
    for (unsigned i = 0; i < request->count; i++) {
        if (!results)
            return STATUS_WRONG;
        const char *name = results[i].grammar->name;
        if (!name)
            return command_fail("%s names no protocol: there is nothing to generate", request->arguments[i]);
        if (!write_file(request->arena, folder, name, ".h", &results[i].header) ||
            !write_file(request->arena, folder, name, ".c", &results[i].source))
            return STATUS_WRONG;
    }
    return STATUS_RIGHT;
}

const command_t cmd_generate = {
    .name = "generate",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "write the parser of each spec: NAME.h and NAME.c, of the protocol's name",
    .help = "",
    .options = (const option_t[]){{"-o", "DIR", "where generated files go"}, {NULL, NULL, NULL}},
    .run = run,
};
