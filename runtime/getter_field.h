/* getter_field.h: the fields of headers that getters know, and how each is read. See getter_field.c. */
#ifndef QCAP_GETTER_FIELD_H
#define QCAP_GETTER_FIELD_H

#include "layers.h"

/* Reads a field that is more than bytes at a place; false: this header has none. */
typedef bool (*qcapint_field_get_t)(const qcapint_layer_t *layer, qcap_value_t *value);

/* Where a field lies in its header. Fields of several places have a row for each, one behind the other. */
typedef struct qcapint_field {
    qcap_field_t field;      /* what applications see */
    uint8_t layer;           /* qcapint_layer_kind_t: each header of this kind has one */
    uint8_t offset;          /* of its first byte */
    uint8_t width;           /* in bytes; 0: all of the header and what it carries */
    uint32_t mask;           /* UINT, BOOL: the bits of these bytes that count; the lowest is 1 */
    uint8_t scale;           /* UINT: what a unit stands for; 0: 1 */
    qcapint_field_get_t get; /* instead of the four before; NULL: none */
} qcapint_field_t;

/* The rows of the field of that name, in any case; NULL if there is none. */
const qcapint_field_t *qcapint_field_find(const char *name, uint32_t *row_count);

/* The field's value in a header of its kind. False: it has none, or its bytes were not captured. */
bool qcapint_field_read(const qcapint_field_t *field, const qcapint_layer_t *layer, qcap_value_t *value);

#endif
