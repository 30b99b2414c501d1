/* test_printing.c: how programs print what came from the network, whatever it is. */
#include "test.h"
#include "told.h"

/* ---------------------------------------------------------------- ip_identity */

#define HEADING "ADDRESS          PROTOCOL  SERVER                 FIRST (UTC)          COUNT  SCHEME  CREDENTIAL\n"
#define WHERE "10.0.0.1         http      10.0.0.2:80            "

static void a_credential_is_counted_not_repeated(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Basic Ym9iOng=\r\n\r\n");
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: basic Ym9iOng=\r\n\r\n");
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Basic YW5uOng\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING WHERE "2001-09-09 01:46:44      1  Basic   ann:x\n" WHERE
                                      "2001-09-09 01:46:42      2  Basic   bob:x\n");
}

static void a_credential_does_no_harm_to_a_terminal(void **state)
{
    told_t *f = *state;
    told_open(f);
    /* ESC [2J ESC NUL, e with an acute accent, 0xff, CSI, LF */
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Basic G1syShsAw6n/wpsK\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING WHERE "2001-09-09 01:46:42      1  Basic   "
                                      "\\x1b[2J\\x1b\\x00\303\251\\xff\\xc2\\x9b\\x0a\n");
}

static void what_is_not_base64_is_shown_as_it_is(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Basic a.b\r\n\r\n");
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Basic abcde\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING WHERE "2001-09-09 01:46:42      1  Basic?  a.b\n" WHERE
                                      "2001-09-09 01:46:43      1  Basic?  abcde\n");
}

static void a_digest_user_is_unquoted(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\nAuthorization: Digest realm=\"r\", username=\"a\\\"b\\\\c\", uri=\"/\"\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING WHERE "2001-09-09 01:46:42      1  Digest  a\"b\\c\n");
}

static void a_form_is_read_by_the_names_of_its_fields(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST /in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
                  "Content-Length: 47\r\n\r\ntoken=1&User_Name=bob+b%2e&x=y&pa");
    told_say(f, false, "ssword=%41%2Fb&z=");
    told_say(f, false, "POST /in HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nuser=ann");
    told_say(f, false, "POST /in HTTP/1.1\r\nContent-Type: Application/X-WWW-Form-Urlencoded\r\nContent-Length: 12\r\n\r\nemail=a%40b&");
    assert_string_equal(told_run(f, "ip_identity", ""), HEADING WHERE "2001-09-09 01:46:45      1  form    a@b\n" WHERE
                                                                    "2001-09-09 01:46:43      1  form    bob b.:A/b\n");
}

/* Who a SIP request is from; not what a response repeats, not who has no name. */
/* What was said in turn: behind "<", a line of the server. */
typedef struct dialogue {
    const char *protocol, *told;
    const char *lines[13];
} dialogue_t;

static void say_lines(told_t *f, const char *const *lines)
{
    for (; *lines; lines++) {
        char text[512];
        snprintf(text, sizeof text, "%s\r\n", *lines + 1);
        told_say(f, **lines == '<', text);
    }
}

/* Whether there is a line that begins and ends so. */
static bool has_line(const char *text, const char *begin, const char *end)
{
    for (const char *line = text; (line = strstr(line, begin)); line++) {
        const char *found = strstr(line, end);
        if (found && found + strlen(end) == strchr(line, '\n') + 1)
            return true;
    }
    return false;
}

static void each_way_to_log_in_is_known(void **state)
{
    static const dialogue_t dialogues[] = {
        {"smtp", "XOAUTH2  ada@x:tok",
         {"<220 a.example ESMTP", ">EHLO b", "<250 a.example",
          ">AUTH xoauth2 dXNlcj1hZGFAeAFhdXRoPUJlYXJlciB0b2sBAQ==", "<235 ok"}},
        {"smtp", "PLAIN   ada:love",
         {"<220 a.example ESMTP", ">EHLO b", "<250 a.example", ">AUTH PLAIN =", "<334 ", ">AGFkYQBsb3Zl", "<235 ok"}},
        {"smtp", "SCRAM-SHA-256-PLUS  ada",
         {"<220 a.example ESMTP", ">EHLO b", "<250 a.example",
          ">AUTH SCRAM-SHA-256-PLUS cD10bHMtdW5pcXVlLCxuPWFkYSxyPXg=", "<535 no"}},
        {"pop3", "LOGIN   ada:love",
         {"<+OK ready", ">AUTH LOGIN", "<+ VXNlcm5hbWU6", ">YWRh", "<+ UGFzc3dvcmQ6", ">bG92ZQ==", "<+OK"}},
        {"pop3", "OAUTHBEARER  ada:tok",
         {"<+OK ready", ">AUTH OAUTHBEARER bixhPWFkYSwBYXV0aD1CZWFyZXIgdG9rAQE=", "<+OK"}},
        {"imap", "LOGIN   ada:lo\"v e)",
         {"<* OK IMAP4rev1 ready", ">a LOGIN {3}", "<+ go", ">ada {7}", "<+ go", ">lo\"v e)", "<a OK ok"}},
        {"imap", "LOGIN   ada:love",
         {"<* OK IMAP4rev1 ready", ">a LOGIN {3+}", ">ada {4+}", ">love", "<a OK ok"}},
        {"imap", "PLAIN   ada:love",
         {"<* OK IMAP4rev1 ready", ">a AUTHENTICATE PLAIN", "<+ ", ">AGFkYQBsb3Zl", "<a OK ok"}},
        {"imap", "LOGIN   bob:love",
         {"<* OK IMAP4rev1 ready", ">a authenticate login", "<+ VXNlcm5hbWU6", ">Ym9i", "<+ UGFzc3dvcmQ6",
          ">bG92ZQ==", "<a OK ok"}},
        {"irc", "PLAIN   ada:love",
         {">CAP REQ :sasl", ">NICK ada", "<:a CAP * ACK :sasl", ">AUTHENTICATE PLAIN", "<AUTHENTICATE +",
          ">AUTHENTICATE YWRhAGFkYQBsb3Zl", "<:a 903 ada :ok"}},
        {"redis", "AUTH    ada:love",
         {">*5", ">$5", ">HELLO", ">$1", ">3", ">$4", ">AUTH", ">$3", ">ada", ">$4", ">love", "<-NOPROTO no"}},
    };
    told_t *f = *state;
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        char begin[128], end[128];
        snprintf(begin, sizeof begin, "10.0.0.1         %-8s  10.0.0.2:80 ", dialogues[i].protocol);
        snprintf(end, sizeof end, " 1  %s\n", dialogues[i].told);
        told_open(f);
        say_lines(f, dialogues[i].lines);
        told_close(f);
        const char *text = told_run(f, "ip_identity", "");
        if (!has_line(text, begin, end))
            fail_msg("%s: %s is not told, but\n%s", dialogues[i].protocol, dialogues[i].told, text);
    }
}

static void a_form_may_have_the_password_first(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 22\r\n\r\n"
                       "pass=love&x=y&user=ada");
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n"
                       "pass=pin");
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n"
                       "user=bob");
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING WHERE "2001-09-09 01:46:43      1  form    :pin\n" WHERE
                                      "2001-09-09 01:46:42      1  form    ada:love\n" WHERE
                                      "2001-09-09 01:46:44      1  form    bob\n");
}

static void sip_users_are_those_of_requests(void **state)
{
    static const char fields[] = "\r\nVia: SIP/2.0/TCP 10.0.0.1\r\nFrom: \"A\" <sip:%s;x=y>;tag=1\r\nTo: <sip:d@e>\r\nCall-ID: 1\r\n"
                                 "CSeq: 1 MESSAGE\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n";
    char request[512], response[512];
    told_t *f = *state;
    told_open(f);
    strcpy(request, "MESSAGE sip:d@e SIP/2.0");
    snprintf(request + strlen(request), sizeof request - strlen(request), fields, "bob@b");
    strcpy(response, "SIP/2.0 200 OK");
    snprintf(response + strlen(response), sizeof response - strlen(response), fields, "bob@b");
    told_say(f, false, request);
    told_say(f, true, response);
    strcpy(request, "MESSAGE sip:d@e SIP/2.0");
    snprintf(request + strlen(request), sizeof request - strlen(request), fields, "nobody");
    told_say(f, false, request);
    assert_string_equal(told_run(f, "ip_identity", ""),
                        HEADING "10.0.0.1         sip       10.0.0.2:80            2001-09-09 01:46:42      1  From    bob@b\n");
}

static void a_user_in_a_target_is_told(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET http://bob:x@10.0.0.2/ HTTP/1.1\r\nHost: 10.0.0.2\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""), HEADING WHERE "2001-09-09 01:46:42      1  URI     bob:x\n");
}

static void without_a_credential_nothing_is_printed(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\n\r\n");
    assert_string_equal(told_run(f, "ip_identity", ""), "");
}

/* ---------------------------------------------------------------- elements */

#define FLOW "\"flow\":{\"number\":1,\"client\":\"10.0.0.1:40000\",\"server\":\"10.0.0.2:80\"}"

static void json_escapes_what_has_to_be(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Length: 23\r\n\r\n"
                  "\"\\\r\n\t\001\177 \303\251 \377\300\257 \302\205\342\200\250\355\240\200");
    assert_string_equal(told_run(f, "elements", "http.content"),
                        "{\"time\":1000000002.000000000,\"packet\":3," FLOW ",\"direction\":\"client\",\"kind\":\"begin\","
                        "\"name\":\"http.request.content\",\"offset\":39,\"length\":0}\n"
                        "{\"time\":1000000002.000000000,\"packet\":3," FLOW ",\"direction\":\"client\",\"kind\":\"piece\","
                        "\"name\":\"http.request.content\",\"offset\":39,\"length\":23,"
                        "\"text\":\"\\\"\\\\\\r\\n\\t\\u0001"
                        "\\u007f \303\251 \\u00ff\\u00c0\\u00af \\u0085\\u2028\\u00ed\\u00a0\\u0080\"}\n"
                        "{\"time\":1000000002.000000000,\"packet\":3," FLOW ",\"direction\":\"client\",\"kind\":\"end\","
                        "\"name\":\"http.request.content\",\"offset\":39,\"length\":23}\n");
}

/* Long enough for several pieces of output; each way to write a byte comes to stand at their ends. */
static void long_texts_are_escaped_likewise(void **state)
{
    told_t *f = *state;
    char said[4096] = "GET / HTTP/1.1\r\nX: ", expected[16384] = "\"text\":\"", *to = said + strlen(said), *e = expected + strlen(expected);
    for (int i = 0; i < 700; i++) {
        to += sprintf(to, "\303\251\"\377%s", i % 3 ? "" : "a");
        e += sprintf(e, "\303\251\\\"\\u00ff%s", i % 3 ? "" : "a");
    }
    strcpy(to, "b\r\n\r\n");
    strcpy(e, "b\"}\n");
    told_open(f);
    told_say(f, false, said);
    const char *text = told_run(f, "elements", "'http.field-value[X]'");
    assert_string_equal(text + strlen(text) - strlen(expected), expected);
    assert_non_null(strstr(text, "\"offset\":19,\"length\":3035,\"text\":"));
}

static void events_are_printed_on_request(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\nHost: a\r\n\001\r\n\r\n");
    const char *text = told_run(f, "elements", "--events");
    assert_non_null(strstr(text, FLOW ",\"direction\":\"client\",\"kind\":\"error\",\"name\":\"http\","
                                      "\"offset\":25,\"length\":0,"
                                      "\"text\":\"offset 25: unexpected byte 0x01"));
}

static void an_unfinished_stream_is_marked(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab");
    const char *text = told_run(f, "elements", "http.content");
    assert_non_null(strstr(text, "\"kind\":\"end\",\"name\":\"http.request.content\",\"offset\":38,"
                                 "\"length\":2,\"aborted\":true}\n"));
}

static void times_are_printed_as_tcpdump_does(void **state)
{
    told_t *f = *state;
    static const char *const styles[] = {"", "-t", "-tt", "-ttt", "-tttt", "-ttttt"};
    static const char *const expected[][2] = {
        {"{\"time\":1000000002.000000000,", "{\"time\":1000000004.000000000,"},
        {"{\"packet\":3,", "{\"packet\":5,"},
        {"{\"time\":1000000002.000000000,", "{\"time\":1000000004.000000000,"},
        {"{\"time\":0.000000000,", "{\"time\":1.000000000,"},
        {"{\"time\":\"2001-09-09 01:46:42.000000000\",", "{\"time\":\"2001-09-09 01:46:44.000000000\","},
        {"{\"time\":0.000000000,", "{\"time\":2.000000000,"},
    };
    char operands[40];
    told_open(f);
    for (int i = 0; i < 3; i++)
        told_say(f, false, "GET / HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 6; i++) {
        snprintf(operands, sizeof operands, "http.method %s", styles[i]);
        const char *text = told_run(f, "elements", operands), *last = text;
        for (int line = 0; line < 2; line++)
            last = strchr(last, '\n') + 1;
        assert_memory_equal(text, expected[i][0], strlen(expected[i][0]));
        assert_memory_equal(last, expected[i][1], strlen(expected[i][1]));
    }
}

static void raw_is_bytes_alone(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\"\r\n\001");
    assert_string_equal(told_run(f, "elements", "--raw http.content http.method"), "POST\na\"\r\n\001");
}

/* Names of elements stand for the element at hand, fields for the packet that completed it. */
static void elements_are_chosen_by_a_condition(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    told_say(f, false, "GET /c HTTP/1.1\r\n\r\n");
    assert_string_equal(told_run(f, "elements",
                               "--raw --where 'http.request-target == \"/b\" or frame.number > 3 and ip.src == 10.0.0.0/24' "
                               "http.request-target http.method"),
                        "/b\nGET\n/c\n");
}

static void what_several_names_fit_is_printed_once(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxyPOST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy");
    assert_string_equal(told_run(f, "elements", "--raw http.method http.content http.request.method http.request.content http.method"),
                        "POST\nxyPOST\nxy");
}

/* ---------------------------------------------------------------- valid */

static void what_nobody_knows_is_not_right(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "\001\002\003 what is this?");
    told_say(f, true, "\377\376 nobody knows");
    told_close(f);
    assert_non_null(strstr(told_run(f, "valid", ""), "  http       -          unknown\n"));
}

static void a_violation_does_no_harm_to_a_terminal(void **state)
{
    told_t *f = *state;
    told_open(f);
    told_say(f, false, "GET / HTTP/1.1\r\nHost: a\r\n\033[2J\r\n\r\n");
    told_close(f);
    assert_non_null(strstr(told_run(f, "valid", "|| [ $? = 3 ]"), "unexpected byte 0x1b in "));
    assert_null(strchr(f->output, '\033'));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, told_setup, told_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_credential_is_counted_not_repeated),
        TEST(a_credential_does_no_harm_to_a_terminal),
        TEST(what_is_not_base64_is_shown_as_it_is),
        TEST(a_digest_user_is_unquoted),
        TEST(a_form_is_read_by_the_names_of_its_fields),
        TEST(each_way_to_log_in_is_known),
        TEST(a_form_may_have_the_password_first),
        TEST(sip_users_are_those_of_requests),
        TEST(a_user_in_a_target_is_told),
        TEST(without_a_credential_nothing_is_printed),
        TEST(json_escapes_what_has_to_be),
        TEST(long_texts_are_escaped_likewise),
        TEST(events_are_printed_on_request),
        TEST(an_unfinished_stream_is_marked),
        TEST(times_are_printed_as_tcpdump_does),
        TEST(raw_is_bytes_alone),
        TEST(elements_are_chosen_by_a_condition),
        TEST(what_several_names_fit_is_printed_once),
        TEST(what_nobody_knows_is_not_right),
        TEST(a_violation_does_no_harm_to_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
