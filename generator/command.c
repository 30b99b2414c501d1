/* command.c: what commands share. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolve.h"
#include "similar.h"
#include "spec.h"

const option_t command_common_options[] = {
    {"--color", "WHEN",
     "messages in colours: always, never, or auto: on a terminal, unless TERM is dumb or NO_COLOR\n"
     "is in the environment"},
    {"--help", NULL, "this text"},
    {"--version", NULL, "of qcapgen, and nothing else"},
    {NULL, NULL, NULL},
};

const char *command_option(const request_t *request, const char *name)
{
    const char *const *value = request->values;

    for (const option_t *o = request->command ? request->command->options : NULL; o && o->name; o++, value++)
        if (strcmp(o->name, name) == 0)
            return *value;
    for (const option_t *o = command_common_options; o->name; o++, value++)
        if (strcmp(o->name, name) == 0)
            return *value;
    return NULL;
}

bool command_read_colour(request_t *request)
{
    static const char *const choices[] = {"auto", "always", "never"};
    const size_t count = sizeof choices / sizeof *choices;
    const char *when = command_option(request, "--color"), *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    size_t i = 0;

    while (when && i < count && strcmp(when, choices[i]) != 0)
        i++;
    if (i == count) {
        command_unknown(request->command, "choice of --color", when, choices, count);
        return false;
    }
    bool is_fit = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
    request->is_coloured = i == 0 ? is_fit : i == 1;
    return true;
}

int command_misuse(const command_t *command, const char *format, ...)
{
    va_list args;

    fputs("qcapgen: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nqcapgen: see qcapgen %s%s--help\n", command ? command->name : "", command ? " " : "");
    return STATUS_USAGE;
}

int command_unknown(const command_t *command, const char *what, const char *name, const char *const *names,
                    size_t count)
{
    const char *likely = similar_find(name, names, count);

    if (likely)
        return command_misuse(command, "no %s is called `%s`; did you mean `%s`?", what, name, likely);
    return command_misuse(command, "no %s is called `%s`", what, name);
}

int command_fail(const char *format, ...)
{
    va_list args;

    fputs("qcapgen: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return STATUS_WRONG;
}

bool command_compile(const request_t *request, const char *path, const compile_options_t *options,
                     compile_result_t *result)
{
    diag_t *diag = diag_new(request->arena);
    if (request->is_coloured)
        diag_colour(diag);
    bool is_right = compile(request->arena, path, options, result, diag) && !diag_has_errors(diag);

    diag_print(diag, stderr);
    return is_right;
}

const grammar_t *command_load(const request_t *request, const char *path)
{
    diag_t *diag = diag_new(request->arena);
    if (request->is_coloured)
        diag_colour(diag);
    const ast_t *ast = spec_load(request->arena, path, diag);
    const grammar_t *grammar = ast && !diag_has_errors(diag) ? resolve(request->arena, ast, diag) : NULL;

    diag_print(diag, stderr);
    return diag_has_errors(diag) ? NULL : grammar;
}

compile_result_t *command_compile_all(const request_t *request, const compile_options_t *options)
{
    compile_result_t *results = ARENA_ARRAY(request->arena, compile_result_t, request->count);
    bool is_right = true;

    for (unsigned i = 0; i < request->count; i++)
        is_right &= command_compile(request, request->arguments[i], options, &results[i]);
    return is_right ? results : NULL;
}
