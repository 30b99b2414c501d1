/* interpret_drive.c: the driver: one byte after the other, and what happens between bytes.
 *
 * Between two bytes a side does, in this order, what applies: report an error and go on behind it; pass a stop, if the
 * readings have come to one; end a region; cut what has reached the limit. */
#include "interpreter.h"

#define COMPACT_STEPS 512u           /* after so many, readings move to fresh memory */
#define SPOTS_MAX ((size_t)1 << 20)  /* a walk larger than this is given up */
#define READINGS_MAX 20000u
#define IDLE_MAX 60000u /* turns without a byte: so many that it goes round */

unsigned drive_next_number(interpret_t *it)
{
    return ++it->steps;
}

static void complain(interpret_t *it, const char *complaint)
{
    if (!it->complaint)
        it->complaint = complaint;
}

static const spot_t *first_spot(const side_t *side)
{
    return side->readings.items[0].spot;
}

/* Are all readings at calls that are one? */
static bool is_joint(const side_t *side)
{
    for (size_t i = 0; i < side->readings.count; i++) {
        const spot_t *spot = side->readings.items[i].spot;
        if (spot->kind != SPOT_STOP || !walk_is_joint(side->owner->walk, first_spot(side), spot))
            return false;
    }
    return side->readings.count > 1;
}

/* The stop at which all readings have come together, or NULL. */
static const spot_t *stop_of(const side_t *side)
{
    if (side->is_entry || side->readings.count == 0 || first_spot(side)->kind != SPOT_STOP)
        return NULL;
    return side->readings.count == 1 || is_joint(side) ? first_spot(side) : NULL;
}

const char *drive_rule(const side_t *side)
{
    return side->is_entry ? "" : walk_rule_name(first_spot(side)->frame);
}

void drive_fail_here(side_t *side, interpret_code_t code, int byte)
{
    if (side->has_error)
        return;
    effect_fail(side, code, drive_rule(side), side->offset);
    side->error.byte = byte;
}

region_t *drive_region(side_t *side)
{
    return side->regions.count ? &side->regions.items[side->regions.count - 1] : NULL;
}

static bool is_region_at_end(side_t *side)
{
    return drive_region(side) && drive_region(side)->end == side->offset;
}

/* ---------------------------------------------------------------- readings */

static void move_readings(arena_t *fresh, side_t *side)
{
    deeds_t certain = {0};
    side->readings = reading_copy(fresh, &side->readings);
    for (size_t k = 0; k < side->joints.count; k++)
        side->joints.items[k] = reading_copy(fresh, &side->joints.items[k]);
    for (size_t k = 0; k < side->certain.count; k++)
        vec_push(fresh, &certain, side->certain.items[k]);
    side->certain = certain;
}

/* Live readings are few and small; what came before them is forgotten. */
static void compact(interpret_t *it)
{
    arena_t *fresh;
    it->complaint = it->complaint                     ? it->complaint
                    : walk_size(it->walk) > SPOTS_MAX ? "the grammar needs too much memory"
                                                      : NULL;
    if (++it->age < COMPACT_STEPS || it->nested > 0)
        return;
    it->age = 0;
    fresh = arena_new();
    for (int i = 0; i < 2; i++)
        move_readings(fresh, &it->sides[i]);
    for (size_t i = 0; i < it->readers.count; i++)
        move_readings(fresh, it->readers.items[i]);
    arena_free(it->readings);
    it->readings = fresh;
}

static bool has_deeds(const readings_t *readings)
{
    for (size_t i = 0; i < readings->count; i++)
        if (readings->items[i].deeds.count)
            return true;
    return false;
}

/* Goes on at a spot: what is certain there is done when the side's turn comes. */
void drive_begin_at(side_t *side, spot_t *spot)
{
    interpret_t *it = side->owner;
    if (!side->has_ended && side->readings.count)
        side->trail = side->readings.items[0].trail;
    side->has_ended = false;
    side->certain = (deeds_t){0};
    side->readings = reading_start(it->walk, it->readings, drive_next_number(it), spot, side->offset, side->trail);
    reading_settle(it->walk, it->readings, &side->readings, side->offset, &side->certain);
    side->is_entry = side->certain.count > 0 || has_deeds(&side->readings);
}

void drive_rejoin(side_t *side)
{
    interpret_t *it = side->owner;
    const readings_t *joint = &side->joints.items[--side->joints.count];
    side->certain = (deeds_t){0};
    side->readings = reading_rejoin(it->walk, it->readings, drive_next_number(it), joint, side->offset);
    reading_settle(it->walk, it->readings, &side->readings, side->offset, &side->certain);
    side->is_entry = true;
}

void drive_pass_entry(side_t *side)
{
    side->is_entry = false;
    effect_perform(side, &side->certain);
}

/* The text of NAME has decided how VALUE is read. */
void drive_pass_refinements(side_t *side)
{
    const spot_t *stop;
    while (!side->has_error && (stop = stop_of(side)) != NULL && stop->stop == STOP_REFINE) {
        drive_begin_at(side, walk_target(side->owner->walk, stop, (size_t)side->refined));
        drive_pass_entry(side);
    }
}

static void take(side_t *side, readings_t readings, uint64_t failed_at)
{
    interpret_t *it = side->owner;
    deeds_t certain = {0};
    side->readings = readings;
    reading_settle(it->walk, it->readings, &side->readings, failed_at, &certain);
    effect_perform(side, &certain);
    drive_pass_refinements(side);
    compact(it);
}

static bool pass_end(side_t *side);

/* What is read elsewhere ends where its rule does: before the first byte that does not fit. False if it cannot end. */
static bool end_jump(side_t *side)
{
    const region_t *region = drive_region(side);
    if (!region || !region->is_jump)
        return false;
    if (pass_end(side))
        return true;
    if (!drive_can_end(side, false))
        return false;
    region_end(side);
    return true;
}

/* True if the byte has been read. False: it tells that a stop has been reached, or does not fit. */
static bool step(side_t *side, unsigned byte)
{
    interpret_t *it = side->owner;
    const reading_t *reader = NULL, *stopped = NULL, *rival = NULL;
    for (size_t i = 0; i < reading_main_count(&side->readings); i++) {
        const reading_t *reading = &side->readings.items[i];
        bool is_stop = reading->spot->kind == SPOT_STOP;
        charset_t first = walk_first(it->walk, reading->spot);
        if (!charset_has(&first, byte))
            continue;
        if (!is_stop)
            reader = reading;
        else if (!stopped)
            stopped = reading;
        else if (!walk_is_joint(it->walk, stopped->spot, reading->spot))
            rival = reading;
    }
    if (stopped && (reader || rival)) {
        complain(it, "readings compete at a control point");
        return false;
    }
    readings_t readings = {0};
    if (stopped) {
        for (size_t i = 0; i < reading_main_count(&side->readings); i++) {
            const reading_t *reading = &side->readings.items[i];
            bool is_joint = reading->spot->kind == SPOT_STOP && walk_is_joint(it->walk, stopped->spot, reading->spot);
            if (reading == stopped || is_joint)
                vec_push(it->readings, &readings, *reading);
        }
        take(side, readings, side->offset);
        return false;
    }
    readings = reading_step(it->walk, it->readings, drive_next_number(it), &side->readings, byte, side->offset + 1);
    if (readings.count > READINGS_MAX)
        complain(it, "too many readings are alive");
    if (readings.count == 0) {
        if (!end_jump(side))
            drive_fail_here(side, INTERPRET_ERROR_SYNTAX, (int)byte);
        return false;
    }
    side->offset++;
    side->read_count++;
    take(side, readings, side->offset - 1);
    return true;
}

/* Can the input, or the region, end here? What is pending is done then if `is_end`. */
bool drive_can_end(side_t *side, bool is_end)
{
    interpret_t *it = side->owner;
    deeds_t certain = {0};
    const reading_t *reading = NULL;
    if (!side->is_entry)
        reading = reading_end(it->walk, it->readings, &side->readings, side->offset, &certain);
    if (reading && is_end) {
        side->trail = reading->trail;
        side->has_ended = true;
        effect_perform(side, &certain);
    }
    return reading != NULL;
}

/* Where the input, or the region, ends, and no reading can: the first that may end behind a stop goes on. */
static bool pass_end(side_t *side)
{
    readings_t readings = {0};
    if (side->is_entry)
        return false;
    for (size_t i = 0; i < side->readings.count; i++)
        if (side->readings.items[i].spot->kind == SPOT_END)
            return false;
    for (size_t i = 0; i < reading_main_count(&side->readings); i++) {
        reading_t *reading = &side->readings.items[i];
        if (reading->spot->kind != SPOT_STOP || !walk_can_end(side->owner->walk, reading->spot))
            continue;
        vec_push(side->owner->readings, &readings, *reading);
        take(side, readings, side->offset);
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- errors */

void drive_search_from_here(side_t *side)
{
    side->candidate = side->offset;
    side->list.count = 0;
    side->begun.count = 0;
    side->joints.count = 0;
    drive_begin_at(side, side->search);
}

void drive_search(side_t *side, uint64_t from)
{
    feed_end_all(side, false);
    if (!side->search || side->is_datagram) {
        side->has_failed = true;
        return;
    }
    side->skip_begin = from;
    side->is_searching = true;
    side->regions.count = 0;
    side->is_skipping = false;
    drive_search_from_here(side);
}

/* Of what is being converted not all will have been read. */
void drive_lose_conversions(side_t *side)
{
    for (size_t i = 0; i < side->begun.count; i++)
        side->begun.items[i].is_lost = true;
    side->joined.is_cut = true;
}

void drive_report(side_t *side, const region_t *region)
{
    interpret_event_t error = side->error;
    bool is_told = side->is_skipping && error.code == INTERPRET_ERROR_UNFINISHED; /* where it began */
    if (side->is_skipping)
        region_end_skipping(side);
    drive_lose_conversions(side);
    side->has_error = false;
    side->list.count = 0;
    effect_restore(side, region ? region->saved : 0);
    effect_abandon(side, region ? region->depth : 0, side->offset);
    if (!is_told)
        effect_send(side, error);
}

/* What was found so far was no beginning. Another may be in it, or begin with the byte that did not fit. */
static void search_on(side_t *side, bool has_byte)
{
    bool is_short = side->candidate < side->offset && side->offset - side->candidate < FOUND_AGAIN_MAX;
    bool is_skipped = side->candidate == side->offset && side->error.byte >= 0 && has_byte;
    side->has_error = false;
    side->offset = is_short ? side->candidate + 1 : side->offset + is_skipped;
    side->read_count += is_skipped;
    drive_search_from_here(side);
}

/* Reports the error and goes on behind it. */
void drive_recover(side_t *side, bool has_byte)
{
    const region_t *region = drive_region(side);
    bool is_bounded = region && (region->end != REGION_OPEN || region->until);
    if (side->error.code == INTERPRET_ERROR_MISSING && region_is_looking(side))
        is_bounded = false; /* its end may be in the hole */
    if (side->is_searching && side->error.code != INTERPRET_ERROR_IDLE) {
        search_on(side, has_byte);
        return;
    }
    drive_report(side, is_bounded ? region : NULL);
    if (side->is_searching) { /* it would go round again */
        side->has_failed = true;
    } else if (is_bounded && region->is_jump) {
        region_leave(side);
    } else if (is_bounded) {
        side->is_skipping = true;
        side->skip_begin = side->error.begin;
    } else {
        drive_search(side, side->error.begin);
    }
}

/* ---------------------------------------------------------------- the driver */

/* Is it not known yet whether a region ends here? */
static bool may_end(const side_t *side, bool is_known)
{
    return !is_known || (region_is_looking(side) && !side->is_last && side->offset == side->bytes.count);
}

/* What can be done with the next byte, if `reads`, and then without any. */
void drive_run(side_t *side, bool reads)
{
    uint64_t begin = side->read_count;
    unsigned idle = 0;
    while (!side->has_become && !side->has_failed && !side->owner->complaint) {
        bool has_byte = reads && side->read_count == begin && side->offset < side->bytes.count;
        if (++idle == IDLE_MAX) {
            effect_fail(side, INTERPRET_ERROR_IDLE, drive_rule(side), side->offset);
            idle = 0;
        }
        const spot_t *stop = side->is_skipping ? NULL : stop_of(side);
        bool is_known = region_look(side);
        if (side->has_error) {
            drive_recover(side, has_byte);
        } else if (stop) {
            if (!stop_pass(side, stop, has_byte))
                break;
        } else if (!side->is_entry && is_region_at_end(side)) {
            if (side->is_skipping || !pass_end(side))
                region_end(side);
        } else if (!side->is_entry && may_end(side, is_known)) {
            break; /* a region that ends here ends before a limit is met */
        } else if (side->is_skipping) {
            limit_tell(side); /* elements around the region go on */
            if (!has_byte)
                break;
            side->offset++;
            side->read_count++;
        } else if (side->is_entry && !limit_is_past(side)) {
            drive_pass_entry(side);
            drive_pass_refinements(side);
        } else if (side->is_entry) {
            limit_enforce(side);
        } else {
            limit_enforce(side);
            if (side->has_error)
                continue;
            if (!has_byte)
                break;
            step(side, side->bytes.items[side->offset]);
        }
    }
}

/* The other side has confirmed that both speak something else now, and this side is between messages. */
static bool is_to_become(side_t *side)
{
    return side->owner->becomes && !side->has_become && !side->has_failed && !side->is_datagram && !side->sub &&
           (side->is_searching || (side->regions.count == 0 && drive_can_end(side, false)));
}

/* Nothing more is read. */
static bool is_stopped(const side_t *side)
{
    return side->has_failed || side->has_become || (!side->start && !side->is_datagram) || side->owner->complaint;
}

/* Nothing more is taken. */
static bool is_over(const side_t *side)
{
    return side->is_finished || is_stopped(side);
}

void drive_add_bytes(side_t *side, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        vec_push(side->owner->arena, &side->bytes, bytes ? bytes[i] : 0);
}

void drive_mark(side_t *side, uint64_t begin, uint64_t end, byte_state_t state)
{
    while (side->states.count < end)
        vec_push(side->owner->arena, &side->states, BYTE_READ);
    for (; begin < end; begin++)
        if (side->states.items[begin] != BYTE_MISSING)
            side->states.items[begin] = (unsigned char)state;
}

bool drive_read(side_t *side)
{
    for (uint64_t before = side->read_count + 1; before != side->read_count;) {
        drive_run(side, false);
        if (is_to_become(side))
            stop_become(side);
        before = side->read_count;
        if (side->is_waiting || is_stopped(side) || side->offset == side->bytes.count)
            return false;
        if (!stop_of(side) && !region_look(side))
            return true;
        drive_run(side, true);
    }
    return false;
}

size_t drive_feed(side_t *side, const unsigned char *bytes, size_t len)
{
    if (is_over(side))
        return 0;
    side->is_waiting = false;
    size_t begin = side->bytes.count;
    drive_add_bytes(side, bytes, len);
    if (!drive_read(side)) /* what was not read is not taken, but for what was taken before */
        side->bytes.count = side->offset > begin ? (size_t)side->offset : begin;
    feed_certain(side);
    return side->bytes.count - begin;
}

/* Nothing follows that would belong to what ends a region. What still waits is given up. */
void drive_read_last(side_t *side)
{
    side->is_last = true;
    drive_read(side);
    while (side->is_searching && side->candidate < side->offset && !is_stopped(side)) { /* it does not go on */
        search_on(side, false);
        drive_read(side);
    }
    feed_certain(side);
    side->offset = side->bytes.count;
}

/* Leaves the regions that last to the end of the stream. */
static void end_open_regions(side_t *side)
{
    while (drive_region(side) && drive_region(side)->end == REGION_OPEN && !drive_region(side)->until &&
           !side->has_failed && !side->owner->complaint) {
        drive_region(side)->end = side->offset;
        drive_run(side, false);
    }
}

void drive_end(side_t *side)
{
    const interpret_t *it = side->owner;
    drive_run(side, false);
    end_open_regions(side);
    while (!side->regions.count && !side->is_searching && !side->has_failed && !side->has_become && !it->complaint &&
           pass_end(side))
        drive_run(side, false);
    if (side->has_failed || side->has_become || side->is_searching || it->complaint)
        return;
    if (side->regions.count || !drive_can_end(side, true))
        drive_fail_here(side, INTERPRET_ERROR_UNFINISHED, -1);
}

void drive_finish(side_t *side)
{
    const interpret_t *it = side->owner;
    if (side->is_finished)
        return;
    bool was_over = is_over(side);
    side->is_finished = true;
    if (was_over)
        return;
    side->is_waiting = false;
    drive_read_last(side);
    drive_end(side);
    if (side->has_error) { /* the search that it begins finds nothing */
        side->regions.count = 0;
        drive_recover(side, false);
        side->is_searching = false;
        return;
    }
    feed_end_all(side, !side->has_failed && !side->has_become && !side->is_searching);
    if (side->is_searching && !side->has_failed && !side->has_become && !it->complaint)
        effect_found(side, side->offset);
}
