/* ports.c: the protocols whose servers listen at a port, for who asks with each conversation. See ports.h. */
#include "ports.h"

#include <string.h>

static uint32_t key_of(bool is_udp, uint16_t port)
{
    return (uint32_t)is_udp << 16 | port;
}

/* The index of the first one with that key or a higher one. */
static size_t place_of(const qcapint_ports_t *ports, uint32_t key)
{
    size_t low = 0, high = ports->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ports->all[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The port of that key: found, or made. NULL if there is no memory. */
static qcapint_port_t *get(qcapint_ports_t *ports, qcapint_budget_t *budget, uint32_t key)
{
    size_t at = place_of(ports, key), size = ports->count * sizeof *ports->all;
    if (at < ports->count && ports->all[at].key == key)
        return &ports->all[at];
    qcapint_port_t *all = qcapint_budget_resize(budget, ports->all, size, size + sizeof *all);
    if (!all)
        return NULL;
    memmove(all + at + 1, all + at, (ports->count - at) * sizeof *all);
    all[at] = (qcapint_port_t){.key = key};
    ports->all = all;
    ports->count++;
    return &all[at];
}

bool qcapint_ports_add(qcapint_ports_t *ports, qcapint_budget_t *budget, const qcap_protocol_t *protocol, uint32_t index)
{
    for (size_t i = 0; i < ports->count; i++) /* of an attempt that failed */
        ports->all[i].plans &= ~(UINT64_C(1) << index);
    for (uint16_t i = 0; i < protocol->port_count; i++) {
        const qcap_port_t *own = &protocol->ports[i];
        bool is_udp = strcmp(own->transport, "udp") == 0;
        qcapint_port_t *port = NULL;
        if (!is_udp && strcmp(own->transport, "tcp") != 0)
            continue;
        if (!(port = get(ports, budget, key_of(is_udp, own->number))))
            return false;
        port->plans |= UINT64_C(1) << index;
    }
    return true;
}

uint64_t qcapint_ports_find(const qcapint_ports_t *ports, bool is_udp, uint16_t port)
{
    uint32_t key = key_of(is_udp, port);
    size_t at = place_of(ports, key);
    return at < ports->count && ports->all[at].key == key ? ports->all[at].plans : 0;
}

void qcapint_ports_fini(qcapint_ports_t *ports, qcapint_budget_t *budget)
{
    qcapint_budget_free(budget, ports->all, ports->count * sizeof *ports->all);
}
