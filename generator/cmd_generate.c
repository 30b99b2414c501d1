/* cmd_generate.c: qcapgen generate: writes the parsers of specs, or says which of them are stale.
 *
 * All specs are compiled before anything is written: if one is wrong, the others' files stay as they are, too. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "difference.h"
#include "output.h"

#define DIFFERENCE_LINES 40 /* of a stale file that are shown */

/* FOLDER/NAME.ENDING of a spec that was compiled. */
static const char *path_of(const request_t *request, const compile_result_t *result, const char *ending)
{
    const char *folder = command_option(request, "-o");
    const char *slash = *folder && folder[strlen(folder) - 1] == '/' ? "" : "/";

    return arena_print(request->arena, "%s%s%s.%s", folder, slash, result->grammar->name, ending);
}

/* False after a complaint: a spec that names no protocol, or one that another spec names, too. */
static bool has_names(const request_t *request, const compile_result_t *results)
{
    for (unsigned i = 0; i < request->count; i++) {
        const char *name = results[i].grammar->name;
        if (!name) {
            command_fail("%s names no protocol: there is nothing to generate", request->arguments[i]);
            return false;
        }
        for (unsigned k = 0; k < i; k++)
            if (strcmp(name, results[k].grammar->name) == 0) {
                command_fail("%s and %s are both of protocol `%s`", request->arguments[k], request->arguments[i], name);
                return false;
            }
    }
    return true;
}

/* ---------------------------------------------------------------- dependencies */

/* A path as GNU make reads it. */
static void print_path(text_t *text, const char *path)
{
    for (; *path; path++)
        text_print(text, "%s%c", *path == '$' ? "$" : strchr(" \t#:", *path) ? "\\" : "", *path);
}

static void print_paths(text_t *text, const char *const *paths, size_t count, const char *before, const char *behind)
{
    for (size_t i = 0; i < count; i++) {
        text_print(text, "%s", before);
        print_path(text, paths[i]);
        text_print(text, "%s", behind);
    }
}

/* `NAME.h NAME.c: SPEC...` for each parser; and a rule without a recipe for each file, so that one that is gone is no
 * error. */
static void print_dependencies(const request_t *request, const compile_result_t *results, text_t *text)
{
    for (unsigned i = 0; i < request->count; i++) {
        const grammar_t *grammar = results[i].grammar;
        size_t first = strcmp(request->arguments[i], "-") == 0; /* standard input is no file */
        const char *made[] = {path_of(request, &results[i], "h"), path_of(request, &results[i], "c")};
        text_print(text, "%s", i ? "\n" : "");
        print_path(text, made[0]);
        print_paths(text, &made[1], 1, " ", ":");
        print_paths(text, grammar->files.items + first, grammar->files.count - first, " ", "");
        print_paths(text, results[i].samples.items, results[i].samples.count, " ", "");
        text_print(text, "\n");
        print_paths(text, grammar->files.items + first, grammar->files.count - first, "\n", ":\n");
        print_paths(text, results[i].samples.items, results[i].samples.count, "\n", ":\n");
    }
}

/* ---------------------------------------------------------------- writing and comparing */

static int write_all(const request_t *request, compile_result_t *results)
{
    const char *folder = command_option(request, "-o"), *depfile = command_option(request, "--depfile");
    output_t output = {.arena = request->arena};
    text_t dependencies;

    for (unsigned i = 0; i < request->count; i++) {
        output_add(&output, path_of(request, &results[i], "h"), &results[i].header);
        output_add(&output, path_of(request, &results[i], "c"), &results[i].source);
        if (command_option(request, "--page"))
            output_add(&output, path_of(request, &results[i], "md"), &results[i].page);
    }
    text_init(&dependencies, request->arena);
    print_dependencies(request, results, &dependencies);
    if (depfile)
        output_add(&output, depfile, &dependencies);
    if (!output_make_folder(request->arena, folder))
        return command_fail("cannot make the folder %s: %s", folder, strerror(errno));
    if (!output_write(&output))
        return command_fail("cannot write %s: %s", output.failed, strerror(errno));
    return STATUS_RIGHT;
}

/* Is the file what it should be? If not, how it differs is printed. */
static bool is_fresh(const request_t *request, const char *path, const text_t *should)
{
    text_t text, is;

    text_init(&text, request->arena);
    if (!output_read(request->arena, path, &is)) {
        command_fail("%s is stale: cannot read it: %s", path, strerror(errno));
        return false;
    }
    difference_print(&is, should, DIFFERENCE_LINES, &text);
    if (!text.len)
        return true;
    printf("--- %s\n+++ %s, generated\n%s", path, path, text.bytes);
    command_fail("%s is stale", path);
    return false;
}

static int check_all(const request_t *request, const compile_result_t *results)
{
    bool is_right = true;

    for (unsigned i = 0; i < request->count; i++) {
        is_right &= is_fresh(request, path_of(request, &results[i], "h"), &results[i].header);
        is_right &= is_fresh(request, path_of(request, &results[i], "c"), &results[i].source);
        if (command_option(request, "--page"))
            is_right &= is_fresh(request, path_of(request, &results[i], "md"), &results[i].page);
    }
    return is_right ? STATUS_RIGHT : STATUS_WRONG;
}

static int run(const request_t *request)
{
    bool is_check = command_option(request, "--check") != NULL;

    if (!command_option(request, "-o"))
        return command_misuse(request->command, "generate: -o says where to");
    if (is_check && command_option(request, "--depfile"))
        return command_misuse(request->command, "generate: --check writes nothing, no --depfile either");
    compile_result_t *results = command_compile_all(request, &(compile_options_t){.dump = COMPILE_STEP_NONE});
    if (!results || !has_names(request, results))
        return STATUS_WRONG;
    return is_check ? check_all(request, results) : write_all(request, results);
}

const command_t cmd_generate = {
    .name = "generate",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "write the parser of each spec: NAME.h and NAME.c, of the protocol's name",
    .help = "The same specs make the same files, byte by byte. All files are written, or, if a spec is\n"
            "wrong or the disk is full, none.\n",
    .options = (const option_t[]){{"-o", "DIR", "the folder of the generated files; made if it is not there"},
                                  {"--page", NULL, "also NAME.md, for people: elements, anomalies, what is fed to others"},
                                  {"--check", NULL,
                                   "write nothing; exit with 1, and say how they differ, if files in DIR\n"
                                   "are not what would be generated"},
                                  {"--depfile", "FILE",
                                   "write to FILE, as a makefile, which specs the files are made from,\n"
                                   "imports included"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
