/* similar.h: what was probably meant by a name that does not exist. */
#ifndef QCAPGEN_SIMILAR_H
#define QCAPGEN_SIMILAR_H

#include <stddef.h>

/* The one of `names` that takes the fewest typing mistakes to become `name`; the first of several. NULL if all take too
 * many for it to be likely. */
const char *similar_find(const char *name, const char *const *names, size_t count);

/* The one that a single typing mistake makes of it, for a name that may well be right: not one of a few letters. NULL if there is
 * none. */
const char *similar_almost(const char *name, const char *const *names, size_t count);

#endif
