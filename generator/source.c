/* source.c: the text of a spec file, and where in it something stands. Lines are counted when a message needs them. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

const source_t *source_new(arena_t *arena, const char *path, const char *text, size_t len)
{
    source_t *source = ARENA_NEW(arena, source_t);

    *source = (source_t){.path = path, .text = text, .len = len};
    return source;
}

/* Reads all of `file`, or a byte more than is allowed; false with errno on failure. */
static bool read_all(FILE *file, text_t *text)
{
    char piece[4096];
    size_t len;

    errno = 0;
    while (text->len <= SOURCE_SIZE_MAX && (len = fread(piece, 1, sizeof piece, file)) > 0)
        text_append(text, piece, len);
    return !ferror(file);
}

/* A spec may name anything: a pipe would be waited for, a device may have no end. False after a complaint. */
static bool is_file(const char *path, place_t place, diag_t *diag)
{
    struct stat status;
    bool is_other = stat(path, &status) == 0 && !S_ISREG(status.st_mode);

    if (is_other)
        diag_error(diag, place, "cannot import %s: it is not a regular file", path);
    return !is_other;
}

const source_t *source_read(arena_t *arena, const char *path, place_t place, diag_t *diag)
{
    text_t text;
    bool is_stdin = !place.source && strcmp(path, "-") == 0;

    if (place.source && !is_file(path, place, diag))
        return NULL;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file) {
        diag_error(diag, place, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    text_init(&text, arena);
    bool is_read = read_all(file, &text);
    int reason = errno;
    if (!is_stdin)
        fclose(file);
    if (!is_read) {
        diag_error(diag, place, "cannot read %s: %s", path, strerror(reason));
        return NULL;
    }
    if (text.len > SOURCE_SIZE_MAX) {
        diag_error(diag, place, "%s is longer than %zu bytes", path, SOURCE_SIZE_MAX);
        return NULL;
    }
    return source_new(arena, is_stdin ? "<stdin>" : arena_copy(arena, path, strlen(path)), text.bytes, text.len);
}

const char *source_sibling(arena_t *arena, const char *path, const char *file)
{
    size_t folder_len = (size_t)(source_base_name(path) - path);

    if (*file == '/')
        folder_len = 0;
    return arena_print(arena, "%.*s%s", (int)folder_len, path, file);
}

const char *source_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

size_t source_line_begin(const source_t *source, size_t offset)
{
    while (offset > 0 && source->text[offset - 1] != '\n')
        offset--;
    return offset;
}

size_t source_line_end(const source_t *source, size_t offset)
{
    while (offset < source->len && source->text[offset] != '\n')
        offset++;
    if (offset > 0 && offset < source->len && source->text[offset - 1] == '\r')
        offset--;
    return offset;
}

source_position_t source_position(const source_t *source, size_t offset)
{
    source_position_t position = {.line = 1, .column = 1};

    for (size_t i = 0; i < offset && i < source->len; i++) {
        if (source->text[i] == '\n')
            position = (source_position_t){.line = position.line + 1, .column = 1};
        else if (((unsigned char)source->text[i] & 0xc0) != 0x80) /* not a UTF-8 continuation byte */
            position.column++;
    }
    return position;
}

place_t place_span(place_t from, place_t to)
{
    if (!from.source)
        return to;
    if (to.source && to.offset + to.len > from.offset)
        from.len = to.offset + to.len - from.offset;
    return from;
}
