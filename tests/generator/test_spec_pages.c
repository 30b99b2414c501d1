/* test_spec_pages.c: golden pages of specs: a spec, and what the generator says about it. They are in tests/generator/golden;
 * specs/README.md, the reference for those who write specs, is one, too.
 *
 * A page is Markdown. A case is a heading, then fenced blocks:
 *
 *     ```abnf                the spec; `abnf NAME.abnf` is a file that it imports
 *     ```messages            what is wrong with it, as qcapgen prints it
 *     ```positions           likewise, with ambiguities of positions alone
 *     ```STEP                what a step made of it, as --dump=STEP prints it; nothing if the step was not reached
 *     ```c NAME...           these tables and functions of the C that is made of it; all that begin with a name that ends with `_`
 *     ```rfc                 the plain text of an RFC, instead of a spec
 *     ```extracted           the ABNF in it
 *
 * A page is right if all but `abnf` and `rfc` say what the generator says. UPDATE=1 in the environment rewrites those that do
 * not. In specs/README.md, a spec that no messages follow has none. */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile.h"
#include "extract.h"
#include "source.h"
#include "spec.h"

#define GOLDEN "tests/generator/golden/"
#define SPEC "spec.abnf" /* the name of a block that gives none */
#define RFC "rfc.txt"
#define PAGES_MAX 128

/* ---------------------------------------------------------------- one case */

/* The specs of a case lie in a folder of their own while it is looked at. */
typedef struct place_of_case {
    char folder[64];
    VEC(const char *) files; /* names in it */
} place_of_case_t;

static void write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void add_file(arena_t *arena, place_of_case_t *place, const char *name, const text_t *text)
{
    write_file(arena_print(arena, "%s/%s", place->folder, name), text->bytes, text->len);
    vec_push(arena, &place->files, name);
}

static void forget_files(arena_t *arena, place_of_case_t *place)
{
    for (size_t i = 0; i < place->files.count; i++)
        unlink(arena_print(arena, "%s/%s", place->folder, place->files.items[i]));
    place->files.count = 0;
}

static void print_messages(diag_t *diag, text_t *text)
{
    char *messages = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&messages, &len);

    assert_non_null(file);
    diag_print(diag, file);
    fclose(file);
    text_append(text, messages, len);
    free(messages);
}

static void print_extracted(arena_t *arena, const place_of_case_t *place, text_t *text)
{
    const char *path = arena_print(arena, "%s/" RFC, place->folder);
    const source_t *source = source_read(arena, path, (place_t){.source = NULL}, diag_new(arena));

    assert_non_null(source);
    extract(arena, source, text);
    diag_t *diag = diag_new(arena);
    spec_parse(arena, source_new(arena, SPEC, text->bytes, text->len), diag);
    assert_false(diag_has_errors(diag)); /* what comes out is a spec */
}

/* The number of the step of that name; COMPILE_STEP_NONE for any other. */
static compile_step_t find_step(const char *name)
{
    static const char *const steps[] = {
#define X(step, text) text,
        COMPILE_STEP_MAP(X)
#undef X
    };

    for (size_t i = COMPILE_STEP_NONE + 1; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(name, steps[i]) == 0)
            return (compile_step_t)i;
    return COMPILE_STEP_NONE;
}

/* Whether the name is among the names, which have blanks between them; one that ends with `_` begins others. */
static bool is_wanted(const char *name, size_t len, const char *names)
{
    for (size_t wanted; (wanted = strcspn(names, " ")) > 0; names += wanted, names += strspn(names, " "))
        if ((wanted == len || (wanted < len && names[wanted - 1] == '_')) && strncmp(name, names, wanted) == 0)
            return true;
    return false;
}

/* Prints the tables and functions of these names as they stand in C: from the line with the name to `}` or `;`. */
static void print_definitions(arena_t *arena, const char *c, const char *names, text_t *text)
{
    bool is_inside = false;

    for (size_t len; *c; c += len) {
        len = strcspn(c, "\n") + 1;
        const char *line = arena_copy(arena, c, len);
        size_t end = strcspn(line, "[(="), begin;
        while (end > 0 && line[end - 1] == ' ')
            end--;
        for (begin = end; begin > 0 && line[begin - 1] != ' ' && line[begin - 1] != '*'; begin--)
            continue;
        bool is_definition = strncmp(line, "static ", 7) == 0 || strncmp(line, "const ", 6) == 0;
        is_inside |= is_definition && is_wanted(line + begin, end - begin, names);
        if (is_inside)
            text_append(text, line, len);
        bool is_end = line[0] == '}' || (strncmp(line, "static ", 7) == 0 && line[len - 2] == ';');
        is_inside &= !is_end;
    }
}

/* What the generator says of the case's spec, for a block of that kind: the messages, or what a step made. */
static void print_answer(arena_t *arena, const place_of_case_t *place, const char *kind, text_t *text)
{
    diag_t *diag = diag_new(arena);
    bool is_c = strncmp(kind, "c ", 2) == 0;
    compile_options_t options = {
        .dump = find_step(is_c ? "source" : kind), .all_ambiguities = strcmp(kind, "positions") == 0, .positions = strcmp(kind, "positions") == 0};
    char before[4096];
    compile_result_t result;

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(place->folder), 0);
    compile(arena, SPEC, &options, &result, diag);
    assert_int_equal(chdir(before), 0);
    if (options.dump == COMPILE_STEP_NONE)
        print_messages(diag, text);
    else if (is_c)
        print_definitions(arena, result.dump.bytes, kind + 2, text);
    else
        text_append(text, result.dump.bytes, result.dump.len);
}

/* ---------------------------------------------------------------- one page */

/* A page as it is being gone through: its text, and the text it should have. */
typedef struct reading {
    arena_t *arena;
    const char *at; /* the next line */
    text_t right;   /* all lines so far, answers as they should be */
    bool is_manual; /* a spec that no messages follow has none */
    bool is_wrong;  /* in a manual, one has */
    place_of_case_t place;
} reading_t;

/* The next line without its end; NULL behind the last. */
static const char *next_line(reading_t *reading)
{
    if (!*reading->at)
        return NULL;
    size_t len = strcspn(reading->at, "\n");
    const char *line = arena_copy(reading->arena, reading->at, len);
    reading->at += len + (reading->at[len] == '\n');
    return line;
}

/* The lines of a block, up to its fence, which is passed. */
static text_t read_block(reading_t *reading)
{
    text_t block;
    const char *line;

    text_init(&block, reading->arena);
    while ((line = next_line(reading)) && strcmp(line, "```") != 0)
        text_print(&block, "%s\n", line);
    assert_non_null(line);
    return block;
}

/* In a manual, what is shown without messages has none. */
static void check_example(reading_t *reading)
{
    text_t messages;

    if (!reading->is_manual || strncmp(reading->at, "```messages\n", 12) == 0)
        return;
    text_init(&messages, reading->arena);
    print_answer(reading->arena, &reading->place, "messages", &messages);
    if (messages.len)
        print_error("an example is not right:\n%s", messages.bytes);
    reading->is_wrong |= messages.len > 0;
}

/* A fenced block, of which the first line has been read. */
static void read_fenced(reading_t *reading, const char *info)
{
    text_t block = read_block(reading);

    if (strcmp(info, "rfc") == 0) {
        add_file(reading->arena, &reading->place, RFC, &block);
    } else if (strcmp(info, "extracted") == 0) {
        text_init(&block, reading->arena);
        print_extracted(reading->arena, &reading->place, &block);
    } else if (strncmp(info, "abnf", 4) == 0) {
        add_file(reading->arena, &reading->place, info[4] == ' ' ? info + 5 : SPEC, &block);
        if (!info[4])
            check_example(reading);
    } else if (find_step(info) != COMPILE_STEP_NONE || strncmp(info, "c ", 2) == 0 || strcmp(info, "messages") == 0 ||
               strcmp(info, "positions") == 0) {
        text_init(&block, reading->arena);
        print_answer(reading->arena, &reading->place, info, &block);
    }
    text_append(&reading->right, block.bytes, block.len);
    text_print(&reading->right, "```\n");
}

static void read_page(reading_t *reading)
{
    const char *line;

    while ((line = next_line(reading))) {
        text_print(&reading->right, "%s\n", line);
        if (strncmp(line, "## ", 3) == 0)
            forget_files(reading->arena, &reading->place);
        else if (strncmp(line, "```", 3) == 0)
            read_fenced(reading, line + 3);
    }
    forget_files(reading->arena, &reading->place);
}

/* The first line in which the page is not what it should be, for people. */
static void show_difference(const char *path, const char *is, const char *should)
{
    unsigned line = 1;
    size_t begin = 0, i = 0;

    for (; is[i] && is[i] == should[i]; i++)
        if (is[i] == '\n') {
            line++;
            begin = i + 1;
        }
    print_error("%s:%u:\n  is:        %.*s\n  should be: %.*s\n", path, line, (int)strcspn(is + begin, "\n"),
                is + begin, (int)strcspn(should + begin, "\n"), should + begin);
}

static void page_says_what_the_generator_says(void **state)
{
    arena_t *arena = arena_new();
    const char *path = *state;
    const source_t *page = source_read(arena, path, (place_t){.source = NULL}, diag_new(arena));
    assert_non_null(page);
    reading_t reading = {.arena = arena, .at = page->text, .place = {.folder = "/tmp/qcap-spec-XXXXXX"}};
    reading.is_manual = strncmp(path, GOLDEN, strlen(GOLDEN)) != 0;

    text_init(&reading.right, arena);
    assert_non_null(mkdtemp(reading.place.folder));
    read_page(&reading);
    rmdir(reading.place.folder);
    bool is_right = strcmp(page->text, reading.right.bytes) == 0;
    if (!is_right && getenv("UPDATE"))
        write_file(path, reading.right.bytes, reading.right.len);
    else if (!is_right)
        show_difference(path, page->text, reading.right.bytes);
    bool is_wrong = reading.is_wrong;
    arena_free(arena);
    assert_true(is_right || getenv("UPDATE"));
    assert_false(is_wrong);
}

static int is_page(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end && strcmp(end, ".md") == 0;
}

static struct CMUnitTest test_of(const char *path)
{
    return (struct CMUnitTest){path, page_says_what_the_generator_says, NULL, NULL, (void *)(uintptr_t)path};
}

int main(void)
{
    arena_t *arena = arena_new();
    struct CMUnitTest tests[PAGES_MAX];
    struct dirent **entries;
    int count = scandir(GOLDEN, &entries, is_page, alphasort);

    if (count < 1 || count >= PAGES_MAX)
        return 1;
    for (int i = 0; i < count; i++) {
        tests[i] = test_of(arena_print(arena, GOLDEN "%s", entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    tests[count] = test_of("specs/README.md");
    int failed = _cmocka_run_group_tests("pages of specs", tests, (size_t)count + 1, NULL, NULL);
    arena_free(arena);
    return failed;
}
