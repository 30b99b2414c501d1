/* hash.c: SipHash-1-3 over 64-bit words, and keys made with it. See hash.h. */
#include "hash.h"

#include <sys/random.h>
#include <time.h>

void qcapint_hash_seed(uint64_t key[2])
{
    if (getrandom(key, 2 * sizeof *key, GRND_NONBLOCK) == (ssize_t)(2 * sizeof *key))
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    key[0] = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u;
    key[1] = (uint64_t)(uintptr_t)key ^ (uint64_t)now.tv_sec << 32;
}

static inline uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* One SipRound on the four words of state. */
static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

uint64_t qcapint_hash(const uint64_t key[2], const uint64_t *words, size_t count)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    for (size_t i = 0; i < count; i++)
        absorb(v, words[i]);
    absorb(v, (uint64_t)count * 8 << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void qcapint_hash_key_init(qcapint_hash_key_t *key)
{
    uint64_t seed[2];
    qcapint_hash_seed(seed);
    for (uint32_t i = 0; i < 2 * QCAPINT_HASH_PAIRS; i++) {
        uint64_t word = i;
        key->terms[i] = (uint32_t)qcapint_hash(seed, &word, 1);
    }
    key->factor = qcapint_hash(seed, seed, 2) | 1;
}
