/* main.c: commands and options of qcapgen; the only place that prints or exits.
 *
 * Exit status: 0 all went well, 1 a spec is wrong or a file cannot be written, 2 the command line makes no sense. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compile.h"
#include "source.h"

enum { STATUS_WRONG = 1, STATUS_USAGE = 2 };

static const char help[] =
    "usage: qcapgen generate SPEC... -o DIR   write DIR/NAME.h and DIR/NAME.c for each spec\n"
    "       qcapgen check SPEC...             say what is wrong with specs, write nothing\n"
    "       qcapgen elements SPEC...          list the elements that an application can subscribe to\n"
    "\n"
    "       -o DIR        where generated files go\n"
    "       --dump=STEP   with check: print what a step made of the spec: %s\n"
    "       --help        this text\n"
    "\n"
    "A SPEC is a file of ABNF with annotations, specs/NAME.abnf; - is standard input. One that names no protocol is\n"
    "there to be imported: it can be checked, and nothing is generated from it.\n"
    "Exit status: 0 all is well, 1 a spec is wrong or a file cannot be written, 2 wrong usage.\n";

/* What the command line asks for. */
typedef struct request {
    const char *folder;        /* -o */
    compile_options_t options; /* --dump */
    bool wants_help;           /* --help: nothing else is done */
    char **specs;              /* the arguments that are no options */
    int count;                 /* of specs */
} request_t;

/* Does what a command does with a spec that has been compiled. False if that failed. */
typedef bool command_handler_t(const request_t *request, arena_t *arena, const char *path,
                               const compile_result_t *result);

/* ---------------------------------------------------------------- commands */

static bool write_file(arena_t *arena, const char *folder, const char *name, const char *ending, const text_t *text)
{
    const char *slash = *folder && folder[strlen(folder) - 1] == '/' ? "" : "/";
    const char *path = arena_print(arena, "%s%s%s%s", folder, slash, name, ending);
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(text->bytes, 1, text->len, file) == text->len;

    if (file && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        fprintf(stderr, "qcapgen: cannot write %s: %s\n", path, strerror(errno));
    return is_written;
}

static bool generate(const request_t *request, arena_t *arena, const char *path, const compile_result_t *result)
{
    const char *name = result->grammar->name;

    if (!name) {
        fprintf(stderr, "qcapgen: %s names no protocol: there is nothing to generate\n", path);
        return false;
    }
    return write_file(arena, request->folder, name, ".h", &result->header) &&
           write_file(arena, request->folder, name, ".c", &result->source);
}

static bool check(const request_t *request, arena_t *arena, const char *path, const compile_result_t *result)
{
    (void)request;
    (void)arena;
    (void)path;
    fwrite(result->dump.bytes, 1, result->dump.len, stdout);
    return true;
}

/* PROTOCOL.ELEMENT.ELEMENT, from the outermost to the innermost. */
static void print_path(const nfa_t *nfa, unsigned element)
{
    if (element == ELEMENT_NONE) {
        fputs(nfa->grammar->name, stdout);
        return;
    }
    print_path(nfa, nfa->elements.items[element].parent);
    printf(".%s", nfa->elements.items[element].name);
}

static bool elements(const request_t *request, arena_t *arena, const char *path, const compile_result_t *result)
{
    (void)request;
    (void)arena;
    (void)path;
    for (size_t i = 0; result->nfa && i < result->nfa->elements.count; i++) {
        print_path(result->nfa, (unsigned)i);
        puts(result->nfa->elements.items[i].is_stream ? " (stream)" : "");
    }
    return true;
}

static const struct {
    const char *name;           /* the first argument */
    command_handler_t *handler; /* what it does with each spec */
} commands[] = {{"generate", generate}, {"check", check}, {"elements", elements}};

/* ---------------------------------------------------------------- the command line */

static const char *const steps[] = {
#define X(name, text) text,
    COMPILE_STEP_MAP(X)
#undef X
};

static const size_t step_count = sizeof steps / sizeof *steps;

static bool set_dump(request_t *request, const char *step)
{
    for (size_t i = COMPILE_STEP_NONE + 1; i < step_count; i++)
        if (strcmp(step, steps[i]) == 0) {
            request->options.dump = (compile_step_t)i;
            return true;
        }
    fprintf(stderr, "qcapgen: no step is called `%s`; see qcapgen --help\n", step);
    return false;
}

/* Takes the options out of the arguments: what is left moves to the front. */
static bool read_arguments(int argc, char **argv, request_t *request)
{
    bool has_options = true; /* until `--` */

    request->specs = argv;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (!has_options || argument[0] != '-' || strcmp(argument, "-") == 0) {
            request->specs[request->count++] = argv[i];
        } else if (strcmp(argument, "--") == 0) {
            has_options = false;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            request->wants_help = true;
        } else if (strcmp(argument, "-o") == 0 && i + 1 < argc) {
            request->folder = argv[++i];
        } else if (strncmp(argument, "--dump=", 7) == 0) {
            if (!set_dump(request, argument + 7))
                return false;
        } else {
            fprintf(stderr,
                    "qcapgen: no option is called `%s`, or something is missing behind it; see qcapgen --help\n",
                    argument);
            return false;
        }
    }
    return true;
}

static void print_help(void)
{
    char names[128] = "";

    for (size_t i = COMPILE_STEP_NONE + 1; i < step_count; i++) {
        strncat(names, i > COMPILE_STEP_NONE + 1 ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, steps[i], sizeof names - strlen(names) - 1);
    }
    printf(help, names);
}

static command_handler_t *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].handler;
    return NULL;
}

/* The handler of a request that makes sense; NULL after a complaint. */
static command_handler_t *understand(request_t *request)
{
    command_handler_t *handler = request->count ? find_command(request->specs[0]) : NULL;

    if (!request->count)
        fputs("qcapgen: no command; see qcapgen --help\n", stderr);
    else if (!handler)
        fprintf(stderr, "qcapgen: no command is called `%s`; see qcapgen --help\n", request->specs[0]);
    else if (request->count == 1)
        fprintf(stderr, "qcapgen: %s: of which spec? see qcapgen --help\n", request->specs[0]);
    else if (handler == generate && !request->folder)
        fputs("qcapgen: generate: -o says where to; see qcapgen --help\n", stderr);
    else {
        request->specs++;
        request->count--;
        return handler;
    }
    return NULL;
}

/* ---------------------------------------------------------------- main */

/* Compiles all specs before anything is written: if one is wrong, the others' files stay as they are, too. */
static bool run(const request_t *request, command_handler_t *handler, arena_t *arena)
{
    compile_result_t *results = ARENA_ARRAY(arena, compile_result_t, request->count);
    bool is_right = true;

    for (int i = 0; i < request->count; i++) {
        diag_t *diag = diag_new(arena);
        is_right &= compile(arena, request->specs[i], &request->options, &results[i], diag) && !diag_has_errors(diag);
        diag_print(diag, stderr);
    }
    for (int i = 0; i < request->count && is_right; i++)
        is_right = handler(request, arena, request->specs[i], &results[i]);
    return is_right;
}

int main(int argc, char **argv)
{
    request_t request = {.folder = NULL};

    if (!read_arguments(argc, argv, &request))
        return STATUS_USAGE;
    if (request.wants_help) {
        print_help();
        return 0;
    }
    command_handler_t *handler = understand(&request);
    if (!handler)
        return STATUS_USAGE;
    arena_t *arena = arena_new();
    bool is_right = run(&request, handler, arena);
    arena_free(arena);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "qcapgen: cannot write: %s\n", strerror(errno));
        is_right = false;
    }
    return is_right ? 0 : STATUS_WRONG;
}
