/* sample_feed.c: what is fed to a sub-stream: pieces of what the rule reads that reads it. */
#include "sampler.h"

number_t *sample_copy_numbers(arena_t *arena, const number_t *numbers, size_t count)
{
    number_t *copy = ARENA_ARRAY(arena, number_t, count + 1);
    for (size_t i = 0; i < count; i++)
        copy[i] = numbers ? numbers[i] : number_unset();
    return copy;
}

bool feed_is_any_bytes(const node_t *body)
{
    charset_t all = charset_range(0, 255);
    const node_t *byte = body->kind == NODE_REPEAT ? body->children.items[0] : body;
    if (byte->kind == NODE_RULE)
        byte = byte->rule->body;
    return body->kind == NODE_REPEAT && body->max == REPEAT_UNBOUNDED && byte->kind == NODE_SET &&
           charset_equal(&byte->set, &all);
}

/* More for a sub-stream. What its reader does to registers is its own affair, and so is that it may find nothing. */
static void refill(sample_t *s, const rule_t *rule, fed_t *fed)
{
    size_t begin = s->text.len;
    number_t *kept = s->state.registers[s->is_server];
    size_t count = s->grammar->registers.count;
    told_t *told = s->told;
    s->told = ARENA_ARRAY(s->scratch, told_t, count + 1);
    s->state.registers[s->is_server] = sample_copy_numbers(s->scratch, kept, count);
    sample_write_rule(s, rule);
    for (size_t i = begin; i < s->text.len && !s->has_failed; i++)
        vec_push(s->scratch, &fed->bytes, (unsigned char)s->text.bytes[i]);
    s->state.registers[s->is_server] = kept;
    s->told = told;
    s->text.len = begin;
    s->has_failed = false;
}

void feed_write(sample_t *s, const rule_t *rule, long extent)
{
    fed_t *fed = &s->fed[rule->index];
    size_t len = extent == ANY_EXTENT ? sample_below(s, SMALL) : (size_t)extent;
    for (unsigned i = 0; i < 4 && fed->bytes.count - fed->used < len && !s->has_failed; i++)
        refill(s, rule, fed);
    for (size_t i = 0; i < len; i++)
        sample_write_byte(s, fed->used < fed->bytes.count ? fed->bytes.items[fed->used++] : (unsigned)sample_below(s, 256));
}
