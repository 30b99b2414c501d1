/* similar.c: what was probably meant by a name that does not exist.
 *
 * A mistake is a letter too many, a letter missing, another letter, or two neighbours swapped (Damerau, A technique for
 * computer detection and correction of spelling errors, 1964). */
#include "similar.h"

#include <string.h>

#define LEN_MAX 32
#define TOO_MANY 0xffffffffu

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* rows[i][j]: mistakes between the first i bytes of a and the first j bytes of b; of rows, only the last three are
 * kept. */
static unsigned mistakes(const char *a, const char *b)
{
    unsigned rows[3][LEN_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > LEN_MAX || b_len > LEN_MAX)
        return TOO_MANY;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], twice_above[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *similar_find(const char *name, const char *const *names, size_t count)
{
    const char *found = NULL;
    unsigned fewest = (unsigned)strlen(name) / 3 + 1; /* more is another word */

    for (size_t i = 0; i < count; i++) {
        unsigned m = mistakes(name, names[i]);
        if (m < fewest || (!found && m == fewest)) {
            fewest = m;
            found = names[i];
        }
    }
    return found;
}

#define FEW_LETTERS 3u

const char *similar_almost(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && strlen(name) > FEW_LETTERS; i++)
        if (mistakes(name, names[i]) == 1)
            return names[i];
    return NULL;
}
