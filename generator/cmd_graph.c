/* cmd_graph.c: qcapgen graph: draws the automaton. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>

#include "graph.h"

#define LIMIT 20 /* nodes, if --limit does not say: what fits a screen */

/* The machine's name without what all of them begin with is good enough. */
static bool find_machine(const request_t *request, const layout_t *layout, graph_options_t *options)
{
    const char *name = command_option(request, "--machine");
    const char **names = ARENA_ARRAY(request->arena, const char *, layout->machines.count);

    for (size_t i = 0; name && i < layout->machines.count; i++) {
        names[i] = layout->machines.items[i] + strlen("machine_");
        if (strcmp(name, names[i]) == 0 || strcmp(name, layout->machines.items[i]) == 0)
            options->machine = layout->machines.items[i];
    }
    if (name && !options->machine)
        command_unknown(request->command, "machine", name, names, layout->machines.count);
    return !name || options->machine;
}

static bool find_rule(const request_t *request, const grammar_t *grammar, graph_options_t *options)
{
    const char *name = command_option(request, "--rule");
    const rule_t *rule = name ? grammar_find(grammar, name) : NULL;
    const char **names = ARENA_ARRAY(request->arena, const char *, grammar->rules.count);

    for (size_t i = 0; i < grammar->rules.count; i++)
        names[i] = grammar->rules.items[i]->name;
    if (rule)
        options->rule = rule->name;
    else if (name)
        command_unknown(request->command, "rule", name, names, grammar->rules.count);
    return !name || rule;
}

static bool read_limit(const request_t *request, graph_options_t *options)
{
    const char *limit = command_option(request, "--limit");
    char *end = NULL;

    options->limit = LIMIT;
    if (!limit)
        return true;
    unsigned long number = strtoul(limit, &end, 10);
    options->limit = (unsigned)number;
    if (*limit >= '0' && *limit <= '9' && !*end && number > 0 && number < 1000000)
        return true;
    command_misuse(request->command, "--limit is a number from 1 to 999999, not `%s`", limit);
    return false;
}

static int run(const request_t *request)
{
    graph_options_t options = {.machine = NULL};
    text_t text;

    if (!read_limit(request, &options))
        return STATUS_USAGE;
    compile_result_t *result = command_compile_all(request, &(compile_options_t){.dump = COMPILE_STEP_NONE});
    if (!result)
        return STATUS_WRONG;
    if (!result->layout)
        return command_fail("%s names no protocol: there is nothing to draw", request->arguments[0]);
    if (!find_machine(request, result->layout, &options) || !find_rule(request, result->grammar, &options))
        return STATUS_USAGE;
    text_init(&text, request->arena);
    if (!graph_print(result->layout, &options, &text))
        return command_fail("no state stands in rule `%s`%s: what uses it reads its bytes as one", options.rule,
                            options.machine ? " of that machine" : "");
    fwrite(text.bytes, 1, text.len, stdout);
    return STATUS_RIGHT;
}

const command_t cmd_graph = {
    .name = "graph",
    .arguments = "SPEC",
    .min = 1,
    .max = 1,
    .summary = "draw the automaton, in the language of Graphviz: qcapgen graph SPEC | dot -Tsvg -o FILE",
    .help = "A frame is a machine, or a rule in it. A box is a state: the rule, with a dot where its first\n"
            "reading stands. A hexagon is a control point. A solid is all states of a rule for which there\n"
            "was no room: ask for that rule. Green is what is performed. Dashed is what lies around the\n"
            "machine or rule that was asked for.\n",
    .options = (const option_t[]){{"--machine", "NAME", "this machine alone; the frames have the names"},
                                  {"--rule", "RULE", "the states in this rule alone"},
                                  {"--limit", "N",
                                   "how many nodes there may be (20): rules deep inside others are one\n"
                                   "node then"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
