/* deliver.h: parser events become the application's matches and reports. See deliver.c. */
#ifndef QCAP_DELIVER_H
#define QCAP_DELIVER_H

#include "flow.h"
#include "upper.h"

/* One conversation that is being parsed. */
typedef struct qcapint_deliver qcapint_deliver_t;

/* The bytes of the block of one. */
size_t qcapint_deliver_size(const qcap_protocol_t *protocol);

/* Begins to parse a conversation by the protocol of `plan`: each direction [is_server] from its offset begin[] on; `conv` is
 * NULL for datagrams. NULL if there is no memory. */
qcapint_deliver_t *qcapint_deliver_new(qcap_t *q, qcapint_conv_t *conv, const qcapint_plan_t *plan,
                                       const uint64_t begin[2]);
void qcapint_deliver_free(qcapint_deliver_t *deliver); /* NULL is allowed */

/* Whether nothing is remembered from one datagram to the next: no queue has an entry, no register of both sides is set. */
bool qcapint_deliver_is_idle(const qcapint_deliver_t *deliver);

/* The parser of one direction. Its offsets count from begin[]. It is fed with the functions below only. */
qcap_parser_t *qcapint_deliver_parser(const qcapint_deliver_t *deliver, bool is_server);

/* Fetches into the cache what a segment is read with. */
void qcapint_deliver_fetch(const qcapint_deliver_t *deliver, const qcapint_plan_t *plan);

/* As qcap_parser_feed() and qcap_parser_gap(); `packet` carried the bytes; NULL if there are none. */
size_t qcapint_deliver_feed(qcapint_deliver_t *deliver, bool is_server, const unsigned char *bytes, size_t len,
                            qcap_packet_t *packet);
void qcapint_deliver_gap(qcapint_deliver_t *deliver, bool is_server, uint64_t len);

/* Reads what the datagram carries, as of the exchange of that number. What the capture cut off of it is a gap. */
void qcapint_deliver_datagram(qcapint_deliver_t *deliver, bool is_server, qcap_packet_t *packet, uint64_t exchange);

/* Nothing more comes: the direction was closed in order (FIN), or not. A stream element that is still open afterwards
 * is ended, as aborted. */
void qcapint_deliver_end(qcapint_deliver_t *deliver, bool is_server, bool is_in_order);

/* From which offset of the stream on the parser still needs bytes. */
uint64_t qcapint_deliver_held(const qcapint_deliver_t *deliver, bool is_server);

/* Reports bytes that were not captured, of a direction that no parser reads. */
void qcapint_deliver_lost(qcap_tcpstr_t *str, uint64_t offset, uint64_t len);

#endif
