/* cmd_ambiguities.c: qcapgen ambiguities: lists the inputs that a spec reads in two ways. */
#include "command.h"

#include <stdio.h>

#define LISTED_MAX 10000 /* messages about one spec */

static int list(const request_t *request, const char *path, const compile_options_t *options)
{
    diag_t *diag = diag_new(request->arena);
    compile_result_t result;

    diag_keep(diag, LISTED_MAX);
    bool is_right = compile(request->arena, path, options, &result, diag) && !diag_has_errors(diag);

    diag_print(diag, is_right ? stdout : stderr);
    if (!is_right)
        return STATUS_WRONG;
    printf("%s: ambiguities: %u, and %u of positions alone\n", path, result.ambiguities.symbolic, result.ambiguities.position);
    return result.ambiguities.symbolic ? STATUS_WRONG : STATUS_RIGHT;
}

static int run(const request_t *request)
{
    const compile_options_t options = {.all_ambiguities = true,
                                       .positions = command_option(request, "--positions") != NULL};
    int status = STATUS_RIGHT;

    for (unsigned i = 0; i < request->count; i++)
        if (list(request, request->arguments[i], &options) != STATUS_RIGHT)
            status = STATUS_WRONG;
    return status;
}

const command_t cmd_ambiguities = {
    .name = "ambiguities",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "list inputs that a spec reads in two ways",
    .help = "Each has a shortest example, what is made of it, and what could have been. What comes first in the spec is\n"
            "preferred; a rule in which that is meant is annotated `ordered`. Exit status 1 if there are any in which elements,\n"
            "registers, queues or anomalies differ.\n",
    .options = (const option_t[]){{"--positions", NULL, "list those, too, that differ in positions alone"}, {NULL, NULL, NULL}},
    .run = run,
};
