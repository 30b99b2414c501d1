/* until.h: what ends a rule by `until`, as texts. */
#ifndef QCAPGEN_UNTIL_H
#define QCAPGEN_UNTIL_H

#include "nfa.h"

/* The pieces of the note, texts that stand side by side made one. Complains of a part that is no text. */
pieces_t until_pieces(arena_t *arena, const note_t *note, diag_t *diag);

/* The most bytes that they can be. */
unsigned until_max(const pieces_t *pieces);

/* Do they end a line? Then the byte behind them does not matter. */
bool until_is_line(const pieces_t *pieces);

#endif
