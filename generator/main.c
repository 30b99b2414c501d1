/* main.c: the command line of qcapgen: finds the command, takes the options out of the arguments, prints help.
 *
 *     qcapgen COMMAND [OPTION...] [ARGUMENT...]
 *
 * Options may stand anywhere behind the command, up to `--`; those that every command has may stand before it, too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static int help(const request_t *request);

static const command_t cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .max = 1,
    .summary = "say what there is, or all about a command",
    .help = "",
    .run = help,
};

static const command_t *const commands[] = {
    &cmd_ambiguities,
    &cmd_check,
    &cmd_contract,
    &cmd_elements,
    &cmd_explain,
    &cmd_extract,
    &cmd_generate,
    &cmd_graph,
    &cmd_help,
    &cmd_kit,
    &cmd_sample,
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

/* ---------------------------------------------------------------- help */

#define HELP_COLUMN 18 /* where what an option does begins */

/* "  -o DIR  what it does": lines of what it does are below each other. */
static void print_item(const char *name, const char *value, const char *text)
{
    const char *between = !value ? "" : name[1] == '-' ? "=" : " ";
    int len = printf("  %s%s%s", name, between, value ? value : "");

    if (len >= HELP_COLUMN)
        len = printf("\n") - 1;
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end, len = 0) {
        end = line + strcspn(line, "\n");
        printf("%*s%.*s\n", HELP_COLUMN - len, "", (int)(end - line), line);
    }
}

static void print_options(const option_t *options)
{
    for (; options && options->name; options++)
        print_item(options->name, options->value, options->help);
}

static void print_help(void)
{
    puts("usage: qcapgen COMMAND [OPTION...] [ARGUMENT...]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print_item(commands[i]->name, NULL, commands[i]->summary);
    putchar('\n');
    print_options(command_common_options);
    puts("\nA SPEC is a file of ABNF with annotations, specs/NAME.abnf; - is standard input. One that names no\n"
         "protocol is there to be imported: it can be checked, and nothing is generated from it.\n"
         "\n"
         "Exit status: 0 all is well; 1 a spec is wrong, an input cannot be read, a file is stale or cannot be\n"
         "written; 2 wrong usage.");
}

static void print_command_help(const command_t *command)
{
    printf("usage: qcapgen %s [OPTION...] %s\n\nqcapgen %s: %s.\n", command->name, command->arguments, command->name,
           command->summary);
    printf("%s\n", command->help);
    print_options(command->options);
    print_options(command_common_options);
}

static int print_version(void)
{
    puts("qcapgen " QCAPGEN_VERSION);
    return STATUS_RIGHT;
}

/* ---------------------------------------------------------------- commands */

/* NULL after a complaint. */
static const command_t *find_command(const char *name)
{
    const char *names[COMMAND_COUNT];

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
        names[i] = commands[i]->name;
    }
    command_unknown(NULL, "command", name, names, COMMAND_COUNT);
    return NULL;
}

static int help(const request_t *request)
{
    if (!request->count) {
        print_help();
        return STATUS_RIGHT;
    }
    const command_t *command = find_command(request->arguments[0]);
    if (!command)
        return STATUS_USAGE;
    print_command_help(command);
    return STATUS_RIGHT;
}

/* ---------------------------------------------------------------- options */

/* The command line as it is being read. */
typedef struct reader {
    char **at, **end; /* what is left of it */
    request_t *request;
    VEC(const option_t *) options; /* what may be given, in the order of request->values */
} reader_t;

static void add_options(reader_t *r, const option_t *options)
{
    for (; options && options->name; options++)
        vec_push(r->request->arena, &r->options, options);
}

static size_t option_count(const option_t *options)
{
    size_t count = 0;

    while (options && options[count].name)
        count++;
    return count;
}

static int unknown_option(const reader_t *r, const char *name)
{
    const char **names = ARENA_ARRAY(r->request->arena, const char *, r->options.count);

    for (size_t i = 0; i < r->options.count; i++)
        names[i] = r->options.items[i]->name;
    return command_unknown(r->request->command, "option", name, names, r->options.count);
}

/* Takes an option, and its value: -o DIR, -oDIR, --dump=STEP, --dump STEP. */
static int read_option(reader_t *r)
{
    const char *argument = *r->at++;
    bool is_long = argument[1] == '-';
    size_t len = is_long ? strcspn(argument, "=") : 2;
    const char *name = arena_copy(r->request->arena, argument, len), *value = argument + len;
    size_t i = 0;

    if (strcmp(name, "-h") == 0)
        name = "--help";
    while (i < r->options.count && strcmp(r->options.items[i]->name, name) != 0)
        i++;
    if (i == r->options.count)
        return unknown_option(r, name);
    const option_t *option = r->options.items[i];
    if (*value && !option->value)
        return command_misuse(r->request->command, "%s has no value", name);
    if (is_long && *value)
        value++;
    else if (!*value && option->value) {
        if (r->at == r->end)
            return command_misuse(r->request->command, "%s: a %s is missing", name, option->value);
        value = *r->at++;
    }
    r->request->values[i] = value;
    return STATUS_RIGHT;
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1];
}

/* Options up to the first argument. */
static int read_options(reader_t *r)
{
    int status = STATUS_RIGHT;

    while (status == STATUS_RIGHT && r->at < r->end && is_option(*r->at) && strcmp(*r->at, "--") != 0)
        status = read_option(r);
    return status;
}

/* Arguments, with options between them up to `--`. */
static int read_arguments(reader_t *r)
{
    request_t *request = r->request;

    request->arguments = r->at; /* what has been read already makes room */
    while (r->at < r->end) {
        int status = read_options(r);
        if (status != STATUS_RIGHT)
            return status;
        if (r->at < r->end && strcmp(*r->at, "--") == 0) {
            for (r->at++; r->at < r->end; r->at++)
                request->arguments[request->count++] = *r->at;
        } else if (r->at < r->end) {
            request->arguments[request->count++] = *r->at++;
        }
    }
    return STATUS_RIGHT;
}

/* ---------------------------------------------------------------- main */

static int run(request_t *request)
{
    const command_t *command = request->command;

    if (command_option(request, "--help")) {
        print_command_help(command);
        return STATUS_RIGHT;
    }
    if (command_option(request, "--version"))
        return print_version();
    if (!command_read_colour(request))
        return STATUS_USAGE;
    if (request->count < command->min)
        return command_misuse(command, "%s: %s is missing", command->name, command->arguments);
    if (request->count > command->max)
        return command_misuse(command, "%s: what is `%s` for?", command->name, request->arguments[command->max]);
    return command->run(request);
}

/* Reads the command line, and does what it says. */
static int understand(int argc, char **argv, arena_t *arena)
{
    request_t request = {.arena = arena};
    reader_t reader = {.at = argv + 1, .end = argv + (argc ? argc : 1), .request = &request};
    size_t common_count = option_count(command_common_options);
    const char **common = request.values = ARENA_ARRAY(arena, const char *, common_count);

    add_options(&reader, command_common_options);
    if (read_options(&reader) != STATUS_RIGHT)
        return STATUS_USAGE;
    if (command_option(&request, "--help"))
        return help(&request);
    if (command_option(&request, "--version"))
        return print_version();
    if (reader.at == reader.end || strcmp(*reader.at, "--") == 0)
        return command_misuse(NULL, "no command");
    request.command = find_command(*reader.at++);
    if (!request.command)
        return STATUS_USAGE;

    size_t count = option_count(request.command->options);
    request.values = ARENA_ARRAY(arena, const char *, count + common_count);
    memcpy(request.values + count, common, common_count * sizeof *common);
    reader.options.count = 0;
    add_options(&reader, request.command->options);
    add_options(&reader, command_common_options);
    if (read_arguments(&reader) != STATUS_RIGHT)
        return STATUS_USAGE;
    return run(&request);
}

int main(int argc, char **argv)
{
    arena_t *arena = arena_new();
    int status = understand(argc, argv, arena);

    arena_free(arena);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = command_fail("cannot write: %s", strerror(errno));
    return status;
}
