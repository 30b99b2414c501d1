/* output.c: files that are written all or not at all: each under another name first, and renamed when the last one is
 * there. */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_add(output_t *output, const char *path, const text_t *text)
{
    vec_push(output->arena, &output->files, ((output_file_t){.path = path, .text = text}));
}

static bool write_scratch(arena_t *arena, output_file_t *f)
{
    const char *path = arena_print(arena, "%s.%ld.tmp", f->path, (long)getpid());
    FILE *file = fopen(path, "wbx");

    if (!file)
        return false;
    f->scratch = path;
    bool is_written = fwrite(f->text->bytes, 1, f->text->len, file) == f->text->len;
    int reason = errno;
    if (fclose(file) != 0)
        return false;
    errno = reason;
    return is_written;
}

/* What is left of scratch files goes; errno stays. */
static bool give_up(output_t *output, const char *path)
{
    int reason = errno;

    for (size_t i = 0; i < output->files.count; i++)
        if (output->files.items[i].scratch)
            unlink(output->files.items[i].scratch);
    output->failed = path;
    errno = reason;
    return false;
}

bool output_write(output_t *output)
{
    for (size_t i = 0; i < output->files.count; i++)
        if (!write_scratch(output->arena, &output->files.items[i]))
            return give_up(output, output->files.items[i].path);
    for (size_t i = 0; i < output->files.count; i++) {
        output_file_t *file = &output->files.items[i];
        if (rename(file->scratch, file->path) != 0)
            return give_up(output, file->path);
        file->scratch = NULL;
    }
    return true;
}

bool output_read(arena_t *arena, const char *path, text_t *text)
{
    char piece[4096];
    size_t len;
    FILE *file = fopen(path, "rb");

    if (!file)
        return false;
    text_init(text, arena);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        text_append(text, piece, len);
    bool is_read = !ferror(file);
    int reason = errno;
    fclose(file);
    errno = reason;
    return is_read;
}

bool output_make_folder(arena_t *arena, const char *path)
{
    char *part = arena_copy(arena, path, strlen(path));
    struct stat info;

    for (char *slash = part + 1; *part && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(part, 0777); /* why it failed shows at the last one */
        *slash = '/';
    }
    if (mkdir(path, 0777) == 0 || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
        return true;
    return false;
}
