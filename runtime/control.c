/* control.c: control points, where fixed logic goes on in place of a machine: choices, regions, calls, repeats, queues. */
#include "parsing.h"

void qcapint_control_become(qcap_parser_t *p)
{
    p->has_become = true;
    qcapint_parser_tell(p, QCAP_EVENT_BECOME, p->conversation->becomes, here(p), here(p));
}

/* The protocol that comes next: the register's keyword, unless it is none of them. */
static const char *name_of_next(const qcap_parser_t *p, const qcap_control_t *control)
{
    if (!control->names)
        return control->protocol;
    qcap_number_t n = qcapint_value_of(p, control->reg);
    bool is_known = n.state == QCAP_NUMBER_SET && n.value > 0 && n.value <= control->name_count;
    return is_known ? control->names[n.value - 1] : "?";
}

/* ---------------------------------------------------------------- calls and repeats */

void qcapint_control_drop(qcap_parser_t *p, unsigned count)
{
    if (p->frame_count > count)
        p->frame_count = (uint16_t)count;
}

static unsigned call_count(const qcap_parser_t *p)
{
    return p->frame_count ? side_frames(p)[p->frame_count - 1].calls : 0;
}

static void call(qcap_parser_t *p, const qcap_control_t *control)
{
    unsigned calls = call_count(p) + 1;
    if (calls > protocol_of(p)->call_max) {
        qcapint_parser_fail(p, QCAP_ERROR_DEPTH, control->rule, here(p));
        return;
    }
    uint64_t waiting = control->is_joint ? qcapint_driver_pending(p) : waiting_of(p);
    side_frames(p)[p->frame_count++] = (qcap_frame_t){
        .left = waiting, .after = control->targets[1], .base = p->base, .calls = (uint16_t)calls};
    p->base = (uint16_t)(p->base + control->depth);
    p->state = control->targets[0];
}

static void return_from_call(qcap_parser_t *p)
{
    const qcap_frame_t *frame = &side_frames(p)[--p->frame_count];
    p->base = frame->base;
    p->state = frame->after;
}

static void begin_repeat(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_number_t n = control->value ? control->value(p) : qcap_number(control->max);
    unsigned calls = call_count(p);
    if (n.state != QCAP_NUMBER_SET)
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    else if (n.value < control->min || (n.value > control->max && control->max != UINT32_MAX))
        qcapint_parser_fail(p, QCAP_ERROR_EXTENT, control->rule, here(p));
    else {
        side_frames(p)[p->frame_count++] = (qcap_frame_t){.left = n.value, .after = QCAP_NONE, .calls = (uint16_t)calls};
        p->state = control->targets[0];
    }
}

/* Between two rounds of a repeat. */
static void repeat(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_frame_t *frame = &side_frames(p)[p->frame_count - 1];
    bool is_last = frame->left == 0, is_free = control->max - frame->left >= control->min && control->max > 0;
    p->state = control->targets[is_last ? 2 : is_free ? 1 : 0];
    frame->left -= !is_last;
}

/* ---------------------------------------------------------------- all of them */

bool qcapint_control_pass(qcap_parser_t *p, const qcap_control_t *control, const unsigned char *end)
{
    switch (control->kind) {
    case QCAP_CONTROL_CHOICE: {
        if (control->is_shared && p->at == end && !p->is_finished && !p->is_datagram)
            return false;
        int choice = control->choose(p);
        if (choice >= 0)
            p->state = control->targets[choice];
        else
            qcapint_parser_fail(p, choice == QCAP_CHOOSE_NONE ? QCAP_ERROR_CHOICE : QCAP_ERROR_ARITHMETIC, control->rule, here(p));
        return true;
    }
    case QCAP_CONTROL_LENGTH:
        qcapint_region_begin_length(p, control);
        return true;
    case QCAP_CONTROL_AT:
        qcapint_region_begin_jump(p, control);
        return true;
    case QCAP_CONTROL_CLOSE:
    case QCAP_CONTROL_UNTIL:
        qcapint_region_begin_open(p, control);
        return true;
    case QCAP_CONTROL_SKIP:
        if (!qcapint_region_skip(p, end))
            return false;
        p->state = control->targets[0];
        return true;
    case QCAP_CONTROL_POP:
        p->is_waiting = !qcapint_parser_pop(p, control);
        if (p->is_waiting)
            return false;
        p->is_hurried = false;
        p->state = control->targets[0];
        return true;
    case QCAP_CONTROL_REFINE: /* elsewhere machines and tables pass it */
        p->state = refined(p, control);
        return true;
    case QCAP_CONTROL_BECOME:
        p->conversation->becomes = name_of_next(p, control);
        end_calm(other_side(p));
        p->state = control->targets[0];
        if (is_kind(p, QCAP_STATE_ENTRY)) /* what ends here ends before the change */
            qcap_table_run(p, p->at, p->at);
        qcapint_control_become(p);
        return true;
    case QCAP_CONTROL_CALL:
        call(p, control);
        return true;
    case QCAP_CONTROL_RETURN:
        return_from_call(p);
        return true;
    case QCAP_CONTROL_REPEAT:
        if (control->is_shared && p->at == end && !p->is_finished && !p->is_datagram)
            return false;
        begin_repeat(p, control);
        return true;
    case QCAP_CONTROL_AGAIN:
        repeat(p, control);
        return true;
    case QCAP_CONTROL_DONE:
        p->frame_count--;
        p->state = control->targets[0];
        return true;
    }
    return false;
}
