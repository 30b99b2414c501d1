/* emit_class.c: tests of one byte, and scans of runs, sixteen bytes at a time where the machine can (runtime/scan.h).
 *
 * A set that a few comparisons do not tell is a bit in a table. A scan compares with ranges, those of the set or those of what is
 * not in it, whichever costs less. Ranges that text hardly ever has are left out, and a byte of these is looked up in the table. */
#include "emit_class.h"

#include "name.h"

#define CLASS_BITS 64u  /* classes that a row of one table has room for */
#define SCAN_MIN 8u     /* bytes of a set that are worth a scan by blocks */
#define LOST_PART 50u   /* a scan may stop at bytes that are not more than this part of what is met */

typedef struct range {
    unsigned low, high;
} range_t;

typedef VEC(range_t) ranges_t;

static ranges_t ranges_of(arena_t *arena, const charset_t *set)
{
    ranges_t ranges = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        if (!charset_has(set, byte))
            continue;
        range_t range = {byte, byte};
        while (range.high < 255 && charset_has(set, range.high + 1))
            range.high++;
        vec_push(arena, &ranges, range);
        byte = range.high;
    }
    return ranges;
}

/* ---------------------------------------------------------------- one byte */

static byte_class_t *class_of(classes_t *classes, const charset_t *set)
{
    for (size_t i = 0; i < classes->items.count; i++)
        if (charset_equal(&classes->items.items[i].set, set))
            return &classes->items.items[i];
    const char *name = name_set(classes->grammar, set);
    byte_class_t class = {.set = *set};
    class.name = name ? arena_print(classes->arena, "IS_%s", name_identifier(classes->arena, name, true))
                      : arena_print(classes->arena, "IS_SET_%zu", classes->items.count);
    vec_push(classes->arena, &classes->items, class);
    return &classes->items.items[classes->items.count - 1];
}

static void test_range(const range_t *range, const char *byte, text_t *text)
{
    const char *const operators[] = {" >= ", " <= "};
    const unsigned bounds[] = {range->low, range->high}, none[] = {0, 255};
    bool is_first = true;
    if (range->low == range->high) {
        text_print(text, "%s == ", byte);
        text_byte(text, range->low);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (bounds[i] == none[i])
            continue;
        text_print(text, "%s%s%s", is_first ? "" : " && ", byte, operators[i]);
        text_byte(text, bounds[i]);
        is_first = false;
    }
}

void class_test(classes_t *classes, const charset_t *set, const char *byte, text_t *text)
{
    ranges_t ranges = ranges_of(classes->arena, set);
    bool is_few = charset_count(set) <= 2;
    if (ranges.count == 1 || is_few) {
        for (size_t i = 0; i < ranges.count; i++) {
            for (unsigned b = ranges.items[i].low; is_few && b <= ranges.items[i].high; b++) {
                text_print(text, "%s%s == ", i || b > ranges.items[i].low ? " || " : "", byte);
                text_byte(text, b);
            }
            if (!is_few)
                test_range(&ranges.items[i], byte, text);
        }
        return;
    }
    text_print(text, "%s(%s)", class_of(classes, set)->name, byte);
}

/* Table number `table`: the classes from CLASS_BITS * table on. */
static void define_table(const classes_t *classes, size_t table, text_t *text)
{
    text_print(text, "\nstatic const uint64_t class_bits_%zu[256] = {\n", table);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t row = 0;
        for (size_t i = table * CLASS_BITS; i < classes->items.count && i < (table + 1) * CLASS_BITS; i++)
            if (charset_has(&classes->items.items[i].set, byte))
                row |= (uint64_t)1 << i % CLASS_BITS;
        text_print(text, "%s0x%llx,%s", byte % 4 ? " " : "    ", (unsigned long long)row, byte % 4 == 3 ? " /* " : "");
        if (byte % 4 == 3) {
            text_byte(text, byte - 3);
            text_print(text, " */\n");
        }
    }
    text_print(text, "};\n");
}

/* ---------------------------------------------------------------- runs */

void class_scan(classes_t *classes, const charset_t *set, scan_kind_t kind, const char *indent, text_t *text)
{
    unsigned count = charset_count(set);
    if (count == 256) {
        text_print(text, "%sat = end;\n", indent);
    } else if (count < SCAN_MIN) {
        text_print(text, "%swhile (at != end && (", indent);
        class_test(classes, set, "*at", text);
        text_print(text, "))\n%s    at++;\n", indent);
    } else {
        byte_class_t *class = class_of(classes, set);
        class->is_scanned = true;
        const char *const endings[] = {"_on", "", "_back"};
        text_print(text, "%sat = SCAN_%s%s(at, end);\n", indent, class->name, endings[kind]);
    }
}

/* How many bytes of text a comparison is likely to tell. */
static unsigned worth(const range_t *range)
{
    unsigned sum = 0;
    for (unsigned byte = range->low; byte <= range->high; byte++) {
        if (byte >= 'a' && byte <= 'z')
            sum += 20;
        else if ((byte >= '0' && byte <= '9') || byte == ' ')
            sum += 10;
        else if (byte > ' ' && byte < 0x7f)
            sum += byte == '-' ? 20 : strchr("./=_,;:", (int)byte) ? 5 : 1;
    }
    return sum;
}

static unsigned worth_of_all(const ranges_t *ranges)
{
    unsigned sum = 0;
    for (size_t i = 0; i < ranges->count; i++)
        sum += worth(&ranges->items[i]);
    return sum;
}

/* A plan: ranges that are compared, of the set or of what is outside of it. */
typedef struct plan {
    ranges_t ranges;
    bool is_outside, is_exact;
    bool is_lettered; /* all letters are in it, too, as one comparison */
    unsigned lost;    /* worth of the bytes of the set that are taken for others */
} plan_t;

static unsigned cost(const plan_t *plan)
{
    unsigned cost = plan->is_lettered ? 4 : 0;
    for (size_t i = 0; i < plan->ranges.count; i++) {
        const range_t *r = &plan->ranges.items[i];
        cost += 1 + (r->low == r->high ? 1u : r->low == 0 ? 2u : 3u); /* and one to join it */
    }
    return cost;
}

/* Without the ranges that are hardly ever met. */
static plan_t plan_inside(arena_t *arena, ranges_t ranges, bool is_lettered, unsigned most_lost)
{
    plan_t plan = {.is_exact = true, .is_lettered = is_lettered};
    for (size_t i = 0; i < ranges.count; i++) {
        unsigned lost = plan.lost + worth(&ranges.items[i]);
        bool is_kept = lost > most_lost || (!is_lettered && ranges.count == 1);
        if (is_kept) {
            vec_push(arena, &plan.ranges, ranges.items[i]);
            continue;
        }
        plan.lost = lost;
        plan.is_exact = false;
    }
    return plan;
}

/* Ranges between which hardly anything is met become one. */
static plan_t plan_outside(arena_t *arena, ranges_t ranges, unsigned most_lost)
{
    plan_t plan = {.is_outside = true, .is_exact = true};
    for (size_t i = 0; i < ranges.count; i++) {
        range_t *last = plan.ranges.count ? &plan.ranges.items[plan.ranges.count - 1] : NULL;
        unsigned gap = last ? worth(&(range_t){last->high + 1, ranges.items[i].low - 1}) : 0;
        if (last && plan.lost + gap <= most_lost) {
            last->high = ranges.items[i].high;
            plan.lost += gap;
            plan.is_exact = false;
        } else {
            vec_push(arena, &plan.ranges, ranges.items[i]);
        }
    }
    return plan;
}

static bool has_letters(const charset_t *set)
{
    for (unsigned i = 0; i < 26; i++)
        if (!charset_has(set, 'a' + i) || !charset_has(set, 'A' + i))
            return false;
    return true;
}

static void compare(const range_t *range, const char *lanes, text_t *text)
{
    if (range->low == range->high) {
        text_print(text, "qcap_lanes_byte(%s, ", lanes);
    } else {
        text_print(text, "qcap_lanes_range(%s, ", lanes);
        text_byte(text, range->low);
        text_print(text, ", ");
    }
    text_byte(text, range->high);
    text_print(text, ")");
}

static plan_t make_plan(arena_t *arena, const charset_t *set)
{
    charset_t others = charset_subtract(charset_range(0, 255), *set), rest = *set;
    ranges_t ranges = ranges_of(arena, set);
    unsigned most_lost = worth_of_all(&ranges) / LOST_PART;
    bool is_lettered = ranges.count > 2 && has_letters(set);
    if (is_lettered)
        rest = charset_subtract(charset_subtract(rest, charset_range('a', 'z')), charset_range('A', 'Z'));
    plan_t inside = plan_inside(arena, ranges_of(arena, &rest), is_lettered, most_lost);
    plan_t outside = plan_outside(arena, ranges_of(arena, &others), most_lost);
    return cost(&outside) <= cost(&inside) ? outside : inside;
}

static void define_scan(arena_t *arena, const byte_class_t *class, text_t *text)
{
    plan_t plan = make_plan(arena, &class->set);
    text_print(text, "static inline __attribute__((always_inline)) qcap_lanes_t LANES_%s(qcap_lanes_t v)\n{\n    qcap_lanes_t %s = ", class->name,
               plan.is_outside ? "out" : "in");
    if (plan.is_lettered)
        compare(&(range_t){'a', 'z'}, "qcap_lanes_small(v)", text);
    else
        compare(&plan.ranges.items[0], "v", text);
    text_print(text, ";\n");
    for (size_t i = !plan.is_lettered; i < plan.ranges.count; i++) {
        text_print(text, plan.is_outside ? "    out = qcap_lanes_or(out, " : "    in = qcap_lanes_or(in, ");
        compare(&plan.ranges.items[i], "v", text);
        text_print(text, ");\n");
    }
    text_print(text, "    return %s;\n}\n", plan.is_outside ? "out" : "in");
    text_print(text, "QCAP_SCAN%s%s(SCAN_%s, LANES_%s, %s)\n\n", plan.is_outside ? "_UNTIL" : "", plan.is_exact ? "_EXACT" : "",
               class->name, class->name, class->name);
}

void class_define(const classes_t *classes, text_t *text)
{
    if (classes->items.count == 0)
        return;
    text_print(text, "/* Classes of bytes: a bit for each. */\n");
    for (size_t i = 0; i < classes->items.count; i++)
        text_print(text, "#define %s(byte) (class_bits_%zu[byte] >> %zu & 1)\n", classes->items.items[i].name,
                   i / CLASS_BITS, i % CLASS_BITS);
    for (size_t table = 0; table * CLASS_BITS < classes->items.count; table++)
        define_table(classes, table, text);
    text_print(text, "\n");
    for (size_t i = 0; i < classes->items.count; i++)
        if (classes->items.items[i].is_scanned)
            define_scan(classes->arena, &classes->items.items[i], text);
}
