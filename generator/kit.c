/* kit.c: a program that tests a generated parser: scenes made up by sample.c, and what interpret.c says of them.
 *
 * A scene is a few messages of both sides. In every third of them one message is spoilt, so that errors, and how
 * reading goes on, are tested as well. What is expected does not come from the automaton that is tested: the
 * interpreter reads the grammar. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

#include "interpret.h"
#include "sample.h"

#define ROUNDS_MAX 3u   /* messages of each side in a scene */
#define SPOILT_EVERY 3u /* scenes */
#define SCENES_MIN 100u
#define SCENES_MAX 5000u
#define IDLE_MAX 60u        /* scenes in a row that use nothing new: the rest is not found */
#define ELEMENT_LIMIT 4096u /* bytes of a whole element; as in testkit.h */
#define LINE_WIDTH 100u

typedef struct step {
    bool is_server;
    unsigned char *bytes;
    size_t len;
} step_t;

/* Conversations that are made, one after the other. */
typedef struct maker {
    arena_t *arena;
    sample_t *sample;
    interpret_t *interpret;
    VEC(step_t) steps; /* of the scene at hand */
    text_t says[2];    /* lines that must come of it: of client and server */
    text_t *text;      /* the program */
    unsigned count;    /* scenes so far */
} maker_t;

/* ---------------------------------------------------------------- what is expected */

static void on_event(const interpret_event_t *event, void *user)
{
    maker_t *m = user;
    text_t *text = &m->says[event->is_server];

    if (event->nesting > 0 || event->is_fed) /* what sub-streams say depends on what can decode them */
        return;
    if (event->kind == INTERPRET_ERROR)
        text_print(text, "error %llu code %d byte %d in %s\n", (unsigned long long)event->begin, (int)event->code,
                   event->byte, event->rule);
    else
        text_print(text, "%s %llu..%llu %s%s%s%s\n", interpret_kind_name(event->kind), (unsigned long long)event->begin,
                   (unsigned long long)event->end, event->path ? event->path : "", event->text ? event->text : "",
                   event->is_truncated ? " truncated" : "", event->is_aborted ? " aborted" : "");
}

/* What a side has sent, and how far it has been read. */
typedef struct side {
    text_t said;
    size_t taken;
} side_t;

static bool offer(maker_t *m, side_t *sides, bool is_server)
{
    side_t *side = &sides[is_server];
    size_t lines = m->says[is_server].len;
    size_t taken = interpret_feed(m->interpret, is_server, (const unsigned char *)side->said.bytes + side->taken,
                                  side->said.len - side->taken);

    side->taken += taken;
    return taken > 0 || m->says[is_server].len > lines;
}

static void offer_both(maker_t *m, side_t *sides)
{
    for (bool is_moving = true; is_moving;) {
        is_moving = offer(m, sides, false);
        is_moving |= offer(m, sides, true);
    }
}

/* As testkit.h feeds it to the parser, but for the cuts. False if the interpreter gives up. */
static bool read_scene(maker_t *m)
{
    side_t sides[2];

    interpret_restart(m->interpret);
    for (int i = 0; i < 2; i++) {
        sides[i] = (side_t){.taken = 0};
        text_init(&sides[i].said, m->arena);
        text_init(&m->says[i], m->arena);
    }
    for (size_t i = 0; i < m->steps.count; i++) {
        const step_t *step = &m->steps.items[i];
        text_append(&sides[step->is_server].said, (const char *)step->bytes, step->len);
        offer(m, sides, step->is_server);
        offer_both(m, sides);
    }
    for (int i = 0; i < 2; i++) {
        interpret_finish(m->interpret, i);
        offer_both(m, sides);
    }
    return interpret_status(m->interpret, false) != INTERPRET_BROKEN &&
           interpret_status(m->interpret, true) != INTERPRET_BROKEN;
}

/* ---------------------------------------------------------------- the program's text */

/* A string of C. Octal escapes end by themselves. */
static void print_bytes(const char *bytes, size_t len, text_t *text)
{
    size_t begin = text->len;

    text_print(text, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (text->len - begin > LINE_WIDTH) {
            text_print(text, "\"\n        \"");
            begin = text->len;
        }
        if (byte == '\n' || byte == '\r')
            text_print(text, byte == '\n' ? "\\n" : "\\r");
        else if (byte == '"' || byte == '\\' || byte == '?') /* no trigraphs */
            text_print(text, "\\%c", byte);
        else if (byte >= ' ' && byte < 0x7f)
            text_print(text, "%c", byte);
        else
            text_print(text, "\\%03o", byte);
    }
    text_print(text, "\"");
}

static void print_lines(const text_t *lines, text_t *text)
{
    if (!lines->len)
        text_print(text, "        \"\"");
    for (const char *line = lines->bytes, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        text_print(text, "%s        ", line == lines->bytes ? "" : "\n");
        print_bytes(line, (size_t)(end + 1 - line), text);
    }
}

static void print_scene(maker_t *m)
{
    text_print(m->text, "static const qcap_kit_step_t steps_%u[] = {\n", ++m->count);
    for (size_t i = 0; i < m->steps.count; i++) {
        const step_t *step = &m->steps.items[i];
        text_print(m->text, "    {%d,\n        ", step->is_server);
        print_bytes((const char *)step->bytes, step->len, m->text);
        text_print(m->text, ", %zu},\n", step->len);
    }
    text_print(m->text, "};\nstatic const char client_%u[] =\n", m->count);
    print_lines(&m->says[0], m->text);
    text_print(m->text, ";\nstatic const char server_%u[] =\n", m->count);
    print_lines(&m->says[1], m->text);
    text_print(m->text, ";\n\n");
}

static void print_top(const grammar_t *grammar, text_t *text)
{
    text_print(
        text,
        "/* %s_kit.c: tests the parser in %s.c with messages made up from its spec.\n *\n"
        " * Generated by qcapgen kit. It compiles with what a parser needs, and exits with 0 if nothing is wrong. */\n"
        "#include \"%s.h\"\n#include \"testkit.h\"\n\n",
        grammar->name, grammar->name, grammar->name);
}

static void print_main(const maker_t *m, const grammar_t *grammar)
{
    text_print(m->text, "static const qcap_kit_scene_t scenes[] = {\n");
    for (unsigned i = 1; i <= m->count; i++)
        text_print(m->text, "    {steps_%u, sizeof steps_%u / sizeof *steps_%u, {client_%u, server_%u}},\n", i, i, i, i,
                   i);
    text_print(m->text,
               "};\n\nint main(void)\n{\n    return qcap_kit_run(&qcap_%s_protocol, scenes, sizeof scenes / sizeof "
               "*scenes);\n}\n",
               grammar->name);
}

/* ---------------------------------------------------------------- scenes */

static void add_message(maker_t *m, bool is_server)
{
    size_t len = 0;
    const unsigned char *bytes = sample_next(m->sample, is_server, &len);
    step_t step = {.is_server = is_server, .len = len};

    if (!bytes || !len)
        return;
    step.bytes = arena_alloc(m->arena, len + 1); /* spoiling may add one */
    memcpy(step.bytes, bytes, len);
    vec_push(m->arena, &m->steps, step);
}

static void make_scene(maker_t *m)
{
    sample_restart(m->sample);
    m->steps.count = 0;
    for (unsigned round = 0; round <= m->count % ROUNDS_MAX; round++) {
        add_message(m, false);
        add_message(m, true);
    }
    if (m->count % SPOILT_EVERY == SPOILT_EVERY - 1 && m->steps.count) {
        step_t *step = &m->steps.items[m->count / SPOILT_EVERY % m->steps.count];
        step->len = sample_spoil(m->sample, step->bytes, step->len);
    }
}

static bool is_enough(const maker_t *m, unsigned count, size_t *used_before, unsigned *idle)
{
    size_t used, all;

    if (count)
        return m->count >= count;
    sample_count(m->sample, NULL, &used, &all);
    *idle = used > *used_before ? 0 : *idle + 1;
    *used_before = used;
    return m->count >= SCENES_MAX || (m->count >= SCENES_MIN && (used == all || *idle >= IDLE_MAX));
}

static const char *make_scenes(maker_t *m, const kit_options_t *options)
{
    size_t used = 0;
    unsigned idle = 0, made = 0;

    while (!is_enough(m, options->count, &used, &idle)) {
        make_scene(m);
        if (!m->steps.count && ++made > IDLE_MAX)
            return "no message was found that the annotations allow";
        if (!m->steps.count)
            continue;
        if (!read_scene(m))
            return interpret_complaint(m->interpret);
        print_scene(m);
    }
    return NULL;
}

const char *kit_print(const layout_t *layout, const kit_options_t *options, text_t *text)
{
    const grammar_t *grammar = layout->grammar;
    maker_t m = {.arena = text->arena, .text = text, .sample = sample_new(grammar, options->seed)};

    m.interpret = interpret_new(grammar, on_event, &m);
    interpret_set_limit(m.interpret, ELEMENT_LIMIT);
    print_top(grammar, text);
    const char *reason = make_scenes(&m, options);
    print_main(&m, grammar);
    interpret_free(m.interpret);
    sample_free(m.sample);
    return reason;
}
