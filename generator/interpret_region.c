/* interpret_region.c: regions: so many bytes, up to the end, or up to where a text begins. */
#include "interpreter.h"

/* Does a region look for the text that ends it? */
bool region_is_looking(const side_t *side)
{
    for (size_t i = 0; i < side->regions.count; i++)
        if (side->regions.items[i].until && !side->regions.items[i].is_found)
            return true;
    return false;
}

static bool begin_region(side_t *side, const spot_t *stop, uint64_t end)
{
    if (side->regions.count >= side->owner->region_max) {
        effect_fail(side, INTERPRET_ERROR_DEPTH, stop->frame->rule->name, side->offset);
        return false;
    }
    vec_push(side->owner->arena, &side->regions,
             ((region_t){.end = end,
                         .begin = side->offset,
                         .after = stop->other,
                         .depth = side->slots.count,
                         .saved = side->saved.count}));
    drive_begin_at(side, stop->next);
    return true;
}

/* `until`: the region ends with what is around it, or before. */
void region_begin_open(side_t *side, const spot_t *stop)
{
    if (!begin_region(side, stop, drive_region(side) ? drive_region(side)->end : REGION_OPEN))
        return;
    region_t *region = drive_region(side);
    region->is_open = true;
    region->looked = side->offset;
    if (stop->stop == STOP_CLOSE)
        return;
    region->until = (spot_t *)(uintptr_t)stop;
    if (effect_find_ending(side, stop->note, &region->ending))
        return;
    side->regions.count--;
    effect_fail(side, INTERPRET_ERROR_ARITHMETIC, stop->frame->rule->name, side->offset);
}

void region_begin_length(side_t *side, const spot_t *stop)
{
    number_t n = effect_evaluate(side, stop->note->expr);
    uint64_t end = drive_region(side) ? drive_region(side)->end : REGION_OPEN - 1;
    if (n.state != NUMBER_SET)
        effect_fail(side, INTERPRET_ERROR_ARITHMETIC, stop->frame->rule->name, side->offset);
    else if (n.value > end - side->offset)
        effect_fail(side, INTERPRET_ERROR_EXTENT, stop->frame->rule->name, side->offset);
    else
        begin_region(side, stop, side->offset + n.value);
}

void region_end(side_t *side)
{
    region_t region = *drive_region(side);
    bool is_right = region.until ? region.is_found : region.is_open || !region.is_cut;
    if (region.until)
        side->skip_len = is_right ? region.ending.text.count : 0;
    if (side->is_skipping) {
        side->is_skipping = false;
        effect_send(side,
                    (interpret_event_t){.kind = INTERPRET_SKIPPED, .begin = side->skip_begin, .end = side->offset});
    } else if (!is_right || !drive_can_end(side, true)) {
        drive_fail_here(side, INTERPRET_ERROR_EXTENT, -1);
    }
    if (side->has_error)
        drive_report(side, &region); /* nothing of the region is left to skip */
    side->regions.count--;
    drive_begin_at(side, region.after);
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
    return charset_has(walk_behind(side->owner->walk, region->until), bytes[behind]) ? ENDING_HERE : ENDING_NOT;
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
    for (size_t i = 0; i < side->regions.count; i++) {
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
