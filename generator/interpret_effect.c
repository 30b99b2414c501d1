/* interpret_effect.c: what readings do, once it is certain: events, registers, queues; and the values of expressions.
 *
 *     OPEN           an element begins             RESET     a register is unset
 *     CLOSE          it ends: an event             PUSH      a queue gets a register's value
 *     ANOMALY_OPEN   something tolerated begins    MISMATCH  a refined value is read by its own rule: an event
 *     ANOMALY_CLOSE  it ends: an event             MARK      the atomic rule's list may be cut back to here ...
 *     CONVERT_OPEN   a conversion's bytes begin    ROLLBACK  ... and is
 *     CONVERT_CLOSE  they end: a register is set   FOUND     the search is over: an event
 *     SET            a register is set             ATOMIC_*  between these, effects are put off
 *     LOCAL_OPEN     a register is put aside       LOCAL_CLOSE  and gets its value back */
#include "interpreter.h"

static number_t *register_of(const side_t *side, const reg_t *reg)
{
    return reg->is_shared ? &side->owner->shared[reg->index] : &side->registers[reg->index];
}

/* What the bytes [begin, end) are, for a handler: those that were not read are zeroes in a stream. */
static void add_bytes(side_t *side, interpret_event_t *event)
{
    size_t len = (size_t)(event->end - event->begin);
    bool is_stream = event->kind == INTERPRET_END;
    if (event->kind != INTERPRET_ELEMENT && !is_stream)
        return;
    unsigned char *bytes = arena_alloc(side->owner->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        size_t at = (size_t)event->begin + i;
        byte_state_t state = at < side->states.count ? side->states.items[at] : BYTE_READ;
        bytes[i] = state == BYTE_READ || !is_stream ? side->bytes.items[at] : 0;
    }
    for (uint64_t at = event->begin; at < side->offset && at < side->states.count; at++)
        event->has_hole |= side->states.items[at] == BYTE_MISSING;
    event->bytes = bytes;
}

/* An error of a sub-stream is an anomaly of the parent. */
static void send_error(side_t *side, const interpret_event_t *error)
{
    if (error->code == INTERPRET_ERROR_UNFINISHED && feed_is_in_excerpt(side->sub))
        return;
    uint64_t outer = feed_outer(side->sub, error->begin);
    interpret_event_t anomaly = *error;
    anomaly.kind = INTERPRET_ANOMALY;
    anomaly.is_fed = true;
    anomaly.text = "substream-error";
    anomaly.inner = error->begin;
    anomaly.begin = anomaly.end = outer;
    effect_send(side->sub->parent, anomaly);
}

void effect_send(side_t *side, interpret_event_t event)
{
    if (side->sub && event.kind == INTERPRET_ERROR) {
        send_error(side, &event);
        return;
    }
    event.is_server = side->is_server;
    if (event.kind != INTERPRET_ERROR && !event.is_fed) {
        event.byte = -1;
        event.rule = "";
    }
    if (side->sub) {
        event.outer_begin = feed_outer(side->sub, event.begin);
        event.outer_end = feed_outer(side->sub, event.end);
    }
    for (const side_t *s = side; s->sub; s = s->sub->parent)
        event.nesting++;
    add_bytes(side, &event);
    if (side->owner->on_event)
        side->owner->on_event(&event, side->owner->user);
}

static void send_span(side_t *side, interpret_kind_t kind, const place_name_t *element, uint64_t begin, uint64_t end)
{
    effect_send(side,
                (interpret_event_t){.kind = kind, .path = element ? element->path : NULL, .begin = begin, .end = end});
}

static void send_text(side_t *side, interpret_kind_t kind, const char *text, uint64_t begin, uint64_t end)
{
    effect_send(side, (interpret_event_t){.kind = kind, .text = text, .begin = begin, .end = end});
}

void effect_fail(side_t *side, interpret_code_t code, const char *rule, uint64_t at)
{
    if (side->has_error)
        return;
    side->has_error = true;
    side->error = (interpret_event_t){.kind = INTERPRET_ERROR,
                                      .code = code,
                                      .begin = at,
                                      .end = at,
                                      .byte = -1,
                                      .rule = rule ? rule : ""};
}

static number_t get_register(const reg_t *reg, void *user)
{
    return *register_of(user, reg);
}

number_t effect_value(const side_t *side, const reg_t *reg)
{
    return *register_of(side, reg);
}

bool effect_find_ending(side_t *side, const note_t *until, ending_t *ending)
{
    return ending_find(side->owner->arena, until, get_register, side, ending);
}

number_t effect_evaluate(side_t *side, const expr_t *expr)
{
    return number_evaluate(expr, get_register, side);
}

/* ---------------------------------------------------------------- elements */

static slot_t *open_stream(side_t *side)
{
    for (size_t i = side->slots.count; i-- > 0;)
        if (side->slots.items[i].element && side->slots.items[i].element->is_stream)
            return &side->slots.items[i];
    return NULL;
}

static void open_slot(side_t *side, const effect_t *effect, uint64_t at)
{
    side->slots.count = effect->depth;
    vec_push(side->owner->arena, &side->slots, ((slot_t){.element = effect->element, .feed = effect->feed, .begin = at}));
    if (effect->element && effect->element->is_stream)
        send_span(side, INTERPRET_BEGIN, effect->element, at, at);
    if (effect->element && effect->element->separator)
        side->joined = (joined_t){.depth = effect->depth + 1u};
}

static void send_joined(side_t *side, const slot_t *slot, uint64_t end)
{
    static const unsigned char nothing[1];
    side->joined.depth = 0;
    effect_send(side, (interpret_event_t){.kind = INTERPRET_ELEMENT,
                                          .is_truncated = side->joined.is_cut,
                                          .path = slot->element->path,
                                          .begin = slot->begin,
                                          .end = end,
                                          .value = side->joined.text.count ? side->joined.text.items : nothing,
                                          .value_len = side->joined.text.count});
}

static void close_slot(side_t *side, const effect_t *effect, uint64_t at)
{
    const slot_t *slot = &side->slots.items[effect->depth];
    side->slots.count = effect->depth;
    if (effect->kind == EFFECT_ANOMALY_CLOSE)
        send_text(side, INTERPRET_ANOMALY, effect->name, slot->begin, at);
    else if (slot->element->is_stream)
        send_span(side, INTERPRET_END, slot->element, slot->begin, at);
    else if (slot->element->separator)
        send_joined(side, slot, at);
    else if (!slot->is_done)
        send_span(side, INTERPRET_ELEMENT, slot->element, slot->begin, at);
}

void effect_abandon(side_t *side, size_t depth, uint64_t at)
{
    if (side->joined.depth > depth)
        side->joined.depth = 0;
    while (side->slots.count > depth) {
        const slot_t *slot = open_stream(side);
        const feed_kind_t *feed = side->slots.items[side->slots.count - 1].feed;
        if (feed) {
            feed_up_to(side, at);
            feed_break(side, feed);
        }
        bool is_stream = slot == &side->slots.items[--side->slots.count];
        if (is_stream)
            effect_send(side, (interpret_event_t){.kind = INTERPRET_END,
                                                  .is_aborted = true,
                                                  .path = slot->element->path,
                                                  .begin = slot->begin,
                                                  .end = at});
    }
}

void effect_found(side_t *side, uint64_t at)
{
    side->is_searching = false;
    side->is_lossy = true;
    if (at > side->skip_begin)
        send_span(side, INTERPRET_SKIPPED, NULL, side->skip_begin, at);
}

/* ---------------------------------------------------------------- conversions and registers */

static void store(side_t *side, const note_t *note, const rule_t *rule, number_t value, uint64_t at)
{
    number_t *reg = register_of(side, note->reg);
    if (note->is_unique && reg->state == NUMBER_SET) {
        if (!number_is_same(*reg, value))
            effect_fail(side, INTERPRET_ERROR_DIFFERENT, rule->name, at);
        return;
    }
    *reg = value;
    if (value.is_cut)
        send_text(side, INTERPRET_ANOMALY, "register-full", at, at);
}

/* Which of a refinement's names the text is. */
static number_t find_name(const note_t *refine, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < refine->entries.count; i++)
        if (number_find_word(bytes, len, &refine->entries.items[i].name, 1))
            return number_of(i + 1);
    return number_of(0);
}

/* The value of the bytes since the conversion was opened; unset if some of them are missing. */
static number_t convert(side_t *side, const effect_t *effect, uint64_t end)
{
    const note_t *note = effect->note;
    begun_t begun = {.begin = end};
    while (side->begun.count && begun.note != note)
        begun = side->begun.items[--side->begun.count];
    if (begun.is_lost)
        return number_unset();
    const unsigned char *bytes = side->bytes.items + begun.begin;
    size_t len = (size_t)(end - begun.begin);
    if (note->kind == NOTE_REFINE)
        return find_name(note, bytes, len);
    if (note->kind == NOTE_PART)
        return (number_t){.state = NUMBER_SET, .value = len, .bytes = bytes};
    number_t value = number_convert(side->owner->arena, note, bytes, len);
    if (value.state == NUMBER_ERROR)
        effect_fail(side, INTERPRET_ERROR_OVERFLOW, effect->rule->name, begun.begin);
    return value;
}

static void join_bytes(side_t *side, const unsigned char *bytes, size_t len)
{
    joined_t *joined = &side->joined;
    for (size_t i = 0; i < len; i++)
        if (joined->text.count < JOINED_MAX)
            vec_push(side->owner->arena, &joined->text, bytes[i]);
        else
            joined->is_cut = true;
}

/* Adds a part to the value of the element around that is joined, if there is one. */
static void join(side_t *side, number_t part)
{
    joined_t *joined = &side->joined;
    if (joined->depth == 0)
        return;
    const char *separator = side->slots.items[joined->depth - 1].element->separator;
    joined->is_cut |= part.state == NUMBER_UNSET;
    if (part.state == NUMBER_UNSET)
        return;
    if (joined->has_part)
        join_bytes(side, (const unsigned char *)separator, strlen(separator));
    join_bytes(side, part.bytes, (size_t)part.value);
    joined->has_part = true;
}

static void finish_conversion(side_t *side, const effect_t *effect, number_t value, uint64_t at)
{
    if (effect->note->kind == NOTE_PART)
        join(side, value);
    else if (effect->note->kind == NOTE_REFINE)
        side->refined = value.value;
    else if (value.state == NUMBER_UNSET)
        *register_of(side, effect->note->reg) = number_unset();
    else
        store(side, effect->note, effect->rule, value, at);
}

static void set(side_t *side, const effect_t *effect, uint64_t at)
{
    number_t value = effect_evaluate(side, effect->note->expr);
    if (value.state == NUMBER_SET)
        store(side, effect->note, effect->rule, value, at);
    else
        effect_fail(side, INTERPRET_ERROR_ARITHMETIC, effect->rule ? effect->rule->name : "", at);
}

/* ---------------------------------------------------------------- conversations to come */

static void expect(side_t *side, const effect_t *effect, uint64_t at)
{
    const note_t *note = effect->note;
    number_t port = effect_evaluate(side, note->expr);
    number_t address = note->reg ? *register_of(side, note->reg) : number_of(0);
    bool is_text = note->reg && note->reg->type == REGISTER_BYTES;
    interpret_expected_t expected = {.transport = note->transport, .port = (uint16_t)port.value};
    if (port.state != NUMBER_SET || port.value > UINT16_MAX || address.state != NUMBER_SET || address.is_cut ||
        (!is_text && address.value > UINT32_MAX)) {
        send_text(side, INTERPRET_ANOMALY, "expect-unknown", at, at);
        return;
    }
    expected.host = is_text            ? INTERPRET_HOST_TEXT
                    : note->reg        ? INTERPRET_HOST_ADDRESS
                    : note->is_server ? INTERPRET_HOST_SERVER
                                       : INTERPRET_HOST_CLIENT;
    expected.address = is_text ? 0 : (uint32_t)address.value;
    expected.text = address.bytes;
    expected.text_len = is_text ? (size_t)address.value : 0;
    effect_send(side, (interpret_event_t){
                          .kind = INTERPRET_EXPECT, .text = note->name, .begin = at, .end = at, .expected = &expected});
}

/* ---------------------------------------------------------------- queues */

static void drop(entries_t *queue, size_t index)
{
    memmove(queue->list.items + index, queue->list.items + index + 1, (--queue->list.count - index) * sizeof *queue->list.items);
}

/* The value of a register as a key; bytes that were cut are none. */
static number_t key_of(const side_t *side, const reg_t *reg)
{
    number_t key = reg ? *register_of(side, reg) : number_unset();
    return key.is_cut ? number_unset() : key;
}

static void push(side_t *side, const note_t *note, uint64_t at)
{
    interpret_t *it = side->owner;
    entries_t *queue = &it->queues[note->queue->index];
    entry_t entry = {.value = *register_of(side, note->reg),
                     .key = key_of(side, note->key),
                     .other = it->sides[!side->is_server].bytes.count};
    bool is_full = queue->list.count >= note->queue->capacity;
    if (it->sides[!side->is_server].is_absent)
        return;
    if (is_full)
        send_text(side, INTERPRET_ANOMALY, "queue-full", at, at);
    if (is_full && !note->key) {
        queue->missing++;
        return;
    }
    if (is_full)
        drop(queue, 0);
    entry.missing = queue->missing;
    queue->missing = 0;
    vec_push(it->arena, &queue->list, entry);
}

/* After a loss: if the second entry was pushed when its side had seen more than what this side had popped for, but
 * nothing of this message, the first entry's answer is among what was lost. */
static void drop_lost(side_t *side, entries_t *queue)
{
    uint64_t begin = side->slots.count ? side->slots.items[0].begin : side->offset;
    while (queue->list.count >= 2 && queue->list.items[1].other > side->popped && queue->list.items[1].other <= begin) {
        drop(queue, 0);
        queue->list.items[0].missing = 0;
    }
}

/* Whether it is the turn of an entry that there was no room for; its turn is over then. */
static bool pass_missing(entries_t *queue)
{
    size_t *missing = queue->list.count ? &queue->list.items[0].missing : &queue->missing;
    if (*missing == 0)
        return false;
    --*missing;
    return true;
}

/* The index of the entry that is meant; the number of entries if it is not there. */
static size_t find_entry(side_t *side, const note_t *note, entries_t *queue)
{
    size_t i = 0;
    number_t key = key_of(side, note->key);
    if (!note->key && side->is_lossy)
        drop_lost(side, queue);
    if (!note->key)
        return 0;
    while (i < queue->list.count && !(key.state == NUMBER_SET && queue->list.items[i].key.state == NUMBER_SET &&
                                 number_is_same(key, queue->list.items[i].key)))
        i++;
    return i;
}

static bool may_come(const side_t *side, const note_t *note)
{
    const side_t *other = &side->owner->sides[!side->is_server];
    if (note->key && key_of(side, note->key).state != NUMBER_SET)
        return false;
    return !other->is_absent && !other->is_finished && !other->has_failed && !other->has_become && !side->is_hurried &&
           !side->is_finished && !side->is_datagram && !side->sub;
}

bool effect_pop(side_t *side, const note_t *note)
{
    entries_t *queue = &side->owner->queues[note->queue->index];
    size_t index = find_entry(side, note, queue);
    bool is_missing = !note->key && pass_missing(queue);
    *register_of(side, note->reg) = number_unset();
    if (!is_missing && index >= queue->list.count)
        return !may_come(side, note);
    if (!is_missing) {
        *register_of(side, note->reg) = queue->list.items[index].value;
        drop(queue, index);
    }
    side->popped = side->offset;
    side->is_lossy = false;
    return true;
}

/* ---------------------------------------------------------------- registers put aside */

static void save(side_t *side, const effect_t *effect)
{
    number_t *reg = register_of(side, effect->reg);
    vec_push(side->owner->arena, &side->saved, ((saved_t){effect->reg, *reg, effect->level}));
    *reg = number_unset();
}

void effect_restore(side_t *side, size_t count)
{
    while (side->saved.count > count) {
        const saved_t *saved = &side->saved.items[--side->saved.count];
        *register_of(side, saved->reg) = saved->value;
    }
}

/* What was begun, or put aside, inside something that has failed is over. */
static void forget_inside(side_t *side, unsigned level)
{
    size_t kept = side->saved.count;
    while (side->begun.count && side->begun.items[side->begun.count - 1].level > level)
        side->begun.count--;
    while (kept > 0 && side->saved.items[kept - 1].level > level)
        kept--;
    effect_restore(side, kept);
}

/* ---------------------------------------------------------------- performing */

static void perform(side_t *side, const deed_t *deed, number_t value)
{
    const effect_t *effect = deed->effect;
    if (side->has_error)
        return;
    switch (effect->kind) {
    case EFFECT_OPEN:
    case EFFECT_ANOMALY_OPEN:
        open_slot(side, effect, deed->at);
        break;
    case EFFECT_CLOSE:
    case EFFECT_ANOMALY_CLOSE:
        close_slot(side, effect, deed->at);
        break;
    case EFFECT_CONVERT_CLOSE:
        finish_conversion(side, effect, value, deed->at);
        break;
    case EFFECT_SET:
        set(side, effect, deed->at);
        break;
    case EFFECT_RESET:
        *register_of(side, effect->reg) = number_unset();
        break;
    case EFFECT_LOCAL_OPEN:
        save(side, effect);
        break;
    case EFFECT_LOCAL_CLOSE:
        effect_restore(side, side->saved.count - 1);
        break;
    case EFFECT_PUSH:
        push(side, effect->note, deed->at);
        break;
    case EFFECT_EXPECT:
        expect(side, effect, deed->at);
        break;
    case EFFECT_FEED_OPEN:
        open_slot(side, effect, deed->at);
        side->streamed = deed->at;
        feed_open(side, effect->feed, deed->at);
        break;
    case EFFECT_FEED_CLOSE:
        feed_up_to(side, deed->at);
        side->slots.count = effect->depth;
        break;
    case EFFECT_FINISH:
        feed_finish(side, effect->feed);
        break;
    case EFFECT_MISMATCH:
        forget_inside(side, effect->level);
        effect_abandon(side, effect->depth, deed->at);
        send_text(side, INTERPRET_ANOMALY, effect->name, deed->at, deed->at);
        break;
    case EFFECT_FOUND:
        effect_found(side, deed->at);
        break;
    default:
        break;
    }
}

/* On the list of the atomic rule, or at once. */
static void do_deed(side_t *side, const deed_t *deed)
{
    arena_t *arena = side->owner->arena;
    const effect_t *effect = deed->effect;
    switch (effect->kind) {
    case EFFECT_CONVERT_OPEN:
        vec_push(arena, &side->begun, ((begun_t){.note = effect->note, .level = effect->level, .begin = deed->at}));
        return;
    case EFFECT_MARK:
        side->marks[effect->level] = side->list.count;
        return;
    case EFFECT_ROLLBACK:
        side->list.count = side->marks[effect->level];
        forget_inside(side, effect->level);
        return;
    case EFFECT_ATOMIC_BEGIN:
        return;
    case EFFECT_ATOMIC_END:
        for (size_t i = 0; i < side->list.count; i++)
            perform(side, &side->list.items[i].deed, side->list.items[i].value);
        side->list.count = 0;
        return;
    default:
        break;
    }
    number_t value = effect->kind == EFFECT_CONVERT_CLOSE ? convert(side, effect, deed->at) : number_unset();
    if (effect->is_atomic)
        vec_push(arena, &side->list, ((later_t){*deed, value}));
    else
        perform(side, deed, value);
}

void effect_perform(side_t *side, const deeds_t *deeds)
{
    for (size_t i = 0; i < deeds->count; i++)
        do_deed(side, &deeds->items[i]);
}
