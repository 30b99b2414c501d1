/* extract.h: the ABNF in the plain text of an RFC. */
#ifndef QCAPGEN_EXTRACT_H
#define QCAPGEN_EXTRACT_H

#include "source.h"
#include "text.h"

/* Writes the rules of the text as a spec: each once, in order, below the section it stands in. False if there are none. */
bool extract(arena_t *arena, const source_t *source, text_t *text);

#endif
