/* evidence.h: how much first bytes say for a protocol. See evidence.c. */
#ifndef QCAP_EVIDENCE_H
#define QCAP_EVIDENCE_H

#include "tcpstr.h"
#include "upper.h"

typedef enum {
    QCAPINT_VERDICT_POSSIBLE,  /* nothing speaks against it, and hardly anything for it */
    QCAPINT_VERDICT_LIKELY,    /* something speaks for it, but not enough */
    QCAPINT_VERDICT_EXCLUDED,  /* it does not begin like that */
    QCAPINT_VERDICT_DAMAGED,   /* an error, behind what looked like it */
    QCAPINT_VERDICT_CONFIRMED, /* it may well be */
    QCAPINT_VERDICT_CERTAIN    /* hardly anything else begins like that */
} qcapint_verdict_t;

/* So many bytes of a direction are looked at, at most. */
#define QCAPINT_EVIDENCE_BYTES 16384u

/* What the direction's bytes from `begin` on say for the plan's protocol; `is_expected`: it is that of the port. `is_thorough`:
 * also what takes time may be asked. */
qcapint_verdict_t qcapint_evidence_stream(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin, bool is_expected,
                                          bool is_thorough);

/* Whether one direction's bytes, which the protocol does not begin like, answer what the other one says: there are protocols
 * whose answers may be any bytes. */
bool qcapint_evidence_is_answer(const qcapint_plan_t *plan, qcapint_conv_t *conv, const uint64_t begin[2], bool is_server);

/* Whether the direction's byte at `begin` can be the protocol's first one; true if it was lost. */
bool qcapint_evidence_may_begin(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin);

/* What the datagram says for it: CONFIRMED, or EXCLUDED; of a protocol whose port it is, also DAMAGED, or POSSIBLE if it says
 * nothing. */
qcapint_verdict_t qcapint_evidence_datagram(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len,
                                            bool is_expected);

/* Whether the direction's bytes from `begin` on look like noise: encrypted, or compressed. */
bool qcapint_evidence_is_noise(qcap_tcpstr_t *str, uint64_t begin);

/* Fills in what is known of a plan's protocol beforehand. */
void qcapint_evidence_prepare(qcapint_plan_t *plan);

#endif
