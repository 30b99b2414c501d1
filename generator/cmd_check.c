/* cmd_check.c: qcapgen check: says what is wrong with specs; prints what a step made of them. */
#include "command.h"

#include <stdio.h>

static const char *const steps[] = {
#define X(name, text) text,
    COMPILE_STEP_MAP(X)
#undef X
};

static const size_t step_count = sizeof steps / sizeof *steps;

/* False after a complaint; without --dump it is no step. */
static bool read_step(const request_t *request, compile_step_t *step)
{
    const char *name = command_option(request, "--dump");

    *step = COMPILE_STEP_NONE;
    if (!name)
        return true;
    for (size_t i = COMPILE_STEP_NONE + 1; i < step_count; i++)
        if (strcmp(name, steps[i]) == 0) {
            *step = (compile_step_t)i;
            return true;
        }
    command_unknown(request->command, "step", name, steps + 1, step_count - 1);
    return false;
}

static int run(const request_t *request)
{
    compile_options_t options = {.positions = false};

    if (!read_step(request, &options.dump))
        return STATUS_USAGE;
    int status = STATUS_RIGHT;
    for (unsigned i = 0; i < request->count; i++) {
        compile_result_t result;
        if (!command_compile(request, request->arguments[i], &options, &result))
            status = STATUS_WRONG;
        fwrite(result.dump.bytes, 1, result.dump.len, stdout);
    }
    return status;
}

const command_t cmd_check = {
    .name = "check",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "say what is wrong with specs",
    .help = "What a step made is printed even if a later one complains.\n",
    .options = (const option_t[]){{"--dump", "STEP",
                                   "print what a step made of the spec: tokens, tree, grammar, nfa, dfa,\n"
                                   "optimised, header, source"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
