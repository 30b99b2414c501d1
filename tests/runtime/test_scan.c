/* test_scan.c tests scan.h: every class, everywhere, as a loop over single bytes would say. Inputs end at a page that cannot
 * be read, and begin behind one. */
#include <sys/mman.h>
#include <unistd.h>

#include "scan.h"
#include "test.h"

#define LEN_MAX 70

/* The class under test: two ranges, letters of both cases in a third; or everything else. */
static unsigned char low[3], high[3];
static bool is_negated;
static unsigned char class[256];

static inline qcap_lanes_t in_class(qcap_lanes_t v)
{
    qcap_lanes_t in = qcap_lanes_range(v, low[0], high[0]);
    in = qcap_lanes_or(in, qcap_lanes_range(v, low[1], high[1]));
    in = qcap_lanes_or(in, qcap_lanes_range(qcap_lanes_small(v), low[2], high[2]));
    return is_negated ? qcap_lanes_not(in) : in;
}

static inline qcap_lanes_t in_usual(qcap_lanes_t v)
{
    return qcap_lanes_or(qcap_lanes_range(qcap_lanes_small(v), 'a', 'z'), qcap_lanes_byte(v, '-'));
}

static inline qcap_lanes_t in_bytes(qcap_lanes_t v)
{
    return qcap_lanes_or(qcap_lanes_byte(v, low[0]), qcap_lanes_byte(v, high[0]));
}

#define IS_IN_CLASS(byte) (class[byte])

QCAP_SCAN_EXACT(scan_class, in_class, IS_IN_CLASS)
QCAP_SCAN_EXACT(scan_bytes, in_bytes, IS_IN_CLASS)
QCAP_SCAN(scan_usual, in_usual, IS_IN_CLASS)

typedef const unsigned char *scan_t(const unsigned char *at, const unsigned char *end);

static uint64_t seed = 1;

static unsigned random_below(unsigned bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % bound;
}

/* ---------------------------------------------------------------- memory between two pages that cannot be read */

static unsigned char *memory, *memory_end;

static int set_up(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_READ | PROT_WRITE) != 0)
        return -1;
    memory = pages + page;
    memory_end = memory + page;
    return 0;
}

static int tear_down(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    (void)state;
    return munmap(memory - page, 3 * page);
}

/* ---------------------------------------------------------------- against a loop */

static const unsigned char *naive(const unsigned char *at, const unsigned char *end)
{
    while (at != end && class[*at])
        at++;
    return at;
}

static unsigned char random_byte(bool is_in)
{
    for (unsigned tries = 0; tries < 64; tries++) {
        unsigned char byte = (unsigned char)random_below(256);
        if ((class[byte] != 0) == is_in)
            return byte;
    }
    return (unsigned char)random_below(256);
}

/* A run of every length, from every place of it, at the end of the memory and at its begin. */
static void assert_scanned(scan_t *scan, scan_t *scan_back)
{
    for (size_t len = 0; len <= LEN_MAX; len++) {
        unsigned char *ends[] = {memory_end, memory + LEN_MAX};
        for (size_t k = 0; k < 2; k++) {
            unsigned char *begin = ends[k] - LEN_MAX;
            for (unsigned char *at = begin; at < ends[k]; at++)
                *at = random_byte(at != begin + len);
            for (const unsigned char *at = begin; at <= ends[k]; at++)
                assert_ptr_equal(scan(at, ends[k]), naive(at, ends[k]));
            for (const unsigned char *at = begin + QCAP_LANES; at <= ends[k]; at++)
                assert_ptr_equal(scan_back(at, ends[k]), naive(at, ends[k]));
        }
    }
}

static void fill_class(unsigned char (*of)(unsigned byte))
{
    for (unsigned byte = 0; byte < 256; byte++)
        class[byte] = of(byte);
}

static unsigned char ranges_say(unsigned byte)
{
    bool is_in = (byte >= low[0] && byte <= high[0]) || (byte >= low[1] && byte <= high[1]) ||
                 ((byte | 0x20) >= low[2] && (byte | 0x20) <= high[2]);

    return is_in != is_negated;
}

static unsigned char bytes_say(unsigned byte)
{
    return byte == low[0] || byte == high[0];
}

static unsigned char token_says(unsigned byte)
{
    return byte > 0x20 && byte < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", (int)byte) == NULL;
}

static void any_class_is_scanned(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        for (unsigned k = 0; k < 3; k++) {
            unsigned a = random_below(256), b = a + random_below(i % 2 ? 256 - a : 8);
            low[k] = (unsigned char)a;
            high[k] = (unsigned char)(b < 256 ? b : 255);
        }
        is_negated = random_below(2);
        fill_class(ranges_say);
        assert_scanned(scan_class, scan_class_back);
    }
}

static void the_first_and_the_last_byte_bound_ranges(void **state)
{
    static const unsigned char bounds[] = {0, 1, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff};

    (void)state;
    is_negated = false;
    for (unsigned a = 0; a < sizeof bounds; a++) {
        for (unsigned b = a; b < sizeof bounds; b++) {
            memset(low, bounds[a], sizeof low);
            memset(high, bounds[b], sizeof high);
            low[2] = high[2] = 0; /* no byte with bit 5 set */
            fill_class(ranges_say);
            assert_scanned(scan_class, scan_class_back);
        }
    }
}

static void single_bytes_are_scanned(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        low[0] = (unsigned char)random_below(256);
        high[0] = (unsigned char)random_below(256);
        fill_class(bytes_say);
        assert_scanned(scan_bytes, scan_bytes_back);
    }
}

static void bytes_that_the_lanes_leave_out_are_in_the_run(void **state)
{
    (void)state;
    fill_class(token_says);
    for (unsigned i = 0; i < 20; i++)
        assert_scanned(scan_usual, scan_usual_back);
}

/* ---------------------------------------------------------------- words */

static bool is_word_naively(const unsigned char *text, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = text[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (unsigned char)(byte + 'a' - 'A');
        if (byte != (unsigned char)word[i])
            return false;
    }
    return true;
}

/* Every byte at every place of words of every length, at the end of the memory. */
static void words_are_compared_ignoring_case_of_letters_alone(void **state)
{
    static const char word[] = "az@[`{09-_\x7f\x80\xe1hello-world.content-length!!";

    (void)state;
    for (size_t len = 1; len < sizeof word; len++) {
        unsigned char *text = memory_end - len;
        for (size_t i = 0; i < len; i++) {
            memcpy(text, word, len);
            for (unsigned byte = 0; byte < 256; byte++) {
                text[i] = (unsigned char)byte;
                assert_int_equal(qcap_is_word(text, word, len), is_word_naively(text, word, len));
            }
        }
    }
    assert_true(qcap_is_word(memory_end, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_class_is_scanned),
        cmocka_unit_test(the_first_and_the_last_byte_bound_ranges),
        cmocka_unit_test(single_bytes_are_scanned),
        cmocka_unit_test(bytes_that_the_lanes_leave_out_are_in_the_run),
        cmocka_unit_test(words_are_compared_ignoring_case_of_letters_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
