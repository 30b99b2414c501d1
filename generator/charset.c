/* charset.c: sets of bytes as 256 bits.
 *
 * For people a set is written as the core rules it contains (RFC 5234, B.1), the largest first, then what is left as
 * ranges: `ALPHA / DIGIT / "-"`. The table of core rules stands in the order in which they are tried. */
#include "charset.h"

#include <string.h>

charset_t charset_none(void)
{
    return (charset_t){{0}};
}

charset_t charset_range(unsigned low, unsigned high)
{
    charset_t set = {{0}};

    for (unsigned i = low / 64; i < 4 && i <= high / 64 && low <= high; i++) {
        unsigned first = i == low / 64 ? low % 64 : 0, last = i == high / 64 ? high % 64 : 63;
        set.bits[i] = UINT64_MAX >> (63 - last) & UINT64_MAX << first;
    }
    return set;
}

charset_t charset_union(charset_t a, charset_t b)
{
    for (int i = 0; i < 4; i++)
        a.bits[i] |= b.bits[i];
    return a;
}

charset_t charset_intersect(charset_t a, charset_t b)
{
    for (int i = 0; i < 4; i++)
        a.bits[i] &= b.bits[i];
    return a;
}

charset_t charset_subtract(charset_t a, charset_t b)
{
    for (int i = 0; i < 4; i++)
        a.bits[i] &= ~b.bits[i];
    return a;
}

bool charset_has(const charset_t *set, unsigned byte)
{
    return byte < 256 && (set->bits[byte / 64] >> (byte % 64) & 1);
}

bool charset_is_empty(const charset_t *set)
{
    return !(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]);
}

bool charset_equal(const charset_t *a, const charset_t *b)
{
    return memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

unsigned charset_count(const charset_t *set)
{
    unsigned count = 0;

    for (unsigned byte = 0; byte < 256; byte++)
        count += charset_has(set, byte);
    return count;
}

unsigned charset_first(const charset_t *set)
{
    unsigned byte = 0;

    while (byte < 255 && !charset_has(set, byte))
        byte++;
    return byte;
}

/* ---------------------------------------------------------------- for people */

static void print_separator(text_t *text, bool *is_first)
{
    if (!*is_first)
        text_print(text, " / ");
    *is_first = false;
}

/* A range of printable bytes is quoted, any other is hexadecimal as in ABNF. The quote itself cannot be quoted. */
static void print_range(unsigned low, unsigned high, text_t *text)
{
    bool is_quotable = low > 0x20 && high < 0x7f && low != '"' && high != '"';

    if (is_quotable && low == high)
        text_print(text, "\"%c\"", (int)low);
    else if (is_quotable)
        text_print(text, "\"%c\"-\"%c\"", (int)low, (int)high);
    else if (low == high)
        text_print(text, "%%x%02X", low);
    else
        text_print(text, "%%x%02X-%02X", low, high);
}

static void print_ranges(const charset_t *set, text_t *text, bool *is_first)
{
    for (unsigned low = 0, high; low < 256; low = high + 1) {
        high = low;
        if (!charset_has(set, low))
            continue;
        while (high + 1 < 256 && charset_has(set, high + 1))
            high++;
        print_separator(text, is_first);
        print_range(low, high, text);
    }
}

/* Takes the rule's ranges out of `rest` and prints its name, if they are all there. */
static void print_core(const char *name, charset_t core, charset_t *rest, text_t *text, bool *is_first)
{
    charset_t missing = charset_subtract(core, *rest);

    if (!charset_is_empty(&missing))
        return;
    *rest = charset_subtract(*rest, core);
    print_separator(text, is_first);
    text_print(text, "%s", name);
}

void charset_print(const charset_t *set, text_t *text)
{
    static const struct {
        const char *name;
        uint8_t low[3], high[3]; /* three ranges; the last is repeated where there are fewer */
    } core[] = {
        {"OCTET", {0x00, 0x00, 0x00}, {0xff, 0xff, 0xff}}, {"CHAR", {0x01, 0x01, 0x01}, {0x7f, 0x7f, 0x7f}},
        {"VCHAR", {0x21, 0x21, 0x21}, {0x7e, 0x7e, 0x7e}}, {"ALPHA", {'A', 'a', 'a'}, {'Z', 'z', 'z'}},
        {"HEXDIG", {'0', 'A', 'a'}, {'9', 'F', 'f'}},      {"DIGIT", {'0', '0', '0'}, {'9', '9', '9'}},
        {"CTL", {0x00, 0x7f, 0x7f}, {0x1f, 0x7f, 0x7f}},   {"SP", {' ', ' ', ' '}, {' ', ' ', ' '}},
        {"HTAB", {'\t', '\t', '\t'}, {'\t', '\t', '\t'}},  {"CR", {'\r', '\r', '\r'}, {'\r', '\r', '\r'}},
        {"LF", {'\n', '\n', '\n'}, {'\n', '\n', '\n'}},    {"DQUOTE", {'"', '"', '"'}, {'"', '"', '"'}},
    };
    charset_t rest = *set;
    bool is_first = true;

    for (size_t i = 0; i < sizeof core / sizeof *core; i++) {
        charset_t ranges = charset_none();
        if (!charset_has(&rest, core[i].low[0])) /* the least that it has */
            continue;
        for (int k = 0; k < 3; k++)
            ranges = charset_union(ranges, charset_range(core[i].low[k], core[i].high[k]));
        print_core(core[i].name, ranges, &rest, text, &is_first);
    }
    print_ranges(&rest, text, &is_first);
}

/* ---------------------------------------------------------------- classes */

/* Each set splits every class that it cuts in two: the part inside gets a new number. */
unsigned charset_classes(const charset_t *sets, size_t count, uint8_t class_of[256])
{
    unsigned class_count = 1;

    memset(class_of, 0, 256);
    for (size_t i = 0; i < count; i++) {
        int inside[256], outside[256]; /* the number of either half, -1 while it is empty */
        memset(inside, -1, sizeof inside);
        memset(outside, -1, sizeof outside);
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t old = class_of[byte];
            int *half = charset_has(&sets[i], byte) ? &inside[old] : &outside[old];
            bool is_split = *half < 0 && (inside[old] >= 0 || outside[old] >= 0);
            if (*half < 0)
                *half = is_split ? (int)class_count++ : old;
            class_of[byte] = (uint8_t)*half;
        }
    }
    return class_count;
}
