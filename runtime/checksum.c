/* checksum.c: what the checksums of a packet say: RFC 1071, and RFC 791, RFC 9293 and RFC 768 for what they are
 * taken over. */
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include <string.h>

#include "bytes.h"
#include "decode.h"

/* note [byte order of sums]: adding 16-bit words with carries around the end gives the same 16 bits in either byte
 * order, so words are added as they lie in memory and only the result is looked at: RFC 1071, 2(B). */

#define BLOCK 16u

/* note [signed sums]: the instruction that adds neighbouring words takes them as signed. A word whose highest bit is changed
 * counts as 32768 less, which is made up for at the end. A part of the bytes is so short that no sum overflows. */
#define PART ((size_t)1 << 16)
#define MADE_UP 32768u /* for each word */

/* From here on, wider ones are worth a call. */
#define WIDE_LEN 128u

#ifdef __SSE2__
static inline int32_t add_lanes(__m128i sums)
{
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1)));
}

/* Of whole blocks, at most a part. */
static inline uint64_t add_part(const unsigned char *bytes, size_t len)
{
    const __m128i flip = _mm_set1_epi16(INT16_MIN), ones = _mm_set1_epi16(1);
    __m128i sums = _mm_setzero_si128();
    for (size_t at = 0; at < len; at += BLOCK) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_xor_si128(block, flip), ones));
    }
    return (uint64_t)add_lanes(sums) + len / 2 * MADE_UP;
}

/* The same where the processor has AVX2. */
__attribute__((target("avx2"))) static uint64_t add_part_wide(const unsigned char *bytes, size_t len)
{
    const __m256i flip = _mm256_set1_epi16(INT16_MIN), ones = _mm256_set1_epi16(1);
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t at = 0;
    for (; at + 4 * BLOCK <= len; at += 4 * BLOCK)
        for (size_t i = 0; i < 2; i++) {
            __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + i * 2 * BLOCK));
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_xor_si256(block, flip), ones));
        }
    sums[0] = _mm256_add_epi32(sums[0], sums[1]);
    int32_t lanes = add_lanes(_mm_add_epi32(_mm256_castsi256_si128(sums[0]), _mm256_extracti128_si256(sums[0], 1)));
    return (uint64_t)lanes + at / 2 * MADE_UP + add_part(bytes + at, len - at);
}

static inline bool has_wide(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
static inline uint64_t add_part(const unsigned char *bytes, size_t len)
{
    uint64_t sum = 0, word;
    for (size_t at = 0; at < len; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        sum += (word & 0xffffffff) + (word >> 32);
    }
    return sum;
}

static inline uint64_t add_part_wide(const unsigned char *bytes, size_t len)
{
    return add_part(bytes, len);
}

static inline bool has_wide(void)
{
    return false;
}
#endif

static inline uint64_t add_word(uint64_t sum, uint64_t word)
{
    return sum + (word & 0xffffffff) + (word >> 32);
}

/* The last bytes before `end`, below a block; at least 8 bytes lie there. */
static inline uint64_t add_tail(uint64_t sum, const unsigned char *end, size_t len)
{
    uint64_t word;
    if (len & 8) {
        memcpy(&word, end - len, sizeof word);
        sum = add_word(sum, word);
    }
    if (len & 7) { /* the other bytes of the word go */
        size_t gone = 8 * (8 - (len & 7));
        memcpy(&word, end - sizeof word, sizeof word);
        sum = add_word(sum, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word >> gone : word << gone);
    }
    return sum;
}

/* Fewer than 8 bytes. */
static inline uint64_t add_few(uint64_t sum, const unsigned char *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len);
    return add_word(sum, word);
}

/* Whole blocks, as many as there are. */
__attribute__((noinline)) static uint64_t add_long(const unsigned char *bytes, size_t len)
{
    uint64_t sum = 0;
    bool is_wide = has_wide();
    for (size_t at = 0; at < len; at += PART) {
        size_t part = len - at < PART ? len - at : PART;
        sum += is_wide ? add_part_wide(bytes + at, part) : add_part(bytes + at, part);
    }
    return sum;
}

static inline uint64_t add_bytes(uint64_t sum, const unsigned char *bytes, size_t len)
{
    if (len < sizeof sum)
        return add_few(sum, bytes, len);
    const unsigned char *end = bytes + len;
    size_t left = len & ~(size_t)(BLOCK - 1);
    if (left >= WIDE_LEN)
        sum += add_long(bytes, left);
    else if (left > 0)
        sum += add_part(bytes, left);
    return add_tail(sum, end, len & (BLOCK - 1));
}

/* Adds the halves of the sum, then those of their sum: a number and the same with its halves swapped, added, have what is
 * wanted, carry included, in the upper half. */
static inline uint16_t fold(uint64_t sum)
{
    uint32_t word = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
    return (uint16_t)((word + (word << 16 | word >> 16)) >> 16);
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

qcapint_checksum_t qcapint_checksum_ipv4(const unsigned char *ip)
{
    uint64_t sum = (uint64_t)word_at(ip) + word_at(ip + 4) + word_at(ip + 8) + word_at(ip + 12) + word_at(ip + 16);
    if (ip[0] != 0x45) /* there are options */
        sum = add_bytes(sum, ip + 20, (ip[0] & 0x0fu) * 4u - 20);
    if (fold(sum) == 0xffff)
        return QCAPINT_CHECKSUM_GOOD;
    return qcapint_get_be16(ip + 10) == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

qcapint_checksum_t qcapint_checksum_network(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    return headers->version == 4 ? qcapint_checksum_ipv4(bytes + headers->network) : QCAPINT_CHECKSUM_UNKNOWN;
}

/* What the pseudo-header has beside the addresses: protocol, length. RFC 9293, 3.1; RFC 8200, 8.1. */
static inline uint64_t pseudo_tail(uint8_t protocol, uint32_t len)
{
    unsigned char tail[8] = {0};
    uint64_t word;
    qcapint_put_be32(tail, len);
    tail[7] = protocol;
    memcpy(&word, tail, sizeof word);
    return add_word(0, word);
}

/* Its sum is wrong. note [checksums that are not there yet]: a sender whose hardware computes checksums writes nothing, or the
 * folded sum of the pseudo-header, for the hardware to go on with; a capture on that machine sees it so. */
__attribute__((noinline)) static qcapint_checksum_t why_wrong(uint16_t field, uint64_t tail, const unsigned char *addresses,
                                                              size_t addresses_len)
{
    bool is_begun = field == 0 || field == fold(add_bytes(tail, addresses, addresses_len));
    return is_begun ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

__attribute__((noinline)) static uint64_t add_pieces(uint64_t sum, const unsigned char *addresses, size_t addresses_len,
                                                     const unsigned char *transport, uint32_t len)
{
    return add_bytes(add_bytes(sum, addresses, addresses_len), transport, len);
}

qcapint_checksum_t qcapint_checksum_segment(const unsigned char *ip, uint8_t protocol, const unsigned char *transport,
                                            uint32_t len)
{
    bool is_v4 = ip[0] >> 4 == 4;
    const unsigned char *addresses = ip + (is_v4 ? 12 : 8);
    size_t addresses_len = is_v4 ? 8 : 32;
    uint64_t tail = pseudo_tail(protocol, len);
    bool is_one_piece = addresses + addresses_len == transport; /* no options or extension headers */
    uint64_t sum = is_one_piece ? add_bytes(tail, addresses, addresses_len + len)
                                : add_pieces(tail, addresses, addresses_len, transport, len);
    uint16_t field;
    memcpy(&field, transport + (protocol == QCAPINT_PROTOCOL_TCP ? 16 : 6), 2);
    if (fold(sum) != 0xffff)
        return why_wrong(field, tail, addresses, addresses_len);
    return field == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_GOOD;
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
    return qcapint_checksum_segment(bytes + headers->network, headers->protocol, transport,
                                    headers->payload + headers->payload_len - headers->transport);
}
