/* table.c: reading by tables: what no machine has as direct code, and the operations by number.
 *
 * A machine and the tables describe the same automaton; the generator writes as direct code only what is likely to be read
 * often, and leaves every other state, and unlikely bytes in those, to qcap_table_run(). */
#include "parsing.h"

static uint64_t place_from(const qcap_parser_t *p, unsigned where, uint64_t from)
{
    return where & QCAP_PLACE_BACK ? from - (where & (QCAP_PLACE_BACK - 1)) : qcap_position_at(side_positions(p)[where], from);
}

/* ---------------------------------------------------------------- operations */

static void perform(qcap_parser_t *p, const qcap_op_t *op, uint64_t at)
{
    const qcap_protocol_t *protocol = p->conversation->protocol;
    bool is_stream = (op->flags & QCAP_OP_STREAM) != 0, is_joined = (op->flags & QCAP_OP_JOINED) != 0;
    switch ((qcap_op_kind_t)op->kind) {
    case QCAP_OP_OPEN:
        (is_stream ? qcap_op_open_stream : is_joined ? qcap_op_open_joined : qcap_op_open)(p, op->depth, op->a, at);
        break;
    case QCAP_OP_CLOSE:
        (is_stream ? qcap_op_close_stream : is_joined ? qcap_op_close_joined : qcap_op_close)(p, op->depth, at);
        break;
    case QCAP_OP_ANOMALY_OPEN:
        qcap_op_anomaly_open(p, op->depth, at);
        break;
    case QCAP_OP_ANOMALY_CLOSE:
        qcap_op_anomaly_close(p, op->depth, protocol->texts[op->b], at);
        break;
    case QCAP_OP_CONVERT_OPEN:
        qcap_op_convert_open(p, op->a, at);
        break;
    case QCAP_OP_CONVERT_CLOSE:
        qcap_op_convert_close(p, op->a, at);
        break;
    case QCAP_OP_SET:
        qcap_op_set(p, op->a, op->flags & QCAP_OP_SHARED, op->flags & QCAP_OP_UNIQUE, protocol->values[op->b](p), op->c,
                    at);
        break;
    case QCAP_OP_RESET:
        qcap_op_reset(p, (uint64_t)op->a << op->b, op->flags & QCAP_OP_SHARED);
        break;
    case QCAP_OP_LOCAL_OPEN:
        qcap_op_local_open(p, op->a);
        break;
    case QCAP_OP_LOCAL_CLOSE:
        qcap_op_local_close(p, op->a);
        break;
    case QCAP_OP_FEED_OPEN:
        qcap_op_feed_open(p, op->depth, op->a, at);
        break;
    case QCAP_OP_FEED_CLOSE:
        qcap_op_feed_close(p, op->depth, op->a, at);
        break;
    case QCAP_OP_FINISH:
        qcap_op_finish(p, op->a, at);
        break;
    case QCAP_OP_EXPECT:
        qcap_op_expect(p, op->a, at);
        break;
    case QCAP_OP_PUSH:
        qcap_op_push(p, op->a, op->b, op->c, at);
        break;
    case QCAP_OP_MISMATCH:
        qcap_op_mismatch(p, op->depth, protocol->texts[op->b], at);
        break;
    case QCAP_OP_MARK:
        p->marks[op->depth] = p->later_count;
        break;
    case QCAP_OP_ROLLBACK:
        p->later_count = p->marks[op->depth];
        break;
    case QCAP_OP_FOUND:
        qcap_op_found(p, at);
        break;
    case QCAP_OP_ATOMIC_END: /* whoever has the current position */
        break;
    }
}

void qcap_op_list(qcap_parser_t *p, unsigned op, uint64_t at)
{
    qcap_op_later(p, side_later(p), op, at);
}

void qcap_op_list_value(qcap_parser_t *p, unsigned op, uint64_t value, uint64_t at)
{
    qcap_op_later_value(p, side_later(p), op, value, at);
}

/* Elements, which most of them are, without further calls: this is done for every message. */
void qcap_op_atomic_end(qcap_parser_t *p, uint64_t from)
{
    const qcap_op_t *ops = protocol_of(p)->ops;
    const qcap_later_t *first = side_later(p), *end = first + p->later_count;
    qcap_slot_t *slots = side_slots(p);
    for (const qcap_later_t *later = first; later < end; later++) {
        const qcap_op_t *op = &ops[*later & 0xffff];
        uint64_t at = qcap_later_at(*later, from);
        if (op->kind == QCAP_OP_CONVERT_CLOSE) {
            qcap_op_store(p, op->a, later[1] | (uint64_t)later[2] << 32, at);
            later += QCAP_LATER_VALUE;
        } else if ((op->flags & QCAP_OP_STREAM) || p->has_error) {
            perform(p, op, at);
        } else if (op->kind == QCAP_OP_OPEN) {
            qcap_element_open(p, slots, p->base + op->depth, op->a, at);
        } else if (op->kind == QCAP_OP_CLOSE) {
            qcap_element_close(p, slots, p->base + op->depth, op->a, at);
        } else {
            perform(p, op, at);
        }
    }
    p->later_count = 0;
    p->later_text = 0;
}

static const uint16_t *words_of(const qcap_parser_t *p, unsigned action)
{
    return &p->conversation->protocol->actions[action];
}

/* Elements, again, without further calls. */
static void perform_words(qcap_parser_t *p, const uint16_t *words, uint64_t from)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    for (unsigned i = 1; i <= QCAP_ACTION_STEPS(*words); i++) {
        const qcap_step_t *step = &protocol->steps[words[i]];
        uint64_t at = place_from(p, step->place, from);
        if (step->what & QCAP_STEP_MOVE) {
            side_positions(p)[step->what & ~QCAP_STEP_MOVE] = (uint32_t)at;
            continue;
        }
        const qcap_op_t *op = &protocol->ops[step->what];
        bool is_plain = op->flags == 0 && !p->has_error;
        if (is_plain && op->kind == QCAP_OP_OPEN)
            qcap_element_open(p, side_slots(p), p->base + op->depth, op->a, at);
        else if (is_plain && op->kind == QCAP_OP_CLOSE)
            qcap_element_close(p, side_slots(p), p->base + op->depth, op->a, at);
        else if (op->kind == QCAP_OP_ATOMIC_END)
            qcap_op_atomic_end(p, from);
        else if (!(op->flags & QCAP_OP_LATER))
            perform(p, op, at);
        else if (op->kind == QCAP_OP_CONVERT_CLOSE)
            qcap_op_later_value(p, side_later(p), step->what, qcap_op_convert(p, op->a, at), at);
        else
            qcap_op_later(p, side_later(p), step->what, at);
    }
}

void qcap_table_perform(qcap_parser_t *p, unsigned action, uint64_t from)
{
    perform_words(p, words_of(p, action), from);
}

/* ---------------------------------------------------------------- states */

const unsigned char *qcapint_table_find(const qcap_parser_t *p, const unsigned char *at, const unsigned char *end)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    const qcap_state_t *s = state_of(p);
    if ((s->kind & QCAP_STATE_KIND) == QCAP_STATE_ENTRY)
        s = &protocol->states[edge_of(protocol, s, 0)->target];
    while (at != end && edge_by_byte(protocol, s, *at) == 0)
        at++;
    return at;
}

/* The number of the edge that is taken because a counter has reached its number, from 1; 0: none. */
static unsigned edge_by_count(const qcap_parser_t *p, const qcap_state_t *s, uint64_t from)
{
    const qcap_keep_t *keep = &protocol_of(p)->keeps[s->keep];
    for (unsigned i = 0; i < keep->counter_count; i++) {
        const qcap_counter_t *c = &protocol_of(p)->counters[keep->counter + i];
        if (from - place_from(p, c->begin, from) == c->limit)
            return i + 1;
    }
    return 0;
}

/* The number of the edge that is taken where no byte is at hand, from 1; 0: none. */
static unsigned edge_at_end(const qcap_parser_t *p, const qcap_state_t *s, const unsigned char *at)
{
    unsigned number = is_counting(s) ? edge_by_count(p, s, qcap_offset_of(p, at)) : 0;
    if (number == 0 && p->is_ending && (s->kind & QCAP_STATE_END))
        number = protocol_of(p)->keeps[s->keep].counter_count + 1u;
    return number;
}

/* A machine is to go on in this state, unless it could only say that it needs more bytes. */
static qcap_stop_t stop_for_machine(qcap_parser_t *p, const unsigned char *at, const unsigned char *end, unsigned state)
{
    bool is_done = at == end && (protocol_of(p)->states[state].kind & QCAP_STATE_CALM) && !p->is_ending;
    return qcap_stop(p, at, (uint16_t)state, is_done ? QCAP_STOP_INPUT : QCAP_STOP_TABLE);
}

qcap_stop_t qcap_table_run(qcap_parser_t *p, const unsigned char *at, const unsigned char *end)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    const qcap_state_t *s = &protocol->states[p->state];
    for (unsigned state = p->state;;) {
        unsigned kind = s->kind & QCAP_STATE_KIND, number = 1;
        bool is_read = false;
        if (kind == QCAP_STATE_BYTES && at != end) {
            number = edge_by_byte(protocol, s, *at);
            if (number == s->loop) {
                if (is_any_loop(s)) /* nothing is looked at */
                    at = end - 1;
                while (++at != end && edge_by_byte(protocol, s, *at) == number)
                    ;
                if (s->machine != QCAP_MACHINE_NONE)
                    return stop_for_machine(p, at, end, state);
                continue;
            }
            if (number == 0)
                return qcap_stop(p, at, (uint16_t)state, QCAP_STOP_ERROR);
            is_read = true;
        } else if (kind == QCAP_STATE_BYTES) {
            number = edge_at_end(p, s, at);
            if (number == 0)
                return qcap_stop(p, at, (uint16_t)state, QCAP_STOP_INPUT);
        }
        unsigned target;
        if (kind == QCAP_STATE_CONTROL) {
            const qcap_control_t *control = &protocol->controls[s->row];
            if (control->kind != QCAP_CONTROL_REFINE)
                return qcap_stop(p, at, (uint16_t)state, QCAP_STOP_CONTROL);
            target = refined(p, control);
        } else {
            const qcap_edge_t *edge = edge_of(protocol, s, number - 1);
            const uint16_t *words = &protocol->actions[edge->action];
            target = edge->target;
            if (is_read && !(*words & QCAP_ACTION_PEEK))
                at++;
            if (edge->action != 0) {
                perform_words(p, words, qcap_offset_of(p, at));
                if (qcap_must_stop(p))
                    return qcap_stop(p, at, (uint16_t)target, QCAP_STOP_PAUSED);
            }
        }
        s = &protocol->states[target];
        if (target != state && is_counting(s)) /* `end` may be too far now */
            return qcap_stop(p, at, (uint16_t)target, QCAP_STOP_CONTROL);
        if (s->machine != QCAP_MACHINE_NONE)
            return stop_for_machine(p, at, end, target);
        state = target;
    }
}

qcap_stop_t qcap_leave(qcap_parser_t *p, const unsigned char *at, const unsigned char *end, uint16_t state)
{
    qcap_stop_t why = at == end ? QCAP_STOP_INPUT : QCAP_STOP_TABLE;
    return qcap_stop(p, at, state, qcap_must_stop(p) ? QCAP_STOP_PAUSED : why);
}
