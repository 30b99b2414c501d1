/* interpret_effect.c: what readings do, once it is certain: events, registers, queues; and the values of expressions. */
#include "interpreter.h"

static number_t *register_of(const side_t *side, const reg_t *reg)
{
    return reg->is_shared ? &side->owner->shared[reg->index] : &side->registers[reg->index];
}

void effect_send(side_t *side, interpret_event_t event)
{
    event.is_server = side->is_server;
    if (event.kind != INTERPRET_ERROR) {
        event.byte = -1;
        event.rule = "";
    }
    if (side->owner->on_event)
        side->owner->on_event(&event, side->owner->user);
}

static void send_span(side_t *side, interpret_kind_t kind, const place_name_t *element, uint64_t begin, uint64_t end)
{
    effect_send(side, (interpret_event_t){
                          .kind = kind, .path = element ? element->path : NULL, .begin = begin, .end = end});
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
    side->error = (interpret_event_t){
        .kind = INTERPRET_ERROR, .code = code, .begin = at, .end = at, .byte = -1, .rule = rule ? rule : ""};
}

/* ---------------------------------------------------------------- expressions */

static number_t number(uint64_t value)
{
    return (number_t){.value = value, .state = NUMBER_SET};
}

static const number_t unset = {.state = NUMBER_UNSET}, no_value = {.state = NUMBER_ERROR};

static bool is_same(number_t a, number_t b)
{
    if (!a.bytes || !b.bytes)
        return a.value == b.value;
    return a.value == b.value && a.is_cut == b.is_cut && memcmp(a.bytes, b.bytes, (size_t)a.value) == 0;
}

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
    return is_wrong ? no_value : number(value);
}

static number_t compare(expr_kind_t kind, number_t a, number_t b)
{
    /* Of bytes that were cut nobody knows what they were. */
    if (a.state != NUMBER_SET || b.state != NUMBER_SET || a.is_cut || b.is_cut)
        return number(false);
    switch (kind) {
    case EXPR_EQ:
        return number(is_same(a, b));
    case EXPR_NE:
        return number(!is_same(a, b));
    case EXPR_LT:
        return number(a.value < b.value);
    case EXPR_LE:
        return number(a.value <= b.value);
    case EXPR_GT:
        return number(a.value > b.value);
    default:
        return number(a.value >= b.value);
    }
}

static number_t evaluate_pair(const side_t *side, const expr_t *expr)
{
    number_t a = effect_evaluate(side, expr->left), b = effect_evaluate(side, expr->right);
    if (a.state == NUMBER_ERROR || b.state == NUMBER_ERROR)
        return no_value;
    switch (expr->kind) {
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_AND_BITS:
        return arithmetic(expr->kind, a, b);
    case EXPR_AND:
        return number(a.value && b.value);
    case EXPR_OR:
        return number(a.value || b.value);
    default:
        return compare(expr->kind, a, b);
    }
}

number_t effect_evaluate(const side_t *side, const expr_t *expr)
{
    number_t n;
    switch (expr->kind) {
    case EXPR_NUMBER:
        return number(expr->number);
    case EXPR_REGISTER:
        return *register_of(side, expr->reg);
    case EXPR_IS_SET:
        n = *register_of(side, expr->reg);
        return number(n.state == NUMBER_SET && (expr->reg->type != REGISTER_FLAG || n.value));
    case EXPR_TRUE:
    case EXPR_FALSE:
        return number(expr->kind == EXPR_TRUE);
    case EXPR_NOT:
        n = effect_evaluate(side, expr->left);
        return n.state == NUMBER_ERROR ? n : number(!n.value);
    default:
        return evaluate_pair(side, expr);
    }
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
    vec_push(side->owner->arena, &side->slots, ((slot_t){.element = effect->element, .begin = at}));
    if (effect->element && effect->element->is_stream)
        send_span(side, INTERPRET_BEGIN, effect->element, at, at);
}

static void close_slot(side_t *side, const effect_t *effect, uint64_t at)
{
    const slot_t *slot = &side->slots.items[effect->depth];
    side->slots.count = effect->depth;
    if (effect->kind == EFFECT_ANOMALY_CLOSE)
        send_text(side, INTERPRET_ANOMALY, effect->name, slot->begin, at);
    else if (slot->element->is_stream)
        send_span(side, INTERPRET_END, slot->element, slot->begin, at);
    else if (!slot->is_done)
        send_span(side, INTERPRET_ELEMENT, slot->element, slot->begin, at);
}

void effect_abandon(side_t *side, size_t depth)
{
    while (side->slots.count > depth) {
        const slot_t *slot = open_stream(side);
        bool is_stream = slot == &side->slots.items[--side->slots.count];
        if (is_stream)
            effect_send(side, (interpret_event_t){.kind = INTERPRET_END, .is_aborted = true, .path = slot->element->path,
                                                  .begin = slot->begin, .end = side->offset});
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
        if (!is_same(*reg, value))
            effect_fail(side, INTERPRET_ERROR_DIFFERENT, rule->name, at);
        return;
    }
    *reg = value;
    if (value.is_cut)
        send_text(side, INTERPRET_ANOMALY, "register-full", at, at);
}

static bool is_text(const side_t *side, uint64_t begin, uint64_t end, const char *word)
{
    size_t len = strlen(word);
    if (len != end - begin)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned a = side->bytes.items[begin + i], b = (unsigned char)word[i];
        a |= a >= 'A' && a <= 'Z' ? 0x20u : 0;
        b |= b >= 'A' && b <= 'Z' ? 0x20u : 0;
        if (a != b)
            return false;
    }
    return true;
}

/* Digits; what is between them does not count. */
static bool add_digit(uint64_t *value, unsigned c, uint64_t base)
{
    uint64_t digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : 16;
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

static number_t convert_number(side_t *side, const effect_t *effect, uint64_t begin, uint64_t end)
{
    uint64_t value = 0;
    bool fits = true;
    for (uint64_t i = begin; i < end; i++)
        fits &= add_byte(effect->note->convert->kind, &value, side->bytes.items[i], i - begin);
    if (!fits)
        effect_fail(side, INTERPRET_ERROR_OVERFLOW, effect->rule->name, begin);
    return number(value);
}

/* Bytes, without the quotes around them and the backslashes inside if that is wanted; as many as the register holds. */
static number_t convert_text(side_t *side, const note_t *note, uint64_t begin, uint64_t end)
{
    const unsigned char *bytes = side->bytes.items;
    unsigned char *text = arena_alloc(side->owner->arena, note->reg->size + 1);
    number_t value = {.state = NUMBER_SET, .bytes = text};
    bool is_quoted = note->convert->kind == CONVERT_UNQUOTE && begin < end && bytes[begin] == '"';
    for (uint64_t i = begin + is_quoted; i < end && !(is_quoted && bytes[i] == '"'); i++) {
        i += is_quoted && bytes[i] == '\\' && i + 1 < end;
        value.is_cut |= value.value == note->reg->size;
        if (!value.is_cut)
            text[value.value++] = bytes[i];
    }
    return value;
}

/* Which of a refinement's names, or of a register's keywords, the text is; 0: none. */
static number_t convert_keyword(side_t *side, const note_t *note, uint64_t begin, uint64_t end)
{
    bool is_refined = note->kind == NOTE_REFINE;
    size_t count = is_refined ? note->entries.count : note->reg->keywords.count;
    for (size_t i = 0; i < count; i++)
        if (is_text(side, begin, end, is_refined ? note->entries.items[i].name : note->reg->keywords.items[i]))
            return number(i + 1);
    return number(0);
}

/* The value of the bytes since the conversion was opened; unset if some of them are missing. */
static number_t convert(side_t *side, const effect_t *effect, uint64_t end)
{
    const note_t *note = effect->note;
    begun_t begun = {.begin = end};
    while (side->begun.count && begun.note != note)
        begun = side->begun.items[--side->begun.count];
    if (begun.is_lost)
        return unset;
    if (note->kind == NOTE_REFINE || note->convert->kind == CONVERT_KEYWORD)
        return convert_keyword(side, note, begun.begin, end);
    if (note->convert->kind == CONVERT_BYTES || note->convert->kind == CONVERT_UNQUOTE)
        return convert_text(side, note, begun.begin, end);
    return convert_number(side, effect, begun.begin, end);
}

static void finish_conversion(side_t *side, const effect_t *effect, number_t value, uint64_t at)
{
    if (effect->note->kind == NOTE_REFINE)
        side->refined = value.value;
    else if (value.state == NUMBER_UNSET)
        *register_of(side, effect->note->reg) = unset;
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

/* ---------------------------------------------------------------- queues */

static void drop(entries_t *queue, size_t index)
{
    memmove(queue->items + index, queue->items + index + 1, (--queue->count - index) * sizeof *queue->items);
}

/* The value of a register as a key; bytes that were cut are none. */
static number_t key_of(const side_t *side, const reg_t *reg)
{
    number_t key = reg ? *register_of(side, reg) : unset;
    return key.is_cut ? unset : key;
}

static void push(side_t *side, const note_t *note, uint64_t at)
{
    interpret_t *it = side->owner;
    entries_t *queue = &it->queues[note->queue->index];
    entry_t entry = {.value = *register_of(side, note->reg), .key = key_of(side, note->key),
                     .other = it->sides[!side->is_server].offset};
    bool is_full = queue->count >= note->queue->capacity;
    if (is_full)
        send_text(side, INTERPRET_ANOMALY, "queue-full", at, at);
    if (is_full && !note->key)
        return;
    if (is_full)
        drop(queue, 0);
    vec_push(it->arena, queue, entry);
}

/* After a loss: if the second entry was pushed when its side had seen more than what this side had popped for, but nothing of
 * this message, the first entry's answer is among what was lost. */
static void drop_lost(side_t *side, entries_t *queue)
{
    uint64_t begin = side->slots.count ? side->slots.items[0].begin : side->offset;
    while (queue->count >= 2 && queue->items[1].other > side->popped && queue->items[1].other <= begin)
        drop(queue, 0);
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
    while (i < queue->count && !(key.state == NUMBER_SET && queue->items[i].key.state == NUMBER_SET &&
                                 is_same(key, queue->items[i].key)))
        i++;
    return i;
}

static bool may_come(const side_t *side, const note_t *note)
{
    const side_t *other = &side->owner->sides[!side->is_server];
    if (note->key && key_of(side, note->key).state != NUMBER_SET)
        return false;
    return !other->is_absent && !other->is_finished && !other->has_failed && !other->has_become && !side->is_hurried &&
           !side->is_finished;
}

bool effect_pop(side_t *side, const note_t *note)
{
    entries_t *queue = &side->owner->queues[note->queue->index];
    size_t index = find_entry(side, note, queue);
    if (index >= queue->count) {
        *register_of(side, note->reg) = unset;
        return !may_come(side, note);
    }
    *register_of(side, note->reg) = queue->items[index].value;
    drop(queue, index);
    side->popped = side->offset;
    side->is_lossy = false;
    return true;
}

/* ---------------------------------------------------------------- registers put aside */

static void save(side_t *side, const effect_t *effect)
{
    number_t *reg = register_of(side, effect->reg);
    vec_push(side->owner->arena, &side->saved, ((saved_t){effect->reg, *reg, effect->level}));
    *reg = unset;
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
        *register_of(side, effect->reg) = unset;
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
    case EFFECT_MISMATCH:
        forget_inside(side, effect->level);
        effect_abandon(side, effect->depth);
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
    number_t value = effect->kind == EFFECT_CONVERT_CLOSE ? convert(side, effect, deed->at) : unset;
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
