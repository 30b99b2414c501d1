/* cmd_elements.c: qcapgen elements: lists what an application can subscribe to. */
#include "command.h"

#include <stdio.h>

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

static int run(const request_t *request)
{
    compile_result_t *results = command_compile_all(request, &(compile_options_t){.dump = COMPILE_STEP_NONE});

    if (!results)
        return STATUS_WRONG;
    for (unsigned i = 0; i < request->count; i++) {
        const nfa_t *nfa = results[i].nfa;
        for (size_t k = 0; nfa && k < nfa->elements.count; k++) {
            const element_t *element = &nfa->elements.items[k];
            print_path(nfa, (unsigned)k);
            printf("%s%s\n", element->selector != ELEMENT_NONE ? "[TEXT]" : "", element->is_stream ? "[...]" : "");
        }
    }
    return STATUS_RIGHT;
}

const command_t cmd_elements = {
    .name = "elements",
    .arguments = "SPEC...",
    .min = 1,
    .max = ARGUMENTS_ANY,
    .summary = "list the elements that an application can subscribe to",
    .help = "Behind those that come in pieces stands [...], behind those that a text in brackets can select [TEXT], as in\n"
            "http.field-value[Cookie].\n",
    .run = run,
};
