/* checksum.c: what the checksums of a packet say: RFC 1071, and RFC 791, RFC 9293 and RFC 768 for what they are
 * taken over. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

#include "bytes.h"
#include "decode.h"

/* note [byte order of sums]: adding 16-bit words with carries around the end gives the same 16 bits in either byte
 * order, so words are added as they lie in memory and only the result is looked at: RFC 1071, 2(B). */

/* Sixteen bytes at a time, as long as there are as many. */
static uint64_t add_blocks(uint64_t sum, const unsigned char *bytes, size_t len)
{
#ifdef __SSE2__
    const __m128i low = _mm_set1_epi64x(0xffffffff);
    __m128i sums[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
    uint64_t parts[2];
    for (; len >= 16; bytes += 16, len -= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)bytes);
        sums[0] = _mm_add_epi64(sums[0], _mm_and_si128(block, low));
        sums[1] = _mm_add_epi64(sums[1], _mm_srli_epi64(block, 32));
    }
    _mm_storeu_si128((__m128i *)(void *)parts, _mm_add_epi64(sums[0], sums[1]));
    return sum + parts[0] + parts[1];
#else
    uint64_t other = 0;
    for (; len >= 16; bytes += 16, len -= 16) {
        uint64_t words[2];
        memcpy(words, bytes, sizeof words);
        sum += (words[0] & 0xffffffff) + (words[0] >> 32);
        other += (words[1] & 0xffffffff) + (words[1] >> 32);
    }
    return sum + other;
#endif
}

/* Below sixteen bytes. */
static inline uint64_t add_rest(uint64_t sum, const unsigned char *bytes, size_t len)
{
    uint64_t word;
    uint32_t half = 0;
    if (len & 8) {
        memcpy(&word, bytes, 8);
        sum += (word & 0xffffffff) + (word >> 32);
        bytes += 8;
    }
    if (len & 4) {
        memcpy(&half, bytes, 4);
        sum += half;
        bytes += 4;
    }
    if (len & 3) {
        unsigned char last[4] = {bytes[0], len & 2 ? bytes[1] : 0, (len & 3) == 3 ? bytes[2] : 0, 0};
        memcpy(&half, last, 4);
        sum += half;
    }
    return sum;
}

static inline uint64_t add_bytes(uint64_t sum, const unsigned char *bytes, size_t len)
{
    if (len >= 16)
        sum = add_blocks(sum, bytes, len);
    return add_rest(sum, bytes + (len & ~(size_t)15), len & 15);
}

static inline uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

uint16_t qcapint_checksum_of(const unsigned char *bytes, size_t len)
{
    uint16_t in_memory_order = (uint16_t)~fold(add_bytes(0, bytes, len));
    unsigned char pair[2];
    memcpy(pair, &in_memory_order, 2);
    return qcapint_get_be16(pair);
}

static inline uint32_t word_at(const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

qcapint_checksum_t qcapint_checksum_network(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    const unsigned char *ip = bytes + headers->network;
    if (headers->version != 4)
        return QCAPINT_CHECKSUM_UNKNOWN;
    uint64_t sum = (uint64_t)word_at(ip) + word_at(ip + 4) + word_at(ip + 8) + word_at(ip + 12) + word_at(ip + 16);
    if (ip[0] != 0x45) /* there are options */
        sum = add_bytes(sum, ip + 20, (ip[0] & 0x0fu) * 4u - 20);
    if (fold(sum) == 0xffff)
        return QCAPINT_CHECKSUM_GOOD;
    return qcapint_get_be16(ip + 10) == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

/* The sum of the pseudo-header: addresses, protocol, length. RFC 9293, 3.1; RFC 8200, 8.1. */
static inline uint64_t add_pseudo_header(const unsigned char *ip, const qcapint_headers_t *headers, uint32_t len)
{
    unsigned char tail[8] = {0};
    qcapint_put_be32(tail, len);
    tail[7] = headers->protocol;
    uint64_t sum = (uint64_t)word_at(tail) + word_at(tail + 4);
    return headers->version == 4 ? sum + word_at(ip + 12) + word_at(ip + 16) : add_bytes(sum, ip + 8, 32);
}

/* note [checksums that are not there yet]: a sender whose hardware computes checksums writes nothing, or the folded
 * sum of the pseudo-header, for the hardware to go on with; a capture on that machine sees it so. */
qcapint_checksum_t qcapint_checksum_transport(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    bool is_tcp = headers->protocol == QCAPINT_PROTOCOL_TCP;
    if ((!is_tcp && headers->protocol != QCAPINT_PROTOCOL_UDP) || headers->is_fragment || headers->is_routed ||
        headers->payload_len != headers->payload_wire)
        return QCAPINT_CHECKSUM_UNKNOWN;
    const unsigned char *transport = bytes + headers->transport;
    if (is_tcp && headers->transport + (transport[12] >> 4) * 4u != headers->payload) /* options were snapped */
        return QCAPINT_CHECKSUM_UNKNOWN;
    uint32_t len = headers->payload + headers->payload_len - headers->transport;
    uint16_t field;
    memcpy(&field, transport + (is_tcp ? 16 : 6), 2);
    uint64_t pseudo = add_pseudo_header(bytes + headers->network, headers, len);
    if (fold(add_bytes(pseudo, transport, len)) == 0xffff)
        return field == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_GOOD;
    return field == 0 || field == fold(pseudo) ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}
