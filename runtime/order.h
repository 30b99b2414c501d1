/* order.h: the bytes of one direction, in order and once. See order.c. */
#ifndef QCAP_ORDER_H
#define QCAP_ORDER_H

#include "tcp.h"

/* Delivers a segment that is in order, from where it lies. It may be changed. */
void qcapint_order_append(qcap_tcpstr_t *str, qcapint_segment_t *segment);

/* Delivers what has become in order of the queue. */
void qcapint_order_deliver(qcap_tcpstr_t *str);

/* Ends the stream once everything before the FIN was delivered. Bytes behind it are not the receiver's. `packet`, if not NULL, is
 * what brought that about. */
void qcapint_order_check_fin(qcap_tcpstr_t *str, qcap_packet_t *packet);

/* Begins to wait for late copies where a hole has come to light. What the capture cut off is not waited for. */
void qcapint_order_check_hole(qcap_tcpstr_t *str);

/* No late copy is waited for any longer. */
void qcapint_order_end_wait(qcap_tcpstr_t *str);

/* Gives up what is missing before the next queued segment, or `until`, whichever comes first; or not quite as much, where there are
 * doubtful segments: then the hole may not be one any longer. */
void qcapint_order_skip(qcap_tcpstr_t *str, uint64_t until);

/* The time of its hole has come: gives up all that were there when the wait began. */
void qcapint_order_expire(qcap_tcpstr_t *str);

/* Nothing more comes: delivers what is queued, and says what is missing up to what is known to be. */
void qcapint_order_flush(qcap_tcpstr_t *str);

#endif
