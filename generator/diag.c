/* diag.c: messages about a spec.
 *
 * Messages are kept until the end, so that whoever calls the generator as a library (a test, a fuzzer) can read them
 * instead, and so that they can be put in order. None is kept twice. A broken spec can be wrong in every byte: behind
 * MESSAGE_MAX messages only their number is kept. */
#include "diag.h"

#include <stdarg.h>
#include <string.h>

#include "source.h"
#include "text.h"
#include "vec.h"

#define MESSAGE_MAX 50
#define SHOWN_MAX 160 /* bytes of a source line that are shown */

typedef struct remark {
    const char *text; /* one line */
    place_t place;    /* what it is about; without a source: no place in particular */
} remark_t;

typedef struct message {
    place_t place;       /* what it is about; without a source: of the spec as a whole */
    bool is_error;       /* or a warning */
    const char *text;    /* one line */
    VEC(remark_t) notes; /* lines that belong to it */
} message_t;

struct diag {
    arena_t *arena;          /* where texts are kept */
    VEC(message_t) messages; /* in the order in which they were found */
    unsigned most;           /* messages that are kept */
    unsigned dropped;        /* messages behind that */
    bool is_dropping;        /* the message before was not kept: nor are its notes */
    bool has_errors;         /* any message, kept or dropped, was an error */
    bool is_coloured;        /* when printed */
};

diag_t *diag_new(arena_t *arena)
{
    diag_t *diag = ARENA_NEW(arena, diag_t);

    diag->arena = arena;
    diag->most = MESSAGE_MAX;
    return diag;
}

static const char *format_text(arena_t *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    size_t size = len < 0 ? 1 : (size_t)len + 1;
    char *text = arena_alloc(arena, size);
    vsnprintf(text, size, format, args);
    return text;
}

/* What is wrong with a rule may be met again wherever the rule is used. */
static bool is_known(const diag_t *diag, const message_t *message)
{
    for (size_t i = 0; i < diag->messages.count; i++) {
        const message_t *known = &diag->messages.items[i];
        if (known->place.source == message->place.source && known->place.offset == message->place.offset &&
            strcmp(known->text, message->text) == 0)
            return true;
    }
    return false;
}

static void add(diag_t *diag, place_t place, bool is_error, const char *format, va_list args)
{
    diag->has_errors |= is_error;
    diag->is_dropping = diag->messages.count >= diag->most;
    if (diag->is_dropping) {
        diag->dropped++;
        return;
    }
    message_t message = {.place = place, .is_error = is_error, .text = format_text(diag->arena, format, args)};
    diag->is_dropping = is_known(diag, &message);
    if (!diag->is_dropping)
        vec_push(diag->arena, &diag->messages, message);
}

void diag_add(diag_t *diag, const diag_t *other)
{
    diag->has_errors |= other->has_errors;
    diag->dropped += other->dropped;
    for (size_t i = 0; i < other->messages.count; i++) {
        diag->is_dropping = diag->messages.count >= diag->most;
        diag->dropped += diag->is_dropping;
        if (diag->is_dropping || is_known(diag, &other->messages.items[i]))
            continue;
        vec_push(diag->arena, &diag->messages, other->messages.items[i]);
    }
}

void diag_error(diag_t *diag, place_t place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diag, place, true, format, args);
    va_end(args);
}

void diag_warning(diag_t *diag, place_t place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diag, place, false, format, args);
    va_end(args);
}

static void add_note(diag_t *diag, place_t place, const char *format, va_list args)
{
    if (diag->is_dropping || !diag->messages.count)
        return;
    message_t *message = &diag->messages.items[diag->messages.count - 1];
    remark_t note = {.text = format_text(diag->arena, format, args), .place = place};
    vec_push(diag->arena, &message->notes, note);
}

void diag_note(diag_t *diag, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(diag, (place_t){.source = NULL}, format, args);
    va_end(args);
}

void diag_note_at(diag_t *diag, place_t place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(diag, place, format, args);
    va_end(args);
}

void diag_keep(diag_t *diag, unsigned most)
{
    diag->most = most;
}

bool diag_has_errors(const diag_t *diag)
{
    return diag->has_errors;
}

void diag_colour(diag_t *diag)
{
    diag->is_coloured = true;
}

/* ---------------------------------------------------------------- printing */

/* As compilers have it: what kind of message it is and where shows at a glance. */
typedef enum { STYLE_NONE, STYLE_PLACE, STYLE_ERROR, STYLE_WARNING, STYLE_CARET } style_t;

/* What makes a terminal write in that style; "" without colours. */
static const char *style(const diag_t *diag, style_t s)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[1;31m", "\033[1;35m", "\033[1;32m"};

    return diag->is_coloured ? codes[s] : "";
}

/* The part of the line that is shown: all of it, or SHOWN_MAX bytes that contain the place. */
static void shown_part(const place_t *place, size_t *begin, size_t *end)
{
    *begin = source_line_begin(place->source, place->offset);
    *end = source_line_end(place->source, place->offset);
    if (*end < *begin)
        *end = *begin;
    if (place->offset - *begin > SHOWN_MAX / 2)
        *begin = place->offset - SHOWN_MAX / 2;
    if (*end - *begin > SHOWN_MAX)
        *end = *begin + SHOWN_MAX;
}

/* Bytes of the line as they are, but for those that would do something to a terminal. */
static void print_line(FILE *file, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        fputc(byte == '\t' || (byte >= 0x20 && byte != 0x7f) ? byte : '?', file);
    }
}

/* Blanks up to the place, tabs where the line has tabs, then ^~~~ below it. */
static void print_caret(const diag_t *diag, FILE *file, const place_t *place, size_t begin, size_t end)
{
    const char *text = place->source->text;

    for (size_t i = begin; i < place->offset && i < end; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            fputc(text[i] == '\t' ? '\t' : ' ', file);
    fprintf(file, "%s^", style(diag, STYLE_CARET));
    for (size_t i = place->offset + 1; i < (size_t)place->offset + place->len && i < end; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            fputc('~', file);
    fprintf(file, "%s\n", style(diag, STYLE_NONE));
}

static void print_place(const diag_t *diag, FILE *file, const place_t *place)
{
    size_t begin, end;
    source_position_t position = source_position(place->source, place->offset);

    shown_part(place, &begin, &end);
    fprintf(file, "%5u | ", position.line);
    print_line(file, place->source->text + begin, end - begin);
    fprintf(file, "\n      | ");
    print_caret(diag, file, place, begin, end);
}

static void print_note(const diag_t *diag, FILE *file, const remark_t *note)
{
    fprintf(file, "      = %s", note->text);
    if (note->place.source)
        fprintf(file, ", in %s, line %u", note->place.source->path,
                source_position(note->place.source, note->place.offset).line);
    fputc('\n', file);
    if (note->place.source)
        print_place(diag, file, &note->place);
}

static void print_message(const diag_t *diag, FILE *file, const message_t *message)
{
    if (message->place.source) {
        source_position_t position = source_position(message->place.source, message->place.offset);
        fprintf(file, "%s%s:%u:%u:%s ", style(diag, STYLE_PLACE), message->place.source->path, position.line,
                position.column, style(diag, STYLE_NONE));
    }
    fprintf(file, "%s%s:%s %s\n", style(diag, message->is_error ? STYLE_ERROR : STYLE_WARNING),
            message->is_error ? "error" : "warning", style(diag, STYLE_NONE), message->text);
    if (message->place.source)
        print_place(diag, file, &message->place);
    for (size_t i = 0; i < message->notes.count; i++)
        print_note(diag, file, &message->notes.items[i]);
}

/* Several steps may complain about one file. Its messages are read in the order of its lines. */
static void sort_by_place(diag_t *diag)
{
    for (size_t i = 1; i < diag->messages.count; i++) {
        message_t message = diag->messages.items[i];
        size_t k = i;
        for (; k > 0; k--) {
            const message_t *before = &diag->messages.items[k - 1];
            if (before->place.source != message.place.source || before->place.offset <= message.place.offset)
                break;
            diag->messages.items[k] = *before;
        }
        diag->messages.items[k] = message;
    }
}

void diag_print(diag_t *diag, FILE *file)
{
    sort_by_place(diag);
    for (size_t i = 0; i < diag->messages.count; i++)
        print_message(diag, file, &diag->messages.items[i]);
    if (diag->dropped)
        fprintf(file, "and %u more\n", diag->dropped);
}
