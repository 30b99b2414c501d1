/* test_spec_lexer.c tests spec_lexer.re: tokens, their values and places. What it complains about is in
 * golden/syntax.md. */
#include "test.h"

#include "grammar.h"
#include "source.h"
#include "spec_lexer.h"
#include "spec_parser.h"

/* The tokens of a text, the end included, and its comments. */
typedef struct lexed {
    arena_t *arena;
    diag_t *diag;
    tokens_t tokens;
    comments_t comments;
} lexed_t;

static lexed_t lex(const char *text)
{
    lexed_t lexed = {.arena = arena_new()};

    lexed.diag = diag_new(lexed.arena);
    lex_rules(lexed.arena, source_new(lexed.arena, "x.abnf", text, strlen(text)), lexed.diag, &lexed.tokens,
              &lexed.comments);
    return lexed;
}

static void assert_kinds(const tokens_t *tokens, size_t count, const int *kinds)
{
    assert_int_equal(tokens->count, count + 1);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(tokens->items[i].kind, kinds[i]);
    assert_int_equal(tokens->items[count].kind, TOKEN_END);
}

#define ASSERT_KINDS(tokens, ...) assert_kinds(tokens, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

static void a_name_before_the_sign_begins_a_rule(void **state)
{
    lexed_t lexed = lex("a = b c\r\n  d\nb=/a");

    (void)state;
    ASSERT_KINDS(&lexed.tokens, TOKEN_RULE_NAME, TOKEN_IS, TOKEN_NAME, TOKEN_NAME, TOKEN_NAME, TOKEN_RULE_NAME,
                 TOKEN_ADDS, TOKEN_NAME);
    assert_string_equal(lexed.tokens.items[5].text, "b");
    assert_int_equal(lexed.tokens.items[5].place.offset, 13);
    assert_int_equal(lexed.tokens.items[5].place.len, 1);
    assert_false(diag_has_errors(lexed.diag));
    arena_free(lexed.arena);
}

static void repeats_have_bounds(void **state)
{
    lexed_t lexed = lex("a = 1*2b *b 3b 4*b *5b 1#b");
    const struct {
        size_t number;
        unsigned low, high;
    } expected[] = {{2, 1, 2},  {4, 0, REPEAT_UNBOUNDED}, {6, 3, 3}, {8, 4, REPEAT_UNBOUNDED},
                    {10, 0, 5}, {12, 1, REPEAT_UNBOUNDED}};

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const token_t *token = &lexed.tokens.items[expected[i].number];
        assert_int_equal(token->kind, i == 5 ? TOKEN_LIST : TOKEN_REPEAT);
        assert_int_equal(token->low, expected[i].low);
        assert_int_equal(token->high, expected[i].high);
    }
    arena_free(lexed.arena);
}

static void values_are_sets_and_strings(void **state)
{
    lexed_t lexed = lex("a = %x41 %d65-66 %b1.0.1 %xfF");
    const token_t *tokens = lexed.tokens.items;

    (void)state;
    ASSERT_KINDS(&lexed.tokens, TOKEN_RULE_NAME, TOKEN_IS, TOKEN_SET, TOKEN_SET, TOKEN_STRING, TOKEN_SET);
    assert_int_equal(tokens[2].first, 'A');
    assert_int_equal(tokens[2].last, 'A');
    assert_int_equal(tokens[3].first, 65);
    assert_int_equal(tokens[3].last, 66);
    assert_int_equal(tokens[4].len, 3);
    assert_memory_equal(tokens[4].text, "\x01\x00\x01", 3);
    assert_true(tokens[4].is_case_sensitive);
    assert_int_equal(tokens[5].last, 0xff);
    arena_free(lexed.arena);
}

static void a_value_ends_before_what_is_no_digit(void **state)
{
    lexed_t lexed = lex("a = %x12@");

    (void)state;
    ASSERT_KINDS(&lexed.tokens, TOKEN_RULE_NAME, TOKEN_IS, TOKEN_SET);
    assert_int_equal(lexed.tokens.items[2].first, 0x12);
    assert_true(diag_has_errors(lexed.diag));
    arena_free(lexed.arena);
}

static void a_digit_that_the_base_has_not_ends_a_value(void **state)
{
    lexed_t lexed = lex("a = %b12");

    (void)state;
    ASSERT_KINDS(&lexed.tokens, TOKEN_RULE_NAME, TOKEN_IS, TOKEN_SET, TOKEN_REPEAT);
    assert_int_equal(lexed.tokens.items[2].first, 1);
    assert_int_equal(lexed.tokens.items[3].low, 2);
    arena_free(lexed.arena);
}

static void strings_say_whether_case_matters(void **state)
{
    lexed_t lexed = lex("a = \"x;y\" %i\"x\" %s\"x\" \"\"");
    const token_t *tokens = lexed.tokens.items;

    (void)state;
    assert_string_equal(tokens[2].text, "x;y");
    assert_false(tokens[2].is_case_sensitive);
    assert_false(tokens[3].is_case_sensitive);
    assert_string_equal(tokens[3].text, "x");
    assert_true(tokens[4].is_case_sensitive);
    assert_int_equal(tokens[5].len, 0);
    arena_free(lexed.arena);
}

static void comments_are_put_aside(void **state)
{
    lexed_t lexed = lex(";@ protocol p\na = b ; plain\n  ;@ emit\r\n;@x");
    const comment_t *comments = lexed.comments.items;

    (void)state;
    assert_int_equal(lexed.comments.count, 4);
    assert_true(comments[0].is_directive);
    assert_false(comments[1].is_annotation);
    assert_false(comments[1].is_first);
    assert_true(comments[2].is_annotation && comments[2].is_first && !comments[2].is_directive);
    assert_int_equal(comments[2].place.len, 7); /* without CR */
    assert_true(comments[3].is_directive);
    arena_free(lexed.arena);
}

static void assert_annotation(const char *text, size_t count, const int *kinds)
{
    lexed_t lexed = lex(text);
    tokens_t tokens = {.count = 0};

    lex_annotation(lexed.arena, &lexed.comments.items[0], lexed.diag, &tokens);
    assert_kinds(&tokens, count, kinds);
    assert_false(diag_has_errors(lexed.diag));
    arena_free(lexed.arena);
}

#define ASSERT_ANNOTATION(text, ...)                                                                                   \
    assert_annotation(text, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

static void annotations_have_words_and_operators(void **state)
{
    (void)state;
    ASSERT_ANNOTATION("a = b ;@ n_1 = p1*256 + 0xff<>2, cut", TOKEN_NAME, TOKEN_IS, TOKEN_NAME, TOKEN_TIMES,
                      TOKEN_NUMBER, TOKEN_PLUS, TOKEN_NUMBER, TOKEN_DIFFERS, TOKEN_NUMBER, TOKEN_COMMA, TOKEN_CUT);
    ASSERT_ANNOTATION("a = b ;@ emitter", TOKEN_NAME);
}

static void behind_client_comes_abnf_up_to_the_comma(void **state)
{
    (void)state;
    ASSERT_ANNOTATION(";@ client = *a-b / 2c, port tcp 8", TOKEN_CLIENT, TOKEN_IS, TOKEN_REPEAT, TOKEN_NAME,
                      TOKEN_OR_ELSE, TOKEN_REPEAT, TOKEN_NAME, TOKEN_COMMA, TOKEN_PORT, TOKEN_NAME, TOKEN_NUMBER);
    ASSERT_ANNOTATION("a = b ;@ client = 2 * 3", TOKEN_CLIENT, TOKEN_IS, TOKEN_NUMBER, TOKEN_TIMES, TOKEN_NUMBER);
}

static void places_in_annotations_are_places_in_the_file(void **state)
{
    lexed_t lexed = lex("a = b  ;@ emit as c");
    tokens_t tokens = {.count = 0};

    (void)state;
    lex_annotation(lexed.arena, &lexed.comments.items[0], lexed.diag, &tokens);
    assert_int_equal(tokens.items[2].place.offset, 18);
    assert_int_equal(tokens.items[3].place.offset, 19);
    arena_free(lexed.arena);
}

static void an_empty_text_has_an_end(void **state)
{
    lexed_t lexed = lex("");

    (void)state;
    assert_int_equal(lexed.tokens.count, 1);
    assert_int_equal(lexed.tokens.items[0].kind, TOKEN_END);
    arena_free(lexed.arena);
}

static void a_byte_order_mark_says_nothing(void **state)
{
    lexed_t lexed = lex("\xef\xbb\xbf"
                        "a = b");

    (void)state;
    ASSERT_KINDS(&lexed.tokens, TOKEN_RULE_NAME, TOKEN_IS, TOKEN_NAME);
    assert_false(diag_has_errors(lexed.diag));
    arena_free(lexed.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_before_the_sign_begins_a_rule),
        cmocka_unit_test(repeats_have_bounds),
        cmocka_unit_test(values_are_sets_and_strings),
        cmocka_unit_test(a_value_ends_before_what_is_no_digit),
        cmocka_unit_test(a_digit_that_the_base_has_not_ends_a_value),
        cmocka_unit_test(strings_say_whether_case_matters),
        cmocka_unit_test(comments_are_put_aside),
        cmocka_unit_test(annotations_have_words_and_operators),
        cmocka_unit_test(behind_client_comes_abnf_up_to_the_comma),
        cmocka_unit_test(places_in_annotations_are_places_in_the_file),
        cmocka_unit_test(an_empty_text_has_an_end),
        cmocka_unit_test(a_byte_order_mark_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
