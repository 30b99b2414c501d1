/* test_keyword.c tests keyword.c: what is emitted is compiled, and asked. */
#include <strings.h>
#include <unistd.h>

#include "keyword.h"
#include "test.h"

#define WORDS_MAX 200
#define LEN_MAX 40

static char words[WORDS_MAX][LEN_MAX + 1];
static const char *pointers[WORDS_MAX];

static uint64_t seed;

static unsigned random_below(unsigned bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % bound;
}

/* Words that share most of their bytes: no single one tells them apart. */
static void make_words(size_t count)
{
    static const char bytes[] = "abX-9_";

    for (size_t i = 0; i < count; i++) {
        size_t len = 1 + random_below(count < 50 ? LEN_MAX : 12);
        for (size_t k = 0; k < len; k++)
            words[i][k] = bytes[random_below(k % 3 ? 2 : sizeof bytes - 1)];
        words[i][len] = '\0';
        pointers[i] = words[i];
    }
}

static unsigned naive(size_t count, const char *text)
{
    for (unsigned i = 0; i < count; i++)
        if (strcasecmp(words[i], text) == 0)
            return i + 1;
    return 0;
}

/* A word, as it is or with its case changed; or almost one. */
static void make_text(size_t count, char *text)
{
    strcpy(text, words[random_below((unsigned)count)]);
    for (char *p = text; *p; p++)
        if (((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') && random_below(2))
            *p = (char)(*p ^ 0x20);
    if (random_below(3) == 0)
        text[random_below((unsigned)strlen(text))] = (char)(1 + random_below(126));
}

/* The function, and a program that asks it for many texts. */
static void write_program(size_t count, const char *path)
{
    FILE *file = fopen(path, "w");
    arena_t *arena = arena_new();
    text_t source;

    assert_non_null(file);
    text_init(&source, arena);
    keyword_emit(pointers, count, "find", &source);
    fprintf(file, "#include \"scan.h\"\n%s\nint main(void)\n{\n    unsigned wrong = 0;\n", source.bytes);
    for (unsigned i = 0; i < 600; i++) {
        char text[LEN_MAX + 1];
        make_text(count, text);
        fprintf(file, "    wrong += find((const unsigned char *)\"");
        for (const char *p = text; *p; p++)
            fprintf(file, "\\%03o", (unsigned)*p);
        fprintf(file, "\", %zu) != %u;\n", strlen(text), naive(count, text));
    }
    fprintf(file, "    return wrong != 0;\n}\n");
    fclose(file);
    arena_free(arena);
}

static void assert_all_found(size_t count)
{
    char folder[] = "/tmp/qcap-keyword-XXXXXX", path[64], command[512];
    const char *compiler = getenv("CC");

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/find.c", folder);
    make_words(count);
    write_program(count, path);
    snprintf(command, sizeof command,
             "%s -std=c11 -Wall -Wextra -Wconversion -Werror -Iruntime -o %s/find %s && %s/find",
             compiler ? compiler : "cc", folder, path, folder);
    int status = system(command);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(status, 0);
}

static void any_count_of_words_is_told_apart(void **state)
{
    static const size_t counts[] = {1, 2, 3, 15, 50, 200};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        seed = i;
        assert_all_found(counts[i]);
    }
}

static void words_are_told_apart_by_length_and_one_byte(void **state)
{
    static const char *const names[] = {"Host", "Accept", "Cookie", "Origin", "Pragma"};
    arena_t *arena = arena_new();
    text_t text;

    (void)state;
    text_init(&text, arena);
    keyword_emit(names, sizeof names / sizeof *names, "find", &text);
    assert_string_equal(text.bytes, "static unsigned find(const unsigned char *text, size_t len)\n"
                                    "{\n"
                                    "    switch (len) {\n"
                                    "    case 4:\n"
                                    "        if (qcap_is_word(text, \"host\", 4))\n"
                                    "            return 1;\n"
                                    "        return 0;\n"
                                    "    case 6:\n"
                                    "        switch (text[0] | 0x20) {\n"
                                    "        case 'a':\n"
                                    "            if (qcap_is_word(text, \"accept\", 6))\n"
                                    "                return 2;\n"
                                    "            return 0;\n"
                                    "        case 'c':\n"
                                    "            if (qcap_is_word(text, \"cookie\", 6))\n"
                                    "                return 3;\n"
                                    "            return 0;\n"
                                    "        case 'o':\n"
                                    "            if (qcap_is_word(text, \"origin\", 6))\n"
                                    "                return 4;\n"
                                    "            return 0;\n"
                                    "        case 'p':\n"
                                    "            if (qcap_is_word(text, \"pragma\", 6))\n"
                                    "                return 5;\n"
                                    "            return 0;\n"
                                    "        default:\n"
                                    "            return 0;\n"
                                    "        }\n"
                                    "    default:\n"
                                    "        return 0;\n"
                                    "    }\n"
                                    "}\n\n");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_count_of_words_is_told_apart),
        cmocka_unit_test(words_are_told_apart_by_length_and_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
