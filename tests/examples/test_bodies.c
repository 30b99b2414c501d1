/* test_bodies.c: what extract makes of what comes in several pieces, and of names. */
#include "test.h"
#include "told.h"

/* The manifest of what extract finds, each line up to where the hash begins, and what is in the files. */
static const char *manifest_with(told_t *told, const char *options, const char *files)
{
    char arguments[400];
    snprintf(arguments, sizeof arguments,
             "%s --to %s.d && (cd %s.d && sed 's/,\"sha256.*//' manifest.json && cat %s) && rm -r %s.d", options, told->path, told->path,
             files, told->path);
    return told_run(told, "extract", arguments);
}

static const char *manifest(told_t *told, const char *files)
{
    return manifest_with(told, "", files);
}

static void chunks_make_one_file(void **state)
{
    told_t *told = *state;
    told_open(told);
    told_say(told, false, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    told_say(told, true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\ndefghij");
    told_say(told, true, "klm\r\n00\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1\r\ny\r\n0\r\n\r\n");
    told_close(told);
    assert_string_equal(manifest(told, "000001-a 000002-b"), "{\"file\":\"000001-a\",\"bytes\":13,\"complete\":true\n"
                                                             "{\"file\":\"000002-b\",\"bytes\":2,\"complete\":true\n"
                                                             "abcdefghijklmxy");
}

static void chunks_without_the_last_one_are_cut(void **state)
{
    told_t *told = *state;
    told_open(told);
    told_say(told, false, "GET /a HTTP/1.1\r\n\r\n");
    told_say(told, true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    told_close(told);
    assert_string_equal(manifest(told, "000001-a"), "{\"file\":\"000001-a\",\"bytes\":3,\"complete\":false\nabc");
}

/* RFC 3030, 4.1, and a mail the other way, with a dot that was doubled. */
static void chunks_of_a_mail_make_one(void **state)
{
    told_t *told = *state;
    told_open(told);
    told_say(told, true, "220 a SMTP\r\n");
    told_say(told, false, "EHLO b\r\n");
    told_say(told, true, "250-a\r\n250-CHUNKING\r\n250 PIPELINING\r\n");
    told_say(told, false, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 12\r\nSubject: a\r\nBDAT 6 LAST\r\n\r\nmail");
    told_say(told, true, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n");
    told_say(told, false, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
    told_say(told, true, "250 ok\r\n250 ok\r\n354 go on\r\n");
    told_say(told, false, "Subject: b\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
    told_say(told, true, "250 ok\r\n221 bye\r\n");
    told_close(told);
    const char *text = manifest(told, "*-mail.eml");
    assert_non_null(strstr(text, "mail.eml\",\"bytes\":18,\"complete\":true\n"));
    assert_non_null(strstr(text, "Subject: a\r\n\r\nmailSubject: b\r\n\r\n.dot\r\n"));
}

/* RFC 1951. */
#define TEXT "hrureemetwxkgeetwdeybhrureemetwxkgeetwdeybhrureemet"
#define ENCODED "\313\050\052\055\112\115\315\115\055\051\257\310\116\117\005\122\051\251\225\111\031\170\005\001"

static const char *extract_encoded(told_t *told, const char *options, size_t len)
{
    char text[200];
    told_open(told);
    told_say(told, false, "GET /d HTTP/1.1\r\n\r\n");
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %zu\r\n\r\n%.*s", len, (int)len, ENCODED);
    told_say(told, true, text);
    told_close(told);
    return manifest_with(told, options, "*-d");
}

static void what_a_decoder_makes_is_bounded(void **state)
{
    told_t *told = *state;
    assert_string_equal(extract_encoded(told, "--set decoded.size=11", strlen(ENCODED)),
                        "{\"file\":\"000001-d\",\"bytes\":11,\"complete\":false\nhrureemetwx");
}

static void what_is_cut_in_its_coding_is_not_complete(void **state)
{
    told_t *told = *state;
    const char *text = extract_encoded(told, "", strlen(ENCODED) - 1);
    assert_non_null(strstr(text, "\"complete\":false\nhrureemetwx"));
}

static void what_is_within_the_bounds_is_complete(void **state)
{
    told_t *told = *state;
    assert_string_equal(extract_encoded(told, "--set decoded.size=51", strlen(ENCODED)),
                        "{\"file\":\"000001-d\",\"bytes\":51,\"complete\":true\n" TEXT);
}

static void names_have_nothing_that_does_harm(void **state)
{
    static const char *const names[][2] = {
        {"/*", "000001"},          {"/..", "000002"},          {"/.profile", "000003-profile"}, {"/a%2f..%2fb", "000004-a_2f.._2fb"},
        {"/a\\..\\c", "000005-c"}, {"/-rf", "000006--rf"},     {"/d/?x=/../y", "000007"},       {"/$(id)`id`", "000008-id_id_"},
    };
    char request[256];
    told_t *told = *state;
    told_open(told);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", names[i][0]);
        told_say(told, false, request);
        told_say(told, true, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    }
    told_close(told);
    const char *text = manifest(told, "/dev/null");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(request, sizeof request, "{\"file\":\"%s\",\"bytes\":1,", names[i][1]);
        if (!strstr(text, request))
            fail_msg("%s is not %s: %s", names[i][0], names[i][1], text);
    }
}

/* RFC 6266, 5, and what senders make of it. */
static void names_are_those_of_the_disposition(void **state)
{
    static const char *const names[][2] = {
        {"attachment; filename=\"a b.txt\"", "a_b.txt"},
        {"Attachment; FileName=b.txt; x=y", "b.txt"},
        {"attachment; filename=\"c\\\"c.txt\"", "c_c.txt"},
        {"attachment; filename=\"plain\"; filename*=UTF-8''d%65.txt", "de.txt"},
        {"attachment; filename*=UTF-8''..%2f..%2Fe%0", "e_0"},
        {"attachment; filename=\"../../f\"", "f"},
        {"inline", "x"},
    };
    char text[256];
    told_t *told = *state;
    told_open(told);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        told_say(told, false, "GET /x HTTP/1.1\r\n\r\n");
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Disposition: %s\r\nContent-Length: 1\r\n\r\nx", names[i][0]);
        told_say(told, true, text);
    }
    told_close(told);
    const char *lines = manifest(told, "/dev/null");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, "{\"file\":\"%06zu-%s\",\"bytes\":1,", i + 1, names[i][1]);
        if (!strstr(lines, text))
            fail_msg("%s is not %s: %s", names[i][0], names[i][1], lines);
    }
}

/* What is uploaded has the name of its file, or else of its field, whatever order the fields have; a part that is empty gives
 * nothing to the next one. */
static void parts_of_a_form_are_files(void **state)
{
    static const char form[] =
        "--x\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name=a; filename=\"a.csv\"\r\n\r\n1,2\r\n"
        "--x\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b.csv\"\r\nContent-Type: text/csv\r\n\r\n3,4\r\n"
        "--x\r\nContent-Disposition: form-data; name=none; filename=\"c.csv\"\r\nContent-Type: text/csv\r\n\r\n\r\n"
        "--x\r\nContent-Disposition: form-data; name=note\r\n\r\nmine\r\n--x--\r\n";
    char request[1024];
    told_t *told = *state;
    snprintf(request, sizeof request, "POST /up HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof form - 1, form);
    told_open(told);
    told_say(told, false, request);
    told_say(told, true, "HTTP/1.1 204 No Content\r\n\r\n");
    told_close(told);
    assert_non_null(strstr(manifest(told, "*-a.csv *-b.csv *-note && grep -c '\"declared\":\"text/csv\"' manifest.json && ls | wc -l"),
                           "1,23,4mine2\n5\n"));
}

/* Converters that nobody needs are left alone, whatever a mail says. */
static void odd_character_sets_are_not_converted(void **state)
{
    static const char form[] =
        "--x\r\nContent-Disposition: form-data; name=a; filename=\"=?koi8-r?Q?=C1?=.txt\"\r\n\r\n1\r\n"
        "--x\r\nContent-Disposition: form-data; name=b; filename=\"=?utf-7?Q?+BDA-?=.txt\"\r\n\r\n2\r\n--x--\r\n";
    char request[512];
    told_t *told = *state;
    snprintf(request, sizeof request, "POST /up HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof form - 1, form);
    told_open(told);
    told_say(told, false, request);
    told_close(told);
    const char *text = manifest(told, "manifest.json");
    assert_non_null(strstr(text, "\"name\":\"\320\260.txt\""));
    assert_non_null(strstr(text, "\"name\":\"+BDA-.txt\""));
}

static void what_is_coded_is_written_once(void **state)
{
    told_t *told = *state;
    told_open(told);
    told_say(told, false, "POST /form HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: identity\r\n"
                          "Content-Length: 3\r\n\r\na=b");
    told_say(told, true, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx");
    told_close(told);
    assert_string_equal(manifest(told, "*-form"), "{\"file\":\"000001-form\",\"bytes\":3,\"complete\":true\n"
                                                  "{\"file\":\"000002-form\",\"bytes\":1,\"complete\":true\na=bx");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, told_setup, told_teardown)
    const struct CMUnitTest tests[] = {
        TEST(chunks_make_one_file),
        TEST(chunks_without_the_last_one_are_cut),
        TEST(chunks_of_a_mail_make_one),
        TEST(what_a_decoder_makes_is_bounded),
        TEST(what_is_cut_in_its_coding_is_not_complete),
        TEST(what_is_within_the_bounds_is_complete),
        TEST(names_have_nothing_that_does_harm),
        TEST(names_are_those_of_the_disposition),
        TEST(parts_of_a_form_are_files),
        TEST(odd_character_sets_are_not_converted),
        TEST(what_is_coded_is_written_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
