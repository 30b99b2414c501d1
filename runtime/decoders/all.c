/* all.c: the list of decoders. */
#include "decoders.h"

const qcap_decoder_t *const qcap_decoders[] = {
    &qcap_decoder_identity,
    &qcap_decoder_gzip,
    &qcap_decoder_deflate,
    &qcap_decoder_raw_deflate,
    &qcap_decoder_message_deflate,
#ifdef QCAP_HAVE_BROTLI
    &qcap_decoder_br,
#endif
    &qcap_decoder_base64,
    &qcap_decoder_quoted_printable,
    &qcap_decoder_q,
    &qcap_decoder_dot_unstuff,
    &qcap_decoder_unmask,
    NULL,
};
