/* lanes.c: how a class of bytes is told in many bytes at a time.
 *
 * A machine with 16 lanes has no lookup that every processor knows: a class is a union of ranges, each of which costs a few
 * instructions. So the cheapest way to say it is looked for: the ranges of the set or those of the bytes that are not in
 * it, with or without taking large and small letters together. Where even that is dear, only what is usual in text is kept:
 * the rest of the set is then told byte by byte. */
#include "lanes.h"

#include <string.h>

/* Instructions for sixteen bytes; about twice as many would be slower than one byte after the other. */
#define COST_MAX 32

static unsigned cost_of_range(const lanes_range_t *range)
{
    unsigned cost = range->low == range->high ? 2 : range->low == 0 || range->high == 255 ? 3 : 4;

    return cost + (range->is_small ? 1 : 0);
}

/* Beyond COST_MAX, too, if there was no room for all ranges. */
static unsigned cost_of(const lanes_t *lanes)
{
    unsigned cost = lanes->is_negated ? 1 : 0;

    for (unsigned i = 0; i < lanes->count; i++)
        cost += cost_of_range(&lanes->ranges[i]);
    return lanes->is_exact ? cost : cost + COST_MAX + 1;
}

/* How usual a byte is in text: in names, words, numbers. */
static unsigned weight_of_byte(unsigned byte)
{
    if (byte >= 'a' && byte <= 'z')
        return 8;
    if (byte >= '0' && byte <= '9')
        return 4;
    if (byte >= 'A' && byte <= 'Z')
        return 2;
    return byte != 0 && strchr(" -./_=,;:%&", (int)byte) != NULL ? 4 : 1;
}

static bool range_has(const lanes_range_t *range, unsigned byte)
{
    byte |= range->is_small ? 0x20 : 0;
    return byte >= range->low && byte <= range->high;
}

bool lanes_has(const lanes_t *lanes, unsigned byte)
{
    for (unsigned i = 0; i < lanes->count; i++)
        if (range_has(&lanes->ranges[i], byte))
            return !lanes->is_negated;
    return lanes->is_negated;
}

/* Adds the ranges that hold all of `set`, and nothing outside `set` and `free`, as long as there is room. */
static void add_ranges(lanes_t *lanes, const charset_t *set, const charset_t *free, bool is_small)
{
    charset_t allowed = charset_union(*set, *free);

    for (unsigned low = 0, high; low < 256; low = high + 1) {
        high = low;
        if (!charset_has(set, low))
            continue;
        for (unsigned next = low + 1; next < 256 && charset_has(&allowed, next); next++)
            if (charset_has(set, next))
                high = next;
        if (lanes->count < LANES_RANGES_MAX)
            lanes->ranges[lanes->count++] = (lanes_range_t){(uint8_t)low, (uint8_t)high, is_small};
        else
            lanes->is_exact = false;
    }
}

/* The letters of which the set has the small and the large one, as small ones. */
static charset_t both_letters(const charset_t *set)
{
    charset_t both = charset_none();

    for (unsigned byte = 'a'; byte <= 'z'; byte++)
        if (charset_has(set, byte) && charset_has(set, byte - 0x20))
            both = charset_union(both, charset_range(byte, byte));
    return both;
}

static lanes_t plain_ranges(const charset_t *set)
{
    lanes_t lanes = {.is_exact = true};
    charset_t none = charset_none();

    add_ranges(&lanes, set, &none, false);
    return lanes;
}

static lanes_t folded_ranges(const charset_t *set)
{
    lanes_t lanes = {.is_exact = true};
    charset_t none = charset_none(), small = both_letters(set), both = small;

    for (unsigned byte = 'a'; byte <= 'z'; byte++)
        if (charset_has(&small, byte))
            both = charset_union(both, charset_range(byte - 0x20, byte - 0x20));
    charset_t rest = charset_subtract(*set, both);
    add_ranges(&lanes, &small, &none, true);
    add_ranges(&lanes, &rest, &both, false);
    return lanes;
}

static void keep_cheaper(lanes_t *best, lanes_t other, bool is_negated)
{
    other.is_negated = is_negated;
    if (cost_of(&other) < cost_of(best))
        *best = other;
}

/* The ranges with the most weight for their cost, as long as they are cheap enough together. */
static lanes_t keep_usual(const lanes_t *all)
{
    lanes_t usual = {.is_exact = false};
    unsigned cost = 0;
    bool is_taken[LANES_RANGES_MAX] = {false};

    for (;;) {
        unsigned best = LANES_RANGES_MAX, best_weight = 0;
        for (unsigned i = 0; i < all->count; i++) {
            unsigned weight = 0;
            for (unsigned byte = 0; byte < 256; byte++)
                weight += range_has(&all->ranges[i], byte) ? weight_of_byte(byte) : 0;
            weight = weight * 16 / cost_of_range(&all->ranges[i]);
            if (is_taken[i] || weight <= best_weight || cost + cost_of_range(&all->ranges[i]) > COST_MAX)
                continue;
            best = i;
            best_weight = weight;
        }
        if (best == LANES_RANGES_MAX)
            return usual;
        is_taken[best] = true;
        cost += cost_of_range(&all->ranges[best]);
        usual.ranges[usual.count++] = all->ranges[best];
    }
}

lanes_t lanes_of(const charset_t *set)
{
    charset_t outside = charset_subtract(charset_range(0, 255), *set);
    lanes_t best = plain_ranges(set), folded = folded_ranges(set);

    keep_cheaper(&best, folded, false);
    if (!charset_is_empty(&outside)) {
        keep_cheaper(&best, plain_ranges(&outside), true);
        keep_cheaper(&best, folded_ranges(&outside), true);
    }
    return cost_of(&best) <= COST_MAX ? best : keep_usual(&folded);
}

/* ---------------------------------------------------------------- as C */

static void emit_range(const lanes_range_t *range, text_t *text)
{
    bool is_byte = range->low == range->high;

    text_print(text, "qcap_lanes_%s(%s, ", is_byte ? "byte" : "range", range->is_small ? "qcap_lanes_small(v)" : "v");
    text_byte(text, range->low);
    if (!is_byte) {
        text_print(text, ", ");
        text_byte(text, range->high);
    }
    text_print(text, ")");
}

void lanes_emit(const lanes_t *lanes, const char *name, const char *is, text_t *text)
{
    text_print(text, "static inline qcap_lanes_t in_%s(qcap_lanes_t v)\n{\n", name);
    for (unsigned i = 0; i < lanes->count; i++) {
        text_print(text, i == 0 ? "    qcap_lanes_t in = " : "    in = qcap_lanes_or(in, ");
        emit_range(&lanes->ranges[i], text);
        text_print(text, i == 0 ? ";\n" : ");\n");
    }
    text_print(text, lanes->is_negated ? "    return qcap_lanes_not(in);\n}\n" : "    return in;\n}\n");
    text_print(text, "%s(%s, in_%s, %s)\n", lanes->is_exact ? "QCAP_SCAN_EXACT" : "QCAP_SCAN", name, name, is);
}
