/* reading.c: one step of all readings.
 *
 * After a byte, each reading that took it goes on through everything that reads nothing, every branch in order, until
 * it stands before a byte again. Two readings at the same spot behave alike from then on: the later one in order is
 * dropped, which is what makes alternatives ordered and repetition greedy. An effect is certain when all main readings
 * have had it, and everything before it, alike.
 *
 * Fallbacks come behind all main readings, and have no say about what is inside that which they stand by for. */
#include "reading.h"

typedef struct step {
    walk_t *walk;
    arena_t *arena;
    unsigned number;
    uint64_t at;
    readings_t out;
    readings_t waiting;    /* fallbacks that were met, for when their betters are done */
    VEC(entered_t) closed; /* by cuts, in this step */
} step_t;

static reading_t copy(arena_t *arena, const reading_t *reading)
{
    reading_t c = *reading;
    c.deeds = (deeds_t){0};
    memset(&c.entered, 0, sizeof c.entered);
    for (size_t i = 0; i < reading->deeds.count; i++)
        vec_push(arena, &c.deeds, reading->deeds.items[i]);
    for (size_t i = 0; i < reading->entered.count; i++)
        vec_push(arena, &c.entered, reading->entered.items[i]);
    return c;
}

readings_t reading_copy(arena_t *arena, const readings_t *readings)
{
    readings_t copies = {0};
    for (size_t i = 0; i < readings->count; i++)
        vec_push(arena, &copies, copy(arena, &readings->items[i]));
    return copies;
}

/* ---------------------------------------------------------------- cuts */

static bool is_cut_off(const step_t *s, const reading_t *reading)
{
    for (size_t i = 0; i < s->closed.count; i++)
        for (size_t k = 0; k < reading->entered.count; k++)
            if (reading->entered.items[k].spot == s->closed.items[i].spot &&
                reading->entered.items[k].at == s->closed.items[i].at)
                return true;
    return false;
}

/* The reading itself forgets that it entered, and so survives. */
static void cut(step_t *s, reading_t *reading, const frame_t *frame)
{
    size_t k = reading->entered.count;
    while (k > 0 && reading->entered.items[k - 1].frame != frame)
        k--;
    if (k == 0)
        return;
    vec_push(s->arena, &s->closed, reading->entered.items[k - 1]);
    for (; k < reading->entered.count; k++)
        reading->entered.items[k - 1] = reading->entered.items[k];
    reading->entered.count--;
}

static void leave(reading_t *reading, const frame_t *frame)
{
    if (reading->entered.count && reading->entered.items[reading->entered.count - 1].frame == frame)
        reading->entered.count--;
}

/* ---------------------------------------------------------------- one reading */

static void go_on(step_t *s, reading_t *reading);

/* True if the reading itself is to go on behind the fallback. */
static void stand_by(step_t *s, const reading_t *reading)
{
    const spot_t *spot = reading->spot;
    unsigned level = spot->frame->level + 1;
    reading_t other = copy(s->arena, reading);
    other.spot = spot->other;
    if (reading->level > level) {
        other.level = level;
        other.fallback = spot;
        other.forked = other.deeds.count;
        vec_push(s->arena, &s->waiting, other);
        return;
    }
    /* A fallback's own fallback is an alternative like any other. */
    reading_t first = copy(s->arena, reading);
    first.spot = spot->next;
    go_on(s, &first);
    go_on(s, &other);
}

static const trail_t *leave_trail(const step_t *s, const reading_t *reading)
{
    trail_t *trail = ARENA_NEW(s->walk->arena, trail_t);
    *trail = (trail_t){reading->trail, reading->spot->frame, s->at, reading->spot->n == 1};
    return trail;
}

/* Goes on to where bytes are read. Changes `reading`. */
static void go_on(step_t *s, reading_t *reading)
{
    while (reading->spot->seen != s->number && !is_cut_off(s, reading)) {
        spot_t *spot = reading->spot;
        spot->seen = s->number;
        switch (spot->kind) {
        case SPOT_BYTE:
        case SPOT_TEXT:
        case SPOT_STOP:
        case SPOT_END:
            vec_push(s->arena, &s->out, *reading);
            return;
        case SPOT_EFFECT:
            vec_push(s->arena, &reading->deeds, ((deed_t){spot->effect, s->at, spot->frame}));
            break;
        case SPOT_ENTER:
            vec_push(s->arena, &reading->entered, ((entered_t){spot->frame, spot->other, s->at}));
            break;
        case SPOT_LEAVE:
            leave(reading, spot->frame);
            break;
        case SPOT_TRACE:
            reading->trail = leave_trail(s, reading);
            break;
        case SPOT_CUT:
            cut(s, reading, spot->frame);
            break;
        case SPOT_FALLBACK:
            stand_by(s, reading);
            if (reading->level <= spot->frame->level + 1)
                return;
            break;
        default:
            break;
        }
        const spots_t *branches = walk_open(s->walk, spot);
        for (size_t i = 0; i + 1 < branches->count; i++) {
            reading_t branch = copy(s->arena, reading);
            branch.spot = branches->items[i];
            go_on(s, &branch);
        }
        if (branches->count == 0)
            return;
        reading->spot = branches->items[branches->count - 1];
    }
}

/* The highest level below `below` at which something is waiting or is a fallback already; 0: none. */
static unsigned next_level(const readings_t *from, const readings_t *waiting, unsigned below)
{
    unsigned level = 0;
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].level < below && from->items[i].level > level)
            level = from->items[i].level;
    for (size_t i = 0; i < waiting->count; i++)
        if (waiting->items[i].level < below && waiting->items[i].level > level)
            level = waiting->items[i].level;
    return level;
}

static void go_on_waiting(step_t *s, unsigned level)
{
    for (size_t i = 0; i < s->waiting.count; i++)
        if (s->waiting.items[i].level == level) {
            reading_t reading = s->waiting.items[i];
            go_on(s, &reading);
        }
}

readings_t reading_start(walk_t *walk, arena_t *arena, unsigned number, spot_t *spot, uint64_t at, const trail_t *trail)
{
    step_t s = {.walk = walk, .arena = arena, .number = number, .at = at};
    reading_t reading = {.spot = spot, .level = LEVEL_MAIN, .trail = trail};
    readings_t none = {0};
    go_on(&s, &reading);
    for (unsigned level = LEVEL_MAIN; (level = next_level(&none, &s.waiting, level)) > 0;)
        go_on_waiting(&s, level);
    return s.out;
}

readings_t reading_rejoin(walk_t *walk, arena_t *arena, unsigned number, const readings_t *from, uint64_t at)
{
    step_t s = {.walk = walk, .arena = arena, .number = number, .at = at};
    for (size_t i = 0; i < from->count; i++) {
        reading_t reading = copy(arena, &from->items[i]);
        reading.spot = reading.spot->next;
        go_on(&s, &reading);
    }
    return s.out;
}

readings_t reading_step(walk_t *walk, arena_t *arena, unsigned number, const readings_t *from, unsigned byte,
                        uint64_t at)
{
    step_t s = {.walk = walk, .arena = arena, .number = number, .at = at};
    for (unsigned level = LEVEL_MAIN; level > 0; level = next_level(from, &s.waiting, level)) {
        for (size_t i = 0; i < from->count; i++) {
            spot_t *spot = from->items[i].spot;
            bool is_byte = spot->kind == SPOT_BYTE || spot->kind == SPOT_TEXT;
            if (from->items[i].level != level || !is_byte || !charset_has(walk_set(spot), byte))
                continue;
            reading_t reading = copy(arena, &from->items[i]);
            reading.spot = spot->kind == SPOT_BYTE ? spot->next : walk_open(walk, spot)->items[0];
            go_on(&s, &reading);
        }
        go_on_waiting(&s, level);
    }
    return s.out;
}

/* ---------------------------------------------------------------- what is certain */

size_t reading_main_count(const readings_t *readings)
{
    size_t count = 0;
    while (count < readings->count && readings->items[count].level == LEVEL_MAIN)
        count++;
    return count;
}

static bool is_alike(const deed_t *a, const deed_t *b)
{
    return a->effect == b->effect && a->at == b->at;
}

/* Did it happen inside what `reading` stands by for? */
static bool is_inside(const deed_t *deed, const reading_t *reading)
{
    const spot_t *fallback = reading->fallback;
    const void *of = fallback->entry ? (const void *)fallback->entry : fallback->node;
    for (const frame_t *f = deed->frame; f; f = f->parent)
        if (f->is_guard && f->of == of && f->parent == fallback->frame)
            return true;
    return false;
}

/* Has `reading`, which shares `had` of the deeds before it, a say in it? In one round of a loop, what it stands by for may have
 * happened in the round before. */
static bool is_its(const deed_t *deed, const reading_t *reading, size_t had)
{
    return had < reading->forked || !is_inside(deed, reading);
}

/* `first` is a fallback that becomes a main reading. */
static void tell_failed(walk_t *walk, arena_t *arena, const reading_t *first, uint64_t at, deeds_t *done)
{
    if (first->fallback->entry || first->forked == 0) /* else the mark to go back to has not been made yet */
        vec_push(arena, done, ((deed_t){walk_failed(walk, first->fallback), at, first->fallback->frame}));
}

static void promote(walk_t *walk, arena_t *arena, readings_t *readings, uint64_t at, deeds_t *done)
{
    if (readings->count == 0 || readings->items[0].level == LEVEL_MAIN)
        return;
    unsigned level = readings->items[0].level;
    tell_failed(walk, arena, &readings->items[0], at, done);
    for (size_t i = 0; i < readings->count && readings->items[i].level == level; i++) {
        readings->items[i].level = LEVEL_MAIN;
        readings->items[i].fallback = NULL;
        readings->items[i].forked = 0;
    }
}

static bool do_mains_agree(const readings_t *readings, size_t mains, size_t i)
{
    for (size_t m = 0; m < mains; m++)
        if (i >= readings->items[m].deeds.count ||
            !is_alike(&readings->items[m].deeds.items[i], &readings->items[0].deeds.items[i]))
            return false;
    return true;
}

/* Does every fallback that has a say agree? `had` counts, for each, the deeds that it shares so far. */
static bool do_fallbacks_agree(const readings_t *readings, size_t mains, const deed_t *deed, const size_t *had)
{
    for (size_t f = mains; f < readings->count; f++) {
        const reading_t *reading = &readings->items[f];
        if (is_its(deed, reading, had[f]) &&
            (had[f] >= reading->deeds.count || !is_alike(&reading->deeds.items[had[f]], deed)))
            return false;
    }
    return true;
}

static void drop_front(deeds_t *deeds, size_t count)
{
    if (count == 0) /* and there may be no items to point to */
        return;
    deeds->items += count;
    deeds->count -= count;
    deeds->capacity -= count;
}

static void commit(arena_t *arena, readings_t *readings, deeds_t *done)
{
    size_t mains = reading_main_count(readings), certain = 0;
    size_t *had = ARENA_ARRAY(arena, size_t, readings->count + 1);
    if (mains == 0)
        return;
    const deeds_t *first = &readings->items[0].deeds;
    while (do_mains_agree(readings, mains, certain) &&
           do_fallbacks_agree(readings, mains, &first->items[certain], had)) {
        for (size_t f = mains; f < readings->count; f++)
            had[f] += is_its(&first->items[certain], &readings->items[f], had[f]);
        vec_push(arena, done, first->items[certain]);
        certain++;
    }
    for (size_t i = 0; i < readings->count; i++) {
        reading_t *reading = &readings->items[i];
        drop_front(&reading->deeds, i < mains ? certain : had[i]);
        reading->forked -= had[i] < reading->forked ? had[i] : reading->forked;
    }
}

void reading_settle(walk_t *walk, arena_t *arena, readings_t *readings, uint64_t failed_at, deeds_t *done)
{
    promote(walk, arena, readings, failed_at, done);
    commit(arena, readings, done);
    if (reading_main_count(readings) == 1 && readings->items[0].spot->kind == SPOT_STOP) {
        readings->count = 1; /* nothing can fail any more before what stops here has been decided */
        commit(arena, readings, done);
    }
}

const reading_t *reading_end(walk_t *walk, arena_t *arena, const readings_t *readings, uint64_t at, deeds_t *done)
{
    for (size_t i = 0; i < readings->count; i++) {
        const reading_t *reading = &readings->items[i];
        if (reading->spot->kind != SPOT_END)
            continue;
        if (reading->fallback)
            tell_failed(walk, arena, reading, at, done);
        for (size_t k = 0; k < reading->deeds.count; k++)
            vec_push(arena, done, reading->deeds.items[k]);
        return reading;
    }
    return NULL;
}
