/* meant.c: which of many names was probably meant by one that does not exist.
 *
 * The one with the lightest mistakes: a letter too many, a letter missing, two neighbours swapped, and, which is graver, another
 * letter; in any case (Damerau, A technique for computer detection and correction of spelling errors, 1964). Who knows only a part
 * of a name, "user" of "username", means the first that has it, or one with a light mistake. */
#include "meant.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEN_MAX 48  /* of names that are compared */
#define PART_MIN 3u /* letters of a part that says something */
#define LIGHT 2u    /* a letter more or less, a swap */
#define GRAVE 3u    /* another letter; only the beginning of the name */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool is_same(char a, char b)
{
    return strncasecmp(&a, &b, 1) == 0;
}

/* rows[i][j]: the weight of the mistakes between the first i bytes of a and the first j bytes of b; of rows, only the last three are kept. Both
 * have at most LEN_MAX bytes. */
static unsigned weigh(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][LEN_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (unsigned)j * LIGHT;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i * LIGHT;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(above[j - 1] + (is_same(a[i - 1], b[j - 1]) ? 0 : GRAVE), least(above[j], row[j - 1]) + LIGHT);
            if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], twice_above[j - 2] + LIGHT);
        }
    }
    return rows[a_len % 3][b_len];
}

/* Of a name that begins with that part, or has it somewhere; UINT_MAX: it has not. */
static unsigned weigh_part(const char *name, const char *part, size_t len)
{
    for (const char *at = name; len >= PART_MIN && strlen(at) >= len; at++)
        if (strncasecmp(at, part, len) == 0)
            return at == name ? GRAVE : GRAVE + 1;
    return UINT_MAX;
}

void qcapint_meant_begin(qcapint_meant_t *meant, const char *name, size_t len)
{
    *meant = (qcapint_meant_t){.name = name, .len = len, .heaviest = ((unsigned)len / 3 + 1) * LIGHT};
}

/* False if it is too long. */
static bool note(qcapint_meant_t *meant, const char *before, const char *name)
{
    char likely[QCAPINT_MEANT_SIZE];
    if ((size_t)snprintf(likely, sizeof likely, "; did you mean %s%s?", before, name) >= sizeof likely)
        return false;
    memcpy(meant->likely, likely, sizeof likely);
    return true;
}

void qcapint_meant_offer(qcapint_meant_t *meant, const char *before, const char *name)
{
    size_t len = strlen(name);
    if (len > LEN_MAX || meant->len > LEN_MAX)
        return;
    unsigned weight = least(weigh(meant->name, meant->len, name, len), weigh_part(name, meant->name, meant->len));
    bool is_better = *meant->likely ? weight < meant->heaviest : weight <= meant->heaviest;
    if (is_better && note(meant, before, name))
        meant->heaviest = weight;
}

void qcapint_meant_suggest(qcapint_meant_t *meant, const char *name)
{
    if (!*meant->likely)
        note(meant, "", name);
}

const char *qcapint_meant_text(const qcapint_meant_t *meant)
{
    return meant->likely;
}
