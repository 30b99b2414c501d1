/* reference.h: a page for people about a protocol: what can be subscribed to, what is reported. */
#ifndef QCAPGEN_REFERENCE_H
#define QCAPGEN_REFERENCE_H

#include "layout.h"

/* Markdown: its ports and roots; its elements, who sends them, what they are made of and which section says so; its
 * anomalies; what is read as another protocol. */
void reference_print(const layout_t *layout, text_t *text);

#endif
