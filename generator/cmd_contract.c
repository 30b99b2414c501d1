/* cmd_contract.c: qcapgen contract: what a generated parser needs. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract.h"
#include "object.h"
#include "output.h"

static int print_object(const request_t *request, const char *path)
{
    text_t file;
    object_sizes_t sizes;

    if (!output_read(request->arena, path, &file))
        return command_fail("cannot read %s: %s", path, strerror(errno));
    const char *reason = object_measure(&file, &sizes);
    if (reason)
        return command_fail("cannot measure %s: %s", path, reason);
    printf("bytes.object.code %" PRIu64 "\nbytes.object.constant %" PRIu64 "\nbytes.object.variable %" PRIu64 "\n",
           sizes.code, sizes.constant, sizes.variable);
    return STATUS_RIGHT;
}

static int run(const request_t *request)
{
    const char *object = command_option(request, "--object");
    compile_result_t *result = command_compile_all(request, &(compile_options_t){.dump = COMPILE_STEP_NONE});
    text_t text;

    if (!result)
        return STATUS_WRONG;
    if (!result->layout)
        return command_fail("%s names no protocol: it makes no parser", request->arguments[0]);
    contract_t contract = contract_of(result->layout, result->table);
    text_init(&text, request->arena);
    contract_print(result->layout, &contract, "", &text);
    printf("protocol %s\n%s", result->grammar->name, text.bytes);
    return object ? print_object(request, object) : STATUS_RIGHT;
}

const command_t cmd_contract = {
    .name = "contract",
    .arguments = "SPEC",
    .min = 1,
    .max = 1,
    .summary = "print what the generated parser needs, as lines of a key and a number",
    .help = "Nothing of it grows while the parser runs. Bytes are those of a machine with 64-bit pointers.\n"
            "\n"
            "  states, states.hot    of the automaton; those that are code, while all are in tables\n"
            "  machines              parts that are joined by control points alone\n"
            "  elements.nested       and anomalies: how many can be open in each other\n"
            "  regions.nested, calls.nested  likewise lengths, and rules that contain themselves\n"
            "  position-registers    places in the input that are kept until something is certain\n"
            "  atomic.words          of what may wait for an atomic rule to match\n"
            "  lookback.bytes        how far behind the position the parser may need bytes again, which whoever\n"
            "                        feeds it keeps; an open element, which is delivered whole, comes on top\n"
            "  lookback.open-states  in which that is from where an element began that is not certain yet\n"
            "  bytes.conversation    all of one conversation: what is shared and two directions; queues are extra,\n"
            "                        and allocated when they are first used\n"
            "  bytes.direction.*     what a direction has them for\n"
            "  bytes.tables          of constants, without texts\n"
            "  bytes.object.*        sections of --object\n",
    .options = (const option_t[]){{"--object", "FILE",
                                   "also print the sizes of this object file (ELF): what the parser was\n"
                                   "compiled to"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
