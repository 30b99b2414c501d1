/* spoken.c: what conversations speak: who wants to know is told, and who asks is answered. pair.c and udp.c decide it. */
#include "spoken.h"

#include "flow.h"
#include "handle.h"

void qcapint_spoken_tell(qcap_t *q, const qcap_spoken_t *spoken)
{
    const qcapint_upper_t *upper = q->upper;
    for (const qcapint_listener_t *listener = upper->listeners; listener; listener = listener->next)
        listener->handler(spoken, listener->user);
}

void qcapint_spoken_fini(qcap_t *q)
{
    qcapint_upper_t *upper = q->upper;
    while (upper->listeners) {
        qcapint_listener_t *listener = upper->listeners;
        upper->listeners = listener->next;
        qcapint_budget_free(&q->budget, listener, sizeof *listener);
    }
}

/* ---------------------------------------------------------------- public */

int qcap_spoken_handler_add(qcap_t *q, qcap_spoken_handler_t handler, void *user)
{
    qcapint_upper_t *upper = q->upper;
    int status = qcapint_before_begin(q);
    if (status < 0)
        return status;
    qcapint_listener_t *listener = qcapint_budget_alloc(&q->budget, sizeof *listener);
    if (!listener)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a handler of protocols");
    *listener = (qcapint_listener_t){NULL, handler, user};
    qcapint_listener_t **end = &upper->listeners;
    while (*end)
        end = &(*end)->next;
    *end = listener;
    return QCAP_OK;
}

const qcap_protocol_t *qcap_tcpstr_protocol(const qcap_tcpstr_t *str)
{
    const qcapint_speech_t *speech = qcapint_conv_of(str)->upper;
    return speech && speech->plan ? speech->plan->protocol : NULL;
}

bool qcap_tcpstr_is_encrypted(const qcap_tcpstr_t *str)
{
    const qcapint_speech_t *speech = qcapint_conv_of(str)->upper;
    return speech && speech->is_encrypted;
}

const qcap_parent_t *qcap_tcpstr_parent(const qcap_tcpstr_t *str)
{
    const qcapint_speech_t *speech = qcapint_conv_of(str)->upper;
    return speech && speech->link ? &speech->link->parent : NULL;
}
