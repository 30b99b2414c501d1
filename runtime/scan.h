/* scan.h: runs of bytes of one class, and words, many bytes at a time. For generated code and the runtime; needs no libc
 * but string.h.
 *
 * In: bytes, and a class of bytes as a few ranges. Out: where the run ends.
 *
 * Lanes. A qcap_lanes_t holds QCAP_LANES bytes: 16 with SSE2 (any x86-64) or NEON (any arm64), 8 in a word elsewhere. All
 * give the same results. Who scans says what the class is, twice: for many bytes and for one.
 *
 *     static inline qcap_lanes_t in_token(qcap_lanes_t v)
 *     {
 *         qcap_lanes_t letter = qcap_lanes_range(qcap_lanes_small(v), 'a', 'z');
 *         return qcap_lanes_or(qcap_lanes_or(letter, qcap_lanes_range(v, '0', '9')), qcap_lanes_byte(v, '-'));
 *     }
 *     QCAP_SCAN(scan_token, in_token, IS_TOKEN)
 *
 * makes `const unsigned char *scan_token(const unsigned char *at, const unsigned char *end)`, inline: the first byte from
 * `at` on for which IS_TOKEN(byte) is false, or `end`. Nothing is read before `at`, or at or behind `end`. scan_token_back()
 * does the same, and may read the QCAP_LANES bytes before `at`, too: so it needs no loop where `end` is near. A byte that is
 * in the class but not in the lanes costs as much as a block of them: the lanes should hold the usual ones. Where they hold
 * all, QCAP_SCAN_EXACT does the same and is faster.
 *
 * note [no wider lanes]: 32 bytes at a time, or a lookup of any class by shuffles, were slower on real messages: both have
 * to be chosen at run time, and a call by a pointer or a longer chain costs more than they gain. */
#ifndef QCAP_SCAN_H
#define QCAP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(QCAP_SCAN_WORDS)
#elif defined(__SSE2__)
#define QCAP_SCAN_SSE2
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define QCAP_SCAN_NEON
#include <arm_neon.h>
#else
#define QCAP_SCAN_WORDS
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- lanes
 * Of a byte that is a number: its value. Of one that is an answer: the top bit says yes; the rest means nothing. */

#if defined(QCAP_SCAN_SSE2)

#define QCAP_LANES 16
typedef __m128i qcap_lanes_t;

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_load(const unsigned char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_byte(qcap_lanes_t v, unsigned char byte)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte));
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_range(qcap_lanes_t v, unsigned char low, unsigned char high)
{
    if (low == 0)
        return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)high)), v);
    if (high == 0xff)
        return _mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8((char)low)), v);
    __m128i above = _mm_sub_epi8(v, _mm_set1_epi8((char)low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8((char)(high - low))), above);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_or(qcap_lanes_t a, qcap_lanes_t b)
{
    return _mm_or_si128(a, b);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_not(qcap_lanes_t a)
{
    return _mm_xor_si128(a, _mm_set1_epi8(-1));
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_small(qcap_lanes_t v)
{
    return _mm_or_si128(v, _mm_set1_epi8(0x20));
}

static inline __attribute__((always_inline)) uint64_t qcap_lanes_no(qcap_lanes_t in)
{
    return (unsigned)_mm_movemask_epi8(qcap_lanes_not(in));
}

static inline __attribute__((always_inline)) uint64_t qcap_lanes_yes(qcap_lanes_t in)
{
    return (unsigned)_mm_movemask_epi8(in);
}

#define QCAP_LANE_BITS 1

#elif defined(QCAP_SCAN_NEON)

#define QCAP_LANES 16
typedef uint8x16_t qcap_lanes_t;

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_load(const unsigned char *at)
{
    return vld1q_u8(at);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_byte(qcap_lanes_t v, unsigned char byte)
{
    return vceqq_u8(v, vdupq_n_u8(byte));
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_range(qcap_lanes_t v, unsigned char low, unsigned char high)
{
    return vcleq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8((unsigned char)(high - low)));
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_or(qcap_lanes_t a, qcap_lanes_t b)
{
    return vorrq_u8(a, b);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_not(qcap_lanes_t a)
{
    return vmvnq_u8(a);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_small(qcap_lanes_t v)
{
    return vorrq_u8(v, vdupq_n_u8(0x20));
}

/* Four bits of each answer, all alike. */
static inline __attribute__((always_inline)) uint64_t qcap_lanes_no(qcap_lanes_t in)
{
    return ~vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(in), 4)), 0);
}

static inline __attribute__((always_inline)) uint64_t qcap_lanes_yes(qcap_lanes_t in)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(in), 4)), 0);
}

#define QCAP_LANE_BITS 4

#else

#define QCAP_LANES 8
typedef uint64_t qcap_lanes_t;

#define QCAP_LANES_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first byte is the least significant one, on every machine. */
static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_load(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 |
           (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* low <= byte. The lower seven bits are compared by a sum that stays in its byte, the top bit decides alone. */
static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_from(qcap_lanes_t v, unsigned char low)
{
    uint64_t rest = (v & QCAP_LANES_ALL(0x7f)) + QCAP_LANES_ALL((uint64_t)(0x80 - (low & 0x7f)));
    return low < 0x80 ? v | rest : v & rest;
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_range(qcap_lanes_t v, unsigned char low, unsigned char high)
{
    qcap_lanes_t in = qcap_lanes_from(v, low);
    return high == 0xff ? in : in & ~qcap_lanes_from(v, (unsigned char)(high + 1));
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_byte(qcap_lanes_t v, unsigned char byte)
{
    return qcap_lanes_range(v, byte, byte);
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_or(qcap_lanes_t a, qcap_lanes_t b)
{
    return a | b;
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_not(qcap_lanes_t a)
{
    return ~a;
}

static inline __attribute__((always_inline)) qcap_lanes_t qcap_lanes_small(qcap_lanes_t v)
{
    return v | QCAP_LANES_ALL(0x20);
}

static inline __attribute__((always_inline)) uint64_t qcap_lanes_no(qcap_lanes_t in)
{
    return ~in & QCAP_LANES_ALL(0x80);
}

static inline __attribute__((always_inline)) uint64_t qcap_lanes_yes(qcap_lanes_t in)
{
    return in & QCAP_LANES_ALL(0x80);
}

#define QCAP_LANE_BITS 8

#endif

/* What the operations above say of each byte:
 *     qcap_lanes_byte(v, b)        v = b
 *     qcap_lanes_range(v, l, h)    l <= v <= h
 *     qcap_lanes_or(a, b), _not(a) of answers
 *     qcap_lanes_small(v)          v with bit 5 set: small letters of large ones, and some other bytes of others
 *     qcap_lanes_no(in)            0: all are yes; else a number whose lowest bits that are set tell the first no;
 *     qcap_lanes_yes(in)           the same of the first yes: */
static inline __attribute__((always_inline)) unsigned qcap_lanes_first(uint64_t no)
{
    return (unsigned)__builtin_ctzll(no) / QCAP_LANE_BITS;
}

/* ---------------------------------------------------------------- scans */

/* Are there so many bytes? A sum, since what comes next needs it, too. */
static inline __attribute__((always_inline)) bool qcap_has(const unsigned char *at, const unsigned char *end, size_t count)
{
    return (uintptr_t)at + count <= (uintptr_t)end;
}

/* One block: goes on at its end, or returns the end of the run. The first one stands outside the loop: what is compared with
 * is in memory for it, and need not be loaded first. */
#define QCAP_SCAN_BLOCK(stop, in, is, is_exact)                                                                        \
    {                                                                                                                  \
        uint64_t no = stop(in(qcap_lanes_load(at)));                                                                   \
        if (no == 0) {                                                                                                 \
            at += QCAP_LANES;                                                                                          \
        } else {                                                                                                       \
            at += qcap_lanes_first(no);                                                                                \
            if (is_exact || !is(*at))                                                                                  \
                return at;                                                                                             \
            at++;                                                                                                      \
        }                                                                                                              \
    }

/* What is left is less than a block: the last block of all, as far as it lies before `at`, does not count. */
#define QCAP_SCAN_LAST(stop, in, is, is_exact)                                                                         \
    while (at != end) {                                                                                                \
        uint64_t no = stop(in(qcap_lanes_load(end - QCAP_LANES))) >> (QCAP_LANES - (end - at)) * QCAP_LANE_BITS;       \
        if (no == 0)                                                                                                   \
            return end;                                                                                                \
        at += qcap_lanes_first(no);                                                                                    \
        if (is_exact || !is(*at))                                                                                      \
            return at;                                                                                                 \
        at++;                                                                                                          \
    }                                                                                                                  \
    return end;

#define QCAP_SCAN_AS(name, stop, in, is, is_exact)                                                                     \
    static __attribute__((noinline, unused)) const unsigned char *name##_on(const unsigned char *at, const unsigned char *end) \
    {                                                                                                                  \
        while (qcap_has(at, end, QCAP_LANES))                                                                          \
            QCAP_SCAN_BLOCK(stop, in, is, is_exact)                                                                    \
        while (at != end && is(*at))                                                                                   \
            at++;                                                                                                      \
        return at;                                                                                                     \
    }                                                                                                                  \
    static __attribute__((noinline, unused)) const unsigned char *name##_back_on(const unsigned char *at, const unsigned char *end) \
    {                                                                                                                  \
        while (qcap_has(at, end, QCAP_LANES))                                                                          \
            QCAP_SCAN_BLOCK(stop, in, is, is_exact)                                                                    \
        QCAP_SCAN_LAST(stop, in, is, is_exact)                                                                         \
    }                                                                                                                  \
    static inline __attribute__((always_inline, unused)) const unsigned char *name(const unsigned char *at,            \
                                                                           const unsigned char *end)                   \
    {                                                                                                                  \
        if (qcap_has(at, end, QCAP_LANES))                                                                             \
            QCAP_SCAN_BLOCK(stop, in, is, is_exact)                                                                    \
        return name##_on(at, end);                                                                                     \
    }                                                                                                                  \
    static inline __attribute__((always_inline, unused)) const unsigned char *name##_back(const unsigned char *at,     \
                                                                                const unsigned char *end)              \
    {                                                                                                                  \
        if (qcap_has(at, end, QCAP_LANES))                                                                             \
            QCAP_SCAN_BLOCK(stop, in, is, is_exact)                                                                    \
        return name##_back_on(at, end);                                                                                \
    }

#define QCAP_SCAN(name, in, is) QCAP_SCAN_AS(name, qcap_lanes_no, in, is, 0)
#define QCAP_SCAN_EXACT(name, in, is) QCAP_SCAN_AS(name, qcap_lanes_no, in, is, 1)

/* The same, the lanes holding what is not in the class, and perhaps some of what is. */
#define QCAP_SCAN_UNTIL(name, out, is) QCAP_SCAN_AS(name, qcap_lanes_yes, out, is, 0)
#define QCAP_SCAN_UNTIL_EXACT(name, out, is) QCAP_SCAN_AS(name, qcap_lanes_yes, out, is, 1)

/* ---------------------------------------------------------------- words */

/* Bit 5 of each byte that is a small letter: what may be set or not in a text that is the same word. */
static inline uint64_t qcap_letters(uint64_t word)
{
    uint64_t rest = word & UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t from_a = rest + UINT64_C(0x0101010101010101) * (0x80 - 'a');
    uint64_t behind_z = rest + UINT64_C(0x0101010101010101) * (0x80 - 'z' - 1);
    return (from_a & ~behind_z & ~word & UINT64_C(0x8080808080808080)) >> 2;
}

static inline uint64_t qcap_differences(uint64_t text, uint64_t word)
{
    return (text | qcap_letters(word)) ^ word;
}

static inline uint64_t qcap_load_8(const void *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t qcap_load_4(const void *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t qcap_load_2(const void *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t qcap_differences_8(const void *text, const void *word)
{
    return qcap_differences(qcap_load_8(text), qcap_load_8(word));
}

static inline uint64_t qcap_differences_4(const void *text, const void *word)
{
    return qcap_differences(qcap_load_4(text), qcap_load_4(word));
}

static inline uint64_t qcap_differences_2(const void *text, const void *word)
{
    return qcap_differences(qcap_load_2(text), qcap_load_2(word));
}

/* Whether `len` bytes are those of `text`. Of a text that is constant, one comparison of eight bytes at a time remains, the last
 * ones overlapping: memcmp() would be called for most lengths. */
static inline __attribute__((always_inline)) bool qcap_is_text(const unsigned char *at, const char *text, size_t len)
{
    uint64_t differences = 0;
    if (len >= 8) {
        differences = qcap_load_8(at + len - 8) ^ qcap_load_8(text + len - 8);
        for (size_t i = 0; i + 8 < len; i += 8)
            differences |= qcap_load_8(at + i) ^ qcap_load_8(text + i);
    } else if (len >= 4) {
        differences = (qcap_load_4(at) ^ qcap_load_4(text)) | (qcap_load_4(at + len - 4) ^ qcap_load_4(text + len - 4));
    } else if (len >= 2) {
        differences = (qcap_load_2(at) ^ qcap_load_2(text)) | (qcap_load_2(at + len - 2) ^ qcap_load_2(text + len - 2));
    } else if (len == 1) {
        differences = *at ^ (unsigned char)*text;
    }
    return differences == 0;
}

/* Whether `len` bytes of text are the word, ignoring the case of ASCII letters; `word` is in small letters. Of a word that is
 * constant, as it is in generated code, one comparison of eight bytes at a time remains, the last ones overlapping. */
static inline __attribute__((always_inline)) bool qcap_is_word(const unsigned char *text, const char *word, size_t len)
{
    uint64_t differences = 0;
    if (len >= 8) {
        differences = qcap_differences_8(text + len - 8, word + len - 8);
        if (len > 8)
            differences |= qcap_differences_8(text, word);
        if (len > 16)
            differences |= qcap_differences_8(text + 8, word + 8);
        for (size_t i = 16; i + 8 < len; i += 8)
            differences |= qcap_differences_8(text + i, word + i);
    } else if (len >= 4) {
        differences = qcap_differences_4(text, word) | qcap_differences_4(text + len - 4, word + len - 4);
    } else if (len >= 2) {
        differences = qcap_differences_2(text, word) | qcap_differences_2(text + len - 2, word + len - 2);
    } else if (len == 1) {
        differences = qcap_differences(*text, (unsigned char)*word);
    }
    return differences == 0;
}

#ifdef __cplusplus
}
#endif
#endif
