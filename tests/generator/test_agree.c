/* test_agree.c: generated parsers and the interpreter of their grammars say the same of the same input.
 *
 * In: the scenes of the golden pages; then SOAK_INPUTS (1000) for each spec: changed copies of those, and messages made
 * up from the grammar. They are the same ones each time; SOAK_SEED makes others. What they disagree on is shown as
 * small as it can be made. SOAK_SPEC is a part of the only spec's name. */
#include <dirent.h>

#include "judge.h"
#include "resolve.h"
#include "sample.h"
#include "spec.h"
#include "subjects.h"
#include "test.h"

static const grammar_t *load(arena_t *arena, const char *path)
{
    diag_t *diag = diag_new(arena);
    const ast_t *ast = spec_load(arena, path, diag);
    const grammar_t *grammar = ast ? resolve(arena, ast, diag) : NULL;
    diag_print(diag, stderr);
    assert_non_null(grammar);
    return grammar;
}

/* Whether it has a root for streams. */
static bool has_streams(const grammar_t *grammar)
{
    return grammar->client || grammar->server;
}

/* A conversation is fed datagrams or streams, not both. */
static bool has_datagrams(const scene_t *scene)
{
    size_t i = 0;
    while (i < scene->step_count && scene->steps[i].kind != STEP_DATAGRAM)
        i++;
    return i < scene->step_count;
}

/* Fails, and shows the smallest scene found, if they disagree. */
static void agree_on(judge_t *judge, const char *spec, scene_t *scene, uint64_t seed)
{
    char *difference = judge_compare(judge, scene, seed);
    if (!difference)
        return;
    free(difference);
    judge_shrink(judge, scene, seed);
    difference = judge_compare(judge, scene, seed);
    char *shown = scene_print(scene);
    fprintf(stderr, "%s, seed %llu:\n%s\n%s", spec, (unsigned long long)seed, shown, difference);
    free(shown);
    free(difference);
    fail_msg("%s: the parser and the interpreter disagree", spec);
}

/* ---------------------------------------------------------------- pages */

#define PAGES_MAX 32

typedef struct book {
    page_t *pages[PAGES_MAX];
    size_t page_count;
    scene_t *scenes[1024]; /* of all pages */
    size_t scene_count;
} book_t;

static int is_page(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && strcmp(end, ".md") == 0;
}

static book_t *read_book(const char *folder)
{
    book_t *book = calloc(1, sizeof *book);
    struct dirent **entries;
    int count = scandir(folder, &entries, is_page, alphasort);
    assert_non_null(book);
    assert_true(count > 0 && count <= PAGES_MAX);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        page_t *page = book->pages[book->page_count++] = page_read(path);
        assert_non_null(page);
        for (size_t k = 0; k < page->scene_count && book->scene_count < 1024; k++)
            book->scenes[book->scene_count++] = &page->scenes[k];
        free(entries[i]);
    }
    free(entries);
    return book;
}

static void free_book(book_t *book)
{
    for (size_t i = 0; i < book->page_count; i++)
        page_free(book->pages[i]);
    free(book);
}

/* ---------------------------------------------------------------- changed scenes */

static bool has_bytes(const step_t *step)
{
    return step->kind == STEP_BYTES || step->kind == STEP_DATAGRAM;
}

static void add_copy(scene_t *scene, const step_t *step)
{
    scene->steps = realloc(scene->steps, (scene->step_count + 1) * sizeof *scene->steps);
    assert_non_null(scene->steps);
    scene->steps[scene->step_count] = *step;
    if (has_bytes(step)) { /* and room for one byte more */
        scene->steps[scene->step_count].bytes = malloc(step->len + 1);
        memcpy(scene->steps[scene->step_count].bytes, step->bytes, step->len);
    }
    scene->step_count++;
}

static void free_scene(scene_t *scene)
{
    for (size_t i = 0; i < scene->step_count; i++)
        if (has_bytes(&scene->steps[i]))
            free(scene->steps[i].bytes);
    free(scene->steps);
}

/* Puts `some` bytes, borrowed, in the place of `gone` ones at `at`. */
static void splice(step_t *step, size_t at, size_t gone, const unsigned char *bytes, size_t some)
{
    unsigned char *made = malloc(step->len - gone + some + 1);
    assert_non_null(made);
    memcpy(made, step->bytes, at);
    memcpy(made + at, bytes, some);
    memcpy(made + at + some, step->bytes + at + gone, step->len - at - gone);
    free(step->bytes);
    step->bytes = made;
    step->len += some - gone;
}

static const step_t *any_bytes(const scene_t *scene, uint64_t *random)
{
    const step_t *step = &scene->steps[random_below(random, (unsigned)scene->step_count)];
    return has_bytes(step) && step->len ? step : NULL;
}

/* One small change of the bytes of a step. */
static void change(step_t *step, const scene_t *other, uint64_t *random)
{
    static const char likely[] = "\r\n\t :;,/?=\"0159azAZ\\\0\x80\xff";
    unsigned char byte = random_below(random, 2) ? (unsigned char)random_next(random)
                                                 : (unsigned char)likely[random_below(random, sizeof likely)];
    size_t at = random_below(random, (unsigned)step->len);
    size_t some = 1 + random_below(random, (unsigned)(step->len - at < 8 ? step->len - at : 8));
    const step_t *source = any_bytes(other, random);
    switch (random_below(random, 6)) {
    case 0:
        splice(step, at, 1, &byte, 1);
        break;
    case 1:
        splice(step, at, some, &byte, 0);
        break;
    case 2:
        splice(step, at, 0, &byte, 1);
        break;
    case 3: { /* a piece of another scene */
        if (!source)
            break;
        size_t from = random_below(random, (unsigned)source->len);
        splice(step, at, random_below(random, 2) ? some : 0, source->bytes + from,
               random_below(random, (unsigned)(source->len - from + 1)));
        break;
    }
    case 4: { /* again */
        unsigned char again[8];
        memcpy(again, step->bytes + at, some);
        splice(step, at, 0, again, some);
        break;
    }
    default: /* cut short */
        if (random_below(random, 4) == 0)
            step->len = at + 1;
        break;
    }
}

static void add_end(scene_t *scene, uint64_t *random)
{
    for (int side = 0; side < 2; side++) {
        step_t step = {.kind = random_below(random, 8) ? STEP_FINISH : STEP_ABSENT, .is_server = side == 1};
        if (random_below(random, 4))
            add_copy(scene, &step);
    }
}

/* The scene, changed; a hole in it now and then, but not among datagrams. */
static scene_t changed_scene(const scene_t *scene, const scene_t *other, uint64_t *random)
{
    scene_t copy = {0};
    bool is_stream = !has_datagrams(scene);
    for (size_t i = 0; i < scene->step_count; i++) {
        add_copy(&copy, &scene->steps[i]);
        step_t *step = &copy.steps[copy.step_count - 1];
        for (unsigned n = random_below(random, 3); n > 0 && has_bytes(step) && step->len && step->len < 4096;
             n--)
            change(step, other, random);
        step_t gap = {.kind = STEP_GAP, .is_server = random_below(random, 2), .number = 1 + random_below(random, 20)};
        if (random_below(random, 20) == 0 && is_stream)
            add_copy(&copy, &gap);
    }
    if (random_below(random, 3) == 0 && has_datagrams(other) != is_stream)
        for (size_t i = 0; i < other->step_count; i++)
            if (other->steps[i].kind != STEP_SEARCH) /* that comes before all bytes */
                add_copy(&copy, &other->steps[i]);
    add_end(&copy, random);
    return copy;
}

/* ---------------------------------------------------------------- made-up scenes */

static void add_bytes(scene_t *scene, step_kind_t kind, bool is_server, const unsigned char *bytes, size_t len)
{
    step_t step = {.kind = kind, .is_server = is_server, .bytes = (unsigned char *)(uintptr_t)bytes, .len = len};
    if (bytes && len)
        add_copy(scene, &step);
}

/* A few messages of both sides, some of them spoilt. */
static scene_t sampled_scene(step_kind_t kind, sample_t *sample, uint64_t *random)
{
    scene_t scene = {0};
    sample_restart(sample);
    for (unsigned n = 1 + random_below(random, 6); n > 0; n--) {
        bool is_server = random_below(random, 3) == 0;
        size_t len = 0;
        const unsigned char *bytes = sample_next(sample, is_server, &len);
        add_bytes(&scene, kind, is_server, bytes, len);
        step_t *step = scene.step_count ? &scene.steps[scene.step_count - 1] : NULL;
        if (bytes && len && random_below(random, 6) == 0)
            step->len = sample_spoil(sample, step->bytes, step->len);
    }
    add_end(&scene, random);
    return scene;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

/* What a spec may name in `feed` and `become`. */
static void add_others(judge_t *judge, arena_t *arena)
{
    for (size_t i = 0; i < subject_count; i++)
        judge_add_other(judge, subjects[i].protocol, load(arena, subjects[i].spec));
    judge_add_other(judge, subject_find("toy", NULL, NULL), load(arena, "tests/support/toy.abnf"));
}

static void read_scenes(const subject_t *subject)
{
    arena_t *arena = arena_new();
    const grammar_t *grammar = load(arena, subject->spec);
    judge_t *judge = judge_new(subject->protocol, grammar);
    add_others(judge, arena);
    grammar_t of_datagrams = *grammar; /* its samples are datagrams */
    of_datagrams.client = of_datagrams.server = NULL;
    sample_t *streams = sample_new(grammar, setting("SOAK_SEED", 0));
    sample_t *datagrams = sample_new(&of_datagrams, setting("SOAK_SEED", 0));
    book_t *book = read_book(subject->pages);
    unsigned long count = setting("SOAK_INPUTS", 1000), first = setting("SOAK_SEED", 0);
    for (size_t i = 0; i < book->scene_count; i++)
        agree_on(judge, subject->spec, book->scenes[i], i);
    for (unsigned long i = 0; i < count; i++) {
        uint64_t seed = first + i, random = seed;
        const scene_t *scene = book->scenes[random_below(&random, (unsigned)book->scene_count)];
        const scene_t *other = book->scenes[random_below(&random, (unsigned)book->scene_count)];
        bool is_datagrams = grammar->datagram && (!has_streams(grammar) || random_below(&random, 2));
        scene_t made = i % 2 == 0   ? changed_scene(scene, other, &random)
                       : is_datagrams ? sampled_scene(STEP_DATAGRAM, datagrams, &random)
                                      : sampled_scene(STEP_BYTES, streams, &random);
        agree_on(judge, subject->spec, &made, seed);
        free_scene(&made);
    }
    sample_free(streams);
    sample_free(datagrams);
    free_book(book);
    judge_free(judge);
    arena_free(arena);
}

static void scenes_are_read_alike(void **state)
{
    (void)state;
    const char *only = getenv("SOAK_SPEC");
    for (size_t s = 0; s < subject_count; s++)
        if (!only || strstr(subjects[s].spec, only))
            read_scenes(&subjects[s]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenes_are_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
