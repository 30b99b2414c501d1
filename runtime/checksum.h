/* checksum.h: sums of RFC 1071, for those who take one for each packet: checksum.c, and usual.c. What they say of a packet is
 * decode.h's. */
#ifndef QCAP_CHECKSUM_H
#define QCAP_CHECKSUM_H

#ifdef __SSE2__
#include <immintrin.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bytes.h"

/* note [byte order of sums]: adding 16-bit words with carries around the end gives the same 16 bits in either byte
 * order, so words are added as they lie in memory and only the result is looked at: RFC 1071, 2(B). */

#define QCAPINT_SUM_BLOCK 16u

/* note [signed sums]: the instruction that adds neighbouring words takes them as signed. A word whose highest bit is changed
 * counts as 32768 less, which is made up for at the end. A part of the bytes is so short that no sum overflows. */
#define QCAPINT_SUM_PART ((size_t)1 << 16)
#define QCAPINT_SUM_MADE_UP 32768u /* for each word */

/* From here on, wider ones are worth a call. */
#define QCAPINT_SUM_WIDE_LEN 128u

#ifdef __SSE2__
static inline int32_t qcapint_sum_lanes(__m128i sums)
{
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1)));
}

static inline __m128i qcapint_sum_block(__m128i block)
{
    return _mm_madd_epi16(_mm_xor_si128(block, _mm_set1_epi16(INT16_MIN)), _mm_set1_epi16(1));
}

/* Of whole blocks, at most a part, and what is in `sums`. */
static inline uint64_t qcapint_sum_blocks(__m128i sums, const unsigned char *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += QCAPINT_SUM_BLOCK)
        sums = _mm_add_epi32(sums, qcapint_sum_block(_mm_loadu_si128((const __m128i *)(const void *)(bytes + at))));
    return (uint64_t)qcapint_sum_lanes(sums) + len / 2 * QCAPINT_SUM_MADE_UP;
}

static inline uint64_t qcapint_sum_part(const unsigned char *bytes, size_t len)
{
    return qcapint_sum_blocks(_mm_setzero_si128(), bytes, len);
}

#else
static inline uint64_t qcapint_sum_part(const unsigned char *bytes, size_t len)
{
    uint64_t sum = 0, word;
    for (size_t at = 0; at < len; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        sum += (word & 0xffffffff) + (word >> 32);
    }
    return sum;
}

#endif

static inline uint64_t qcapint_sum_word(uint64_t sum, uint64_t word)
{
    return sum + (word & 0xffffffff) + (word >> 32);
}

/* The last bytes before `end`, below a block; at least 8 bytes lie there. */
static inline uint64_t qcapint_sum_tail(uint64_t sum, const unsigned char *end, size_t len)
{
    uint64_t word;
    if (len & 8) {
        memcpy(&word, end - len, sizeof word);
        sum = qcapint_sum_word(sum, word);
    }
    if (len & 7) { /* the other bytes of the word go */
        size_t gone = 8 * (8 - (len & 7));
        memcpy(&word, end - sizeof word, sizeof word);
        sum = qcapint_sum_word(sum, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word >> gone : word << gone);
    }
    return sum;
}

/* Fewer than 8 bytes. */
static inline uint64_t qcapint_sum_few(uint64_t sum, const unsigned char *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len);
    return qcapint_sum_word(sum, word);
}

/* Any number of whole blocks, wide ones where the processor has them. */
uint64_t qcapint_sum_long(const unsigned char *bytes, size_t len);

static inline uint64_t qcapint_sum_add(uint64_t sum, const unsigned char *bytes, size_t len)
{
    if (len < sizeof sum)
        return qcapint_sum_few(sum, bytes, len);
    const unsigned char *end = bytes + len;
    size_t left = len & ~(size_t)(QCAPINT_SUM_BLOCK - 1);
    if (left >= QCAPINT_SUM_WIDE_LEN)
        sum += qcapint_sum_long(bytes, left);
    else if (left > 0)
        sum += qcapint_sum_part(bytes, left);
    return qcapint_sum_tail(sum, end, len & (QCAPINT_SUM_BLOCK - 1));
}

/* Of at least a block, and at most a part, behind bytes that may be read, too, as many as a block has. Blocks are taken from the
 * end backwards, and of the first one what is too much is masked off: no branch depends on what is left behind whole blocks. If
 * that begins at an odd place, the words have their bytes the other way round, and so has their sum. */
static inline uint64_t qcapint_sum_behind(const unsigned char *bytes, size_t len)
{
#ifdef __SSE2__
    static const uint64_t masks[4] = {0, 0, UINT64_MAX, UINT64_MAX};
    const size_t odd = len % QCAPINT_SUM_BLOCK, left = len - odd;
    const unsigned char *begin = bytes + odd;
    const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(begin - QCAPINT_SUM_BLOCK));
    const __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)((const unsigned char *)masks + odd));
    const __m128i sums = qcapint_sum_block(_mm_and_si128(block, mask));
    uint64_t sum = QCAPINT_SUM_BLOCK / 2 * QCAPINT_SUM_MADE_UP;
    if (left >= QCAPINT_SUM_WIDE_LEN)
        sum += qcapint_sum_blocks(sums, begin, 0) + qcapint_sum_long(begin, left);
    else
        sum += qcapint_sum_blocks(sums, begin, left);
    return sum << (8 * (odd & 1));
#else
    return qcapint_sum_add(0, bytes, len);
#endif
}

/* The same in blocks twice as long, behind as many bytes that may be read, for functions that are compiled for processors that
 * qcapint_sum_has_wide() tells of. */
#ifdef __SSE2__
#define QCAPINT_SUM_WIDE __attribute__((target("avx2")))
#define QCAPINT_SUM_WIDE_BLOCK 32u

static inline bool qcapint_sum_has_wide(void)
{
    return __builtin_cpu_supports("avx2");
}

QCAPINT_SUM_WIDE static inline __m256i qcapint_sum_wide_load(const unsigned char *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

QCAPINT_SUM_WIDE static inline __m256i qcapint_sum_wide_block(__m256i block)
{
    return _mm256_madd_epi16(_mm256_xor_si256(block, _mm256_set1_epi16(INT16_MIN)), _mm256_set1_epi16(1));
}

/* Behind what is left, blocks come in pairs; where one is left over, it is taken before them, else none of it: no branch, either. */
QCAPINT_SUM_WIDE static inline uint64_t qcapint_sum_behind_wide(const unsigned char *bytes, size_t len)
{
    static const uint64_t masks[8] = {0, 0, 0, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    const size_t odd = len % QCAPINT_SUM_WIDE_BLOCK, single = len & QCAPINT_SUM_WIDE_BLOCK;
    const unsigned char *begin = bytes + odd - QCAPINT_SUM_WIDE_BLOCK, *mask = (const unsigned char *)masks;
    const __m256i first = _mm256_and_si256(qcapint_sum_wide_load(begin), qcapint_sum_wide_load(mask + odd));
    const __m256i second = _mm256_and_si256(qcapint_sum_wide_load(begin + single), qcapint_sum_wide_load(mask + single));
    __m256i sums = _mm256_add_epi32(qcapint_sum_wide_block(first), qcapint_sum_wide_block(second));
    const size_t left = len - odd - single;
    begin += single + QCAPINT_SUM_WIDE_BLOCK;
    for (size_t at = 0; at < left; at += 2 * QCAPINT_SUM_WIDE_BLOCK) {
        const __m256i pair[2] = {qcapint_sum_wide_load(begin + at), qcapint_sum_wide_load(begin + at + QCAPINT_SUM_WIDE_BLOCK)};
        sums = _mm256_add_epi32(sums, _mm256_add_epi32(qcapint_sum_wide_block(pair[0]), qcapint_sum_wide_block(pair[1])));
    }
    const __m128i halves = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const uint64_t made_up = (left / 2 + QCAPINT_SUM_WIDE_BLOCK) * QCAPINT_SUM_MADE_UP;
    return ((uint64_t)qcapint_sum_lanes(halves) + made_up) << (8 * (odd & 1));
}
#else
#define QCAPINT_SUM_WIDE
#define QCAPINT_SUM_WIDE_BLOCK QCAPINT_SUM_BLOCK

static inline bool qcapint_sum_has_wide(void)
{
    return false;
}

static inline uint64_t qcapint_sum_behind_wide(const unsigned char *bytes, size_t len)
{
    return qcapint_sum_behind(bytes, len);
}
#endif

/* Adds the halves of the sum, then those of their sum: a number and the same with its halves swapped, added, have what is
 * wanted, carry included, in the upper half. */
static inline uint16_t qcapint_sum_fold(uint64_t sum)
{
    uint32_t word = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
    return (uint16_t)((word + (word << 16 | word >> 16)) >> 16);
}

/* Whether a sum, which is not 0, folds to 0xffff: then what it was taken over has the right checksum. Such sums are the multiples of
 * 0xffff, and these are the numbers that its inverse, modulo 2^64, makes small. */
static inline bool qcapint_sum_is_right(uint64_t sum)
{
    return sum * UINT64_C(0xfffefffefffeffff) <= UINT64_MAX / 0xffff;
}

/* A number as a packet has it. */
static inline uint64_t qcapint_sum_number(uint32_t number)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(number) : number;
}

/* What the pseudo-header has beside the addresses: protocol, length. RFC 9293, 3.1; RFC 8200, 8.1. */
static inline uint64_t qcapint_sum_pseudo(uint8_t protocol, uint32_t len)
{
    return qcapint_sum_number(protocol) + qcapint_sum_number(len);
}

static inline uint32_t qcapint_sum_load(const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* Of an IPv4 header's addresses; of all of it, without options. */
static inline uint64_t qcapint_sum_addresses(const unsigned char *ip)
{
    return (uint64_t)qcapint_sum_load(ip + 12) + qcapint_sum_load(ip + 16);
}

static inline uint64_t qcapint_sum_ipv4(const unsigned char *ip)
{
    return (uint64_t)qcapint_sum_load(ip) + qcapint_sum_load(ip + 4) + qcapint_sum_load(ip + 8) + qcapint_sum_addresses(ip);
}

#endif
