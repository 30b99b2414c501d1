/* number.c: expressions and conversions, worked out. What they mean: specs/README.md. */
#include "number.h"

number_t number_of(uint64_t value)
{
    return (number_t){.value = value, .state = NUMBER_SET};
}

number_t number_unset(void)
{
    return (number_t){.state = NUMBER_UNSET};
}

static number_t no_value(void)
{
    return (number_t){.state = NUMBER_ERROR};
}

bool number_is_same(number_t a, number_t b)
{
    if (!a.bytes || !b.bytes)
        return a.value == b.value;
    return a.value == b.value && a.is_cut == b.is_cut && memcmp(a.bytes, b.bytes, (size_t)a.value) == 0;
}

/* ---------------------------------------------------------------- expressions */

static number_t arithmetic(expr_kind_t kind, number_t a, number_t b)
{
    uint64_t value = 0;
    bool is_wrong = a.state != NUMBER_SET || b.state != NUMBER_SET;
    if (!is_wrong && kind == EXPR_ADD)
        is_wrong = __builtin_add_overflow(a.value, b.value, &value);
    else if (!is_wrong && kind == EXPR_SUB)
        is_wrong = __builtin_sub_overflow(a.value, b.value, &value);
    else if (!is_wrong && kind == EXPR_MUL)
        is_wrong = __builtin_mul_overflow(a.value, b.value, &value);
    else
        value = a.value & b.value;
    return is_wrong ? no_value() : number_of(value);
}

static number_t compare(expr_kind_t kind, number_t a, number_t b)
{
    /* Of bytes that were cut nobody knows what they were. */
    if (a.state != NUMBER_SET || b.state != NUMBER_SET || a.is_cut || b.is_cut)
        return number_of(false);
    switch (kind) {
    case EXPR_EQ:
        return number_of(number_is_same(a, b));
    case EXPR_NE:
        return number_of(!number_is_same(a, b));
    case EXPR_LT:
        return number_of(a.value < b.value);
    case EXPR_LE:
        return number_of(a.value <= b.value);
    case EXPR_GT:
        return number_of(a.value > b.value);
    default:
        return number_of(a.value >= b.value);
    }
}

static number_t evaluate_pair(const expr_t *expr, number_get_t get, void *user)
{
    number_t a = number_evaluate(expr->left, get, user), b = number_evaluate(expr->right, get, user);
    if (a.state == NUMBER_ERROR || b.state == NUMBER_ERROR)
        return no_value();
    switch (expr->kind) {
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_AND_BITS:
        return arithmetic(expr->kind, a, b);
    case EXPR_AND:
        return number_of(a.value && b.value);
    case EXPR_OR:
        return number_of(a.value || b.value);
    default:
        return compare(expr->kind, a, b);
    }
}

number_t number_evaluate(const expr_t *expr, number_get_t get, void *user)
{
    number_t n;
    switch (expr->kind) {
    case EXPR_NUMBER:
        return number_of(expr->number);
    case EXPR_REGISTER:
        return get(expr->reg, user);
    case EXPR_IS_SET:
        n = get(expr->reg, user);
        return number_of(n.state == NUMBER_SET && (expr->reg->type != REGISTER_FLAG || n.value));
    case EXPR_TRUE:
    case EXPR_FALSE:
        return number_of(expr->kind == EXPR_TRUE);
    case EXPR_NOT:
        n = number_evaluate(expr->left, get, user);
        return n.state == NUMBER_ERROR ? n : number_of(!n.value);
    default:
        return evaluate_pair(expr, get, user);
    }
}

bool number_is_shared(const expr_t *expr)
{
    return expr &&
           ((expr->reg && expr->reg->is_shared) || number_is_shared(expr->left) || number_is_shared(expr->right));
}

/* ---------------------------------------------------------------- conversions */

static unsigned lower(unsigned c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20u : c;
}

uint64_t number_find_word(const unsigned char *bytes, size_t len, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < len && words[i][k] && lower(bytes[k]) == lower((unsigned char)words[i][k]))
            k++;
        if (k == len && !words[i][k])
            return i + 1;
    }
    return 0;
}

/* Digits; what is between them does not count. */
static bool add_digit(uint64_t *value, unsigned c, uint64_t base)
{
    c = lower(c);
    uint64_t digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
    if (digit >= base)
        return true;
    return !__builtin_mul_overflow(*value, base, value) && !__builtin_add_overflow(*value, digit, value);
}

/* The next group of an LEB128 number: seven bits, `shift` up. */
static bool add_group(uint64_t *value, unsigned c, uint64_t shift)
{
    uint64_t group = c & 0x7f;
    if (group && (shift > 63 || group << shift >> shift != group))
        return false;
    *value |= group ? group << shift : 0;
    return true;
}

static bool add_byte(convert_kind_t kind, uint64_t *value, unsigned c, uint64_t index)
{
    switch (kind) {
    case CONVERT_BIG:
        *value = *value << 8 | c;
        return true;
    case CONVERT_LITTLE:
        *value |= (uint64_t)c << 8 * index;
        return true;
    case CONVERT_VARINT:
        return add_group(value, c, 7 * index);
    default:
        return add_digit(value, c, kind == CONVERT_HEX ? 16 : kind == CONVERT_OCTAL ? 8 : 10);
    }
}

/* Bytes, without the quotes around them and the backslashes inside if that is wanted; as many as the register holds. */
static number_t convert_text(arena_t *arena, const note_t *note, const unsigned char *bytes, size_t len)
{
    unsigned char *text = arena_alloc(arena, note->reg->size + 1);
    number_t value = {.state = NUMBER_SET, .bytes = text};
    bool is_quoted = note->convert->kind == CONVERT_UNQUOTE && len > 0 && bytes[0] == '"';
    for (size_t i = is_quoted; i < len && !(is_quoted && bytes[i] == '"'); i++) {
        i += is_quoted && bytes[i] == '\\' && i + 1 < len;
        value.is_cut |= value.value == note->reg->size;
        if (!value.is_cut)
            text[value.value++] = bytes[i];
    }
    return value;
}

number_t number_convert(arena_t *arena, const note_t *note, const unsigned char *bytes, size_t len)
{
    uint64_t value = 0;
    bool fits = true;
    switch (note->convert->kind) {
    case CONVERT_KEYWORD:
        return number_of(number_find_word(bytes, len, note->reg->keywords.items, note->reg->keywords.count));
    case CONVERT_BYTES:
    case CONVERT_UNQUOTE:
        return convert_text(arena, note, bytes, len);
    default:
        for (size_t i = 0; i < len; i++)
            fits &= add_byte(note->convert->kind, &value, bytes[i], i);
        return fits ? number_of(value) : no_value();
    }
}
