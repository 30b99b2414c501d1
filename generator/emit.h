/* emit.h: layout → the text of the two generated files. By now everything is right: nothing is complained about here. */
#ifndef QCAPGEN_EMIT_H
#define QCAPGEN_EMIT_H

#include "layout.h"

void emit_h(const layout_t *layout, text_t *text);
void emit_c(layout_t *layout, text_t *text);

/* The element's path in upper case, for its constant: QCAP_HTTP_REQUEST_METHOD. */
char *emit_element_constant(const layout_t *layout, unsigned element);

#endif
