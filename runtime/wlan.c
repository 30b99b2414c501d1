/* wlan.c: IEEE 802.11 frames, and what receivers put before them.
 *
 * Data frames carry LLC, or, aggregated, several Ethernet-like frames, which tunnel.c takes apart. Encrypted ones and
 * fragments are left alone, and say so; what carries no data (management, control) as well.
 *
 * Sources: IEEE 802.11-2020, 9.2.4 (frame control), 9.3.2.1 (data frames), 9.3.2.2 (A-MSDU); radiotap.org; the PPI
 * header format 1.0.7; pcap-linktype(7) (PRISM, AVS). */
#include <pcap/dlt.h>

#include "decoder.h"

/* Frame control, the first byte lower. */
#define CONTROL_TYPE 0x000cu
#define CONTROL_DATA 0x0008u
#define CONTROL_NO_DATA 0x0040u
#define CONTROL_QOS 0x0080u
#define CONTROL_TO_AP 0x0100u
#define CONTROL_FROM_AP 0x0200u
#define CONTROL_MORE_FRAGMENTS 0x0400u
#define CONTROL_PROTECTED 0x4000u
#define CONTROL_ORDER 0x8000u

#define QOS_AGGREGATE 0x0080u

/* Radiotap: fields 0 and 1, and the bit that says that there are more words of bits. */
#define RADIOTAP_TIME 0x00000001u
#define RADIOTAP_FLAGS 0x00000002u
#define RADIOTAP_MORE 0x80000000u
#define RADIOTAP_FLAGS_PADDED 0x20u /* the header before the data is padded to 4 bytes */

#define AVS_MAGIC 0x80211000u /* and a version */

/* How deep headers before the frame may be nested. */
#define LAYERS 32u

static uint16_t le16(qcapint_bytes_t *bytes)
{
    return __builtin_bswap16(qcapint_bytes_be16(bytes));
}

static uint32_t le32(qcapint_bytes_t *bytes)
{
    return __builtin_bswap32(qcapint_bytes_be32(bytes));
}

/* ---------------------------------------------------------------- data frames */

/* There is data in the frame, which is not looked into. */
static qcapint_decode_t leave(qcapint_decoder_t *d, const char *reason)
{
    d->headers->reason = reason;
    return QCAPINT_DECODE_OTHER;
}

/* Control, duration, three addresses and a sequence number; a fourth address between access points; quality of
 * service, and behind it the HT control field. */
static qcapint_decode_t decode_80211(qcapint_decoder_t *d, bool is_padded)
{
    const unsigned char *begin = d->bytes.at;
    qcapint_decoder_note(d, QCAPINT_LAYER_WLAN);
    uint32_t control = le16(&d->bytes), quality = 0;
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "802.11: the header is cut off");
    if ((control & CONTROL_TYPE) != CONTROL_DATA || control & CONTROL_NO_DATA)
        return QCAPINT_DECODE_OTHER;
    if (control & CONTROL_PROTECTED)
        return leave(d, "802.11: encrypted");
    qcapint_bytes_take(&d->bytes, 20);
    uint32_t fragment = le16(&d->bytes) & 0xfu;
    if ((control & CONTROL_TO_AP) && (control & CONTROL_FROM_AP))
        qcapint_bytes_take(&d->bytes, 6);
    if (control & CONTROL_QOS)
        quality = le16(&d->bytes);
    if (control & CONTROL_QOS && control & CONTROL_ORDER)
        qcapint_bytes_take(&d->bytes, 4);
    if (is_padded)
        qcapint_bytes_take(&d->bytes, (size_t)(begin - d->bytes.at) & 3u);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "802.11: the header is cut off");
    if (fragment > 0 || control & CONTROL_MORE_FRAGMENTS)
        return leave(d, "802.11: a fragment");
    if (!(quality & QOS_AGGREGATE))
        return qcapint_decode_llc(d);
    d->headers->is_aggregate = true;
    d->headers->payload = qcapint_decoder_offset(d);
    d->headers->payload_len = d->headers->payload_wire = (uint32_t)qcapint_bytes_left(&d->bytes);
    return QCAPINT_DECODE_OTHER;
}

/* ---------------------------------------------------------------- what receivers put before them */

/* Version, a pad, length, words of bits for the fields that follow, each aligned to its own size. */
static qcapint_decode_t decode_radiotap(qcapint_decoder_t *d)
{
    qcapint_bytes_t bytes = d->bytes;
    qcapint_bytes_take(&bytes, 2);
    uint16_t len = le16(&bytes);
    uint32_t fields = le32(&bytes), word = fields;
    if (bytes.is_short || len < 8 || !qcapint_bytes_take(&d->bytes, len))
        return qcapint_decoder_fail(d, "radiotap: the header is cut off");
    bytes.end = d->bytes.at;
    while (word & RADIOTAP_MORE && !bytes.is_short)
        word = le32(&bytes);
    if (fields & RADIOTAP_TIME)
        qcapint_bytes_take(&bytes, ((size_t)(d->bytes.at - len - bytes.at) & 7u) + 8);
    bool is_padded = fields & RADIOTAP_FLAGS && qcapint_bytes_u8(&bytes) & RADIOTAP_FLAGS_PADDED;
    if (bytes.is_short)
        return qcapint_decoder_fail(d, "radiotap: the fields are longer than the header");
    return decode_80211(d, is_padded);
}

/* A magic number and a length, in network order. */
static qcapint_decode_t decode_avs(qcapint_decoder_t *d)
{
    qcapint_bytes_t bytes = d->bytes;
    uint32_t magic = qcapint_bytes_be32(&bytes);
    uint32_t len = qcapint_bytes_be32(&bytes);
    if (bytes.is_short || (magic & 0xfffff000u) != AVS_MAGIC || len < 8 || !qcapint_bytes_take(&d->bytes, len))
        return qcapint_decoder_fail(d, "AVS: the header is cut off, or none");
    return decode_80211(d, false);
}

/* A message code and the length, in the order of whoever captured: only one of the two is small. Some have AVS
 * instead. */
static qcapint_decode_t decode_prism(qcapint_decoder_t *d)
{
    qcapint_bytes_t bytes = d->bytes;
    if ((qcapint_bytes_be32(&bytes) & 0xfffff000u) == AVS_MAGIC)
        return decode_avs(d);
    uint32_t len = le32(&bytes);
    if (len > 0xffff)
        len = __builtin_bswap32(len);
    if (bytes.is_short || len < 8 || !qcapint_bytes_take(&d->bytes, len))
        return qcapint_decoder_fail(d, "Prism: the header is cut off");
    return decode_80211(d, false);
}

/* Version, flags, length, link type of what follows. */
static qcapint_decode_t decode_ppi(qcapint_decoder_t *d)
{
    qcapint_bytes_t bytes = d->bytes;
    qcapint_bytes_take(&bytes, 2);
    uint16_t len = le16(&bytes);
    uint32_t link_type = le32(&bytes);
    if (bytes.is_short || len < 8 || !qcapint_bytes_take(&d->bytes, len))
        return qcapint_decoder_fail(d, "PPI: the header is cut off");
    if (d->links++ > LAYERS)
        return qcapint_decoder_fail(d, "PPI: too many layers");
    return qcapint_decode_link(d, link_type);
}

qcapint_decode_t qcapint_decode_wlan(qcapint_decoder_t *d, uint32_t link_type)
{
    switch (link_type) {
    case DLT_IEEE802_11:
        return decode_80211(d, false);
    case DLT_IEEE802_11_RADIO:
        return decode_radiotap(d);
    case DLT_IEEE802_11_RADIO_AVS:
        return decode_avs(d);
    case DLT_PRISM_HEADER:
        return decode_prism(d);
    case DLT_PPI:
        return decode_ppi(d);
    default:
        return QCAPINT_DECODE_OTHER;
    }
}
