/* bytes.h: checked reads of network-order numbers.
 *
 * A cursor over bytes somebody else owns. A read beyond the end gives 0 and marks the cursor as short, so that a
 * decoder reads all fields of a header in a straight column and asks once whether they were there. */
#ifndef QCAP_BYTES_H
#define QCAP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* note [unchecked reads]: the get functions do not check; they are for places whose bounds were checked before. */
static inline uint16_t qcapint_get_be16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t qcapint_get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void qcapint_put_be16(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char)(value >> 8);
    p[1] = (unsigned char)value;
}

static inline void qcapint_put_be32(unsigned char *p, uint32_t value)
{
    qcapint_put_be16(p, value >> 16);
    qcapint_put_be16(p + 2, value);
}

typedef struct qcapint_bytes {
    const unsigned char *at;  /* next byte to read */
    const unsigned char *end; /* behind the last one */
    bool is_short;            /* a read went beyond the end */
} qcapint_bytes_t;

static inline qcapint_bytes_t qcapint_bytes(const unsigned char *at, size_t len)
{
    qcapint_bytes_t bytes = {at, at + len, false};
    return bytes;
}

static inline size_t qcapint_bytes_left(const qcapint_bytes_t *bytes)
{
    return (size_t)(bytes->end - bytes->at);
}

/* The next `len` bytes, or NULL. */
static inline const unsigned char *qcapint_bytes_take(qcapint_bytes_t *bytes, size_t len)
{
    const unsigned char *at = bytes->at;
    if (qcapint_bytes_left(bytes) < len) {
        bytes->is_short = true;
        return NULL;
    }
    bytes->at += len;
    return at;
}

static inline uint8_t qcapint_bytes_u8(qcapint_bytes_t *bytes)
{
    const unsigned char *at = qcapint_bytes_take(bytes, 1);
    return at ? at[0] : 0;
}

static inline uint16_t qcapint_bytes_be16(qcapint_bytes_t *bytes)
{
    const unsigned char *at = qcapint_bytes_take(bytes, 2);
    return at ? qcapint_get_be16(at) : 0;
}

static inline uint32_t qcapint_bytes_be32(qcapint_bytes_t *bytes)
{
    const unsigned char *at = qcapint_bytes_take(bytes, 4);
    return at ? qcapint_get_be32(at) : 0;
}

/* Fetches a block into the cache, to be written to; NULL is allowed. */
static inline void qcapint_fetch(const void *block, size_t size)
{
    const uintptr_t line_len = 64, end = (uintptr_t)block + size;
    for (uintptr_t at = (uintptr_t)block & ~(line_len - 1); at < end; at += line_len)
        __builtin_prefetch((const void *)at, 1);
}

#endif
