/* walk_intern.c: what a walk makes is interned: spots, frames, elements, effects. The same thing is the same pointer.
 */
#include "walker.h"

#include <stdlib.h>

/* Most of a key is pointers: they are taken as a whole, which is most of what a walk costs. */
static size_t hash(const void *key, size_t size)
{
    const unsigned char *bytes = key;
    uint64_t h = 0x9e3779b97f4a7c15u, word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    for (; size > 0; size--, bytes++)
        h = (h ^ *bytes) * 0x100000001b3u;
    return (size_t)(h ^ h >> 29);
}

static void grow(table_t *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : 256;
    void **slots = calloc(capacity, sizeof *slots);
    if (!slots)
        abort();
    for (size_t i = 0; i < t->capacity; i++) {
        if (!t->slots[i])
            continue;
        size_t at = hash(t->slots[i], t->key) & (capacity - 1);
        while (slots[at])
            at = (at + 1) & (capacity - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->capacity = capacity;
}

/* The one that is like `wanted`, whose padding is zero. */
static void *intern(walk_t *w, table_t *t, const void *wanted)
{
    if (t->count * 2 >= t->capacity)
        grow(t);
    size_t at = hash(wanted, t->key) & (t->capacity - 1);
    for (; t->slots[at]; at = (at + 1) & (t->capacity - 1))
        if (memcmp(t->slots[at], wanted, t->key) == 0)
            return t->slots[at];
    void *made = arena_alloc(w->arena, t->size);
    memcpy(made, wanted, t->size);
    t->slots[at] = made;
    t->count++;
    return made;
}

spot_t *walk_blank_spot(spot_t *spot, spot_kind_t kind, const frame_t *frame, spot_t *next)
{
    memset(spot, 0, sizeof *spot);
    spot->kind = kind;
    spot->frame = frame;
    spot->next = next;
    return spot;
}

spot_t *walk_intern_spot(walk_t *w, const spot_t *spot)
{
    return intern(w, &w->spots, spot);
}

const frame_t *walk_intern_frame(walk_t *w, const frame_t *frame)
{
    return intern(w, &w->frames, frame);
}

static const char *get_name(walk_t *w, const char *name)
{
    /* Names are compared as pointers; equal ones may come from different annotations. */
    for (size_t i = 0; i < w->names.capacity; i++) {
        const place_name_t *known = w->names.slots[i];
        if (known && strcmp(known->name, name) == 0)
            return known->name;
        if (known && known->separator && strcmp(known->separator, name) == 0)
            return known->separator;
    }
    return name;
}

const place_name_t *walk_element(walk_t *w, const place_name_t *parent, const note_t *emit, const char *name)
{
    BLANK(place_name_t, wanted);
    wanted.parent = parent;
    wanted.name = get_name(w, name);
    wanted.separator = emit->separator ? get_name(w, emit->separator) : NULL;
    wanted.is_stream = emit->is_stream;
    wanted.path = NULL;
    place_name_t *element = intern(w, &w->names, &wanted);
    if (!element->path)
        element->path = arena_print(w->arena, "%s.%s",
                                    parent             ? parent->path
                                    : w->grammar->name ? w->grammar->name
                                                       : "",
                                    name);
    return element;
}

/* ---------------------------------------------------------------- effects */

static effect_t *blank_effect(effect_t *effect, effect_kind_t kind, const frame_t *frame)
{
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    effect->level = frame->level;
    effect->is_atomic = frame->is_atomic;
    return effect;
}

static const effect_t *get_effect(walk_t *w, const effect_t *effect)
{
    return intern(w, &w->effects, effect);
}

const effect_t *walk_plain_effect(walk_t *w, effect_kind_t kind, const frame_t *frame)
{
    effect_t effect;
    return get_effect(w, blank_effect(&effect, kind, frame));
}

const effect_t *walk_noted_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, const note_t *note,
                                  const rule_t *rule)
{
    effect_t effect;
    blank_effect(&effect, kind, frame);
    effect.note = note;
    effect.rule = rule;
    return get_effect(w, &effect);
}

/* Two rules that push the same do the same. */
const effect_t *walk_push_effect(walk_t *w, const frame_t *frame, const note_t *note)
{
    size_t i = 0;
    while (i < w->pushes.count && (w->pushes.items[i]->queue != note->queue || w->pushes.items[i]->reg != note->reg ||
                                   w->pushes.items[i]->key != note->key))
        i++;
    if (i == w->pushes.count)
        vec_push(w->arena, &w->pushes, note);
    return walk_noted_effect(w, EFFECT_PUSH, frame, w->pushes.items[i], NULL);
}

const effect_t *walk_element_effect(walk_t *w, effect_kind_t kind, const frame_t *frame)
{
    effect_t effect;
    blank_effect(&effect, kind, frame);
    effect.element = frame->element;
    effect.depth = frame->depth - 1;
    return get_effect(w, &effect);
}

const effect_t *walk_anomaly_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, unsigned depth,
                                    const char *name)
{
    effect_t effect;
    blank_effect(&effect, kind, frame);
    effect.depth = depth;
    effect.name = name;
    return get_effect(w, &effect);
}

const effect_t *walk_feed_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, unsigned depth,
                                 const feed_kind_t *feed)
{
    effect_t effect;
    blank_effect(&effect, kind, frame);
    effect.depth = depth;
    effect.feed = feed;
    return get_effect(w, &effect);
}

const effect_t *walk_register_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, const reg_t *reg)
{
    effect_t effect;
    blank_effect(&effect, kind, frame);
    effect.reg = reg;
    return get_effect(w, &effect);
}

static void add_openings(walk_t *w, const frame_t *frame, note_kind_t kind, effect_kind_t effect, effects_t *effects)
{
    const notes_t *notes = frame->of;
    for (size_t i = 0; i < notes->count; i++)
        for (size_t k = 0; k < notes->items[i]->regs.count && notes->items[i]->kind == kind; k++)
            vec_push(w->arena, effects, walk_register_effect(w, effect, frame, notes->items[i]->regs.items[k]));
}

/* What opening a frame does, in order; as part of an atomic rule if `is_atomic`. */
effects_t walk_opening(walk_t *w, const frame_t *frame, bool is_atomic)
{
    effects_t effects = {0};
    const notes_t *notes = frame->of;
    if (!notes || frame->is_choice || frame->is_guard)
        return effects;
    frame_t as = *frame;
    as.is_atomic |= is_atomic;
    add_openings(w, &as, NOTE_LOCAL, EFFECT_LOCAL_OPEN, &effects);
    add_openings(w, &as, NOTE_RESET, EFFECT_RESET, &effects);
    if (walk_note(notes, NOTE_ANOMALY))
        vec_push(w->arena, &effects, walk_anomaly_effect(w, EFFECT_ANOMALY_OPEN, &as, frame->parent->depth, NULL));
    const feed_kind_t *feed = walk_feed(w, notes);
    if (feed)
        vec_push(w->arena, &effects,
                 walk_feed_effect(w, EFFECT_FEED_OPEN, &as,
                                  frame->parent->depth + (walk_note(notes, NOTE_ANOMALY) ? 1u : 0u), feed));
    if (walk_note(notes, NOTE_EMIT))
        vec_push(w->arena, &effects, walk_element_effect(w, EFFECT_OPEN, &as));
    return effects;
}

const effect_t *walk_failed(walk_t *w, const spot_t *fallback)
{
    bool is_refined = fallback->entry != NULL;
    return walk_anomaly_effect(w, is_refined ? EFFECT_MISMATCH : EFFECT_ROLLBACK, fallback->frame,
                               fallback->frame->depth, is_refined ? fallback->entry->rule->name : NULL);
}
