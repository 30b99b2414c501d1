/* difference.c: how a text differs from what it should be.
 *
 * Lines that are equal before the first difference are passed; of those behind it, WINDOW on each side are compared by
 * their longest common subsequence, which is more than anybody reads. */
#include "difference.h"

#include <stdint.h>
#include <string.h>

#include "vec.h"

#define WINDOW 200u
#define AROUND 3u /* equal lines that are shown around what differs */

typedef struct line {
    const char *begin;
    size_t len; /* with its end, if it has one */
} line_t;

typedef VEC(line_t) lines_t;

typedef struct comparison {
    lines_t is, should;
    size_t first;                   /* equal lines before the first difference */
    uint16_t (*common)[WINDOW + 1]; /* [i][k]: lines that the rest from i and the rest from k have in common */
    size_t is_count, should_count;  /* lines behind `first` that are compared */
} comparison_t;

static lines_t split(arena_t *arena, const text_t *text)
{
    lines_t lines = {0};

    for (const char *at = text->bytes, *end = at + text->len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        line_t line = {.begin = at, .len = (size_t)((stop ? stop + 1 : end) - at)};
        vec_push(arena, &lines, line);
        at += line.len;
    }
    return lines;
}

static bool is_equal(const line_t *a, const line_t *b)
{
    return a->len == b->len && memcmp(a->begin, b->begin, a->len) == 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_same(const comparison_t *c, size_t i, size_t k)
{
    return is_equal(&c->is.items[c->first + i], &c->should.items[c->first + k]);
}

static void compare(arena_t *arena, comparison_t *c)
{
    while (c->first < least(c->is.count, c->should.count) &&
           is_equal(&c->is.items[c->first], &c->should.items[c->first]))
        c->first++;
    c->is_count = least(c->is.count - c->first, WINDOW);
    c->should_count = least(c->should.count - c->first, WINDOW);
    c->common = arena_alloc(arena, sizeof *c->common * (c->is_count + 1));
    for (size_t i = c->is_count; i-- > 0;)
        for (size_t k = c->should_count; k-- > 0;) {
            uint16_t down = c->common[i + 1][k], right = c->common[i][k + 1];
            c->common[i][k] = is_same(c, i, k) ? (uint16_t)(c->common[i + 1][k + 1] + 1) : down > right ? down : right;
        }
}

/* ---------------------------------------------------------------- printing */

/* A hunk as it is being printed. */
typedef struct hunk {
    text_t *text;
    size_t is_count, should_count; /* lines so far */
    unsigned room;                 /* for how many more */
} hunk_t;

static void put(hunk_t *h, char sign, const line_t *line)
{
    bool has_end = line->len && line->begin[line->len - 1] == '\n';

    text_print(h->text, "%c", sign);
    text_append(h->text, line->begin, line->len);
    text_print(h->text, "%s", has_end ? "" : "\n\\ No newline at end of file\n");
    h->is_count += sign != '+';
    h->should_count += sign != '-';
    h->room -= h->room > 0;
}

/* Lines from number i and k of the windows on, up to where AROUND equal ones in a row have been printed. */
static void put_lines(const comparison_t *c, hunk_t *h, size_t *i, size_t *k)
{
    unsigned equal = 0;

    while (h->room && equal < AROUND && (*i < c->is_count || *k < c->should_count)) {
        if (*i < c->is_count && *k < c->should_count && is_same(c, *i, *k)) {
            put(h, ' ', &c->is.items[c->first + *i]);
            ++*i, ++*k, equal++;
            continue;
        }
        equal = 0;
        if (*i < c->is_count && (*k == c->should_count || c->common[*i + 1][*k] >= c->common[*i][*k + 1]))
            put(h, '-', &c->is.items[c->first + (*i)++]);
        else
            put(h, '+', &c->should.items[c->first + (*k)++]);
    }
}

/* Is anything from there on different? */
static bool is_more(const comparison_t *c, size_t i, size_t k)
{
    i += c->first, k += c->first;
    if (c->is.count - i != c->should.count - k)
        return true;
    for (; i < c->is.count; i++, k++)
        if (!is_equal(&c->is.items[i], &c->should.items[k]))
            return true;
    return false;
}

void difference_print(const text_t *is, const text_t *should, unsigned line_max, text_t *text)
{
    arena_t *arena = text->arena;
    comparison_t c = {.is = split(arena, is), .should = split(arena, should)};
    text_t lines;
    size_t i = 0, k = 0;

    compare(arena, &c);
    if (c.first == c.is.count && c.first == c.should.count)
        return;
    text_init(&lines, arena);
    hunk_t hunk = {.text = &lines, .room = line_max};
    size_t begin = c.first - least(c.first, AROUND);
    for (size_t n = begin; n < c.first; n++)
        put(&hunk, ' ', &c.is.items[n]);
    put_lines(&c, &hunk, &i, &k);
    text_print(text, "@@ -%zu,%zu +%zu,%zu @@\n", begin + (hunk.is_count > 0), hunk.is_count,
               begin + (hunk.should_count > 0), hunk.should_count);
    text_append(text, lines.bytes, lines.len);
    if (is_more(&c, i, k))
        text_print(text, "and more\n");
}
