/* sample_fit.c: regions whose content has lengths of its own: what they hold is written first, then the number in front of them
 * that says how long it is.
 *
 * What is inside may depend on that number, so it is written again, with the same chances, until both fit each other. */
#include "sampler.h"

#define PASSES 4u
#define GUESSES 64u     /* by which a length may differ from its number where that comes to nothing */
#define EFFORT 1000000u /* bytes of an attempt, those that are written again included */

/* ---------------------------------------------------------------- what needs it */

static bool has_extent(const notes_t *notes)
{
    return sample_note(notes, NOTE_LENGTH) || sample_note(notes, NOTE_UNTIL) || sample_note(notes, NOTE_COUNT);
}

static bool is_nesting(const bool *rules, const node_t *node)
{
    if (has_extent(&node->notes) || (node->kind == NODE_RULE && rules[node->rule->index]))
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        if (is_nesting(rules, node->children.items[i]))
            return true;
    return false;
}

bool *fit_find_nesting(arena_t *arena, const grammar_t *grammar)
{
    bool *rules = ARENA_ARRAY(arena, bool, grammar->rules.count + 1);
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < grammar->rules.count; i++) {
            const rule_t *rule = grammar->rules.items[i];
            bool is_new = !rules[i] && (has_extent(&rule->notes) || is_nesting(rules, rule->body));
            rules[i] |= is_new;
            is_changed |= is_new;
        }
    }
    return rules;
}

bool fit_is_needed(const sample_t *s, const node_t *body)
{
    return is_nesting(s->nesting, body);
}

/* ---------------------------------------------------------------- numbers in the text */

void fit_tell(sample_t *s, const note_t *note, const node_t *body, size_t begin)
{
    if (!note->reg->is_shared)
        s->told[note->reg->index] = (told_t){begin, s->text.len - begin, note, body};
}

static const unsigned char *bytes_of(const sample_t *s, const told_t *told)
{
    return (const unsigned char *)s->text.bytes + told->begin;
}

/* Does the register still hold what stands there, in front of `end`? */
static bool is_told(sample_t *s, const reg_t *reg, size_t end)
{
    const told_t *told = &s->told[reg->index];
    if (!told->note || told->begin + told->len > end)
        return false;
    number_t value = number_convert(s->scratch, told->note, bytes_of(s, told), told->len);
    number_t now = *sample_register(s, reg);
    return value.state == NUMBER_SET && now.state == NUMBER_SET && !value.bytes && value.value == now.value;
}

/* The number in as many bytes as there are. */
static void print_number(const note_t *note, uint64_t value, unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    unsigned base = note->convert->kind == CONVERT_HEX ? 16 : note->convert->kind == CONVERT_OCTAL ? 8 : 10;
    for (size_t i = 0; i < len; i++) {
        size_t back = len - 1 - i;
        switch (note->convert->kind) {
        case CONVERT_BIG:
            bytes[back] = (unsigned char)value;
            value >>= 8;
            break;
        case CONVERT_LITTLE:
            bytes[i] = (unsigned char)value;
            value >>= 8;
            break;
        case CONVERT_VARINT:
            bytes[i] = (unsigned char)((value & 0x7f) | (back ? 0x80u : 0));
            value >>= 7;
            break;
        default:
            bytes[back] = (unsigned char)digits[value % base];
            value /= base;
            break;
        }
    }
}

/* False, and nothing is changed, if the rule that the number stands in does not read it, or it is too large for that. */
static bool put_number(sample_t *s, const reg_t *reg, uint64_t value)
{
    const told_t *told = &s->told[reg->index];
    unsigned char bytes[WORD_MAX];
    if (told->len > WORD_MAX)
        return false;
    print_number(told->note, value, bytes, told->len);
    number_t is = number_convert(s->scratch, told->note, bytes, told->len);
    if (is.state != NUMBER_SET || is.value != value || !word_is_read(told->body, (const char *)bytes, told->len))
        return false;
    memcpy(s->text.bytes + told->begin, bytes, told->len);
    *sample_register(s, reg) = is;
    return true;
}

/* ---------------------------------------------------------------- fitting */

static number_t get(const reg_t *reg, void *user)
{
    return *sample_register(user, reg);
}

static bool comes_to(sample_t *s, const expr_t *expr, uint64_t len)
{
    number_t n = number_evaluate(expr, get, s);
    return n.state == NUMBER_SET && n.value == len;
}

/* Tries `value` for the register: with it the expression must come to `len`. */
static bool try_number(sample_t *s, const expr_t *expr, const reg_t *reg, uint64_t value, uint64_t len)
{
    number_t *is = sample_register(s, reg), before = *is;
    *is = number_of(value);
    bool is_right = comes_to(s, expr, len);
    *is = before;
    return is_right && put_number(s, reg, value);
}

/* Finds a register in the expression whose number, in front of `end`, can be such that it comes to `len`: mostly it is as much
 * larger as the length is, or some times less. */
static bool solve(sample_t *s, const expr_t *expr, const expr_t *part, size_t end, uint64_t len)
{
    if (!part)
        return false;
    if (part->kind != EXPR_REGISTER || part->reg->is_shared || !is_told(s, part->reg, end))
        return solve(s, expr, part->left, end, len) || solve(s, expr, part->right, end, len);
    number_t n = number_evaluate(expr, get, s);
    uint64_t now = sample_register(s, part->reg)->value;
    for (uint64_t times = 1; times <= 8 && n.state == NUMBER_SET; times *= 2) {
        uint64_t by = len > n.value ? (len - n.value) / times : (n.value - len) / times;
        if (try_number(s, expr, part->reg, len > n.value ? now + by : now - by, len))
            return true;
    }
    for (uint64_t more = 0; more < GUESSES; more++)
        if (try_number(s, expr, part->reg, len + more, len))
            return true;
    return false;
}

void fit_write(sample_t *s, const note_t *length, const notes_t *notes, const node_t *body, const refine_entry_t *entry)
{
    size_t begin = s->text.len, count = s->grammar->registers.count;
    uint64_t random = s->random;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        state_t before = sample_copy_state(s, &s->state);
        told_t *told = ARENA_ARRAY(s->scratch, told_t, count + 1);
        memcpy(told, s->told, count * sizeof *told);
        sample_write_body(s, notes, body, entry);
        s->has_failed |= s->written > EFFORT;
        if (s->has_failed)
            return;
        uint64_t len = s->text.len - begin;
        state_t after = s->state;
        s->state = before;
        if (comes_to(s, length->expr, len)) {
            s->state = after;
            return;
        }
        memcpy(s->told, told, count * sizeof *told);
        if (!solve(s, length->expr, length->expr, begin, len))
            break;
        s->text.len = begin;
        s->random = random;
    }
    s->has_failed = true;
}

/* ---------------------------------------------------------------- texts that end regions */

void fit_end_line(sample_t *s, size_t begin)
{
    bool has_line =
        s->text.len == begin || (s->text.len >= begin + 2 && memcmp(s->text.bytes + s->text.len - 2, "\r\n", 2) == 0);
    if (!has_line)
        text_append(&s->text, "\r\n", 2);
}

void fit_write_ending(sample_t *s, const ending_t *ending, size_t begin, bool is_line)
{
    size_t end = s->text.len;
    for (size_t i = 0; i < ending->text.count; i++)
        sample_write_byte(s, ending->text.items[i]);
    for (size_t at = begin; at < end; at++) {
        const char *text = s->text.bytes;
        bool is_place = !is_line || at == begin || (at >= begin + 2 && text[at - 2] == '\r' && text[at - 1] == '\n');
        s->has_failed |=
            is_place && ending_fit(ending, (const unsigned char *)text + at, s->text.len - at) == ENDING_HERE;
    }
}
