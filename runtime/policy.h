/* policy.h: who wins an overlap. See policy.c. */
#ifndef QCAP_POLICY_H
#define QCAP_POLICY_H

#include "budget.h"
#include "qcap.h"

/* A rule: bit 3 * (relation of the begins) + (relation of the ends) is set if the newcomer wins; 0 is before, 1
 * equal, 2 behind. */
typedef uint16_t qcapint_rule_t;

#define QCAPINT_RULE_NEVER 0 /* the first copy stays */

/* A policy, compiled. */
typedef struct qcapint_policy {
    struct qcapint_policy *next; /* added before it */
    char name[32];            /* as given */
    qcapint_rule_t fragments; /* IP */
    qcapint_rule_t segments;  /* TCP */
    bool trims_ends;          /* IP: fragments are trimmed at the end of the datagram, not refused */
} qcapint_policy_t;

/* Which receivers use it. */
typedef struct qcapint_policy_network {
    struct qcapint_policy_network *next; /* as narrow, or wider */
    qcap_endpoint_t network;             /* its address; the port means nothing */
    unsigned prefix_len;                 /* bits of the address that count */
    qcapint_policy_t policy;             /* a copy; its next means nothing */
} qcapint_policy_network_t;

typedef struct qcapint_policies {
    qcapint_policy_t *added;             /* by the user; owned */
    qcapint_policy_network_t *networks;  /* narrowest first; owned */
    qcapint_policy_t standard;           /* for all others */
} qcapint_policies_t;

void qcapint_policies_init(qcapint_policies_t *policies);
void qcapint_policies_fini(qcapint_policies_t *policies, qcapint_budget_t *budget);

/* The policy of a receiver. */
const qcapint_policy_t *qcapint_policy_of(const qcapint_policies_t *policies, const qcap_endpoint_t *receiver);

/* The named policy, built in or added, to `policy`. Returns 0, or QCAP_E_NAME. */
int qcapint_policy_find(const qcapint_policies_t *policies, const char *name, qcapint_policy_t *policy);

/* Whether N, [begin, end) as it arrived, wins over what is left of S. */
static inline bool qcapint_rule_newcomer_wins(qcapint_rule_t rule, int64_t n_begin, int64_t n_end, int64_t s_begin,
                                              int64_t s_end)
{
    unsigned begins = n_begin < s_begin ? 0 : n_begin == s_begin ? 1 : 2;
    unsigned ends = n_end < s_end ? 0 : n_end == s_end ? 1 : 2;
    return (unsigned)rule >> (3 * begins + ends) & 1u;
}

#endif
