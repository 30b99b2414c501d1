/* cmd_kit.c: qcapgen kit: writes programs that test generated parsers. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "output.h"

#define SCENES_MAX 5000ul

static bool read_number(const request_t *request, const char *option, unsigned long most, unsigned long *number)
{
    const char *text = command_option(request, option);
    char *end = NULL;

    if (!text)
        return true;
    errno = 0;
    *number = strtoul(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && errno == 0 && *number <= most)
        return true;
    command_misuse(request->command, "%s is a number up to %lu, not `%s`", option, most, text);
    return false;
}

/* Adds the kit of a spec to `output`. */
static int add_kit(const request_t *request, const char *spec, const compile_result_t *result,
                   const kit_options_t *options, output_t *output)
{
    text_t *text = ARENA_NEW(request->arena, text_t);

    if (!result->layout)
        return command_fail("%s names no protocol: there is nothing to test", spec);
    if (!result->grammar->client && !result->grammar->server)
        return command_fail("%s reads datagrams: a kit is made of streams", spec);
    text_init(text, request->arena);
    const char *reason = kit_print(result->layout, options, text);
    if (reason)
        return command_fail("cannot make a kit of %s: %s", spec, reason);
    output_add(output, arena_print(request->arena, "%s/%s_kit.c", command_option(request, "-o"), result->grammar->name),
               text);
    return STATUS_RIGHT;
}

static int run(const request_t *request)
{
    const char *folder = command_option(request, "-o");
    unsigned long seed = 1, count = 0;
    output_t output = {.arena = request->arena};
    int status = STATUS_RIGHT;

    if (!folder)
        return command_misuse(request->command, "kit: -o says where to");
    if (!read_number(request, "--seed", ~0ul, &seed) || !read_number(request, "-n", SCENES_MAX, &count))
        return STATUS_USAGE;
    kit_options_t options = {.seed = seed, .count = (unsigned)count};
    compile_result_t *results = command_compile_all(request, &(compile_options_t){.dump = COMPILE_STEP_NONE});
    for (unsigned i = 0; results && i < request->count && status == STATUS_RIGHT; i++)
        status = add_kit(request, request->arguments[i], &results[i], &options, &output);
    if (!results || status != STATUS_RIGHT)
        return STATUS_WRONG;
    if (!output_make_folder(request->arena, folder))
        return command_fail("cannot make the folder %s: %s", folder, strerror(errno));
    return output_write(&output) ? STATUS_RIGHT : command_fail("cannot write %s: %s", output.failed, strerror(errno));
}

const command_t cmd_kit = {
    .name = "kit",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "write a program that tests the generated parser: NAME_kit.c",
    .help = "It feeds the parser with messages made up from the spec, valid ones and near-misses, in every\n"
            "cut, and compares what the parser says with what the spec, read directly, says of them. To\n"
            "compile, it takes what a parser takes, and testkit.h.\n",
    .options = (const option_t[]){{"-o", "DIR", "the folder it goes to; made if it is not there"},
                                  {"-n", "COUNT",
                                   "so many conversations; unless told, until every alternative has been\n"
                                   "used, and a hundred at least"},
                                  {"--seed", "N", "other messages; 1 unless told"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
