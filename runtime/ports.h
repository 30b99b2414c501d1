/* ports.h: the protocols whose servers listen at a port. */
#ifndef QCAP_PORTS_H
#define QCAP_PORTS_H

#include "budget.h"
#include "parser.h"

typedef struct qcapint_port {
    uint32_t key;   /* the port, and its transport */
    uint64_t plans; /* a bit for each protocol, in the order they were added */
} qcapint_port_t;

/* All that are known, sorted. Zeros: none. */
typedef struct qcapint_ports {
    qcapint_port_t *all; /* owned */
    size_t count;
} qcapint_ports_t;

/* Adds those of a protocol, the one with that index. Returns false if there is no memory: some may have been added. */
bool qcapint_ports_add(qcapint_ports_t *ports, qcapint_budget_t *budget, const qcap_protocol_t *protocol, uint32_t index);

/* The protocols of a port, of UDP or TCP: a bit each. */
uint64_t qcapint_ports_find(const qcapint_ports_t *ports, bool is_udp, uint16_t port);

void qcapint_ports_fini(qcapint_ports_t *ports, qcapint_budget_t *budget);

#endif
