/* test_until.c: ends that are looked for are where a plain search finds them, in input that is full of beginnings of them.
 *
 * Texts are made of few different bytes, so that what ends a rule begins, overlaps itself and fails all the time; each is fed
 * in pieces of random lengths. */
#include "ends.h"
#include "test.h"

#define TEXTS 20000
#define TEXT_MAX 40

typedef struct seen {
    unsigned element; /* whose first end is wanted */
    bool has_end;
    uint64_t end;     /* its offset */
} seen_t;

static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 16) % limit;
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    seen_t *seen = user;
    (void)parser;
    if (event->element != seen->element || seen->has_end)
        return;
    if (event->kind != QCAP_EVENT_ELEMENT && (event->kind != QCAP_EVENT_END || event->flags & QCAP_EVENT_ABORTED))
        return;
    seen->has_end = true;
    seen->end = event->end;
}

/* Where the first such element ends when the text is fed in pieces of 1 to `piece_max` bytes. */
static seen_t feed(const char *text, size_t len, unsigned element, unsigned piece_max)
{
    seen_t seen = {.element = element};
    qcap_ends_t ends;
    qcap_ends_init(&ends, on_event, &seen);
    for (size_t at = 0; at < len;) {
        size_t piece = 1 + random_below(piece_max);
        piece = len - at < piece ? len - at : piece;
        unsigned char *copy = malloc(piece); /* of its own, so that a read behind it is seen */
        assert_non_null(copy);
        memcpy(copy, text + at, piece);
        assert_int_equal(qcap_parser_feed(&ends.client, copy, piece), piece);
        free(copy);
        at += piece;
    }
    return seen;
}

/* `before`, a text of `bytes`, `after`. Returns its length. */
static size_t make(char *text, const char *before, const char *bytes, const char *after)
{
    size_t len = strlen(before);
    memcpy(text, before, len);
    for (unsigned i = random_below(TEXT_MAX); i > 0; i--)
        text[len++] = bytes[random_below((unsigned)strlen(bytes))];
    memcpy(text + len, after, strlen(after) + 1);
    return len + strlen(after);
}

typedef bool (*is_end_t)(const char *text, size_t begin, size_t at);

static bool is_aab(const char *text, size_t begin, size_t at)
{
    (void)begin;
    return strncmp(text + at, "aab\r\n", 5) == 0; /* CRLF follows */
}

static bool is_dot(const char *text, size_t begin, size_t at)
{
    bool is_line = at == begin || (at >= begin + 2 && text[at - 2] == '\r' && text[at - 1] == '\n');
    return is_line && strncmp(text + at, ".\r\n", 3) == 0;
}

static bool is_boundary(const char *text, size_t begin, size_t at)
{
    bool is_line = at == begin || (at >= begin + 2 && text[at - 2] == '\r' && text[at - 1] == '\n');
    bool is_text = is_line && strncmp(text + at, "---a", 4) == 0;
    return is_text && (strncmp(text + at + 4, "\r\n", 2) == 0 || strncmp(text + at + 4, "--", 2) == 0);
}

static void compare(const char *before, const char *bytes, const char *after, unsigned element, is_end_t is_end)
{
    char text[TEXT_MAX + 40];
    random_state = 1;
    for (int i = 0; i < TEXTS; i++) {
        size_t len = make(text, before, bytes, after), begin = strlen(before), at = begin;
        while (!is_end(text, begin, at))
            at++;
        seen_t seen = feed(text, len, element, 1 + random_below(6));
        if (!seen.has_end || seen.end != at)
            fail_msg("`%s`: ends at %zu, not at %lld", text, at, seen.has_end ? (long long)seen.end : -1LL);
    }
}

static void a_text_that_overlaps_itself_is_found(void **state)
{
    (void)state;
    compare("some ", "aab\r\n", "aab\r\n", QCAP_ENDS_LINE_SOME_BYTES, is_aab);
}

static void a_line_of_its_own_is_found(void **state)
{
    (void)state;
    compare("mail\r\n", "..\r\n\r\na", "\r\n.\r\n", QCAP_ENDS_LINE_TEXT, is_dot);
}

static void what_a_register_holds_is_found(void **state)
{
    (void)state;
    compare("multi -a\r\n", "--a\r\n", "\r\n---a--\r\n", QCAP_ENDS_LINE_OPENING, is_boundary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_overlaps_itself_is_found),
        cmocka_unit_test(a_line_of_its_own_is_found),
        cmocka_unit_test(what_a_register_holds_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
