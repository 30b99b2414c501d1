/* text.c: growing text. The bytes are always followed by a NUL that len does not count. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for `more` bytes and the NUL. */
static void reserve(text_t *text, size_t more)
{
    size_t needed = text->len + more + 1;

    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    char *grown = arena_alloc(text->arena, capacity);
    if (text->len)
        memcpy(grown, text->bytes, text->len);
    text->bytes = grown;
    text->capacity = capacity;
}

void text_init(text_t *text, arena_t *arena)
{
    *text = (text_t){.arena = arena};
    reserve(text, 0);
}

void text_print(text_t *text, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        reserve(text, (size_t)len);
        vsnprintf(text->bytes + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void text_append(text_t *text, const char *bytes, size_t len)
{
    if (!len)
        return;
    reserve(text, len);
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void text_byte(text_t *text, unsigned byte)
{
    static const struct {
        unsigned byte;
        const char *name;
    } escapes[] = {{'\0', "'\\0'"}, {'\t', "'\\t'"}, {'\n', "'\\n'"},
                   {'\r', "'\\r'"}, {'\'', "'\\''"}, {'\\', "'\\\\'"}};

    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (byte == escapes[i].byte) {
            text_print(text, "%s", escapes[i].name);
            return;
        }
    if (byte >= 0x20 && byte < 0x7f)
        text_print(text, "'%c'", (int)byte);
    else
        text_print(text, "0x%02x", byte);
}

void text_quoted_byte(text_t *text, unsigned byte)
{
    if (byte == '\r')
        text_print(text, "\\r");
    else if (byte == '\n')
        text_print(text, "\\n");
    else if (byte == '\t')
        text_print(text, "\\t");
    else if (byte == '"' || byte == '\\')
        text_print(text, "\\%c", (int)byte);
    else if (byte < 0x20 || byte > 0x7e)
        text_print(text, "\\x%02x", byte);
    else
        text_print(text, "%c", (int)byte);
}

void text_abnf_string(text_t *text, const char *bytes, size_t len, bool is_case_sensitive)
{
    bool is_quotable = true;
    for (size_t i = 0; i < len; i++)
        is_quotable &= bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"';
    if (is_quotable)
        text_print(text, "%s\"%.*s\"", is_case_sensitive ? "%s" : "", (int)len, bytes);
    for (size_t i = 0; i < len && !is_quotable; i++)
        text_print(text, "%s%02X", i ? "." : "%x", (unsigned char)bytes[i]);
}
