/* page.c: Markdown → scenes, and back with other events. */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- memory */

/* Tests may give up when memory is out. */
static void *grow(void *old, size_t size)
{
    void *grown = realloc(old, size);
    if (!grown) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return grown;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(grow(NULL, size), text, size);
}

static int complain(const page_t *page, size_t line, const char *what)
{
    fprintf(stderr, "%s:%zu: %s\n", page->path, line + 1, what);
    return -1;
}

/* ---------------------------------------------------------------- lines */

static int read_lines(page_t *page)
{
    FILE *file = fopen(page->path, "r");
    if (!file) {
        perror(page->path);
        return -1;
    }
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, file)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            line[len - 1] = '\0';
        page->lines = grow(page->lines, (page->line_count + 1) * sizeof *page->lines);
        page->lines[page->line_count++] = copy_text(line);
    }
    free(line);
    fclose(file);
    return 0;
}

/* ---------------------------------------------------------------- messages */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Reads one byte of `text`, which may be escaped, into `byte`; returns what follows, NULL if it is no known escape. */
static const char *unescape(const char *text, unsigned char *byte)
{
    static const char names[] = "rnt\\", bytes[] = "\r\n\t\\";
    if (*text != '\\') {
        *byte = (unsigned char)*text;
        return text + 1;
    }
    const char *name = text[1] ? strchr(names, text[1]) : NULL;
    if (name) {
        *byte = (unsigned char)bytes[name - names];
        return text + 2;
    }
    int high = text[1] == 'x' ? hex_digit(text[2]) : -1;
    int low = high >= 0 ? hex_digit(text[3]) : -1;
    if (low < 0)
        return NULL;
    *byte = (unsigned char)(high * 16 + low);
    return text + 4;
}

static step_t *add_step(scene_t *scene, step_kind_t kind, bool is_server)
{
    scene->steps = grow(scene->steps, (scene->step_count + 1) * sizeof *scene->steps);
    step_t *step = &scene->steps[scene->step_count++];
    *step = (step_t){.kind = kind, .is_server = is_server};
    return step;
}

/* `> text` or `< text`: more of the last step if that is of the same side. `>> text` and `<< text` are datagrams. */
static int read_bytes(scene_t *scene, const char *line)
{
    bool is_server = line[0] == '<', is_datagram = line[1] == line[0];
    step_t *step = scene->step_count ? &scene->steps[scene->step_count - 1] : NULL;
    if (is_datagram || !step || step->kind != STEP_BYTES || step->is_server != is_server)
        step = add_step(scene, is_datagram ? STEP_DATAGRAM : STEP_BYTES, is_server);
    const char *text = line + 1 + is_datagram;
    text += *text == ' ';
    step->bytes = grow(step->bytes, step->len + strlen(text) + 1);
    while (text && *text)
        text = unescape(text, &step->bytes[step->len++]);
    return text ? 0 : -1;
}

static int read_step(scene_t *scene, const char *line)
{
    static const struct {
        const char *name;
        step_kind_t kind;
    } plain[] = {{"finish", STEP_FINISH}, {"absent", STEP_ABSENT}, {"hurry", STEP_HURRY}, {"search", STEP_SEARCH}};
    unsigned long long number;
    int end = -1;

    size_t signs = strspn(line, line[0] == '<' ? "<" : ">");
    if ((signs == 1 || signs == 2) && (line[signs] == ' ' || (signs == 2 && !line[signs])))
        return read_bytes(scene, line);
    if (sscanf(line, "limit %llu%n", &number, &end) == 1 && !line[end]) {
        add_step(scene, STEP_LIMIT, false)->number = number;
        return 0;
    }
    bool is_server = strncmp(line, "server ", 7) == 0;
    if (!is_server && strncmp(line, "client ", 7) != 0)
        return -1;
    line += 7;
    if (sscanf(line, "gap %llu%n", &number, &end) == 1 && !line[end]) {
        add_step(scene, STEP_GAP, is_server)->number = number;
        return 0;
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(line, plain[i].name) == 0) {
            add_step(scene, plain[i].kind, is_server);
            return 0;
        }
    }
    return -1;
}

/* ---------------------------------------------------------------- scenes */

static size_t find_fence(const page_t *page, size_t line)
{
    while (line < page->line_count && strcmp(page->lines[line], "```") != 0)
        line++;
    return line;
}

/* The message block that begins behind `line`. Returns the line behind it, 0 on a mistake. */
static size_t read_message(page_t *page, size_t line, const char *title)
{
    page->scenes = grow(page->scenes, (page->scene_count + 1) * sizeof *page->scenes);
    scene_t *scene = &page->scenes[page->scene_count++];
    *scene = (scene_t){.title = copy_text(title), .events = copy_text("")};
    size_t end = find_fence(page, line);
    if (end == page->line_count) {
        complain(page, line, "the block has no end");
        return 0;
    }
    for (; line < end; line++) {
        if (read_step(scene, page->lines[line]) < 0) {
            complain(page, line, "neither bytes nor a step");
            return 0;
        }
    }
    return scene->message_end = scene->events_end = end + 1;
}

/* The events block whose first line is `line`; it follows its message at once. Returns the line behind it, 0 on a
 * mistake. */
static size_t read_events(page_t *page, size_t line)
{
    scene_t *scene = page->scene_count ? &page->scenes[page->scene_count - 1] : NULL;
    size_t end = find_fence(page, line);
    if (!scene || scene->message_end != line - 1 || end == page->line_count) {
        complain(page, line, "events that do not follow a message, or have no end");
        return 0;
    }
    size_t len = 0;
    for (; line < end; line++) {
        size_t more = strlen(page->lines[line]);
        scene->events = grow(scene->events, len + more + 2);
        memcpy(scene->events + len, page->lines[line], more);
        len += more;
        scene->events[len++] = '\n';
        scene->events[len] = '\0';
    }
    return scene->events_end = end + 1;
}

static int read_scenes(page_t *page)
{
    const char *title = "";
    for (size_t line = 0; line < page->line_count;) {
        const char *text = page->lines[line++];
        if (strncmp(text, "## ", 3) == 0)
            title = text + 3;
        else if (strcmp(text, "```message") == 0)
            line = read_message(page, line, title);
        else if (strcmp(text, "```events") == 0)
            line = read_events(page, line);
        if (line == 0)
            return -1;
    }
    return page->scene_count ? 0 : complain(page, 0, "no message in this page");
}

page_t *page_read(const char *path)
{
    page_t *page = grow(NULL, sizeof *page);
    *page = (page_t){.path = copy_text(path)};
    if (read_lines(page) < 0 || read_scenes(page) < 0) {
        page_free(page);
        return NULL;
    }
    return page;
}

int page_write(const page_t *page, char *const *events)
{
    FILE *file = fopen(page->path, "w");
    if (!file) {
        perror(page->path);
        return -1;
    }
    size_t line = 0;
    for (size_t i = 0; i < page->scene_count; i++) {
        const scene_t *scene = &page->scenes[i];
        while (line < scene->message_end)
            fprintf(file, "%s\n", page->lines[line++]);
        fprintf(file, "```events\n%s```\n", events[i]);
        line = scene->events_end;
    }
    while (line < page->line_count)
        fprintf(file, "%s\n", page->lines[line++]);
    if (fclose(file) != 0) {
        perror(page->path);
        return -1;
    }
    return 0;
}

void page_free(page_t *page)
{
    for (size_t i = 0; i < page->line_count; i++)
        free(page->lines[i]);
    for (size_t i = 0; i < page->scene_count; i++) {
        for (size_t k = 0; k < page->scenes[i].step_count; k++)
            free(page->scenes[i].steps[k].bytes);
        free(page->scenes[i].steps);
        free(page->scenes[i].title);
        free(page->scenes[i].events);
    }
    free(page->scenes);
    free(page->lines);
    free(page->path);
    free(page);
}
