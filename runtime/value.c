/* value.c: the values of registers: how bytes become numbers, keywords and texts, and expressions over them.
 *
 * Bytes are converted as they are read: what a piece has of a rule is put into an accumulator when the piece ends (note
 * [piece] in parser.c). A rule that lies in one piece needs none. */
#include "parsing.h"

#include <string.h>

/* ---------------------------------------------------------------- conversions */

static uint64_t done(const qcap_accumulator_t *acc)
{
    return acc->done / QCAP_DONE_ONE;
}

static unsigned conversion_of(const qcap_accumulator_t *acc)
{
    return (uint16_t)acc->done;
}

static void add_digits(qcap_accumulator_t *acc, const unsigned char *bytes, size_t len, unsigned base)
{
    for (size_t i = 0; i < len; i++) {
        unsigned c = bytes[i], lower = c | 0x20u;
        unsigned digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
        if (digit >= base)
            continue;
        bool is_overflow = __builtin_mul_overflow(acc->value, base, &acc->value);
        if (__builtin_add_overflow(acc->value, digit, &acc->value) || is_overflow)
            acc->done |= QCAP_DONE_OVERFLOW;
    }
}

/* The bytes of a binary number. They fit: the rule reads no more than the number has. */
static void add_bytes(qcap_accumulator_t *acc, const unsigned char *bytes, size_t len, bool is_big)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t shift = 8 * (done(acc) + i);
        acc->value = is_big ? acc->value << 8 | bytes[i] : acc->value | (uint64_t)bytes[i] << shift;
    }
}

/* LEB128: seven bits of each byte, the lowest first; the highest bit only says that more follow. */
static void add_groups(qcap_accumulator_t *acc, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t shift = 7 * (done(acc) + i), group = bytes[i] & 0x7f;
        if (group == 0)
            continue;
        if (shift > 63 || group << shift >> shift != group)
            acc->done |= QCAP_DONE_OVERFLOW;
        else
            acc->value |= group << shift;
    }
}

static void add_number(const qcap_conversion_t *c, qcap_accumulator_t *acc, const unsigned char *bytes, size_t len)
{
    switch (c->kind) {
    case QCAP_CONVERT_BIG:
    case QCAP_CONVERT_LITTLE:
        add_bytes(acc, bytes, len, c->kind == QCAP_CONVERT_BIG);
        break;
    case QCAP_CONVERT_VARINT:
        add_groups(acc, bytes, len);
        break;
    default:
        add_digits(acc, bytes, len, c->kind == QCAP_CONVERT_DECIMAL ? 10 : c->kind == QCAP_CONVERT_HEX ? 16 : 8);
        break;
    }
}

static qcap_underway_t *underway_of(const qcap_parser_t *p, unsigned conversion)
{
    return &side_underway(p)[protocol_of(p)->conversions[conversion].slot];
}

static unsigned char *text_of(const qcap_parser_t *p, const qcap_conversion_t *c, const qcap_accumulator_t *acc)
{
    return side_text(p) + c->text + (size_t)(acc - &side_accumulators(p)[c->accumulator]) * c->text_size;
}

/* Adds the bytes that come next in a conversion. */
static inline void add(const qcap_parser_t *p, const qcap_conversion_t *c, qcap_accumulator_t *acc, const unsigned char *bytes, size_t len)
{
    if (c->text_size > 0) {
        uint64_t kept = done(acc);
        size_t room = kept < c->text_size ? c->text_size - (size_t)kept : 0;
        if (len == 1 && room > 0)
            text_of(p, c, acc)[kept] = *bytes;
        else if (room > 0)
            memcpy(text_of(p, c, acc) + kept, bytes, len < room ? len : room);
    } else {
        add_number(c, acc, bytes, len);
    }
    acc->done += len * QCAP_DONE_ONE;
}

/* Puts the bytes of a conversion up to `end`, as far as they are not yet, into its accumulator. See note [piece]. */
static inline void accumulate(const qcap_parser_t *p, const qcap_conversion_t *c, qcap_accumulator_t *acc, uint64_t end)
{
    uint64_t from = acc->begin + done(acc);
    if (end > from)
        add(p, c, acc, bytes_at(p, from), (size_t)(end - from));
}

/* The accumulator with bytes of the rule that began at `begin`, or NULL if all of them are in the piece. */
static qcap_accumulator_t *find_accumulator(const qcap_parser_t *p, const qcap_conversion_t *c, uint64_t begin)
{
    for (unsigned i = 0; begin < p->piece_offset && i < c->accumulator_count; i++) {
        qcap_accumulator_t *acc = &side_accumulators(p)[c->accumulator + i];
        if (acc->begin == begin && done(acc) > 0 && &protocol_of(p)->conversions[conversion_of(acc)] == c)
            return acc;
    }
    return NULL;
}

static uint64_t row_begin(const qcap_parser_t *p, const qcap_suspend_t *row)
{
    return row->begin == QCAP_PLACE_COMMITTED ? underway_of(p, row->conversion)->begin : place(p, row->begin);
}

/* One that no reading of this state needs any more. There are as many as the state with the most readings needs. */
static qcap_accumulator_t *new_accumulator(const qcap_parser_t *p, unsigned conversion, uint64_t begin)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[conversion];
    const qcap_keep_t *keep = keep_of(p);
    const qcap_suspend_t *rows = &protocol_of(p)->suspends[keep->suspend];
    qcap_accumulator_t *acc = &side_accumulators(p)[c->accumulator];
    for (unsigned i = 0; c->accumulator_count > 1 && i < c->accumulator_count; i++) {
        bool is_needed = false;
        for (unsigned r = 0; r < keep->suspend_count; r++)
            if (rows[r].conversion == conversion && row_begin(p, &rows[r]) == side_accumulators(p)[c->accumulator + i].begin)
                is_needed = true;
        acc = is_needed ? acc : &side_accumulators(p)[c->accumulator + i];
    }
    *acc = (qcap_accumulator_t){.begin = begin, .done = conversion};
    return acc;
}

/* The same for what the row says. Returns the accumulator, or NULL if there is nothing to put away. */
static qcap_accumulator_t *put_away(qcap_parser_t *p, const qcap_suspend_t *row)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[row->conversion];
    uint64_t begin = row_begin(p, row), end = place(p, row->end);
    if (end <= begin)
        return NULL;
    qcap_accumulator_t *acc = find_accumulator(p, c, begin);
    if (!acc)
        acc = new_accumulator(p, row->conversion, begin);
    accumulate(p, c, acc, end);
    return acc;
}

void qcapint_value_put_away(qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    const qcap_suspend_t *row = &protocol_of(p)->suspends[keep->suspend], *end = row + keep->suspend_count;
    for (; row < end; row++) {
        const qcap_accumulator_t *acc = put_away(p, row);
        if (!((row->begin | row->end) & QCAP_PLACE_BACK)) /* has ended, and began, somewhere before */
            continue;
        bool is_one = acc && !(row->begin & QCAP_PLACE_BACK) && row->end == QCAP_PLACE_BACK && p->growing == QCAP_GROWS_NOTHING;
        p->growing = is_one ? (uint16_t)(QCAP_GROWS_VALUE + (unsigned)(acc - side_accumulators(p))) : QCAP_GROWS_UNKNOWN;
    }
}

void qcapint_value_grow(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    qcap_accumulator_t *acc = &side_accumulators(p)[p->growing - QCAP_GROWS_VALUE];
    add(p, &protocol_of(p)->conversions[conversion_of(acc)], acc, bytes, len);
}

void qcap_op_convert_open(qcap_parser_t *p, unsigned conversion, uint64_t at)
{
    underway_of(p, conversion)->begin = at;
}

void qcapint_value_lose(qcap_parser_t *p)
{
    for (unsigned i = 0; i < protocol_of(p)->conversion_count; i++)
        underway_of(p, i)->begin = QCAP_LOST;
    p->is_joined_cut = true;
}

/* The register of a lost value is unset. */
static bool is_lost(qcap_parser_t *p, unsigned conversion)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[conversion];
    if (underway_of(p, conversion)->begin != QCAP_LOST)
        return false;
    underway_of(p, conversion)->value = 0;
    p->is_joined_cut |= c->kind == QCAP_CONVERT_JOIN;
    if (c->reg != QCAP_NONE)
        *(c->is_shared ? &p->conversation->shared_set : &p->set) &= ~((uint64_t)1 << c->reg);
    return true;
}

static uint64_t find_keyword(qcap_parser_t *p, const qcap_conversion_t *c, uint64_t begin, uint64_t end)
{
    if (end - begin > c->keywords->longest)
        return 0;
    qcap_accumulator_t *acc = find_accumulator(p, c, begin);
    if (acc)
        accumulate(p, c, acc, end);
    return c->keywords->find(acc ? text_of(p, c, acc) : bytes_at(p, begin), (size_t)(end - begin));
}

/* A number that does not fit: fails. */
static uint64_t find_number(qcap_parser_t *p, const qcap_conversion_t *c, uint64_t begin, uint64_t end)
{
    qcap_accumulator_t *acc = find_accumulator(p, c, begin), fresh = {.begin = begin};
    if (!acc)
        acc = &fresh;
    accumulate(p, c, acc, end);
    if (acc->done & QCAP_DONE_OVERFLOW)
        qcapint_parser_fail(p, QCAP_ERROR_OVERFLOW, c->rule, begin);
    return acc->value;
}

/* ---------------------------------------------------------------- texts */

/* A text as it is read out, byte by byte, without its quotes. */
typedef struct reader {
    const unsigned char *bytes;
    size_t len, at;
    bool is_quoted;
} reader_t;

static bool is_text(const qcap_conversion_t *c)
{
    return c->kind >= QCAP_CONVERT_JOIN;
}

/* What was kept of the text that began at `begin`: at least one byte more than the register holds if it is longer. */
static reader_t read_text(qcap_parser_t *p, const qcap_conversion_t *c, uint64_t begin, uint64_t end)
{
    qcap_accumulator_t *acc = find_accumulator(p, c, begin);
    if (acc)
        accumulate(p, c, acc, end);
    uint64_t len = end - begin < c->text_size ? end - begin : c->text_size;
    reader_t r = {.bytes = acc ? text_of(p, c, acc) : bytes_at(p, begin), .len = (size_t)len};
    r.is_quoted = c->kind == QCAP_CONVERT_UNQUOTE && len > 0 && r.bytes[0] == '"';
    r.at = r.is_quoted;
    return r;
}

/* False at the end. */
static bool next_byte(reader_t *r, unsigned char *byte)
{
    if (r->at == r->len || (r->is_quoted && r->bytes[r->at] == '"'))
        return false;
    if (r->is_quoted && r->bytes[r->at] == '\\' && r->at + 1 < r->len)
        r->at++;
    *byte = r->bytes[r->at++];
    return true;
}

/* Reads it out to where there is room for `size` bytes; returns QCAP_BYTES_*. */
static uint64_t copy_text(reader_t r, unsigned char *to, uint32_t size)
{
    uint32_t len = 0;
    unsigned char byte;
    for (; next_byte(&r, &byte); len++) {
        if (len == size)
            return len | QCAP_BYTES_CUT;
        to[len] = byte;
    }
    return len;
}

static bool is_same_text(reader_t r, const unsigned char *text, uint64_t value)
{
    uint32_t i = 0, len = QCAP_BYTES_LEN(value);
    unsigned char byte;
    for (; next_byte(&r, &byte); i++)
        if (i == len || text[i] != byte)
            return i == len && (value & QCAP_BYTES_CUT);
    return i == len && !(value & QCAP_BYTES_CUT);
}

static const qcap_text_t *text_of_register(const qcap_parser_t *p, unsigned reg, bool is_shared)
{
    return &(is_shared ? protocol_of(p)->shared_texts : protocol_of(p)->register_texts)[reg];
}

static unsigned char *register_bytes(const qcap_parser_t *p, unsigned reg, bool is_shared)
{
    return (is_shared ? p->conversation->shared_text : side_text(p)) + text_of_register(p, reg, is_shared)->offset;
}

/* Adds a part to the value of the element around that is joined, if there is one. */
static void join(qcap_parser_t *p, reader_t r)
{
    if (p->joined_depth == 0)
        return;
    const char *separator = protocol_of(p)->elements[qcap_slot_element(&side_slots(p)[p->joined_depth - 1])].separator;
    unsigned char *value = side_text(p) + protocol_of(p)->joined_text;
    for (; p->has_part && *separator; separator++)
        if (p->joined_len < QCAP_JOINED_MAX)
            value[p->joined_len++] = (unsigned char)*separator;
        else
            p->is_joined_cut = true;
    uint64_t copied = copy_text(r, value + p->joined_len, QCAP_JOINED_MAX - p->joined_len);
    p->joined_len = (uint16_t)(p->joined_len + QCAP_BYTES_LEN(copied));
    p->is_joined_cut |= (copied & QCAP_BYTES_CUT) != 0;
    p->has_part = true;
}

static void store_text(qcap_parser_t *p, const qcap_conversion_t *c, reader_t r, uint64_t at)
{
    if (c->kind == QCAP_CONVERT_JOIN) {
        join(p, r);
        return;
    }
    qcap_register_t *value = &(c->is_shared ? p->conversation->shared : side_registers(p))[c->reg];
    uint64_t *set = c->is_shared ? &p->conversation->shared_set : &p->set;
    unsigned char *text = register_bytes(p, c->reg, c->is_shared);
    if (c->is_unique && (*set >> c->reg & 1)) {
        if (!is_same_text(r, text, value->value))
            qcapint_parser_fail(p, QCAP_ERROR_DIFFERENT, c->rule, at);
        return;
    }
    value->value = copy_text(r, text, text_of_register(p, c->reg, c->is_shared)->size);
    *set |= (uint64_t)1 << c->reg;
    if (value->value & QCAP_BYTES_CUT)
        qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, "register-full", at, at);
}

/* Puts it behind the texts on the list of the atomic rule, where there is room for it. */
static uint64_t list_text(qcap_parser_t *p, const qcap_conversion_t *c, reader_t r)
{
    uint32_t offset = protocol_of(p)->later_text + p->later_text;
    uint32_t size = c->text_size;
    if (c->reg != QCAP_NONE)
        size = text_of_register(p, c->reg, c->is_shared)->size + 1; /* one too many shows again that it is cut */
    uint64_t value = copy_text(r, side_text(p) + offset, size);
    p->later_text += QCAP_BYTES_LEN(value);
    return value | (uint64_t)offset << 32;
}

qcap_bytes_t qcap_bytes(const qcap_parser_t *p, unsigned reg, bool is_shared)
{
    uint64_t value = (is_shared ? p->conversation->shared : side_registers(p))[reg].value;
    bool is_known = ((is_shared ? p->conversation->shared_set : p->set) >> reg & 1) && !(value & QCAP_BYTES_CUT);
    return (qcap_bytes_t){.bytes = register_bytes(p, reg, is_shared),
                          .len = is_known ? QCAP_BYTES_LEN(value) : 0,
                          .state = is_known ? QCAP_NUMBER_SET : QCAP_NUMBER_UNSET};
}

/* ---------------------------------------------------------------- registers */

/* Where the register is among those that are words; NULL: it is none. */
static uint16_t *word_of(const qcap_parser_t *p, unsigned reg, bool is_shared)
{
    unsigned first = protocol_of(p)->register_count - (unsigned)protocol_of(p)->word_count;
    return is_shared || reg < first ? NULL : &side_words(p)[reg - first];
}

static uint64_t register_value(const qcap_parser_t *p, unsigned reg, bool is_shared)
{
    const uint16_t *word = word_of(p, reg, is_shared);
    return word ? *word : (is_shared ? p->conversation->shared : side_registers(p))[reg].value;
}

static void set_register_value(qcap_parser_t *p, unsigned reg, bool is_shared, uint64_t value)
{
    uint16_t *word = word_of(p, reg, is_shared);
    if (word)
        *word = (uint16_t)value;
    else
        (is_shared ? p->conversation->shared : side_registers(p))[reg].value = value;
}

qcap_number_t qcapint_value_of(const qcap_parser_t *p, unsigned reg)
{
    return reg & QCAP_SHARED ? qcap_shared(p, reg & ~QCAP_SHARED) : qcap_word(p, reg, register_value(p, reg, false));
}

void qcapint_value_put(qcap_parser_t *p, unsigned reg, uint64_t value)
{
    unsigned index = reg & ~QCAP_SHARED;
    set_register_value(p, index, reg & QCAP_SHARED, value);
    *(reg & QCAP_SHARED ? &p->conversation->shared_set : &p->set) |= (uint64_t)1 << index;
}

void qcapint_value_reset(qcap_parser_t *p, unsigned reg)
{
    *(reg & QCAP_SHARED ? &p->conversation->shared_set : &p->set) &= ~((uint64_t)1 << (reg & ~QCAP_SHARED));
}

static void store(qcap_parser_t *p, unsigned reg, bool is_shared, bool is_unique, uint64_t value, unsigned rule, uint64_t at)
{
    qcap_conversation_t *c = p->conversation;
    uint64_t *set = is_shared ? &c->shared_set : &p->set;
    if (is_unique && (*set >> reg & 1) && register_value(p, reg, is_shared) != value) {
        qcapint_parser_fail(p, QCAP_ERROR_DIFFERENT, rule, at);
        return;
    }
    set_register_value(p, reg, is_shared, value);
    *set |= (uint64_t)1 << reg;
}

uint64_t qcap_op_convert(qcap_parser_t *p, unsigned conversion, uint64_t at)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[conversion];
    uint64_t begin = underway_of(p, conversion)->begin;
    if (is_text(c))
        return list_text(p, c, read_text(p, c, begin, at));
    return c->kind == QCAP_CONVERT_KEYWORD ? find_keyword(p, c, begin, at) : find_number(p, c, begin, at);
}

void qcap_op_store(qcap_parser_t *p, unsigned conversion, uint64_t value, uint64_t at)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[conversion];
    if (c->reg == QCAP_NONE)
        underway_of(p, conversion)->value = value;
    if (is_text(c) && !p->has_error)
        store_text(p, c, (reader_t){.bytes = side_text(p) + QCAP_BYTES_OFFSET(value), .len = QCAP_BYTES_LEN(value)}, at);
    else if (c->reg != QCAP_NONE && !p->has_error)
        store(p, c->reg, c->is_shared, c->is_unique, value, c->rule, at);
}

void qcap_op_convert_close(qcap_parser_t *p, unsigned conversion, uint64_t at)
{
    const qcap_conversion_t *c = &protocol_of(p)->conversions[conversion];
    if (is_lost(p, conversion))
        return;
    if (!is_text(c))
        qcap_op_store(p, conversion, qcap_op_convert(p, conversion, at), at);
    else if (!p->has_error)
        store_text(p, c, read_text(p, c, underway_of(p, conversion)->begin, at), at);
}

void qcap_op_set(qcap_parser_t *p, unsigned reg, bool is_shared, bool is_unique, qcap_number_t value, unsigned rule,
                 uint64_t at)
{
    if (p->has_error)
        return;
    if (value.state == QCAP_NUMBER_SET)
        store(p, reg, is_shared, is_unique, value.value, rule, at);
    else
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, rule, at);
}

/* ---------------------------------------------------------------- saved registers
 * On the stack, for each: its text, its value, and what tells of them: the register, whether it is set. */

static uint32_t text_words(const qcap_parser_t *p, unsigned reg)
{
    return (text_of_register(p, reg, false)->size + 7) / 8;
}

void qcap_op_local_open(qcap_parser_t *p, unsigned reg)
{
    uint32_t words = text_words(p, reg);
    if (p->has_error)
        return;
    if (words + 2 > protocol_of(p)->saved_size - p->saved_count) {
        qcapint_parser_fail(p, QCAP_ERROR_DEPTH, about_of(p)->rule, here(p));
        return;
    }
    if (words > 0)
        memcpy(side_saved(p) + p->saved_count, register_bytes(p, reg, false), text_of_register(p, reg, false)->size);
    p->saved_count += words;
    side_saved(p)[p->saved_count++] = register_value(p, reg, false);
    side_saved(p)[p->saved_count++] = (uint64_t)reg << 1 | (p->set >> reg & 1);
    qcapint_value_reset(p, reg);
}

static void restore_last(qcap_parser_t *p)
{
    uint64_t head = side_saved(p)[--p->saved_count];
    unsigned reg = (unsigned)(head >> 1);
    set_register_value(p, reg, false, side_saved(p)[--p->saved_count]);
    p->set = (p->set & ~((uint64_t)1 << reg)) | (head & 1) << reg;
    p->saved_count -= text_words(p, reg);
    if (text_words(p, reg) > 0)
        memcpy(register_bytes(p, reg, false), side_saved(p) + p->saved_count, text_of_register(p, reg, false)->size);
}

void qcap_op_local_close(qcap_parser_t *p, unsigned reg)
{
    (void)reg; /* it is the last one: rules lie inside each other */
    if (!p->has_error)
        restore_last(p);
}

void qcapint_value_restore(qcap_parser_t *p, uint32_t count)
{
    while (p->saved_count > count)
        restore_last(p);
}

/* ---------------------------------------------------------------- expressions */

qcap_number_t qcap_compare_bytes(qcap_operator_t op, qcap_bytes_t a, qcap_bytes_t b)
{
    if (a.state != QCAP_NUMBER_SET || b.state != QCAP_NUMBER_SET)
        return qcap_number(false);
    bool is_equal = a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
    return qcap_number(is_equal == (op == QCAP_EQ));
}
