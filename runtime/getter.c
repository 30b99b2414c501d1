/* getter.c: queries for fields of packets and for elements: compiled once, applied often.
 *
 * In: a text, and later packets. Out: values, or whether a condition is true. A getter is one block: steps in the order of the
 * text, which leave what they find in one register; `and` and `or` pass over what does not matter any more (getter.h). To apply
 * it, the headers that it asks for are found once (layers.c); nothing is allocated.
 *
 * What is known before compiling bounds everything: a text has so many tokens, and each makes at most one step and one literal. */
#include "getter.h"

#include <string.h>

#include "getter_parser.h"
#include "handle.h"
#include "subscribe.h"

/* What a getter is applied to. */
typedef struct subject {
    const qcapint_layers_t *layers; /* headers, innermost packet first */
    const qcap_match_t *match;      /* NULL: a packet */
} subject_t;

/* ---------------------------------------------------------------- compiling */

static size_t count_tokens(const char *text)
{
    qcapint_lexer_t lexer = {.cursor = text, .begin = text};
    size_t count = 1;
    while (qcapint_lexer_next(&lexer).kind != GETTER_END)
        count++;
    return count;
}

/* Each token needs the bytes of its text, a NUL, or an address. */
static size_t pool_size(size_t len, size_t tokens)
{
    return len + 17 * tokens;
}

static qcap_getter_t *new_getter(qcap_t *q, size_t len, size_t tokens)
{
    size_t steps = sizeof(qcap_getter_t), literals = steps + tokens * sizeof(qcapint_step_t);
    size_t pool = literals + tokens * sizeof(qcapint_literal_t), size = pool + pool_size(len, tokens);
    unsigned char *block = qcapint_budget_alloc(&q->budget, size);
    qcap_getter_t *getter = (qcap_getter_t *)(void *)block;
    if (!getter)
        return NULL;
    getter->q = q;
    getter->size = size;
    getter->steps = (qcapint_step_t *)(void *)(block + steps);
    getter->literals = (qcapint_literal_t *)(void *)(block + literals);
    getter->pool = block + pool;
    return getter;
}

qcap_getter_t *qcap_getter_compile(qcap_t *q, const char *text)
{
    size_t len = strlen(text);
    if (len > QCAP_GETTER_SIZE) {
        qcapint_fail(q, QCAP_E_ARGUMENT, "column 1: a getter has %d bytes at most", QCAP_GETTER_SIZE);
        return NULL;
    }
    qcap_getter_t *getter = new_getter(q, len, count_tokens(text));
    if (!getter) {
        qcapint_fail(q, QCAP_E_MEMORY, "no memory for a getter");
        return NULL;
    }
    if (!qcapint_getter_parse(getter, text)) {
        qcap_getter_free(getter);
        return NULL;
    }
    return getter;
}

void qcap_getter_free(qcap_getter_t *getter)
{
    if (getter)
        qcapint_budget_free(&getter->q->budget, getter, getter->size);
}

/* The field that the getter is, if it is no condition; else NULL. */
static const qcapint_operand_t *only_operand(const qcap_getter_t *getter)
{
    const qcapint_step_t *step = getter->steps;
    return getter->step_count == 1 && step->kind == QCAPINT_STEP_EXISTS ? &step->left : NULL;
}

qcap_value_type_t qcap_getter_type(const qcap_getter_t *getter)
{
    const qcapint_operand_t *operand = only_operand(getter);
    return operand ? operand->type : QCAP_VALUE_BOOL;
}

/* ---------------------------------------------------------------- values */

/* The values of an operand, one after the other. */
typedef struct cursor {
    const subject_t *subject;
    const qcapint_operand_t *operand;
    uint32_t layer, row; /* to be looked at next */
} cursor_t;

/* A text of digits, as a number; false: it is something else, or too long. */
static bool read_decimal(qcap_value_t *value)
{
    uint64_t number = 0;
    if (value->len == 0 || value->len > 19)
        return false;
    for (size_t i = 0; i < value->len; i++) {
        if (value->bytes[i] < '0' || value->bytes[i] > '9')
            return false;
        number = number * 10 + (value->bytes[i] - '0');
    }
    *value = (qcap_value_t){.type = QCAP_VALUE_UINT, .number = number};
    return true;
}

/* What is wanted of a field's value. False: nothing is left of it. */
static bool take_part(const qcapint_operand_t *operand, qcap_value_t *value)
{
    if (operand->is_decimal)
        return read_decimal(value);
    if (operand->mask)
        value->number &= operand->mask;
    if (operand->has_slice) {
        if (value->len <= operand->slice_begin)
            return false;
        size_t left = value->len - operand->slice_begin;
        if (operand->slice_len != UINT32_MAX && left < operand->slice_len)
            return false;
        value->type = QCAP_VALUE_BYTES;
        value->bytes += operand->slice_begin;
        value->len = operand->slice_len == UINT32_MAX ? left : operand->slice_len;
    }
    return true;
}

static bool refine(const qcapint_operand_t *operand, qcap_value_t *value)
{
    return operand->is_whole || take_part(operand, value);
}

/* An element has one value at most: the cursor's layer tells whether it was asked for. */
static bool next_element(cursor_t *cursor, qcap_value_t *value)
{
    const qcap_match_t *match = cursor->subject->match;
    if (!match || cursor->layer++ > 0 || !match->bytes ||
        !qcapint_subscribe_fits(cursor->operand->element, match->protocol, match->element))
        return false;
    *value = (qcap_value_t){.type = QCAP_VALUE_STRING, .bytes = match->bytes, .len = match->len};
    return refine(cursor->operand, value);
}

static bool next(cursor_t *cursor, qcap_value_t *value)
{
    const qcapint_operand_t *operand = cursor->operand;
    const qcapint_layers_t *layers = cursor->subject->layers;
    if (operand->element)
        return next_element(cursor, value);
    for (; cursor->layer < layers->count; cursor->layer++, cursor->row = 0) {
        const qcapint_layer_t *layer = &layers->items[cursor->layer];
        while (cursor->row < operand->row_count) {
            const qcapint_field_t *row = &operand->rows[cursor->row++];
            if (row->layer != layer->kind) /* its other rows may lie in another kind */
                continue;
            if (qcapint_field_read(row, layer, value) && refine(operand, value))
                return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- comparing */

static bool is_numeric(qcap_value_type_t type)
{
    return type == QCAP_VALUE_UINT || type == QCAP_VALUE_BOOL;
}

/* Below 0, 0, above 0, as memcmp(); both of one type, or both bytes. What is shorter comes first. */
static int order(const qcap_value_t *a, const qcap_value_t *b)
{
    if (is_numeric(a->type))
        return (a->number > b->number) - (a->number < b->number);
    if (a->type == QCAP_VALUE_TIME)
        return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
    size_t len = a->len < b->len ? a->len : b->len;
    int difference = len ? memcmp(a->bytes, b->bytes, len) : 0;
    return difference ? difference : (a->len > b->len) - (a->len < b->len);
}

static bool is_in_network(const qcap_value_t *address, const qcapint_literal_t *network)
{
    unsigned whole = network->prefix / 8, rest = network->prefix % 8;
    return memcmp(address->bytes, network->low.bytes, whole) == 0 &&
           (rest == 0 || (address->bytes[whole] ^ network->low.bytes[whole]) >> (8 - rest) == 0);
}

static bool is_equal(const qcap_value_t *a, const qcap_value_t *b)
{
    if (is_numeric(a->type))
        return a->number == b->number;
    if (a->type == QCAP_VALUE_TIME)
        return a->time_ns == b->time_ns;
    return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static bool is_in(const qcap_value_t *value, const qcapint_literal_t *literal)
{
    if (literal->has_prefix)
        return is_in_network(value, literal);
    if (!literal->is_range)
        return is_equal(value, &literal->low);
    return order(value, &literal->low) >= 0 && order(value, &literal->high) <= 0;
}

static bool contains(const qcap_value_t *value, const qcap_value_t *part)
{
    const unsigned char *at = value->bytes, *end = at + value->len;
    if (part->len == 0)
        return true;
    while ((size_t)(end - at) >= part->len && (at = memchr(at, part->bytes[0], (size_t)(end - at) - part->len + 1))) {
        if (memcmp(at, part->bytes, part->len) == 0)
            return true;
        at++;
    }
    return false;
}

/* Whether a value fits what stands on the right of a comparison; DIFFERS is asked as EQUAL. */
static bool fits_value(uint8_t kind, const qcap_value_t *value, const qcap_value_t *other)
{
    int difference = kind == QCAPINT_STEP_CONTAINS ? 0 : order(value, other);
    switch (kind) {
    case QCAPINT_STEP_LESS:
        return difference < 0;
    case QCAPINT_STEP_LESS_EQUAL:
        return difference <= 0;
    case QCAPINT_STEP_GREATER:
        return difference > 0;
    case QCAPINT_STEP_GREATER_EQUAL:
        return difference >= 0;
    case QCAPINT_STEP_CONTAINS:
        return contains(value, other);
    default:
        return difference == 0;
    }
}

static bool fits_literals(const qcap_getter_t *getter, const qcapint_step_t *step, const qcap_value_t *value)
{
    const qcapint_literal_t *literal = &getter->literals[step->literal];
    if (step->kind != QCAPINT_STEP_EQUAL && step->kind != QCAPINT_STEP_DIFFERS)
        return fits_value(step->kind, value, &literal->low);
    for (uint32_t i = 0; i < step->literal_count; i++)
        if (is_in(value, &literal[i]))
            return true;
    return false;
}

/* Sets *has_other if there is anything on the right. */
static bool fits_operand(const subject_t *subject, const qcapint_step_t *step, const qcap_value_t *value, bool *has_other)
{
    cursor_t cursor = {.subject = subject, .operand = &step->right};
    qcap_value_t other;
    while (next(&cursor, &other)) {
        *has_other = true;
        if (fits_value(step->kind, value, &other))
            return true;
    }
    return false;
}

/* One value that fits is enough; for DIFFERS, one that fits is too much, but there must be some. */
static bool test(const qcap_getter_t *getter, const qcapint_step_t *step, const subject_t *subject)
{
    cursor_t cursor = {.subject = subject, .operand = &step->left};
    qcap_value_t value;
    bool is_any = false, has_other = step->literal_count > 0;
    while (next(&cursor, &value)) {
        is_any = true;
        if (step->literal_count ? fits_literals(getter, step, &value) : fits_operand(subject, step, &value, &has_other))
            return step->kind != QCAPINT_STEP_DIFFERS;
    }
    return step->kind == QCAPINT_STEP_DIFFERS && is_any && has_other;
}

static bool exists(const qcapint_operand_t *operand, const subject_t *subject)
{
    cursor_t cursor = {.subject = subject, .operand = operand};
    qcap_value_t value;
    while (next(&cursor, &value))
        if (!operand->mask || value.number)
            return true;
    return false;
}

static bool run(const qcap_getter_t *getter, const subject_t *subject)
{
    bool result = false;
    for (uint32_t at = 0; at < getter->step_count; at++) {
        const qcapint_step_t *step = &getter->steps[at];
        switch (step->kind) {
        case QCAPINT_STEP_EXISTS:
            result = exists(&step->left, subject);
            break;
        case QCAPINT_STEP_NOT:
            result = !result;
            break;
        case QCAPINT_STEP_AND:
        case QCAPINT_STEP_OR:
            if (result == (step->kind == QCAPINT_STEP_OR))
                at = step->target - 1;
            break;
        default:
            result = test(getter, step, subject);
            break;
        }
    }
    return result;
}

/* ---------------------------------------------------------------- applying */

static size_t apply(const qcap_getter_t *getter, const subject_t *subject, qcap_value_t *values, size_t max)
{
    const qcapint_operand_t *operand = only_operand(getter);
    qcap_value_t value = {.type = QCAP_VALUE_BOOL};
    size_t count = 0;
    if (!operand) {
        value.number = run(getter, subject);
        if (max > 0)
            values[0] = value;
        return 1;
    }
    for (cursor_t cursor = {.subject = subject, .operand = operand}; next(&cursor, &value); count++) {
        if (count < max)
            values[count] = value;
        value = (qcap_value_t){.type = operand->type};
    }
    return count;
}

static void find_layers(const qcap_getter_t *getter, const qcap_packet_t *packet, qcapint_layers_t *layers)
{
    layers->count = 0;
    if (packet && getter->wanted)
        qcapint_layers_find(packet, getter->wanted, layers);
}

size_t qcap_getter_apply(const qcap_getter_t *getter, const qcap_packet_t *packet, qcap_value_t *values, size_t max)
{
    qcapint_layers_t layers;
    find_layers(getter, packet, &layers);
    return apply(getter, &(subject_t){&layers, NULL}, values, max);
}

bool qcap_getter_holds(const qcap_getter_t *getter, const qcap_packet_t *packet)
{
    qcapint_layers_t layers;
    find_layers(getter, packet, &layers);
    return run(getter, &(subject_t){&layers, NULL});
}

size_t qcap_getter_apply_match(const qcap_getter_t *getter, const qcap_match_t *match, qcap_value_t *values, size_t max)
{
    qcapint_layers_t layers;
    find_layers(getter, match->last, &layers);
    return apply(getter, &(subject_t){&layers, match}, values, max);
}

bool qcap_getter_holds_match(const qcap_getter_t *getter, const qcap_match_t *match)
{
    qcapint_layers_t layers;
    find_layers(getter, match->last, &layers);
    return run(getter, &(subject_t){&layers, match});
}

int qcap_set_where(qcap_t *q, const char *condition)
{
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    qcap_getter_t *getter = qcap_getter_compile(q, condition);
    if (!getter)
        return QCAP_E_FILTER;
    if (getter->has_elements) {
        qcap_getter_free(getter);
        return qcapint_fail(q, QCAP_E_FILTER, "\"%s\": packets have no elements", condition);
    }
    qcap_getter_free(q->where);
    q->where = getter;
    return QCAP_OK;
}
