/* keyword.h: how one of a few words is recognised. */
#ifndef QCAPGEN_KEYWORD_H
#define QCAPGEN_KEYWORD_H

#include "text.h"

/* The function
 *
 *     static unsigned NAME(const unsigned char *text, size_t len)
 *
 * that gives 1 + the index of the word that the text is, ignoring case; 0 if it is none of them. Of equal words the
 * first counts. It needs qcap_is_word() of runtime/scan.h. */
void keyword_emit(const char *const *words, size_t count, const char *name, text_t *text);

#endif
