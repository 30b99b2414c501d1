/* tcp_state.c: the state of a TCP endpoint, as the packets until now tell.
 *
 * tcp.c notes what each side has sent and acknowledged; a state is read off that when somebody asks. Nothing is kept for it
 * but who sent the second FIN: whether the FIN that a side sent acknowledges the other's tells LAST-ACK from CLOSING, whatever the
 * order of the capture. Source: RFC 9293, 3.3.2. */
#include "flow.h"

/* RFC 9293, 3.3.2, figure 5, until the endpoint has sent its FIN. `has_fin`: it has the other one's. */
static qcap_tcp_state_t opening_state(const qcap_tcpstr_t *str, bool has_fin)
{
    const qcap_tcpstr_t *other = qcapint_conv_other(str);
    if (has_fin)
        return QCAP_TCP_CLOSE_WAIT;
    bool needs_ack = str->is_server && str->has_syn && other->is_seen;
    if (str->has_sent && (str->has_window || !needs_ack))
        return QCAP_TCP_ESTABLISHED;
    if (str->is_seen && str->has_syn && !str->has_window) /* its SYN, and no answer yet */
        return other->has_syn ? QCAP_TCP_SYN_RECEIVED : QCAP_TCP_SYN_SENT;
    if (str->is_seen || other->has_sent || str->has_sent)
        return QCAP_TCP_ESTABLISHED;
    return str->is_server ? QCAP_TCP_LISTEN : QCAP_TCP_SYN_SENT;
}

qcap_tcp_state_t qcap_tcp_state(const qcap_tcpstr_t *str)
{
    const qcap_tcpstr_t *other = qcapint_conv_other(str);
    bool has_fin = other->has_fin && other->end >= qcapint_tcp_fin(other);
    if (str->has_reset || other->has_reset)
        return QCAP_TCP_CLOSED;
    if (!str->has_fin)
        return opening_state(str, has_fin);
    if (str->is_second_fin)
        return str->is_fin_acked ? QCAP_TCP_CLOSED : QCAP_TCP_LAST_ACK;
    if (str->is_fin_acked)
        return has_fin ? QCAP_TCP_TIME_WAIT : QCAP_TCP_FIN_WAIT_2;
    return has_fin ? QCAP_TCP_CLOSING : QCAP_TCP_FIN_WAIT_1;
}
