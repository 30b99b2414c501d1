/* rfc_text.c: the plain text of an RFC as lines that say something.
 *
 * Where one page ends and the next begins there are some empty lines, a foot, a form feed, a head, and more empty lines:
 *
 *     Doe                          Standards Track                   [Page 9]
 *     ^L
 *     RFC 9999                       A Protocol                 November 2026
 *
 * All of that is one gap between two lines. RFCs from 8650 on have no pages. */
#include "rfc_text.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

typedef struct reading {
    arena_t *arena;
    rfc_text_t *rfc;
    gap_t gap;           /* since the last line */
    bool is_at_head;     /* nothing has been read of this page */
    const char *section; /* that the next line is in */
    text_t line;         /* being read */
} reading_t;

/* ---------------------------------------------------------------- lines */

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The line from *at on, which moves behind it: with no control characters but tabs written out, and no blanks at its end. */
static rfc_line_t read_line(reading_t *reading, const source_t *source, size_t *at, bool *is_form_feed)
{
    text_t *text = &reading->line;
    unsigned column = 0;

    text->len = 0;
    for (; *at < source->len && source->text[*at] != '\n'; ++*at) {
        unsigned char byte = (unsigned char)source->text[*at];
        unsigned next = byte == '\t' ? column / 8 * 8 + 8 : column + 1;
        *is_form_feed |= byte == '\f';
        if (byte != '\t' && (byte < ' ' || byte == 0x7f))
            continue;
        for (; column < next; column++)
            text_append(text, byte == '\t' ? " " : (const char *)&byte, 1);
    }
    *at += *at < source->len;
    while (text->len && text->bytes[text->len - 1] == ' ')
        text->len--;
    const char *copy = text->len ? arena_copy(reading->arena, text->bytes, text->len) : "";
    unsigned indent = (unsigned)strspn(copy, " ");
    return (rfc_line_t){.text = copy + indent, .indent = indent};
}

/* ---------------------------------------------------------------- pages */

/* "… [Page 9]" */
static bool is_foot(const rfc_line_t *line)
{
    const char *page = strstr(line->text, "[Page ");

    if (!page)
        return false;
    size_t len = strspn(page + 6, "0123456789ivxlc");
    return len && strcmp(page + 6 + len, "]") == 0;
}

static bool is_head(const rfc_line_t *line)
{
    size_t len = strlen(line->text);

    return line->indent == 0 && len >= 4 && isdigit((unsigned char)line->text[len - 1]) &&
           (has_prefix(line->text, "RFC ") || has_prefix(line->text, "Internet") || has_prefix(line->text, "INTERNET"));
}

/* ---------------------------------------------------------------- sections */

/* The number in "3.2.  Requests", "3.2 Requests", "Appendix B.  Grammar", "B.1.  Rules"; NULL if the line is no heading. */
static const char *section_of(arena_t *arena, const rfc_line_t *line)
{
    const char *text = line->text;
    bool is_appendix = has_prefix(text, "Appendix ");
    size_t len;

    if (line->indent || strstr(text, "....")) /* which leads to a page number */
        return NULL;
    text += is_appendix ? strlen("Appendix ") : 0;
    len = isupper((unsigned char)text[0]) && (is_appendix || text[1] == '.');
    while (isdigit((unsigned char)text[len]) || (len && text[len] == '.' && isdigit((unsigned char)text[len + 1])))
        len++;
    size_t end = len + (text[len] == '.' || text[len] == ':');
    if (!len || (text[end] && text[end] != ' ') || (!is_appendix && !text[end]))
        return NULL;
    return arena_copy(arena, text, len);
}

/* "RFC 9112" or "Request for Comments: 9112" where a line begins. */
static void find_number(reading_t *reading, const rfc_line_t *line)
{
    const char *request = "Request for Comments: ";
    const char *number = has_prefix(line->text, request) ? line->text + strlen(request)
                         : has_prefix(line->text, "RFC ") ? line->text + strlen("RFC ")
                                                          : "";
    size_t len = strspn(number, "0123456789");

    if (!*reading->rfc->number && line->indent == 0 && len)
        reading->rfc->number = arena_copy(reading->arena, number, len);
}

/* ---------------------------------------------------------------- all of it */

static void add_line(reading_t *reading, rfc_line_t line)
{
    const char *section;

    if (!*line.text) {
        if (reading->gap == GAP_NONE)
            reading->gap = GAP_BLANK;
        return;
    }
    find_number(reading, &line);
    if (is_foot(&line) || (reading->is_at_head && is_head(&line))) {
        reading->is_at_head = is_foot(&line);
        reading->gap = GAP_PAGE;
        return;
    }
    reading->is_at_head = false;
    section = section_of(reading->arena, &line);
    if (section) {
        reading->section = section;
        reading->gap = GAP_BLANK; /* whatever came before has ended */
        return;
    }
    line.section = reading->section;
    line.gap = reading->gap;
    reading->gap = GAP_NONE;
    vec_push(reading->arena, &reading->rfc->lines, line);
}

rfc_text_t *rfc_text_read(arena_t *arena, const source_t *source)
{
    reading_t reading = {.arena = arena, .rfc = ARENA_NEW(arena, rfc_text_t), .section = "", .is_at_head = true};

    reading.rfc->number = "";
    text_init(&reading.line, arena);
    for (size_t at = 0; at < source->len;) {
        bool is_form_feed = false;
        rfc_line_t line = read_line(&reading, source, &at, &is_form_feed);
        if (is_form_feed) {
            reading.is_at_head = true;
            reading.gap = GAP_PAGE;
        }
        add_line(&reading, line);
    }
    return reading.rfc;
}
