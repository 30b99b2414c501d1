/* sample.c: a walk through the grammar that writes instead of reading.
 *
 * Choices. Each alternative of a choice, each bound of a repeat (the least, one more, the most, or a few where there is
 * no most) and each name of a refinement is a way, counted when a message that went it has been finished. A way is
 * chosen at random among those behind which something has not been used yet; if there is none, among all.
 *
 * Extent. Where a rule must be so many bytes long, only ways are open that can be: lengths.c knows. Elsewhere a message
 * that grows beyond ROOMY bytes takes the shortest ways from there on, which end any recursion.
 *
 * What annotations forbid after all (no alternative applies, a second value differs, a length was not met) gives the
 * attempt up; the next one begins with the registers as they were. */
#include "sampler.h"

#include <stdlib.h>

#define ROOMY 300u     /* bytes of a message without hurry */
#define DEEP 60u       /* rules inside each other, likewise */
#define LARGEST 20000u /* bytes of a message, at most */
#define ATTEMPTS 300u

static void write_node(sample_t *s, const node_t *node, long extent);
static void write_rule(sample_t *s, const rule_t *rule, const refine_entry_t *entry, long extent);

/* ---------------------------------------------------------------- registers */

number_t *sample_register(sample_t *s, const reg_t *reg)
{
    return reg->is_shared ? &s->state.shared[reg->index] : &s->state.registers[s->is_server][reg->index];
}

static number_t get_register(const reg_t *reg, void *user)
{
    return *sample_register(user, reg);
}

static void store(sample_t *s, const note_t *note, number_t value)
{
    number_t *reg = sample_register(s, note->reg);
    if (value.state != NUMBER_SET || (note->is_unique && reg->state == NUMBER_SET && !number_is_same(*reg, value)))
        s->has_failed = true;
    else
        *reg = value;
}

static void push(sample_t *s, const note_t *note)
{
    queue_state_t *queue = &s->state.queues[note->queue->index];
    if (queue->values.count >= note->queue->capacity)
        return;
    vec_push(s->scratch, &queue->values, *sample_register(s, note->reg));
    vec_push(s->scratch, &queue->keys, note->key ? *sample_register(s, note->key) : number_unset());
}

static void pop(sample_t *s, const note_t *note)
{
    queue_state_t *queue = &s->state.queues[note->queue->index];
    number_t key = note->key ? *sample_register(s, note->key) : number_unset();
    size_t i = 0;
    while (note->key && i < queue->values.count && !number_is_same(key, queue->keys.items[i]))
        i++;
    *sample_register(s, note->reg) = i < queue->values.count ? queue->values.items[i] : number_unset();
    if (i >= queue->values.count)
        return;
    size_t behind = queue->values.count-- - i - 1;
    memmove(queue->values.items + i, queue->values.items + i + 1, behind * sizeof key);
    memmove(queue->keys.items + i, queue->keys.items + i + 1, behind * sizeof key);
    queue->keys.count--;
}

/* ---------------------------------------------------------------- bytes */

void sample_write_byte(sample_t *s, unsigned byte)
{
    char c = (char)byte;
    s->written++;
    if (s->text.len >= LARGEST)
        s->has_failed = true;
    else
        text_append(&s->text, &c, 1);
}

/* Mostly what can be seen; of a number's bytes mostly zeroes. */
static void write_set(sample_t *s, const charset_t *set)
{
    charset_t seen = charset_intersect(*set, charset_range(0x21, 0x7e));
    charset_t low = charset_intersect(*set, charset_range(0, SMALL - 1));
    if (s->small && charset_has(set, 0) && sample_below(s, 3))
        low = charset_range(0, 0);
    if (s->small && !charset_is_empty(&low))
        set = &low;
    else if (!charset_is_empty(&seen) && sample_below(s, 8))
        set = &seen;
    unsigned n = sample_below(s, charset_count(set)), byte = 0;
    for (;; byte++)
        if (charset_has(set, byte) && n-- == 0)
            break;
    sample_write_byte(s, byte);
}

static void write_string(sample_t *s, const node_t *node)
{
    bool is_other = !node->is_case_sensitive && sample_below(s, 10) == 0;
    for (size_t i = 0; i < node->len; i++) {
        unsigned byte = (unsigned char)node->text[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        sample_write_byte(s, is_letter && is_other && sample_below(s, 2) ? byte ^ 0x20u : byte);
    }
}

/* ---------------------------------------------------------------- nodes */

static bool is_hurried(const sample_t *s)
{
    return s->text.len > ROOMY || s->depth > DEEP;
}

/* The alternative that registers decide; the number of alternatives if none does, or is to. */
static size_t decide(sample_t *s, const node_t *choice)
{
    size_t count = choice->children.count, otherwise = count;
    bool has_when = false;
    for (size_t i = 0; i < count; i++) {
        const note_t *when = sample_note(&choice->children.items[i]->notes, NOTE_WHEN);
        has_when |= when != NULL;
        if (!when && otherwise == count)
            otherwise = i;
        number_t n = when ? number_evaluate(when->expr, get_register, s) : number_of(0);
        s->has_failed |= n.state == NUMBER_ERROR;
        if (n.value)
            return i;
    }
    s->has_failed |= has_when && otherwise == count;
    return has_when ? otherwise : count;
}

static void write_notes(sample_t *s, const notes_t *notes, const node_t *body, const refine_entry_t *entry,
                        long extent);

static void write_choice(sample_t *s, const node_t *node, long extent)
{
    size_t count = node->children.count;
    fork_t *fork = fork_get(s, node, count);
    bool *open = ARENA_ARRAY(s->scratch, bool, count), *wanting = ARENA_ARRAY(s->scratch, bool, count);
    size_t decided = decide(s, node), shortest = lengths_shortest(s->lengths, node);
    for (size_t i = 0; i < count; i++) {
        const node_t *child = node->children.items[i];
        open[i] = decided < count        ? i == decided
                  : extent != ANY_EXTENT ? lengths_has(s->lengths, child, (size_t)extent)
                                         : true;
        open[i] &= !is_hurried(s) || extent != ANY_EXTENT || decided < count || i == shortest;
        wanting[i] = open[i] && fork_is_wanting(s, child);
    }
    if (s->has_failed)
        return;
    size_t chosen = fork_choose(s, fork, open, wanting);
    const node_t *child = node->children.items[chosen];
    if (!s->has_failed)
        write_notes(s, &child->notes, child, NULL, extent);
}

static void write_times(sample_t *s, const node_t *node, unsigned times)
{
    for (unsigned i = 0; i < times && !s->has_failed; i++) {
        if (is_hurried(s) && i >= node->min)
            break;
        write_node(s, node->children.items[0], ANY_EXTENT);
    }
}

/* Items of such lengths that they come to `extent` together. */
static void write_exact_repeat(sample_t *s, const node_t *node, size_t extent)
{
    const node_t *child = node->children.items[0];
    for (unsigned done = 0; !s->has_failed; done++) {
        bool can_end = extent == 0 && done >= node->min;
        if (can_end && (done == node->max || sample_below(s, 2) || !lengths_has(s->lengths, child, 0))) {
            fork_note_times(s, node, done);
            return;
        }
        size_t len = lengths_pick_item(s->lengths, node, done, extent, sample_chance(s));
        size_t before = s->text.len;
        if (len == LENGTHS_NONE)
            s->has_failed = true;
        else
            write_node(s, child, (long)len);
        s->has_failed |= s->text.len - before > extent;
        if (!s->has_failed)
            extent -= s->text.len - before;
    }
}

static void write_repeat(sample_t *s, const node_t *node, long extent)
{
    if (extent != ANY_EXTENT) {
        write_exact_repeat(s, node, (size_t)extent);
        return;
    }
    fork_t *fork = fork_get(s, node, fork_repeat_ways(node));
    bool open[3] = {true, true, true}, wanting[3] = {false, false, false};
    bool wants = fork_is_wanting(s, node->children.items[0]);
    for (size_t i = 0; i < fork->count; i++) {
        open[i] = !is_hurried(s) || i == 0;
        wanting[i] = wants && (i > 0 || node->min > 0);
    }
    size_t way = fork_choose(s, fork, open, wanting);
    write_times(s, node, fork_repeat_times(s, node, (unsigned)way));
}

static bool is_read(const node_t *node, const char *word)
{
    return word_is_read(node, word, strlen(word));
}

/* Which of the refinement's names NAME is to be, 0 for none of them; writes NAME. */
static size_t write_name(sample_t *s, const node_t *item, const note_t *refine)
{
    fork_t *fork = fork_get(s, refine, refine->entries.count + 1);
    bool *open = ARENA_ARRAY(s->scratch, bool, fork->count), *wanting = ARENA_ARRAY(s->scratch, bool, fork->count);
    for (size_t i = 0; i < fork->count; i++) {
        open[i] = i == 0 || is_read(item->rule->body, refine->entries.items[i - 1].name);
        wanting[i] = i > 0 && fork_is_rule_wanting(s, refine->entries.items[i - 1].rule);
    }
    size_t chosen = fork_choose(s, fork, open, wanting), begin = s->text.len;
    write_rule(s, item->rule, NULL, ANY_EXTENT);
    if (chosen > 0 && !s->has_failed) {
        s->text.len = begin;
        text_print(&s->text, "%s", refine->entries.items[chosen - 1].name);
        return chosen;
    }
    for (size_t i = 0; i < refine->entries.count; i++)
        if (number_find_word((const unsigned char *)s->text.bytes + begin, s->text.len - begin,
                             &refine->entries.items[i].name, 1))
            return i + 1;
    return 0;
}

static void write_items(sample_t *s, const node_t *node, const note_t *refine, long extent)
{
    size_t chosen = 0;
    for (size_t i = 0; i < node->children.count && !s->has_failed; i++) {
        const node_t *item = node->children.items[i];
        size_t before = s->text.len;
        long part = ANY_EXTENT;
        if (extent != ANY_EXTENT) {
            size_t len = lengths_pick_part(s->lengths, node, i, (size_t)extent, sample_chance(s));
            s->has_failed |= len == LENGTHS_NONE;
            part = (long)len;
        }
        if (s->has_failed)
            return;
        if (refine && item->kind == NODE_RULE && item->rule == refine->by && refine->entries.count)
            chosen = write_name(s, item, refine);
        else if (refine && chosen && item->kind == NODE_RULE && item->rule == refine->value)
            write_rule(s, item->rule, &refine->entries.items[chosen - 1], part);
        else
            write_node(s, item, part);
        if (extent != ANY_EXTENT) {
            s->has_failed |= s->text.len - before > (size_t)extent;
            extent -= s->has_failed ? 0 : (long)(s->text.len - before);
        }
    }
}

static void write_node(sample_t *s, const node_t *node, long extent)
{
    if (s->has_failed)
        return;
    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_SET:
        write_set(s, &node->set);
        break;
    case NODE_STRING:
        write_string(s, node);
        break;
    case NODE_SEQUENCE:
        write_items(s, node, NULL, extent);
        break;
    case NODE_CHOICE:
        write_choice(s, node, extent);
        break;
    case NODE_REPEAT:
        write_repeat(s, node, extent);
        break;
    case NODE_RULE:
        write_rule(s, node->rule, NULL, extent);
        break;
    }
}

/* ---------------------------------------------------------------- annotations */

static bool is_binary(const note_t *note)
{
    return note->kind == NOTE_CONVERT && (note->convert->kind == CONVERT_BIG || note->convert->kind == CONVERT_LITTLE ||
                                          note->convert->kind == CONVERT_VARINT);
}

static bool is_number(const note_t *note)
{
    return note->kind == NOTE_CONVERT && note->convert->kind != CONVERT_KEYWORD &&
           note->convert->kind != CONVERT_BYTES && note->convert->kind != CONVERT_UNQUOTE;
}

static bool is_keyword(const note_t *note)
{
    return note->kind == NOTE_CONVERT && note->convert->kind == CONVERT_KEYWORD;
}

static void write_rounds(sample_t *s, const note_t *count, const node_t *repeat)
{
    number_t n = number_evaluate(count->expr, get_register, s);
    s->has_failed |= n.state != NUMBER_SET || n.value < repeat->min || n.value > repeat->max;
    if (!s->has_failed)
        fork_note_times(s, repeat, (unsigned)n.value);
    for (uint64_t i = 0; i < n.value && !s->has_failed; i++)
        write_node(s, repeat->children.items[0], ANY_EXTENT);
}

static void write_body(sample_t *s, const notes_t *notes, const node_t *body, const refine_entry_t *entry, long extent)
{
    const note_t *refine = sample_note(notes, NOTE_REFINE), *count = sample_note(notes, NOTE_COUNT);
    if (refine)
        write_items(s, body, refine, extent);
    else if (count)
        write_rounds(s, count, body);
    else if (entry)
        write_rule(s, entry->rule, NULL, extent);
    else
        write_node(s, body, extent);
}

void sample_write_body(sample_t *s, const notes_t *notes, const node_t *body, const refine_entry_t *entry)
{
    write_body(s, notes, body, entry, ANY_EXTENT);
}

/* Numbers are often lengths: the smallest of a few is taken, unless one is small enough. */
static void write_number(sample_t *s, const note_t *note, const notes_t *notes, const node_t *body,
                         const refine_entry_t *entry, long extent)
{
    size_t begin = s->text.len;
    bool wants_any = sample_below(s, 12) == 0;
    for (unsigned attempt = 0; attempt < 8 && !s->has_failed; attempt++) {
        s->text.len = begin;
        s->small += is_binary(note);
        write_body(s, notes, body, entry, extent);
        s->small -= is_binary(note);
        number_t value =
            number_convert(s->scratch, note, (const unsigned char *)s->text.bytes + begin, s->text.len - begin);
        if (value.state == NUMBER_SET && (wants_any || value.value <= SMALL))
            return;
    }
}

/* One of the register's keywords, if the rule reads them and one is chosen; else it is left to the rule. */
static bool write_keyword(sample_t *s, const note_t *note, const node_t *body)
{
    fork_t *fork = fork_get(s, note, note->reg->keywords.count + 1);
    bool *open = ARENA_ARRAY(s->scratch, bool, fork->count), *wanting = ARENA_ARRAY(s->scratch, bool, fork->count);
    open[0] = true;
    for (size_t i = 1; i < fork->count; i++)
        open[i] = is_read(body, note->reg->keywords.items[i - 1]);
    size_t chosen = fork_choose(s, fork, open, wanting);
    if (chosen == 0)
        return false;
    text_print(&s->text, "%s", note->reg->keywords.items[chosen - 1]);
    return true;
}

static void open_notes(sample_t *s, const notes_t *notes, number_t *saved)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == NOTE_POP)
            pop(s, note);
        for (size_t k = 0; k < note->regs.count; k++) {
            if (note->kind == NOTE_LOCAL)
                saved[count++] = *sample_register(s, note->regs.items[k]);
            *sample_register(s, note->regs.items[k]) = number_unset();
        }
    }
}

static void convert(sample_t *s, const note_t *note, const node_t *body, size_t begin)
{
    store(s, note, number_convert(s->scratch, note, (const unsigned char *)s->text.bytes + begin, s->text.len - begin));
    if (is_number(note))
        fit_tell(s, note, body, begin);
}

static void close_notes(sample_t *s, const notes_t *notes, const node_t *body, size_t begin, const number_t *saved)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count && !s->has_failed; i++)
        if (notes->items[i]->kind == NOTE_CONVERT)
            convert(s, notes->items[i], body, begin);
    for (size_t i = 0; i < notes->count && !s->has_failed; i++)
        if (notes->items[i]->kind == NOTE_SET)
            store(s, notes->items[i], number_evaluate(notes->items[i]->expr, get_register, s));
    for (size_t i = 0; i < notes->count && !s->has_failed; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == NOTE_PUSH)
            push(s, note);
        if (note->kind == NOTE_BECOME)
            s->state.is_over[0] = s->state.is_over[1] = true;
        if (note->kind == NOTE_UNTIL_CLOSE)
            s->state.is_over[s->is_server] = true;
        for (size_t k = 0; k < note->regs.count && note->kind == NOTE_LOCAL; k++)
            *sample_register(s, note->regs.items[k]) = saved[count++];
    }
}

/* The body with everything around it. What stands elsewhere in the datagram is there, or is not. */
static void write_notes(sample_t *s, const notes_t *notes, const node_t *body, const refine_entry_t *entry, long extent)
{
    if (sample_note(notes, NOTE_AT)) {
        s->has_failed |= extent > 0;
        return;
    }
    const note_t *length = sample_note(notes, NOTE_LENGTH), *number = NULL, *keyword = NULL;
    const note_t *until = sample_note(notes, NOTE_UNTIL);
    size_t begin = s->text.len, local_count = 0;
    ending_t ending;
    for (size_t i = 0; i < notes->count; i++) {
        local_count += notes->items[i]->kind == NOTE_LOCAL ? notes->items[i]->regs.count : 0;
        number = is_number(notes->items[i]) ? notes->items[i] : number;
        keyword = is_keyword(notes->items[i]) ? notes->items[i] : keyword;
    }
    number_t *saved = ARENA_ARRAY(s->scratch, number_t, local_count + 1);
    open_notes(s, notes, saved);
    if (until && !ending_find(s->scratch, until, get_register, s, &ending)) {
        s->has_failed = true;
        return;
    }
    bool is_fitting = length && extent == ANY_EXTENT && fit_is_needed(s, body);
    if (length && !is_fitting) {
        number_t n = number_evaluate(length->expr, get_register, s);
        if (n.state != NUMBER_SET || n.value > LARGEST || (extent != ANY_EXTENT && n.value != (uint64_t)extent)) {
            s->has_failed = true;
            return;
        }
        extent = (long)n.value;
    }
    const note_t *feed = sample_note(notes, NOTE_FEED);
    bool is_fed = feed && feed->rule && !sample_note(notes, NOTE_DECODE) && feed_is_any_bytes(body);
    if (is_fitting)
        fit_write(s, length, notes, body, entry);
    else if (is_fed && sample_below(s, 8) > 0)
        feed_write(s, feed->rule, extent);
    else if (keyword && extent == ANY_EXTENT && !entry && write_keyword(s, keyword, body))
        ;
    else if (number && !length)
        write_number(s, number, notes, body, entry, extent);
    else
        write_body(s, notes, body, entry, extent);
    s->has_failed |= extent != ANY_EXTENT && s->text.len - begin != (size_t)extent;
    if (until && until->is_line)
        fit_end_line(s, begin);
    close_notes(s, notes, body, begin, saved);
    if (until && !s->has_failed)
        fit_write_ending(s, &ending, begin, until->is_line);
}

void sample_write_rule(sample_t *s, const rule_t *rule)
{
    write_rule(s, rule, NULL, ANY_EXTENT);
}

static void write_rule(sample_t *s, const rule_t *rule, const refine_entry_t *entry, long extent)
{
    if (++s->depth > 5 * DEEP)
        s->has_failed = true;
    if (!s->has_failed)
        write_notes(s, &rule->notes, rule->body, entry, extent);
    s->depth--;
}

/* ---------------------------------------------------------------- messages */

state_t sample_copy_state(sample_t *s, const state_t *from)
{
    const grammar_t *g = s->grammar;
    state_t copy = *from;
    for (int i = 0; i < 2; i++)
        copy.registers[i] = sample_copy_numbers(s->scratch, from->registers[i], g->registers.count);
    copy.shared = sample_copy_numbers(s->scratch, from->shared, g->shared.count);
    copy.queues = ARENA_ARRAY(s->scratch, queue_state_t, g->queues.count + 1);
    for (size_t i = 0; i < g->queues.count && from->queues; i++)
        for (size_t k = 0; k < from->queues[i].values.count; k++) {
            vec_push(s->scratch, &copy.queues[i].values, from->queues[i].values.items[k]);
            vec_push(s->scratch, &copy.queues[i].keys, from->queues[i].keys.items[k]);
        }
    return copy;
}

static const unsigned char *attempt(sample_t *s, const node_t *root, const rule_t *rule, size_t *len)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        state_t before = sample_copy_state(s, &s->state);
        s->text.len = 0;
        s->depth = s->small = 0;
        s->written = 0;
        memset(s->told, 0, s->grammar->registers.count * sizeof *s->told);
        s->has_failed = false;
        s->round++;
        if (rule)
            write_rule(s, rule, NULL, ANY_EXTENT);
        else
            write_node(s, sample_round(root), ANY_EXTENT);
        fork_count_ways(s, !s->has_failed);
        if (!s->has_failed) {
            text_append(&s->text, "", 1); /* room for one byte more */
            *len = --s->text.len;
            return (const unsigned char *)s->text.bytes;
        }
        s->state = before;
    }
    return NULL;
}

const unsigned char *sample_next(sample_t *s, bool is_server, size_t *len)
{
    const grammar_t *g = s->grammar;
    const node_t *root = is_server ? g->server : g->client;
    bool is_datagram = !g->server && !g->client && g->datagram;
    s->is_server = is_server;
    if ((!root && !is_datagram) || s->state.is_over[is_server])
        return NULL;
    for (size_t i = 0; i < g->registers.count && is_datagram; i++)
        s->state.registers[is_server][i] = number_unset();
    const unsigned char *bytes = attempt(s, is_datagram ? g->datagram : root, NULL, len);
    s->state.is_over[is_server] |= !is_datagram && sample_round(root) == root;
    return bytes;
}

const unsigned char *sample_rule(sample_t *s, const rule_t *rule, size_t *len)
{
    s->is_server = false;
    return attempt(s, NULL, rule, len);
}

size_t sample_spoil(sample_t *s, unsigned char *bytes, size_t len)
{
    size_t at = sample_below(s, len);
    unsigned char byte = (unsigned char)(sample_below(s, 2) ? sample_chance(s) : 0x20 + sample_below(s, 0x5f));
    switch (len ? sample_below(s, 4) : 1) {
    case 0:
        bytes[at] = bytes[at] == byte ? (unsigned char)~byte : byte;
        return len;
    case 1:
        memmove(bytes + at + 1, bytes + at, len - at);
        bytes[at] = byte;
        return len + 1;
    case 2:
        memmove(bytes + at, bytes + at + 1, len - at - 1);
        return len - 1;
    default:
        return at;
    }
}

/* ---------------------------------------------------------------- life */

void sample_restart(sample_t *s)
{
    static const state_t nothing;
    if (s->scratch)
        arena_free(s->scratch);
    s->scratch = arena_new();
    text_init(&s->text, s->scratch);
    s->state = sample_copy_state(s, &nothing);
    s->fed = ARENA_ARRAY(s->scratch, fed_t, s->grammar->rules.count + 1);
    s->told = ARENA_ARRAY(s->scratch, told_t, s->grammar->registers.count + 1);
}

sample_t *sample_new(const grammar_t *grammar, uint64_t seed)
{
    arena_t *arena = arena_new();
    sample_t *s = ARENA_NEW(arena, sample_t);
    s->arena = arena;
    s->grammar = grammar;
    s->lengths = lengths_new(arena, grammar);
    s->nesting = fit_find_nesting(arena, grammar);
    s->random = seed;
    sample_restart(s);
    return s;
}

void sample_free(sample_t *s)
{
    arena_free(s->scratch);
    arena_free(s->arena);
}
