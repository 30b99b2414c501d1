/* judge.c: two logs, and what differs between them. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoders.h"
#include "judging.h"
#include "parsing.h"

#define SECONDS_MAX 60u /* that work apart may take */

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned random_below(uint64_t *state, unsigned count)
{
    return count ? (unsigned)(random_next(state) % count) : 0;
}

void *judge_memory(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

/* ---------------------------------------------------------------- feeding */

/* One reader: the interpreter or the parser. */
static size_t feed(judge_t *judge, bool is_parser, bool is_server, const unsigned char *bytes, size_t len)
{
    if (!is_parser)
        return interpret_feed(judge->interpret, is_server, bytes, len);
    listener_t *listener = &judge->listeners[is_server];
    size_t taken = 0;
    do {
        size_t piece =
            judge->is_cut && len - taken > 1 ? 1 + random_below(&judge->random, (unsigned)(len - taken)) : len - taken;
        if (judge->is_cut && random_below(&judge->random, 4) == 0)
            piece = len > taken;
        unsigned char *copy = judge_memory(piece); /* so that a sanitizer sees what is read behind it */
        memcpy(copy, bytes + taken, piece);
        size_t some = qcap_keeper_feed(&listener->keeper, listener->parser, copy, piece);
        free(copy);
        taken += some;
        if (some < piece)
            break;
    } while (taken < len);
    return taken;
}

static bool offer(judge_t *judge, bool is_parser, bool is_server)
{
    said_t *said = &judge->said[is_server];
    size_t lines = judge->logs[is_parser][is_server].count;
    size_t taken = feed(judge, is_parser, is_server, said->bytes + said->fed, said->arrived - said->fed);
    said->fed += taken;
    return taken > 0 || judge->logs[is_parser][is_server].count > lines;
}

static void read_datagram(judge_t *judge, bool is_parser, bool is_server, size_t len)
{
    said_t *said = &judge->said[is_server];
    unsigned char *copy = judge_memory(len); /* as in feed() */
    memcpy(copy, said->bytes + said->fed, len);
    said->arrived = said->fed += len;
    if (is_parser)
        qcap_parser_datagram(judge->listeners[is_server].parser, copy, len);
    else
        interpret_datagram(judge->interpret, is_server, copy, len);
    free(copy);
}

static void do_step(judge_t *judge, bool is_parser, const step_t *step)
{
    interpret_t *interpret = judge->interpret;
    bool is_server = step->is_server;
    said_t *said = &judge->said[is_server];
    qcap_parser_t *parser = judge->listeners[is_server].parser;
    switch (step->kind) {
    case STEP_DATAGRAM:
        judge->listeners[is_server].is_datagram = true;
        read_datagram(judge, is_parser, is_server, step->len);
        return;
    case STEP_BYTES:
        said->arrived += step->len;
        offer(judge, is_parser, is_server);
        return;
    case STEP_GAP:
        /* What was not taken is given up: the hole begins where the reader stands. */
        if (is_parser)
            qcap_parser_gap(parser, step->number + (said->arrived - said->fed));
        else
            interpret_gap(interpret, is_server, step->number + (said->arrived - said->fed));
        said->arrived += (size_t)step->number;
        said->fed = said->arrived;
        return;
    case STEP_FINISH:
        is_parser ? qcap_parser_finish(parser) : interpret_finish(interpret, is_server);
        return;
    case STEP_ABSENT:
        is_parser ? qcap_parser_absent(parser) : interpret_absent(interpret, is_server);
        return;
    case STEP_HURRY:
        is_parser ? qcap_parser_hurry(parser) : interpret_hurry(interpret, is_server);
        return;
    case STEP_SEARCH:
        is_parser ? qcap_parser_search(parser) : interpret_search(interpret, is_server);
        return;
    case STEP_LIMIT:
        if (is_parser)
            qcap_conversation_set_limit(judge->conversation, (uint32_t)step->number);
        else
            interpret_set_limit(interpret, (uint32_t)step->number);
        return;
    }
}

static void follow_scene(judge_t *judge, bool is_parser, const scene_t *scene)
{
    for (int i = 0; i < 2; i++)
        judge->said[i].fed = judge->said[i].arrived = 0;
    for (unsigned i = 0; i < TELLERS; i++)
        lines_clear(&judge->logs[is_parser][i]);
    for (size_t i = 0; i < scene->step_count; i++) {
        do_step(judge, is_parser, &scene->steps[i]);
        for (bool is_moving = true; is_moving;) {
            is_moving = offer(judge, is_parser, false);
            is_moving |= offer(judge, is_parser, true);
        }
    }
}

/* ---------------------------------------------------------------- runs */

/* How far a step takes its side. */
static size_t step_len(const step_t *step)
{
    return scene_has_bytes(step) ? step->len : step->kind == STEP_GAP ? (size_t)step->number : 0;
}

static void lay_out(judge_t *judge, const scene_t *scene)
{
    for (int i = 0; i < 2; i++) {
        said_t *said = &judge->said[i];
        free(said->bytes);
        *said = (said_t){0};
        for (size_t k = 0; k < scene->step_count; k++)
            if (scene->steps[k].is_server == (i == 1))
                said->len += step_len(&scene->steps[k]);
        said->bytes = judge_memory(said->len);
        size_t at = 0;
        for (size_t k = 0; k < scene->step_count; k++) {
            const step_t *step = &scene->steps[k];
            if (step->is_server != (i == 1))
                continue;
            if (scene_has_bytes(step) && step->len)
                memcpy(said->bytes + at, step->bytes, step->len);
            at += step_len(step);
        }
    }
}

static void add_register(lines_t *lines, const reg_t *reg, bool is_set, uint64_t number, const unsigned char *bytes,
                         bool is_cut)
{
    if (!is_set)
        lines_add(lines, "%s is not set", reg->name);
    else if (bytes)
        lines_add(lines, "%s is \"%.*s\"%s", reg->name, (int)number, (const char *)bytes, is_cut ? " and more" : "");
    else
        lines_add(lines, "%s is %" PRIu64, reg->name, number);
}

static void add_interpreted_register(judge_t *judge, bool is_server, const reg_t *reg)
{
    interpret_value_t value;
    bool is_set = interpret_register(judge->interpret, is_server, reg, &value);
    add_register(&judge->logs[0][is_server], reg, is_set, value.number, value.bytes, value.is_cut);
}

static void add_parsed_register(judge_t *judge, bool is_server, const reg_t *reg)
{
    const qcap_parser_t *parser = judge->listeners[is_server].parser;
    qcap_number_t n = qcapint_value_of(parser, reg->index + (reg->is_shared ? QCAP_SHARED : 0));
    bool is_text = reg->type == REGISTER_BYTES;
    const unsigned char *bytes = is_text ? qcap_bytes(parser, reg->index, reg->is_shared).bytes : NULL;
    add_register(&judge->logs[1][is_server], reg, n.state == QCAP_NUMBER_SET,
                 is_text ? QCAP_BYTES_LEN(n.value) : n.value, bytes, is_text && (n.value & QCAP_BYTES_CUT));
}

static void add_state(judge_t *judge, bool is_parser, bool is_server)
{
    static const char *const statuses[] = {"ready", "searching", "waiting", "became", "failed", "finished", "broken"};
    static const char *const parsed[] = {"ready", "searching", "waiting", "paused", "became", "failed", "finished"};
    const grammar_t *grammar = judge->grammar;
    lines_t *lines = &judge->logs[is_parser][is_server];
    qcap_parser_t *parser = judge->listeners[is_server].parser;
    if (is_parser)
        lines_add(lines, "%s at %" PRIu64, parsed[qcap_parser_status(parser)], qcap_parser_offset(parser));
    else
        lines_add(lines, "%s at %" PRIu64, statuses[interpret_status(judge->interpret, is_server)],
                 interpret_offset(judge->interpret, is_server));
    bool says_nothing = !(is_server ? grammar->server : grammar->client) && !grammar->datagram; /* and has no registers */
    for (size_t i = says_nothing ? grammar->registers.count : 0; i < grammar->registers.count + grammar->shared.count; i++) {
        const reg_t *reg = i < grammar->registers.count ? grammar->registers.items[i]
                                                        : grammar->shared.items[i - grammar->registers.count];
        if (is_parser)
            add_parsed_register(judge, is_server, reg);
        else
            add_interpreted_register(judge, is_server, reg);
    }
}

static void *get_queues(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return judge_memory(size);
    free(block);
    return NULL;
}

/* ---------------------------------------------------------------- other protocols, and decoders */

static const qcap_protocol_t *find_protocol(const char *name, const uint64_t **wanted, void *user)
{
    (void)wanted;
    const judge_t *judge = user;
    for (size_t i = 0; i < judge->other_count; i++)
        if (strcmp(judge->others[i].protocol->name, name) == 0)
            return judge->others[i].protocol;
    return NULL;
}

static const grammar_t *find_grammar(const char *name, void *user)
{
    const judge_t *judge = user;
    for (size_t i = 0; i < judge->other_count; i++)
        if (strcmp(judge->others[i].protocol->name, name) == 0)
            return judge->others[i].grammar;
    return NULL;
}

void judge_add_other(judge_t *judge, const qcap_protocol_t *protocol, const grammar_t *grammar)
{
    if (judge->other_count == sizeof judge->others / sizeof *judge->others)
        abort();
    judge->others[judge->other_count++] = (other_t){protocol, grammar};
}

/* One stream all at once, by the library: no driver, and no pieces. */
static interpret_decoded_t decode_stream(const qcap_decoder_t *decoder, void *state, const interpret_coded_t *stream,
                                         text_t *out)
{
    static unsigned char made[1 << 16];
    qcap_decode_status_t status = QCAP_DECODE_MORE;
    qcap_decode_io_t io = {.in = (const unsigned char *)stream->bytes, .in_len = stream->len};
    while (status == QCAP_DECODE_MORE && stream->len > 0 && (io.in_len > 0 || io.out_len == 0)) {
        size_t before = io.in_len;
        io.out = made;
        io.out_len = sizeof made;
        status = decoder->run(state, &io);
        text_append(out, (const char *)made, (size_t)(io.out - made));
        if (io.in_len == before && io.out == made && status == QCAP_DECODE_MORE)
            status = QCAP_DECODE_ERROR;
    }
    if (status == QCAP_DECODE_ERROR)
        return INTERPRET_DECODED_WRONG;
    return decoder->ends && stream->len > 0 && status == QCAP_DECODE_MORE ? INTERPRET_DECODED_CUT : INTERPRET_DECODED;
}

/* What was decoded before is decoded again, into nothing. */
static interpret_decoded_t decode_by(const qcap_decoder_t *decoder, qcap_conversation_t *memory, const unsigned char *key,
                                     size_t key_len, const interpret_coded_t *streams, size_t count, text_t *out)
{
    interpret_decoded_t decoded = INTERPRET_DECODED;
    void *state = qcap_conversation_get(memory, decoder->state_size);
    text_t before;
    text_init(&before, out->arena);
    for (size_t i = 0; i < count; i++) {
        if (!state || !decoder->begin(state, memory, key, key_len))
            abort();
        decoded = decode_stream(decoder, state, &streams[i], i + 1 < count ? &before : out);
    }
    return decoded;
}

static interpret_decoded_t decode(const char *name, const unsigned char *key, size_t key_len,
                                  const interpret_coded_t *streams, size_t count, text_t *out, void *user)
{
    const judge_t *judge = user;
    const qcap_decoder_t *const *decoder = qcap_decoders;
    while (*decoder && strcmp((*decoder)->name, name) != 0)
        decoder++;
    if (!*decoder)
        return INTERPRET_DECODER_UNKNOWN;
    qcap_conversation_t *memory = judge_memory(judge->protocol->size);
    qcap_conversation_init(memory, judge->protocol, NULL, NULL);
    qcap_conversation_set_memory(memory, get_queues);
    interpret_decoded_t decoded = decode_by(*decoder, memory, key, key_len, streams, count, out);
    qcap_conversation_fini(memory);
    free(memory);
    return decoded;
}

/* ---------------------------------------------------------------- both */

static void run_interpreter(judge_t *judge, const scene_t *scene)
{
    interpret_set_limit(judge->interpret, LIMIT);
    interpret_set_find(judge->interpret, find_grammar);
    interpret_set_decode(judge->interpret, decode);
    interpret_restart(judge->interpret);
    follow_scene(judge, false, scene);
    add_state(judge, false, false);
    add_state(judge, false, true);
}

static void run_parser(judge_t *judge, const scene_t *scene)
{
    judge->conversation = judge_memory(judge->protocol->size);
    memset(judge->conversation, 0xa5, judge->protocol->size); /* whatever was there, it is not looked at */
    qcap_conversation_init(judge->conversation, judge->protocol, listen_to_parser, judge);
    qcap_conversation_set_memory(judge->conversation, get_queues);
    qcap_conversation_set_find(judge->conversation, find_protocol);
    qcap_conversation_set_decoders(judge->conversation, qcap_decoders);
    qcap_conversation_set_limit(judge->conversation, LIMIT);
    for (int i = 0; i < 2; i++) {
        listener_t *listener = &judge->listeners[i];
        listener->parser =
            i ? qcap_conversation_server(judge->conversation) : qcap_conversation_client(judge->conversation);
        qcap_keeper_init(&listener->keeper, listener->buffer, sizeof listener->buffer);
        listener->is_datagram = false;
    }
    follow_scene(judge, true, scene);
    add_state(judge, true, false);
    add_state(judge, true, true);
    qcap_conversation_fini(judge->conversation);
    free(judge->conversation);
    listen_forget(judge);
}

/* ---------------------------------------------------------------- differences */

/* It went round without a byte until that was told. How often is nobody's business. */
static bool went_round(const lines_t *lines)
{
    for (size_t i = lines->count; i-- > 0;)
        if (strstr(lines->items[i], interpret_code_text(INTERPRET_ERROR_IDLE)))
            return true;
    return false;
}

/* Elements with holes have bytes that are not known. */
static bool is_same(const char *interpreted, const char *parsed)
{
    static const char unknown[] = "    = ?", known[] = "    = ";
    return strcmp(interpreted, parsed) == 0 ||
           (strcmp(interpreted, unknown) == 0 && strncmp(parsed, known, sizeof known - 1) == 0);
}

static bool is_different(const judge_t *judge)
{
    for (unsigned i = 0; i < TELLERS; i++)
        if (went_round(&judge->logs[0][i]) && went_round(&judge->logs[1][i]))
            return false;
    for (unsigned i = 0; i < TELLERS; i++) {
        const lines_t *a = &judge->logs[0][i], *b = &judge->logs[1][i];
        if (a->count != b->count)
            return true;
        for (size_t k = 0; k < a->count; k++)
            if (!is_same(a->items[k], b->items[k]))
                return true;
    }
    return false;
}

static void print_both(const judge_t *judge, unsigned teller, FILE *out)
{
    const lines_t *a = &judge->logs[0][teller], *b = &judge->logs[1][teller];
    static const char *const deeper[] = {"", " >", " > >"};
    bool was_equal = true;
    for (size_t k = 0; k < a->count || k < b->count; k++) {
        const char *left = k < a->count ? a->items[k] : "", *right = k < b->count ? b->items[k] : "";
        bool is_equal = is_same(left, right);
        fprintf(out, "%s %s%s%s  ", is_equal ? "   " : "***", teller % 2 ? "server" : "client", deeper[teller / 4],
                teller & 2 ? " of what it feeds" : "");
        if (is_equal && was_equal)
            fprintf(out, "%s\n", left);
        else
            fprintf(out, "interpreter: %-50s | parser: %s\n", left, right);
        was_equal &= is_equal;
    }
}

static char *print_difference(const judge_t *judge)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s\n", judge->is_cut ? "in pieces:" : "whole:");
    for (unsigned i = 0; i < TELLERS; i++)
        print_both(judge, i, out);
    fclose(out);
    return text;
}

static char *compare(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    lay_out(judge, scene);
    run_interpreter(judge, scene);
    judge->random = seed;
    for (int i = 0; i < 2; i++) {
        judge->is_cut = i == 1;
        run_parser(judge, scene);
        if (is_different(judge))
            return print_difference(judge);
    }
    return NULL;
}

/* How a process of its own has ended that does the work; its exit status is what that returns. */
static int run_apart(int (*work)(void *), void *user)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            signal(signals[i], SIG_DFL); /* cmocka would go on with the test here */
        alarm(SECONDS_MAX);
        _exit(work(user));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return status;
}

bool judge_works_apart(int (*work)(void *), void *user)
{
    int status = run_apart(work, user);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

typedef struct comparison {
    judge_t *judge;
    const scene_t *scene;
    uint64_t seed;
} comparison_t;

static int do_comparison(void *user)
{
    comparison_t *c = user;
    return compare(c->judge, c->scene, c->seed) ? 1 : 0;
}

/* Tries it in another process first. NULL if they agree. */
static char *compare_apart(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    comparison_t comparison = {judge, scene, seed};
    int status = run_apart(do_comparison, &comparison);
    char *text = NULL;
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0 ? NULL : compare(judge, scene, seed);
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "it dies by signal %d\n", WTERMSIG(status));
    fclose(out);
    return text;
}

char *judge_compare(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    return judge->is_apart ? compare_apart(judge, scene, seed) : compare(judge, scene, seed);
}

void judge_set_apart(judge_t *judge)
{
    judge->is_apart = true;
}

judge_t *judge_new(const qcap_protocol_t *protocol, const grammar_t *grammar)
{
    judge_t *judge = judge_memory(sizeof *judge);
    judge->protocol = protocol;
    judge->grammar = grammar;
    judge->interpret = interpret_new(grammar, listen_to_interpreter, judge);
    return judge;
}

void judge_free(judge_t *judge)
{
    for (unsigned i = 0; i < TELLERS; i++) {
        lines_clear(&judge->logs[0][i]);
        lines_clear(&judge->logs[1][i]);
    }
    for (int i = 0; i < 2; i++)
        free(judge->said[i].bytes);
    interpret_free(judge->interpret);
    free(judge);
}
