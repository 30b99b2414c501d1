/* identify.h: the first bytes of a conversation tell its protocol. See identify.c. */
#ifndef QCAP_IDENTIFY_H
#define QCAP_IDENTIFY_H

#include "flow.h"
#include "upper.h"

/* How often protocols were tried. */
typedef struct qcapint_tries {
    uint32_t len[2]; /* bytes of the direction when that was done last; 0: never */
    uint32_t count;
} qcapint_tries_t;

/* What is known so far of a conversation. Zeros at first. Arrays are by direction: [0] is from the client,
 * as is taken by now. Protocols are a
 * bit each, in the order they were added. */
typedef struct qcapint_identify {
    uint64_t excluded[2];  /* those that the direction does not begin like */
    uint64_t damaged[2];   /* those that it begins like, up to an error */
    uint64_t confirmed[2]; /* those that it may well be */
    uint64_t certain[2];   /* of these, those that leave little doubt */
    uint64_t likely[2];    /* those that something was said for, even if not enough */
    uint64_t of_port;      /* those whose port it is */
    qcapint_tries_t of_ports, of_all; /* of those, and of the others */
    bool is_silent[2];     /* nothing (more) comes of the direction: the caller says so */
    qcap_known_t known;    /* how the answer was found */
    bool is_middle;        /* the beginning of neither direction was captured: who is the client, and what its port says, is a guess */
    bool is_later;         /* another protocol was spoken before: the port says nothing any more */
    bool is_encrypted;     /* of an answer that is unknown: the bytes look like noise */
} qcapint_identify_t;

typedef enum {
    QCAPINT_IDENTIFY_MORE,   /* not decided: ask again when more has come, and hold what there is */
    QCAPINT_IDENTIFY_FOUND,  /* *plan is set */
    QCAPINT_IDENTIFY_UNKNOWN /* none of the protocols that were added */
} qcapint_identify_answer_t;

/* Asks which protocol the conversation speaks, of whose directions the bytes from begin[] to their ends are held.
 * `is_last`: no more will come. Sets conv->is_reversed if the roles turn out to be the other way; the answer is then
 * QCAPINT_IDENTIFY_FOUND. */
qcapint_identify_answer_t qcapint_identify(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2],
                                           bool is_last, const qcapint_plan_t **plan);

/* Whether servers of a protocol that was added listen at this TCP port. */
bool qcapint_identify_is_server_port(const qcap_t *q, uint16_t port);

/* The plan of the protocol of that name; NULL if it was not added. */
const qcapint_plan_t *qcapint_identify_find(const qcap_t *q, const char *name);

#endif
