/* cmd_sample.c: qcapgen sample: writes messages that a spec allows. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "sample.h"

#define MESSAGES_MAX 100000ul
#define IDLE_MAX 300u /* messages in a row that use nothing new: the rest cannot be reached */

/* What is asked for. */
typedef struct order {
    const grammar_t *grammar;
    const rule_t *rule; /* NULL: what a side says */
    bool is_server;
    bool is_spoilt;
    bool is_quoted;
    const char *folder;  /* NULL: standard output */
    unsigned long count; /* 0: until everything has been used */
    sample_t *sample;
    arena_t *arena;
} order_t;

/* As in C and in our golden pages. */
static void print_quoted(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\\' || bytes[i] == '"')
            printf("\\%c", bytes[i]);
        else if (bytes[i] == '\r')
            printf("\\r");
        else if (bytes[i] == '\n')
            printf("\\n");
        else if (bytes[i] == '\t')
            printf("\\t");
        else if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            printf("\\x%02x", bytes[i]);
        else
            putchar(bytes[i]);
    }
    putchar('\n');
}

static bool write_file(const order_t *order, unsigned long number, const unsigned char *bytes, size_t len)
{
    const char *path = arena_print(order->arena, "%s/%06lu", order->folder, number);
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(bytes, 1, len, file) == len;
    if (file && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        command_fail("cannot write %s: %s", path, strerror(errno));
    return is_written;
}

/* The next message, in memory with room for one byte more; NULL: there is none. */
static unsigned char *next_message(const order_t *order, size_t *len)
{
    const unsigned char *bytes = NULL;
    for (int conversation = 0; conversation < 2 && !bytes; conversation++) {
        size_t ignored;
        if (conversation > 0)
            sample_restart(order->sample);
        if (order->rule) {
            sample_restart(order->sample);
            bytes = sample_rule(order->sample, order->rule, len);
            continue;
        }
        if (order->is_server) /* an answer needs its question */
            sample_next(order->sample, false, &ignored);
        bytes = sample_next(order->sample, order->is_server, len);
        if (!order->is_server && bytes) { /* nobody asks for the answers, but they empty queues */
            unsigned char *kept = (unsigned char *)arena_copy(order->arena, (const char *)bytes, *len);
            sample_next(order->sample, true, &ignored);
            return kept;
        }
    }
    return bytes ? (unsigned char *)arena_copy(order->arena, (const char *)bytes, *len) : NULL;
}

static bool is_enough(const order_t *order, unsigned long made, unsigned *idle, size_t *used_before)
{
    size_t used, all;
    if (order->count)
        return made >= order->count;
    sample_count(order->sample, order->rule, &used, &all);
    *idle = used > *used_before ? 0 : *idle + 1;
    *used_before = used;
    return made > 0 && (used == all || *idle >= IDLE_MAX);
}

static int write_messages(const order_t *order)
{
    unsigned idle = 0;
    size_t used = 0, len;
    for (unsigned long made = 0; made < MESSAGES_MAX && !is_enough(order, made, &idle, &used); made++) {
        unsigned char *bytes = next_message(order, &len);
        if (!bytes)
            return command_fail("no message was found that the annotations allow");
        if (order->is_spoilt)
            len = sample_spoil(order->sample, bytes, len);
        if (order->folder && !write_file(order, made + 1, bytes, len))
            return STATUS_WRONG;
        if (!order->folder && order->is_quoted)
            print_quoted(bytes, len);
        else if (!order->folder)
            fwrite(bytes, 1, len, stdout);
    }
    return STATUS_RIGHT;
}

static bool read_number(const request_t *request, const char *option, unsigned long *number)
{
    const char *text = command_option(request, option);
    char *end = NULL;
    if (!text)
        return true;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0;
}

static bool find_root(const request_t *request, order_t *order)
{
    const grammar_t *g = order->grammar;
    const char *root = command_option(request, "--root");
    const char *name = root ? root : g->client ? "client" : g->server ? "server" : "datagram";
    order->is_server = strcmp(name, "server") == 0;
    if ((order->is_server && g->server) || (strcmp(name, "client") == 0 && g->client) ||
        (strcmp(name, "datagram") == 0 && g->datagram && !g->client && !g->server))
        return true;
    order->rule = root ? grammar_find(g, root) : NULL;
    return order->rule != NULL;
}

static int run(const request_t *request)
{
    unsigned long seed = 1;
    order_t order = {.arena = request->arena,
                     .folder = command_option(request, "-o"),
                     .is_quoted = command_option(request, "--quote"),
                     .is_spoilt = command_option(request, "--near-miss")};
    if (!read_number(request, "--seed", &seed) || !read_number(request, "-n", &order.count) ||
        order.count > MESSAGES_MAX)
        return command_misuse(request->command, "--seed and -n want numbers, -n at most %lu", MESSAGES_MAX);
    order.grammar = command_load(request, request->arguments[0]);
    if (!order.grammar)
        return STATUS_WRONG;
    if (!find_root(request, &order)) {
        const char *root = command_option(request, "--root");
        return root ? command_misuse(request->command, "neither a side nor a rule is called `%s`", root)
                    : command_misuse(request->command, "%s has no root: --root names a rule", request->arguments[0]);
    }
    if (order.folder && !output_make_folder(order.arena, order.folder))
        return command_fail("cannot make the folder %s: %s", order.folder, strerror(errno));
    order.sample = sample_new(order.grammar, seed);
    int status = write_messages(&order);
    sample_free(order.sample);
    return status;
}

const command_t cmd_sample = {
    .name = "sample",
    .arguments = "SPEC",
    .min = 1,
    .max = 1,
    .summary = "write messages that a spec allows",
    .help =
        "They are made up, but follow the annotations: lengths are those of what they announce. Without -n there are "
        "as\n"
        "many as it takes to use every alternative, every name of a refinement and every bound of a repeat. The same\n"
        "seed makes the same messages.\n",
    .options = (const option_t[]){{"--root", "ROOT", "client (unless told), server, or a rule; of what speaks in datagrams, datagram"},
                                  {"-n", "COUNT", "so many messages"},
                                  {"--seed", "N", "other messages; 1 unless told"},
                                  {"--near-miss", NULL, "with a byte changed, dropped or inserted, or cut short"},
                                  {"--quote", NULL, "one on each line, with \\r \\n \\t \\\" \\\\ \\xHH"},
                                  {"-o", "DIR", "one in each file DIR/000001 and so on; DIR is made"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
