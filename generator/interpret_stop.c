/* interpret_stop.c: what is decided where readings stop: by something else than a byte. */
#include "interpreter.h"

static bool is_shared_choice(const node_t *choice)
{
    for (size_t i = 0; i < choice->children.count; i++) {
        const note_t *when = walk_note(&choice->children.items[i]->notes, NOTE_WHEN);
        if (when && number_is_shared(when->expr))
            return true;
    }
    return false;
}

/* The first alternative whose `when` holds; if none does, the first that has none. */
static void choose(side_t *side, const spot_t *stop)
{
    const node_t *choice = stop->node;
    size_t chosen = choice->children.count;
    for (size_t i = choice->children.count; i-- > 0;)
        if (!walk_note(&choice->children.items[i]->notes, NOTE_WHEN))
            chosen = i;
    for (size_t i = 0; i < choice->children.count; i++) {
        const note_t *when = walk_note(&choice->children.items[i]->notes, NOTE_WHEN);
        number_t n = {.state = NUMBER_SET};
        if (when)
            n = effect_evaluate(side, when->expr);
        if (n.state == NUMBER_ERROR) {
            effect_fail(side, INTERPRET_ERROR_ARITHMETIC, stop->frame->rule ? stop->frame->rule->name : "",
                        side->offset);
            return;
        }
        if (n.value) {
            chosen = i;
            break;
        }
    }
    if (chosen == choice->children.count)
        effect_fail(side, INTERPRET_ERROR_CHOICE, stop->frame->rule ? stop->frame->rule->name : "", side->offset);
    else
        drive_begin_at(side, walk_target(side->owner->walk, stop, chosen));
}

static const char *rule_around(const spot_t *stop)
{
    return stop->frame->rule ? stop->frame->rule->name : "";
}

static void call(side_t *side, const spot_t *stop)
{
    if (stop->frame->calls + 1 >= side->owner->grammar->depth) {
        effect_fail(side, INTERPRET_ERROR_DEPTH, stop->rule->name, side->offset);
    } else if (side->readings.count > 1) {
        spot_t *inside = walk_enter_joint(side->owner->walk, stop);
        vec_push(side->owner->arena, &side->joints, side->readings);
        drive_begin_at(side, inside);
    } else {
        drive_begin_at(side, walk_target(side->owner->walk, stop, 0));
    }
}

static void begin_rounds(side_t *side, const spot_t *stop)
{
    number_t n = effect_evaluate(side, stop->note->expr);
    const node_t *repeat = stop->node;
    bool is_bounded = repeat->max != REPEAT_UNBOUNDED;
    if (n.state != NUMBER_SET)
        effect_fail(side, INTERPRET_ERROR_ARITHMETIC, rule_around(stop), side->offset);
    else if (n.value < repeat->min || (is_bounded && n.value > repeat->max))
        effect_fail(side, INTERPRET_ERROR_EXTENT, rule_around(stop), side->offset);
    else
        drive_begin_at(side, walk_target(side->owner->walk, stop, (size_t)n.value));
}

void stop_become(side_t *side)
{
    side->has_become = true;
    effect_send(side, (interpret_event_t){.kind = INTERPRET_BECOME,
                                          .text = side->owner->becomes,
                                          .begin = side->offset,
                                          .end = side->offset});
}

/* The protocol that comes next: the register's keyword, unless it is none of them. */
static const char *name_of_next(side_t *side, const note_t *note)
{
    if (!note->reg)
        return note->name;
    number_t n = effect_value(side, note->reg);
    bool is_known = n.state == NUMBER_SET && n.value > 0;
    return is_known ? note->reg->keywords.items[n.value - 1] : "?";
}

/* What both sides share is looked at when the next byte is there. */
static bool must_wait(const side_t *side, bool has_byte)
{
    return !has_byte && !side->is_finished && !side->is_datagram;
}

bool stop_pass(side_t *side, const spot_t *stop, bool has_byte)
{
    switch (stop->stop) {
    case STOP_CHOICE:
        if (is_shared_choice(stop->node) && must_wait(side, has_byte))
            return false;
        choose(side, stop);
        return true;
    case STOP_REFINE:
        drive_pass_refinements(side);
        return true;
    case STOP_LENGTH:
        region_begin_length(side, stop);
        return true;
    case STOP_AT:
        region_begin_elsewhere(side, stop);
        return true;
    case STOP_CLOSE:
    case STOP_UNTIL:
        region_begin_open(side, stop);
        return true;
    case STOP_SKIP:
        side->offset += side->skip_len; /* they are at hand, or it would not have been found */
        side->skip_len = 0;
        drive_begin_at(side, walk_target(side->owner->walk, stop, 0));
        return true;
    case STOP_POP:
        side->is_waiting = !effect_pop(side, stop->note);
        if (side->is_waiting)
            return false;
        side->is_hurried = false;
        drive_begin_at(side, walk_target(side->owner->walk, stop, 0));
        return true;
    case STOP_CALL:
        call(side, stop);
        return true;
    case STOP_COUNT:
        if (number_is_shared(stop->note->expr) && must_wait(side, has_byte))
            return false;
        begin_rounds(side, stop);
        return true;
    case STOP_RETURN:
    case STOP_ROUND:
        drive_begin_at(side, walk_target(side->owner->walk, stop, 0));
        return true;
    case STOP_REJOIN:
        drive_rejoin(side);
        return true;
    case STOP_BECOME:
        side->owner->becomes = name_of_next(side, stop->note);
        drive_begin_at(side, walk_target(side->owner->walk, stop, 0));
        if (side->is_entry)
            drive_pass_entry(side); /* what ends here ends before the change */
        stop_become(side);
        return true;
    }
    return false;
}
