/* test_golden.c: the golden pages of tests/protocols/NAME, for every protocol NAME of subjects.h.
 *
 * Each message must cause exactly the events that its page shows, and the same events whole, in every two pieces and
 * byte by byte. With UPDATE=1 in the environment the pages are rewritten to show what happens: the difference is for a
 * human to judge. page.h says what a page looks like, follow.h what a run does. */
#include <dirent.h>

#include "follow.h"
#include "subjects.h"
#include "test.h"

#define PAGES_MAX 512

typedef struct book {
    page_t *pages[PAGES_MAX];
    const qcap_protocol_t *protocols[PAGES_MAX]; /* of each page */
    size_t count;
} book_t;

/* ---------------------------------------------------------------- pages */

static int is_page(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && strcmp(end, ".md") == 0;
}

static int read_folder(book_t *book, const char *folder, const qcap_protocol_t *protocol)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_page, alphasort), status = count > 0 ? 0 : -1;
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        page_t *page = book->count < PAGES_MAX ? page_read(path) : NULL;
        if (page) {
            book->protocols[book->count] = protocol;
            book->pages[book->count++] = page;
        } else {
            status = -1;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

static int setup(void **state)
{
    book_t *book = calloc(1, sizeof *book);
    if (!book)
        return -1;
    *state = book;
    for (size_t i = 0; i < subject_count; i++)
        if (read_folder(book, subjects[i].pages, subjects[i].protocol) < 0)
            return -1;
    return 0;
}

static int teardown(void **state)
{
    book_t *book = *state;
    for (size_t i = 0; i < book->count; i++)
        page_free(book->pages[i]);
    free(book);
    return 0;
}

/* ---------------------------------------------------------------- what is shown */

/* The first line that is not the same in both texts, in each of them. */
static void print_difference(const char *expected, const char *found)
{
    size_t line = 0;
    for (size_t i = 0; expected[i] && expected[i] == found[i]; i++)
        if (expected[i] == '\n')
            line = i + 1;
    print_error("    expected: %.*s\n", (int)strcspn(expected + line, "\n"), expected + line);
    print_error("    found:    %.*s\n", (int)strcspn(found + line, "\n"), found + line);
}

static void every_message_causes_the_events_of_its_page(void **state)
{
    const book_t *book = *state;
    bool is_update = getenv("UPDATE") != NULL;
    size_t wrong = 0;
    for (size_t i = 0; i < book->count; i++) {
        const page_t *page = book->pages[i];
        char **events = calloc(page->scene_count, sizeof *events);
        assert_non_null(events);
        for (size_t k = 0; k < page->scene_count; k++) {
            event_log_t log;
            follow(book->protocols[i], &page->scenes[k], (cutting_t){0}, &log);
            events[k] = event_log_print(&log);
            event_log_fini(&log);
            if (strcmp(events[k], page->scenes[k].events) == 0)
                continue;
            print_error("%s: %s\n", page->path, page->scenes[k].title);
            print_difference(page->scenes[k].events, events[k]);
            wrong++;
        }
        if (is_update)
            assert_int_equal(page_write(page, events), 0);
        for (size_t k = 0; k < page->scene_count; k++)
            free(events[k]);
        free(events);
    }
    if (!is_update)
        assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- what cuts must not change */

/* Runs a scene whole and cut; true if the events are the same. */
static bool is_same(const qcap_protocol_t *protocol, const page_t *page, const scene_t *scene, const event_log_t *whole,
                    cutting_t cutting)
{
    event_log_t log;
    follow(protocol, scene, cutting, &log);
    const char *differs = event_log_compare(whole, &log);
    if (differs)
        print_error("%s: %s: cut %s%llu: `%s`\n", page->path, scene->title,
                    cutting.piece ? "into pieces of " : "behind ",
                    (unsigned long long)(cutting.piece ? cutting.piece : cutting.at), differs);
    event_log_fini(&log);
    return !differs;
}

/* All two-piece cuts of a scene, or its cut into single bytes. Returns how many differ. */
static size_t count_differences(const qcap_protocol_t *protocol, const page_t *page, const scene_t *scene,
                                bool is_bytewise)
{
    event_log_t whole;
    size_t count = 0;
    follow(protocol, scene, (cutting_t){0}, &whole);
    if (is_bytewise)
        count = !is_same(protocol, page, scene, &whole, (cutting_t){.piece = 1});
    for (uint64_t at = 1; !is_bytewise && at < scene_len(scene) && count < 3; at++)
        count += !is_same(protocol, page, scene, &whole, (cutting_t){.at = at});
    event_log_fini(&whole);
    return count;
}

static void compare_all(const book_t *book, bool is_bytewise)
{
    size_t count = 0;
    for (size_t i = 0; i < book->count; i++)
        for (size_t k = 0; k < book->pages[i]->scene_count; k++)
            count += count_differences(book->protocols[i], book->pages[i], &book->pages[i]->scenes[k], is_bytewise);
    assert_int_equal(count, 0);
}

static void any_two_pieces_cause_the_same_events(void **state)
{
    compare_all(*state, false);
}

static void single_bytes_cause_the_same_events(void **state)
{
    compare_all(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_causes_the_events_of_its_page),
        cmocka_unit_test(any_two_pieces_cause_the_same_events),
        cmocka_unit_test(single_bytes_cause_the_same_events),
    };
    return cmocka_run_group_tests_name("golden pages", tests, setup, teardown);
}
