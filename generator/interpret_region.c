/* interpret_region.c: regions: so many bytes, up to the end, or up to where a text begins. */
#include "interpreter.h"

/* The first region that is looked at: where reading is elsewhere, those around that are not. */
static size_t first_region(const side_t *side)
{
    for (size_t i = side->regions.count; i-- > 0;)
        if (side->regions.items[i].is_jump)
            return i;
    return 0;
}

/* Does a region look for the text that ends it? */
bool region_is_looking(const side_t *side)
{
    for (size_t i = first_region(side); i < side->regions.count; i++)
        if (side->regions.items[i].until && !side->regions.items[i].is_found)
            return true;
    return false;
}

static const char *rule_of(const spot_t *stop)
{
    const rule_t *rule = stop->rule ? stop->rule : stop->frame->rule;
    return rule ? rule->name : "";
}

static void begin_region(side_t *side, const spot_t *stop, uint64_t end)
{
    vec_push(side->owner->arena, &side->regions,
             ((region_t){.end = end,
                         .begin = side->offset,
                         .after = stop->other,
                         .depth = side->slots.count,
                         .saved = side->saved.count,
                         .joints = side->joints.count,
                         .begun = side->begun.count}));
}

/* `until`: the region ends with what is around it, or before. */
void region_begin_open(side_t *side, const spot_t *stop)
{
    begin_region(side, stop, drive_region(side) ? drive_region(side)->end : REGION_OPEN);
    region_t *region = drive_region(side);
    region->is_open = true;
    region->looked = side->offset;
    if (stop->stop == STOP_UNTIL) {
        region->until = (spot_t *)(uintptr_t)stop;
        if (!effect_find_ending(side, stop->note, &region->ending)) {
            side->regions.count--;
            effect_fail(side, INTERPRET_ERROR_ARITHMETIC, rule_of(stop), side->offset);
            return;
        }
    }
    drive_begin_at(side, stop->next);
}

void region_begin_length(side_t *side, const spot_t *stop)
{
    number_t n = effect_evaluate(side, stop->note->expr);
    uint64_t end = drive_region(side) ? drive_region(side)->end : REGION_OPEN - 1;
    if (n.state != NUMBER_SET)
        effect_fail(side, INTERPRET_ERROR_ARITHMETIC, rule_of(stop), side->offset);
    else if (n.value > end - side->offset)
        effect_fail(side, INTERPRET_ERROR_EXTENT, rule_of(stop), side->offset);
    else {
        begin_region(side, stop, side->offset + n.value);
        drive_begin_at(side, stop->next);
    }
}

/* One jump inside another goes further to the front. */
static uint64_t jump_limit(const side_t *side)
{
    for (size_t i = side->regions.count; i-- > 0;)
        if (side->regions.items[i].is_jump)
            return side->regions.items[i].begin - side->datagram_begin;
    return side->bytes.count - side->datagram_begin + 1;
}

void region_begin_elsewhere(side_t *side, const spot_t *stop)
{
    number_t n = effect_evaluate(side, stop->note->expr);
    uint64_t back = side->offset;
    const region_t around = {.depth = side->slots.count, .saved = side->saved.count};
    if (n.state != NUMBER_SET)
        effect_fail(side, INTERPRET_ERROR_ARITHMETIC, rule_of(stop), back);
    else if (n.value >= jump_limit(side))
        effect_fail(side, INTERPRET_ERROR_EXTENT, rule_of(stop), back);
    else if (side->jumped > JUMPED_MAX)
        effect_fail(side, INTERPRET_ERROR_LIMIT, rule_of(stop), back);
    else
        begin_region(side, stop, side->bytes.count);
    if (side->has_error) { /* there is nothing to read; what follows here does not depend on it */
        drive_report(side, &around);
        drive_begin_at(side, stop->other);
        return;
    }
    region_t *region = drive_region(side);
    side->offset = region->begin = side->datagram_begin + n.value;
    region->is_jump = true;
    region->back = back;
    drive_begin_at(side, stop->next);
}

void region_leave(side_t *side)
{
    const region_t region = *drive_region(side);
    side->regions.count--;
    side->joints.count = region.joints;
    if (side->begun.count > region.begun) /* they were broken off */
        side->begun.count = region.begun;
    if (region.is_jump) {
        side->jumped += side->offset - region.begin;
        side->offset = region.back;
    }
    drive_begin_at(side, region.after);
}

void region_end_skipping(side_t *side)
{
    side->is_skipping = false;
    feed_gap(side, side->skip_begin, side->offset);
    drive_mark(side, side->skip_begin, side->offset, BYTE_SKIPPED);
    effect_send(side, (interpret_event_t){.kind = INTERPRET_SKIPPED, .begin = side->skip_begin, .end = side->offset});
}

void region_end(side_t *side)
{
    region_t region = *drive_region(side);
    bool is_right = region.until ? region.is_found : region.is_open || !region.is_cut;
    if (region.until)
        side->skip_len = is_right ? region.ending.text.count : 0;
    if (side->is_skipping) {
        region_end_skipping(side);
    } else if (!is_right || !drive_can_end(side, true)) {
        drive_fail_here(side, INTERPRET_ERROR_EXTENT, -1);
    }
    if (side->has_error)
        drive_report(side, &region); /* nothing of the region is left to skip */
    region_leave(side);
}

/* ---------------------------------------------------------------- texts that end regions */

static bool ends_with_line(const ending_t *ending)
{
    return ending->text.items[ending->text.count - 1] == '\n';
}

/* May the text begin at `at`? Known are the bytes before `limit`; is_last: no others follow. */
static ending_fit_t fit(side_t *side, const region_t *region, uint64_t at, uint64_t limit, bool is_last)
{
    const unsigned char *bytes = side->bytes.items;
    bool is_line = at == region->begin || (at >= region->begin + 2 && bytes[at - 2] == '\r' && bytes[at - 1] == '\n');
    if (region->until->note->is_line && !is_line)
        return ENDING_NOT;
    ending_fit_t found = ending_fit(&region->ending, bytes + at, (size_t)(limit - at));
    if (found == ENDING_MAYBE)
        return is_last ? ENDING_NOT : ENDING_MAYBE;
    if (found == ENDING_NOT || ends_with_line(&region->ending))
        return found;
    uint64_t behind = at + region->ending.text.count;
    if (behind == limit)
        return is_last ? ENDING_HERE : ENDING_MAYBE;
    if (!charset_has(walk_behind(side->owner->walk, region->until), bytes[behind]))
        return ENDING_NOT;
    charset_t second = walk_second(side->owner->walk, region->until, bytes[behind]);
    if (charset_count(&second) == 256)
        return ENDING_HERE;
    if (behind + 1 == limit)
        return is_last ? ENDING_HERE : ENDING_MAYBE;
    return charset_has(&second, bytes[behind + 1]) ? ENDING_HERE : ENDING_NOT;
}

/* The region, and those in it, end at `at`. */
static void end_regions_at(side_t *side, size_t first, uint64_t at)
{
    side->regions.items[first].is_found = true;
    for (size_t i = first; i < side->regions.count; i++) {
        if (side->regions.items[i].end <= at)
            continue;
        side->regions.items[i].end = at;
        side->regions.items[i].is_cut = i > first;
    }
}

/* Looks for the ends of regions, outer ones first: what may end one of them is not looked at for those in it. Returns
 * false if whether one ends here is not known yet. */
bool region_look(side_t *side)
{
    uint64_t limit = side->bytes.count;
    bool is_known = true;
    for (size_t i = first_region(side); i < side->regions.count; i++) {
        region_t *region = &side->regions.items[i];
        if (!region->until || region->is_found)
            continue;
        bool is_last = region->end <= limit || (side->is_last && limit == side->bytes.count);
        uint64_t end = region->end < limit ? region->end : limit;
        ending_fit_t found = ENDING_NOT;
        while (region->looked < end && (found = fit(side, region, region->looked, end, is_last)) == ENDING_NOT)
            region->looked++;
        if (found == ENDING_HERE)
            end_regions_at(side, i, region->looked);
        if (found == ENDING_MAYBE && region->looked < limit)
            limit = region->looked;
        is_known &= found != ENDING_MAYBE || region->looked > side->offset;
    }
    return is_known;
}
