/* names.c: text for people: paths of elements, errors, kinds of events. */
#include "parsing.h"

/* Appends to a bounded text; counts what would have been written. */
static size_t append(char *text, size_t size, size_t len, const char *more)
{
    for (; *more; more++, len++)
        if (len + 1 < size)
            text[len] = *more;
    if (size > 0)
        text[len < size ? len : size - 1] = '\0';
    return len;
}

static size_t append_number(char *text, size_t size, size_t len, uint64_t number)
{
    char digits[24];
    size_t i = sizeof digits - 1;
    digits[i] = '\0';
    do
        digits[--i] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return append(text, size, len, digits + i);
}

size_t qcap_element_path(const qcap_protocol_t *protocol, uint16_t element, char *text, size_t size)
{
    const qcap_element_t *e = &protocol->elements[element];
    size_t len = e->parent == QCAP_NONE ? append(text, size, 0, protocol->name)
                                        : qcap_element_path(protocol, e->parent, text, size);
    len = append(text, size, len, ".");
    return append(text, size, len, e->name);
}

static size_t append_byte(char *text, size_t size, size_t len, int byte)
{
    static const char hex[] = "0123456789abcdef";
    char quoted[] = {' ', '"', (char)byte, '"', '\0'};
    char number[] = {' ', '0', 'x', hex[byte >> 4 & 15], hex[byte & 15], '\0'};
    return append(text, size, len, byte > 0x20 && byte < 0x7f ? quoted : number);
}

size_t qcap_error_print(const qcap_error_t *error, char *text, size_t size)
{
    static const char *const codes[] = {
#define X(name, text) text,
        QCAP_ERROR_MAP(X)
#undef X
    };
    size_t len = append(text, size, 0, "offset ");
    len = append_number(text, size, len, error->offset);
    len = append(text, size, len, ": ");
    len = append(text, size, len, codes[error->code]);
    if (error->byte >= 0)
        len = append_byte(text, size, len, error->byte);
    if (error->rule[0]) {
        len = append(text, size, len, " in ");
        len = append(text, size, len, error->rule);
    }
    if (error->expected[0]) {
        len = append(text, size, len, ", expected ");
        len = append(text, size, len, error->expected);
    }
    return len;
}

const char *qcap_event_kind_name(qcap_event_kind_t kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        QCAP_EVENT_MAP(X)
#undef X
    };
    return names[kind];
}
