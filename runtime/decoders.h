/* decoders.h: decoders for qcap_conversation_set_decoders(). Each is in a file of its own in decoders/; only these need
 * libraries. */
#ifndef QCAP_DECODERS_H
#define QCAP_DECODERS_H

#include "parser.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const qcap_decoder_t qcap_decoder_identity;         /* what is encoded as nothing; RFC 9110, 12.5.3 */
extern const qcap_decoder_t qcap_decoder_gzip;             /* RFC 1952: zlib; also x-gzip. Several members are one stream */
extern const qcap_decoder_t qcap_decoder_deflate;          /* RFC 1950: zlib; also without its header, as some send it */
extern const qcap_decoder_t qcap_decoder_raw_deflate;      /* RFC 1951: zlib; raw-deflate */
extern const qcap_decoder_t qcap_decoder_message_deflate;  /* RFC 7692, 7.2: zlib; its window outlives sub-streams */
extern const qcap_decoder_t qcap_decoder_br;               /* RFC 7932: libbrotlidec, if there was one when this was built */
extern const qcap_decoder_t qcap_decoder_base64;           /* RFC 2045, 6.8, and RFC 4648, 5; other bytes are passed over */
extern const qcap_decoder_t qcap_decoder_quoted_printable; /* RFC 2045, 6.7 */
extern const qcap_decoder_t qcap_decoder_q;                /* the same in words of fields: RFC 2047, 4.2 */
extern const qcap_decoder_t qcap_decoder_dot_unstuff;      /* a dot less where a line begins with one: RFC 5321, 4.5.2 */
extern const qcap_decoder_t qcap_decoder_unmask;           /* exclusive or with the key of each feed: RFC 6455, 5.3 */

/* All of them, and NULL. */
extern const qcap_decoder_t *const qcap_decoders[];

#ifdef __cplusplus
}
#endif
#endif
