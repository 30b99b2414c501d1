/* test_evidence.c: what is no protocol is not taken for one: noise, texts, numbers, what was encrypted; on any port. */
#include "handle.h"
#include "test.h"
#include "traffic.h"

#define CONVERSATIONS 10000u
#define LEN_MAX 1200u
#define FIRST_PORT 45000u /* no protocol's, nor are those behind it */

typedef struct fixture {
    traffic_t *t;
    uint64_t known;     /* conversations that were taken for something, */
    uint64_t unknown;   /* that were not, */
    uint64_t encrypted; /* and that look like noise */
    char first[128];    /* what the first of the known ones was taken for */
    uint32_t seed;
} fixture_t;

static void on_spoken(const qcap_spoken_t *spoken, void *user)
{
    fixture_t *f = user;
    if (spoken->is_over)
        return;
    if (spoken->protocol && f->known++ == 0)
        snprintf(f->first, sizeof f->first, "%s: %s", spoken->name, qcap_known_text(spoken->known));
    f->unknown += !spoken->protocol;
    f->encrypted += spoken->is_encrypted;
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->t = traffic_open();
    f->seed = 1;
    assert_int_equal(qcap_protocols_builtin(f->t->q), 0);
    assert_int_equal(qcap_spoken_handler_add(f->t->q, on_spoken, f), 0);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    traffic_close(f->t);
    free(f);
    return 0;
}

static uint32_t draw(fixture_t *f)
{
    f->seed ^= f->seed << 13;
    f->seed ^= f->seed >> 17;
    f->seed ^= f->seed << 5;
    return f->seed;
}

/* Fills `text` with so many bytes of some kind. */
typedef void (*fill_t)(fixture_t *f, char *text, uint32_t len);

static void fill_noise(fixture_t *f, char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(draw(f) >> 8);
}

/* Lines of any characters. */
static void fill_lines(fixture_t *f, char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(0x20 + (draw(f) >> 8) % 0x5f);
    for (uint32_t i = draw(f) % 40 + 2; i < len; i += draw(f) % 60 + 2)
        memcpy(text + i - 1, "\r\n", 2);
}

/* Lines of words and numbers. */
static void fill_words(fixture_t *f, char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint32_t die = draw(f) >> 8;
        text[i] = (char)(die % 8 == 0 ? ' ' : die % 11 == 0 ? '0' + die / 11 % 10 : 'a' + die / 8 % 26);
    }
    for (uint32_t i = draw(f) % 40 + 2; i < len; i += draw(f) % 60 + 2)
        memcpy(text + i - 1, "\r\n", 2);
}

/* Small numbers, as in many a record: most bytes are zero. */
static void fill_numbers(fixture_t *f, char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(draw(f) % 4 ? 0 : draw(f) % 3 ? (draw(f) >> 8) % 16 : draw(f) >> 8);
}

/* One conversation. The directions say in turns what `fill` makes up; without a beginning if it is met in the middle. */
static void converse(fixture_t *f, uint32_t number, fill_t fill, bool is_middle)
{
    static char text[LEN_MAX];
    uint32_t seq[2] = {1000, 5000};
    traffic_segment_t segment = {.client_port = 65100,
                                 .server_port = (uint16_t)(FIRST_PORT + number % 20000)};
    if (!is_middle) {
        segment.flags = "S";
        segment.seq = seq[0] - 1;
        traffic_send_tcp(f->t, &segment);
        segment.from_server = true;
        segment.flags = "SA";
        segment.seq = seq[1] - 1;
        segment.ack = seq[0];
        traffic_send_tcp(f->t, &segment);
    }
    for (unsigned turn = number & 1; turn < 4; turn++) {
        segment.from_server = turn & 1;
        segment.flags = "A";
        segment.seq = seq[turn & 1];
        segment.ack = seq[!(turn & 1)];
        segment.len = draw(f) % LEN_MAX + 1;
        segment.text = text;
        fill(f, text, segment.len);
        traffic_send_tcp(f->t, &segment);
        seq[turn & 1] += segment.len;
    }
    segment.flags = "RA";
    segment.seq = seq[1];
    segment.ack = seq[0];
    segment.from_server = true;
    segment.text = NULL;
    traffic_send_tcp(f->t, &segment);
    traffic_wait_ms(f->t, 100);
}

static void converse_all(fixture_t *f, fill_t fill, bool is_middle)
{
    for (uint32_t i = 0; i < CONVERSATIONS; i++)
        converse(f, i, fill, is_middle);
    qcap_finish(f->t->q);
    assert_string_equal(f->first, "");
    assert_int_equal(f->known, 0);
    assert_int_equal(f->unknown, CONVERSATIONS);
}

static void noise_is_unknown_and_named_so(void **state)
{
    fixture_t *f = *state;
    converse_all(f, fill_noise, false);
    assert_true(f->encrypted > CONVERSATIONS * 8 / 10);
}

static void noise_is_unknown_in_the_middle(void **state)
{
    converse_all(*state, fill_noise, true);
}

static void lines_are_unknown(void **state)
{
    fixture_t *f = *state;
    converse_all(f, fill_lines, false);
    assert_true(f->encrypted < CONVERSATIONS / 1000); /* short ones, perhaps */
}

static void words_are_unknown(void **state)
{
    fixture_t *f = *state;
    converse_all(f, fill_words, false);
    assert_int_equal(f->encrypted, 0);
}

static void numbers_are_unknown(void **state)
{
    fixture_t *f = *state;
    converse_all(f, fill_numbers, false);
    assert_int_equal(f->encrypted, 0);
}

static void datagrams(fixture_t *f, fill_t fill)
{
    char text[256];
    for (uint32_t i = 0; i < CONVERSATIONS; i++) {
        traffic_datagram_t datagram = {.text = text,
                                       .len = draw(f) % sizeof text + 1,
                                       .client_port = 65100,
                                       .server_port = (uint16_t)(FIRST_PORT + i % 20000)};
        fill(f, text, datagram.len);
        traffic_send_udp(f->t, &datagram);
    }
    assert_string_equal(f->first, "");
    assert_int_equal(f->known, 0);
}

static void datagrams_of_noise_are_unknown(void **state)
{
    datagrams(*state, fill_noise);
}

static void datagrams_of_numbers_are_unknown(void **state)
{
    datagrams(*state, fill_numbers);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(noise_is_unknown_and_named_so),
        TEST(noise_is_unknown_in_the_middle),
        TEST(lines_are_unknown),
        TEST(words_are_unknown),
        TEST(numbers_are_unknown),
        TEST(datagrams_of_noise_are_unknown),
        TEST(datagrams_of_numbers_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
