/* checksum.c: what the checksums of a packet say: RFC 1071, and RFC 791, RFC 9293, RFC 768 and RFC 2784 for what they are
 * taken over. */
#include "checksum.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "bytes.h"
#include "decode.h"

/* GRE: bits of its first two bytes, and where its checksum ends. */
#define GRE_CHECKSUM 0x80u
#define GRE_VERSION 0x07u
#define GRE_CHECKSUM_END 6u

#ifdef __SSE2__
/* The same where the processor has AVX2. */
__attribute__((target("avx2"))) static uint64_t add_part_wide(const unsigned char *bytes, size_t len)
{
    const __m256i flip = _mm256_set1_epi16(INT16_MIN), ones = _mm256_set1_epi16(1);
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t at = 0;
    for (; at + 4 * QCAPINT_SUM_BLOCK <= len; at += 4 * QCAPINT_SUM_BLOCK)
        for (size_t i = 0; i < 2; i++) {
            __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + i * 2 * QCAPINT_SUM_BLOCK));
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_xor_si256(block, flip), ones));
        }
    sums[0] = _mm256_add_epi32(sums[0], sums[1]);
    const __m128i halves = _mm_add_epi32(_mm256_castsi256_si128(sums[0]), _mm256_extracti128_si256(sums[0], 1));
    return at / 2 * QCAPINT_SUM_MADE_UP + qcapint_sum_blocks(halves, bytes + at, len - at);
}

static inline bool has_wide(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
static inline uint64_t add_part_wide(const unsigned char *bytes, size_t len)
{
    return qcapint_sum_part(bytes, len);
}

static inline bool has_wide(void)
{
    return false;
}
#endif

uint64_t qcapint_sum_long(const unsigned char *bytes, size_t len)
{
    uint64_t sum = 0;
    bool is_wide = has_wide();
    for (size_t at = 0; at < len; at += QCAPINT_SUM_PART) {
        size_t part = len - at < QCAPINT_SUM_PART ? len - at : QCAPINT_SUM_PART;
        sum += is_wide ? add_part_wide(bytes + at, part) : qcapint_sum_part(bytes + at, part);
    }
    return sum;
}

uint16_t qcapint_checksum_of(const unsigned char *bytes, size_t len)
{
    uint16_t in_memory_order = (uint16_t)~qcapint_sum_fold(qcapint_sum_add(0, bytes, len));
    unsigned char pair[2];
    memcpy(pair, &in_memory_order, 2);
    return qcapint_get_be16(pair);
}

qcapint_checksum_t qcapint_checksum_network(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    const unsigned char *ip = bytes + headers->network;
    if (headers->version != 4)
        return QCAPINT_CHECKSUM_UNKNOWN;
    uint64_t sum = qcapint_sum_ipv4(ip);
    if (ip[0] != 0x45) /* there are options */
        sum = qcapint_sum_add(sum, ip + 20, (ip[0] & 0x0fu) * 4u - 20);
    if (qcapint_sum_fold(sum) == 0xffff)
        return QCAPINT_CHECKSUM_GOOD;
    return qcapint_get_be16(ip + 10) == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

/* Its sum is wrong. note [checksums that are not there yet]: a sender whose hardware computes checksums writes nothing, or the
 * folded sum of the pseudo-header, for the hardware to go on with; a capture on that machine sees it so. */
__attribute__((noinline)) static qcapint_checksum_t why_wrong(uint16_t field, uint64_t tail, const unsigned char *addresses,
                                                              size_t addresses_len)
{
    bool is_begun = field == 0 || field == qcapint_sum_fold(qcapint_sum_add(tail, addresses, addresses_len));
    return is_begun ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

__attribute__((noinline)) static uint64_t add_pieces(uint64_t sum, const unsigned char *addresses, size_t addresses_len,
                                                     const unsigned char *transport, uint32_t len)
{
    return qcapint_sum_add(qcapint_sum_add(sum, addresses, addresses_len), transport, len);
}

qcapint_checksum_t qcapint_checksum_transport(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    bool is_tcp = headers->protocol == QCAPINT_PROTOCOL_TCP;
    if ((!is_tcp && headers->protocol != QCAPINT_PROTOCOL_UDP) || headers->is_fragment || headers->is_routed ||
        headers->payload_len != headers->payload_wire)
        return QCAPINT_CHECKSUM_UNKNOWN;
    const unsigned char *transport = bytes + headers->transport;
    if (is_tcp && headers->transport + (transport[12] >> 4) * 4u != headers->payload) /* options were snapped */
        return QCAPINT_CHECKSUM_UNKNOWN;
    const unsigned char *addresses = bytes + headers->network + (headers->version == 4 ? 12 : 8);
    size_t addresses_len = headers->version == 4 ? 8 : 32;
    uint32_t len = headers->payload + headers->payload_len - headers->transport;
    uint64_t tail = qcapint_sum_pseudo(headers->protocol, len);
    bool is_one_piece = addresses + addresses_len == transport; /* no options or extension headers */
    uint64_t sum = is_one_piece ? qcapint_sum_add(tail, addresses, addresses_len + len)
                                : add_pieces(tail, addresses, addresses_len, transport, len);
    uint16_t field;
    memcpy(&field, transport + (is_tcp ? 16 : 6), 2);
    if (qcapint_sum_fold(sum) != 0xffff)
        return why_wrong(field, tail, addresses, addresses_len);
    return field == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_GOOD;
}

/* RFC 2784, 2.3: of the header and what it carries. Version 1 has none: RFC 2637, 4.1. */
qcapint_checksum_t qcapint_checksum_gre(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    const unsigned char *gre = bytes + headers->payload;
    if (headers->protocol != QCAPINT_PROTOCOL_GRE || headers->is_fragment || headers->payload_len != headers->payload_wire ||
        headers->payload_len < GRE_CHECKSUM_END || !(gre[0] & GRE_CHECKSUM) || (gre[1] & GRE_VERSION) != 0)
        return QCAPINT_CHECKSUM_UNKNOWN;
    bool is_right = qcapint_sum_fold(qcapint_sum_add(0, gre, headers->payload_len)) == 0xffff;
    return is_right ? QCAPINT_CHECKSUM_GOOD : QCAPINT_CHECKSUM_BAD;
}
