/* similar.h: what was probably meant by a name that does not exist. */
#ifndef QCAPGEN_SIMILAR_H
#define QCAPGEN_SIMILAR_H

#include <stddef.h>

/* The one of `names` that takes the fewest typing mistakes to become `name`; the first of several. NULL if all take too
 * many for it to be likely. */
const char *similar_find(const char *name, const char *const *names, size_t count);

#endif
